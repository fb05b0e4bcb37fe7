//! What is said once the screen is left: how the connection stood, what crossed it, where the recording is.

use crate::model::{Link, LinkState, NetEvent, RecorderState, Tally};
use crate::text::format::{count, size};

/// What became of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is here.
    At(String),
    /// It was empty, and is gone.
    Not,
    /// The user discarded it.
    Discarded,
    /// Another program took it away, or cut it.
    Lost(String),
    /// It should be gone, and is still here.
    Undeletable {
        /// Where.
        path: String,
        /// What the system said.
        why: String,
    },
}

/// One sentence a line; not escaped yet.
pub(super) fn lines(news: &NetEvent, kept: &Kept) -> Vec<String> {
    let mut lines: Vec<String> = news.link.iter().map(connection).collect();
    if let Some(link) = news.link.as_ref().filter(|link| link.id.0 > 0) {
        let deleted = news.ring.map_or(0, |ring| ring.deleted_payload);
        let (all, bytes) = (u64::from(link.id.0) + 1, size(news.payload + deleted));
        lines.push(format!(
            "the last of {} connections; {bytes} of data in all",
            count(all)
        ));
    }
    match &news.recorder {
        RecorderState::Recording => {}
        RecorderState::Paused { reason, .. } => lines.push(format!(
            "recording was paused, and what the peer sent since was not read: {reason}"
        )),
        RecorderState::Stopped { reason } => lines.push(format!("recording has stopped: {reason}")),
        RecorderState::Losing { reason, bytes } => {
            lines.push(format!("{} were not recorded: {reason}", size(*bytes)));
        }
    }
    match kept {
        Kept::At(path) => lines.push(format!("recorded in {path}{}", ring(news))),
        Kept::Not => {}
        Kept::Discarded => lines.push("the recording was discarded".into()),
        Kept::Lost(why) => lines.push(why.clone()),
        Kept::Undeletable { path, why } => lines.push(format!("cannot remove the recording {path}: {why}")),
    }
    lines
}

/// How many files of a ring are kept and what they hold, and what was in those that are gone.
fn ring(news: &NetEvent) -> String {
    let Some(ring) = news.ring else {
        return String::new();
    };
    let files = |number: u32| match number {
        1 => "1 file".to_owned(),
        number => format!("{} files", count(u64::from(number))),
    };
    if ring.deleted == 0 {
        return format!(" ({})", files(ring.files));
    }
    let older = match ring.deleted {
        1 => "1 older file".to_owned(),
        number => format!("{} older files", count(u64::from(number))),
    };
    format!(
        " (kept {}, from entry {}, with {} of data; deleted {older} with {})",
        files(ring.files),
        count(ring.first.0 + 1),
        size(news.payload),
        size(ring.deleted_payload),
    )
}

fn connection(link: &Link) -> String {
    let (sent, received) = (tally(link.sent), tally(link.received));
    // What was open when the user quit is closed by now, whatever the last report was in time to say.
    let state = if link.state.is_live() {
        LinkState::Closed
    } else {
        link.state
    };
    let crossed = format!("{} {state}: sent {sent}, received {received}", link.endpoint);
    let unsent = match link.unsent {
        0 => String::new(),
        bytes => format!(", {} unsent", size(bytes)),
    };
    let reason = link
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(" ({reason})"));
    crossed + &unsent + &reason
}

fn tally(tally: Tally) -> String {
    format!("{} in {}", size(tally.bytes), tally.messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConnectionId, EntryId, RingReport, Timestamp};

    fn check(news: &NetEvent, kept: &Kept, expected: &[&str]) {
        assert_eq!(lines(news, kept), expected);
    }

    #[test]
    fn what_crossed_and_where_it_is_are_said() {
        let mut link = Link::new(ConnectionId(0), "localhost:6379".parse().unwrap(), Timestamp(0));
        link.state = LinkState::Closed;
        link.sent = Tally {
            bytes: 132,
            messages: 3,
            ..Tally::default()
        };
        link.received = Tally {
            bytes: 1229,
            messages: 7,
            ..Tally::default()
        };
        link.reason = Some("the peer closed it (FIN)".to_owned());
        let mut news = NetEvent {
            link: Some(link),
            entries: 12,
            ..NetEvent::default()
        };
        let crossed =
            "tcp://localhost:6379 closed: sent 132 B in 3, received 1.2 KiB in 7 (the peer closed it (FIN))";
        check(
            &news,
            &Kept::At("/x.pcapng".to_owned()),
            &[crossed, "recorded in /x.pcapng"],
        );
        check(&news, &Kept::Not, &[crossed]);
        check(&news, &Kept::Discarded, &[crossed, "the recording was discarded"]);
        news.payload = 2048;
        for (files, first, deleted, expected) in [
            (1, 0, 0, "recorded in /x_*.pcapng (1 file)"),
            (
                3,
                12_344,
                1,
                "recorded in /x_*.pcapng (kept 3 files, from entry 12,345, with 2.0 KiB of data; deleted 1 older file with \
                 1.0 MiB)",
            ),
            (
                1,
                9,
                1000,
                "recorded in /x_*.pcapng (kept 1 file, from entry 10, with 2.0 KiB of data; deleted 1,000 older files with \
                 1.0 MiB)",
            ),
        ] {
            news.ring = Some(RingReport {
                files,
                of: 3,
                first: EntryId(first),
                deleted,
                deleted_payload: 1 << 20,
            });
            check(&news, &Kept::At("/x_*.pcapng".to_owned()), &[crossed, expected]);
        }
        news.recorder = RecorderState::Losing {
            reason: "the disk is full".to_owned(),
            bytes: 9,
        };
        check(
            &news,
            &Kept::Not,
            &[crossed, "9 B were not recorded: the disk is full"],
        );
    }

    #[test]
    fn of_several_connections_the_last_is_told_and_the_sum_of_all() {
        let link = Link::new(ConnectionId(2), "localhost:1".parse().unwrap(), Timestamp(0));
        let mut news = NetEvent {
            link: Some(link),
            payload: 2048,
            ..NetEvent::default()
        };
        let told = lines(&news, &Kept::Not);
        assert_eq!(told[1], "the last of 3 connections; 2.0 KiB of data in all");
        // Also what is not kept any more.
        news.ring = Some(RingReport {
            files: 2,
            of: 2,
            first: EntryId(7),
            deleted: 1,
            deleted_payload: 1024,
        });
        let told = lines(&news, &Kept::Not);
        assert_eq!(told[1], "the last of 3 connections; 3.0 KiB of data in all");
    }

    #[test]
    fn nothing_happened_and_nothing_is_said() {
        check(&NetEvent::default(), &Kept::Not, &[]);
    }
}
