//! What the demo server says: pure functions from a line to the steps of its answer. No sockets here.

use std::borrow::Cow;
use std::time::Duration;

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// One write call.
    Write(Cow<'static, [u8]>),
    /// A silence, long enough for the other side to see two reads.
    Pause(Duration),
    /// FIN, then read until the client has ended too.
    Finish,
    /// RST.
    Reset,
}

/// Long enough to keep two writes apart on a loaded machine, too short to be waited for.
const SPLIT: Duration = Duration::from_millis(40);

/// How many messages `burst` sends: enough to fill any screen, each of them small.
const BURST: u32 = 200;

/// What a client hears first.
pub(super) const GREETING: &str = "welcome to the sockscope demo: every line is echoed, and these are answered:\r\n\
    help time utf8 binary burst slow bye reset\r\n";

/// One write each: short lines are easier to look at than one long block.
const HELP: &[&str] = &[
    "time: now, in UTC\r\n",
    "utf8: characters split over writes\r\n",
    "binary: a small frame\r\n",
    "burst: 200 messages at once\r\n",
    "slow: a line, byte by byte\r\n",
    "bye: ends with FIN; reset: with RST\r\n",
];

/// What the server says unasked, in turn.
const CHAT: &[&[u8]] = &[
    b"tick: nothing was asked, this line comes by itself\r\n",
    b"{\"sensor\":\"attic\",\"celsius\":21.5,\"ok\":true}\r\n",
    "caf\u{e9} \u{b7} 東京 · Ελλάδα · 12 €\r\n".as_bytes(),
    b"\x00\x01\x02\x03 some bytes are not text \xfe\xff\r\n",
    b"250-PIPELINING\r\n250-SIZE 10240000\r\n250 HELP\r\n",
];

/// The answer to one line, which still carries its line ending.
pub(super) fn answer(line: &[u8], now: &str) -> Vec<Step> {
    let word = line.trim_ascii().to_ascii_lowercase();
    match word.as_slice() {
        b"help" => apart(HELP.iter().map(|line| line.as_bytes())),
        b"time" => vec![Step::Write(format!("{now}\r\n").into_bytes().into())],
        b"utf8" => utf8(),
        b"binary" => vec![Step::Write(frame(1, b"voltage 3.30").into())],
        b"burst" => (1..=BURST)
            .map(|n| Step::Write(format!("message {n} of {BURST}\r\n").into_bytes().into()))
            .collect(),
        b"slow" => slow(b"one byte at a time\r\n"),
        b"bye" => vec![Step::Write(b"goodbye\r\n".into()), Step::Finish],
        b"reset" => vec![Step::Reset],
        _ => vec![Step::Write(line.to_vec().into())],
    }
}

/// The `n`th thing said unasked.
pub(super) fn chat(n: usize) -> Step {
    Step::Write(CHAT[n % CHAT.len()].into())
}

/// Characters of two, three and four bytes, each cut at a different place, then what no decoder accepts and what
/// no terminal should be given.
fn utf8() -> Vec<Step> {
    let parts: [&[u8]; 6] = [
        b"split: \xc3",
        b"\xa9 \xe6\xbc",
        b"\xa2 \xf0\x9f",
        b"\x98\x80\r\n",
        b"invalid: \xff\xfe\x80\r\n",
        b"hostile: \x1b[31mred \xe2\x80\xaereversed\r\n",
    ];
    apart(parts.into_iter())
}

/// A write each, far enough from each other to be read one by one.
fn apart(parts: impl Iterator<Item = &'static [u8]>) -> Vec<Step> {
    let mut steps: Vec<Step> = parts
        .flat_map(|part| [Step::Write(part.into()), Step::Pause(SPLIT)])
        .collect();
    steps.pop();
    steps
}

fn slow(text: &'static [u8]) -> Vec<Step> {
    apart(text.chunks(1))
}

/// A frame as many protocols have them: two magic bytes, version, type, big-endian length, payload, check sum.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x5c, 0x0b, 1, kind];
    bytes.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(payload);
    let sum = bytes
        .iter()
        .fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    bytes.extend(sum.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(steps: &[Step]) -> Vec<u8> {
        let mut all = Vec::new();
        for step in steps {
            if let Step::Write(bytes) = step {
                all.extend_from_slice(bytes);
            }
        }
        all
    }

    #[test]
    fn a_line_that_is_no_command_comes_back_as_it_is() {
        for line in [&b"Hello, server!\n"[..], b"\xff\x00", b"\r\n", b"helpme\r\n"] {
            assert_eq!(answer(line, ""), [Step::Write(line.to_vec().into())]);
        }
    }

    #[test]
    fn commands_are_known_with_any_line_ending_and_case() {
        for line in [&b"TIME\r\n"[..], b"time", b" time\n"] {
            assert_eq!(answer(line, "now"), [Step::Write(b"now\r\n".into())]);
        }
        assert_eq!(answer(b"reset\n", ""), [Step::Reset]);
        assert_eq!(answer(b"bye\n", "").last(), Some(&Step::Finish));
    }

    #[test]
    fn utf8_cuts_characters_and_loses_nothing() {
        let steps = answer(b"utf8\n", "");
        let text = "split: é 漢 😀\r\n".as_bytes();
        assert!(written(&steps).starts_with(text));
        let cut = steps
            .iter()
            .filter(|step| matches!(step, Step::Write(bytes) if std::str::from_utf8(bytes).is_err()))
            .count();
        assert_eq!(cut, 5, "four cut characters' sides and one invalid line");
    }

    #[test]
    fn many_small_writes_stay_apart() {
        assert_eq!(answer(b"burst\n", "").len(), 200);
        let slow = answer(b"slow\n", "");
        assert_eq!(written(&slow), b"one byte at a time\r\n");
        assert!(
            slow.iter()
                .all(|step| !matches!(step, Step::Write(bytes) if bytes.len() != 1))
        );
    }

    #[test]
    fn the_frame_says_its_length_and_sum() {
        assert_eq!(frame(7, b"ab"), b"\x5c\x0b\x01\x07\x00\x02ab\x01\x34");
    }

    #[test]
    fn every_command_is_in_the_greeting_and_the_help() {
        let help = HELP.concat();
        for word in ["time", "utf8", "binary", "burst", "slow", "bye", "reset"] {
            assert!(GREETING.contains(word) && help.contains(word), "{word}");
        }
        assert!(GREETING.contains("help"));
    }
}
