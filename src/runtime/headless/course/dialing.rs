//! The course of a headless run that dials. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::{AHEAD, Course, GRACE, Input, Rules, StdinEof, Verdict};
use crate::model::{
    ConnectionId, EndHow, Link, LinkState, NetCommand, NetEvent, Outgoing, Recording, Side, Timestamp,
};
use crate::runtime::headless::feed::{Fed, Source};

/// How long a pipe may pause after the peer's FIN before its input counts as over.
const LULL: Duration = Duration::from_millis(500);

/// What moves the course on when time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// A limit is reached.
    Limit,
    /// The peer has finished, and input pauses.
    Lull,
    /// What is unsent takes too long.
    Force,
}

/// The course of a run that dials.
#[derive(Debug)]
pub(in crate::runtime::headless) struct Dialing {
    rules: Rules,
    started: Timestamp,
    input: Input,
    link: Option<Link>,
    /// The connection that `--send` was given to.
    greeted: Option<ConnectionId>,
    /// Bytes given to the worker for this connection.
    given: u64,
    commands: VecDeque<NetCommand>,
    /// When input last came, once the peer has finished.
    lull_from: Option<Timestamp>,
    /// The connection on which the peer's FIN was answered with ours.
    answered: Option<ConnectionId>,
    /// Why and when this side decided to end.
    ending: Option<(Verdict, Timestamp)>,
    forced: bool,
}

impl Dialing {
    pub(in crate::runtime::headless) fn new(rules: Rules, now: Timestamp) -> Dialing {
        let input = match rules.source {
            Source::Nothing => Input::Absent,
            Source::Terminal | Source::Stream => Input::Open,
        };
        Dialing {
            commands: VecDeque::from([rules.goal.clone().command()]),
            rules,
            started: now,
            input,
            link: None,
            greeted: None,
            given: 0,
            lull_from: None,
            answered: None,
            ending: None,
            forced: false,
        }
    }

    fn is_over(&self, link: &Link) -> bool {
        match link.state {
            LinkState::Closed | LinkState::Failed if link.given_up => true,
            LinkState::Closed => !self.rules.reconnect || self.ending.is_some() || self.is_delivered(link),
            LinkState::Failed => !self.rules.reconnect || self.ending.is_some(),
            LinkState::Waiting => self.ending.is_some() || self.is_delivered(link),
            LinkState::Idle
            | LinkState::Resolving
            | LinkState::Connecting
            | LinkState::Handshaking
            | LinkState::Open
            | LinkState::HalfClosed
            | LinkState::Listening => false,
        }
    }

    /// Whether all input went out and the peer has answered it with an orderly end: then there is nothing to dial
    /// again for.
    fn is_delivered(&self, link: &Link) -> bool {
        self.input == Input::Over
            && self.rules.stdin_eof == StdinEof::HalfClose
            && link
                .end
                .is_some_and(|end| matches!(end.how, EndHow::Fin | EndHow::Close))
            && self.ahead() == 0
    }

    fn due(&self) -> Option<(Timestamp, Due)> {
        if let Some((_, decided)) = &self.ending {
            return (!self.forced).then_some((*decided + GRACE, Due::Force));
        }
        let limits = &self.rules.limits;
        let duration = limits
            .duration
            .map(|duration| (self.started + duration, Due::Limit));
        let idle = limits
            .idle
            .and_then(|idle| Some((self.silent_since()? + idle, Due::Limit)));
        let lull = self.lull().map(|at| (at, Due::Lull));
        [duration, idle, lull]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// A limit is a normal end, unless there was nothing to limit.
    fn at_the_limit(&self) -> Verdict {
        match self.greeted {
            Some(_) => Verdict::Ended,
            None => Verdict::Broken(format!(
                "no connection to {} before the time of --duration was over",
                self.rules.goal.endpoint()
            )),
        }
    }

    /// When the last byte crossed; dialing is no silence, it has its own time-out.
    fn silent_since(&self) -> Option<Timestamp> {
        let link = self.link.as_ref().filter(|link| !link.state.is_dialing())?;
        [link.opened, link.sent.last, link.received.last, link.ended]
            .into_iter()
            .flatten()
            .max()
    }

    /// When input counts as over because the peer has finished and nothing comes.
    fn lull(&self) -> Option<Timestamp> {
        let link = self.link.as_ref().filter(|link| self.answered != Some(link.id))?;
        let from = self
            .lull_from
            .filter(|_| peer_has_finished(link) && self.ahead() == 0)?;
        match (self.input, self.rules.source) {
            (Input::Open, Source::Stream) => Some(from + LULL),
            (Input::Open, Source::Terminal | Source::Nothing) | (Input::Absent, _) => Some(from),
            (Input::Over, _) => match self.rules.stdin_eof {
                StdinEof::Ignore => Some(from),
                StdinEof::HalfClose => None,
            },
        }
    }

    /// Whether nothing of ours is on its way to the wire.
    fn is_sent(&self) -> bool {
        self.commands.is_empty() && self.ahead() == 0
    }

    fn ahead(&self) -> u64 {
        let sent = self.link.as_ref().map_or(0, |link| link.sent.bytes);
        self.given.saturating_sub(sent)
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.given += bytes.len() as u64;
        self.commands.push_back(NetCommand::Send(Outgoing {
            bytes,
            recording: Recording::AsIs,
        }));
    }

    fn half_close(&mut self) {
        match self.rules.stdin_eof {
            StdinEof::HalfClose => self.commands.push_back(NetCommand::HalfClose),
            StdinEof::Ignore => {}
        }
    }
}

impl Course for Dialing {
    fn has_command(&self) -> bool {
        !self.commands.is_empty()
    }

    fn command(&mut self) -> Option<NetCommand> {
        self.commands.pop_front()
    }

    fn report(&mut self, news: NetEvent, now: Timestamp) {
        self.link = news.link;
        let Some(link) = self.link.clone() else {
            return;
        };
        if link.state.is_live() && self.greeted != Some(link.id) {
            self.greeted = Some(link.id);
            self.given = 0;
            self.lull_from = None;
            for bytes in self.rules.send.clone() {
                self.send(bytes);
            }
            if self.input == Input::Over {
                self.half_close();
            }
        }
        if peer_has_finished(&link) {
            self.lull_from.get_or_insert(now);
        }
    }

    fn wants_input(&self) -> bool {
        let open = |link: &Link| link.state.is_live() && self.answered != Some(link.id);
        let live = self.link.as_ref().is_some_and(open);
        self.input == Input::Open
            && live
            && self.ending.is_none()
            && self.commands.is_empty()
            && self.ahead() < AHEAD
    }

    fn feed(&mut self, fed: Fed, now: Timestamp) -> Option<String> {
        if self.lull_from.is_some() {
            self.lull_from = Some(now);
        }
        match fed {
            Fed::Bytes(bytes) => self.send(bytes),
            // A person corrects the line; a script could only go on without it.
            Fed::Wrong(what) if self.rules.source == Source::Terminal => return Some(what),
            Fed::Wrong(what) => self.end(Verdict::Broken(what), now),
            Fed::End => {
                self.input = Input::Over;
                self.half_close();
            }
        }
        None
    }

    fn end(&mut self, verdict: Verdict, now: Timestamp) {
        if self.ending.is_none() {
            self.ending = Some((verdict, now));
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.due().map(|(at, _)| at)
    }

    fn pass(&mut self, now: Timestamp) {
        match self.due() {
            Some((at, _)) if at > now => {}
            Some((_, Due::Limit)) => self.end(self.at_the_limit(), now),
            Some((_, Due::Lull)) => {
                // Nobody is left to answer, so what comes later is not waited for.
                self.answered = self.link.as_ref().map(|link| link.id);
                self.commands.push_back(NetCommand::HalfClose);
            }
            Some((_, Due::Force)) => self.forced = true,
            None => {}
        }
    }

    fn verdict(&self) -> Option<Verdict> {
        let over = self.link.as_ref().is_some_and(|link| self.is_over(link));
        match &self.ending {
            Some((verdict, _)) if over || self.forced || self.is_sent() => Some(verdict.clone()),
            Some(_) => None,
            None if over => self.link.as_ref().map(judge),
            None => None,
        }
    }
}

/// Whether the peer has sent FIN, and we have not.
fn peer_has_finished(link: &Link) -> bool {
    link.state == LinkState::HalfClosed && link.first_fin == Some(Side::Peer)
}

/// What a connection that is over amounts to.
fn judge(link: &Link) -> Verdict {
    match (link.state, link.end.map(|end| end.how)) {
        (LinkState::Closed | LinkState::Waiting, Some(EndHow::Fin | EndHow::Close) | None) => Verdict::Ended,
        (_, _) => {
            let reason = link.reason.clone();
            Verdict::Broken(reason.unwrap_or_else(|| format!("the connection to {} failed", link.endpoint)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{End, Endpoint, Goal};
    use crate::runtime::headless::course::Limits;

    const START: Timestamp = Timestamp(1_000_000_000);

    fn after(millis: u64) -> Timestamp {
        START + Duration::from_millis(millis)
    }

    fn course(source: Source, limits: Limits, reconnect: bool) -> Dialing {
        let target: Endpoint = "localhost:1".parse().unwrap();
        let mut course = Dialing::new(
            Rules {
                goal: Goal::Connect(target.clone()),
                send: Vec::new(),
                stdin_eof: StdinEof::HalfClose,
                limits,
                reconnect,
                source,
            },
            START,
        );
        assert_eq!(course.command(), Some(NetCommand::Connect(target)));
        course
    }

    fn link(state: LinkState) -> Link {
        let mut link = Link::new(ConnectionId(0), "localhost:1".parse().unwrap(), START);
        link.state = state;
        link.opened = (!state.is_dialing() && state != LinkState::Idle).then_some(START);
        link
    }

    fn news(link: Link) -> NetEvent {
        NetEvent {
            link: Some(link),
            ..NetEvent::default()
        }
    }

    fn finished_by_peer() -> Link {
        Link {
            first_fin: Some(Side::Peer),
            ..link(LinkState::HalfClosed)
        }
    }

    fn ended(state: LinkState, how: EndHow) -> Link {
        Link {
            end: Some(End {
                by: Side::Peer,
                how,
                errno: None,
            }),
            reason: Some("why".into()),
            ended: Some(START),
            ..link(state)
        }
    }

    fn commands(course: &mut Dialing) -> Vec<NetCommand> {
        std::iter::from_fn(|| course.command()).collect()
    }

    #[test]
    fn input_waits_for_the_connection_and_for_room() {
        let mut course = course(Source::Stream, Limits::default(), false);
        assert!(!course.wants_input());
        course.report(news(link(LinkState::Connecting)), after(1));
        assert!(!course.wants_input());
        course.report(news(link(LinkState::Open)), after(2));
        assert!(course.wants_input());
        course.feed(Fed::Bytes(vec![0; AHEAD as usize]), after(3));
        assert_eq!(commands(&mut course).len(), 1);
        assert!(!course.wants_input(), "the worker has enough");
        let mut taken = link(LinkState::Open);
        taken.sent.bytes = 1;
        course.report(news(taken), after(4));
        assert!(course.wants_input());
    }

    #[test]
    fn the_end_of_input_half_closes_and_the_peers_fin_ends() {
        let mut course = course(Source::Stream, Limits::default(), false);
        course.report(news(link(LinkState::Open)), after(1));
        course.feed(Fed::End, after(2));
        assert_eq!(commands(&mut course), [NetCommand::HalfClose]);
        assert_eq!(course.verdict(), None);
        course.report(news(ended(LinkState::Closed, EndHow::Fin)), after(3));
        assert_eq!(course.verdict(), Some(Verdict::Ended));
    }

    #[test]
    fn after_the_peers_fin_input_may_pause_only_so_long() {
        let check = |source: Source, at: Timestamp| {
            let mut course = course(source, Limits::default(), false);
            course.report(news(finished_by_peer()), START);
            assert_eq!(course.deadline(), Some(at), "{source:?}");
            course.pass(at);
            assert_eq!(commands(&mut course), [NetCommand::HalfClose]);
            assert_eq!(course.deadline(), None, "once is enough");
            assert!(!course.wants_input());
        };
        check(Source::Stream, START + LULL);
        check(Source::Terminal, START);
        check(Source::Nothing, START);

        let mut course = course(Source::Stream, Limits::default(), false);
        course.report(news(finished_by_peer()), START);
        course.feed(Fed::Bytes(b"x".to_vec()), after(400));
        assert_eq!(course.deadline(), None, "what was read is still on its way");
        let mut delivered = finished_by_peer();
        delivered.sent.bytes = 1;
        course.report(news(delivered), after(401));
        assert_eq!(course.deadline(), Some(after(400) + LULL));
    }

    #[test]
    fn limits_end_at_once() {
        let second = Duration::from_secs(1);
        let limits = Limits {
            idle: Some(second),
            ..Limits::default()
        };
        let mut course = course(Source::Nothing, limits, false);
        assert_eq!(course.deadline(), None, "dialing is no silence");
        let mut open = link(LinkState::Open);
        open.received.last = Some(after(500));
        course.report(news(open), after(500));
        assert_eq!(course.deadline(), Some(after(1500)));
        course.pass(after(1499));
        assert_eq!(commands(&mut course), []);
        course.pass(after(1500));
        assert_eq!(course.verdict(), Some(Verdict::Ended));
        assert_eq!(commands(&mut course), []);
    }

    #[test]
    fn limits_wait_for_what_is_unsent_but_not_for_ever() {
        let limits = Limits {
            duration: Some(Duration::from_secs(1)),
            ..Limits::default()
        };
        let mut course = course(Source::Stream, limits, false);
        course.report(news(link(LinkState::Open)), after(1));
        course.feed(Fed::Bytes(b"xyz".to_vec()), after(2));
        course.pass(after(1000));
        assert_eq!(course.verdict(), None, "the worker has not even been told");
        assert_eq!(commands(&mut course).len(), 1);
        assert_eq!(course.verdict(), None);
        let mut taken = link(LinkState::Open);
        taken.sent.bytes = 2;
        course.report(news(taken.clone()), after(1001));
        assert_eq!(course.verdict(), None);
        taken.sent.bytes = 3;
        let mut all = Dialing {
            link: Some(taken),
            ..course
        };
        assert_eq!(all.verdict(), Some(Verdict::Ended));
        all.given = 4;
        all.pass(after(1000) + GRACE);
        assert_eq!(all.verdict(), Some(Verdict::Ended), "the peer reads nothing");
    }

    #[test]
    fn a_duration_without_a_connection_is_a_failure() {
        let limits = Limits {
            duration: Some(Duration::from_secs(1)),
            ..Limits::default()
        };
        let mut course = course(Source::Nothing, limits, false);
        course.report(news(link(LinkState::Connecting)), after(1));
        course.pass(after(1000));
        course.report(news(link(LinkState::Failed)), after(1001));
        assert!(matches!(course.verdict(), Some(Verdict::Broken(_))));
    }

    #[test]
    fn every_end_but_fin_is_a_failure() {
        let check = |link: Link, expected: Option<Verdict>| {
            let mut course = course(Source::Nothing, Limits::default(), false);
            course.report(news(link), after(1));
            assert_eq!(course.verdict(), expected);
        };
        let broken = || Some(Verdict::Broken("why".into()));
        check(ended(LinkState::Closed, EndHow::Fin), Some(Verdict::Ended));
        check(ended(LinkState::Closed, EndHow::Close), Some(Verdict::Ended));
        check(ended(LinkState::Closed, EndHow::Rst), broken());
        check(ended(LinkState::Closed, EndHow::Timeout), broken());
        check(ended(LinkState::Failed, EndHow::Os), broken());
        check(link(LinkState::Open), None);
    }

    #[test]
    fn reconnecting_goes_on_until_all_input_was_answered() {
        let mut course = course(Source::Stream, Limits::default(), true);
        course.report(news(link(LinkState::Open)), after(1));
        course.report(news(ended(LinkState::Waiting, EndHow::Fin)), after(2));
        assert_eq!(course.verdict(), None, "input is still open");
        let second = |state| Link {
            id: ConnectionId(1),
            ..link(state)
        };
        course.report(news(second(LinkState::Open)), after(3));
        course.feed(Fed::End, after(4));
        course.report(news(ended(LinkState::Waiting, EndHow::Rst)), after(5));
        assert_eq!(course.verdict(), None, "a reset is no answer");
        let third = Link {
            id: ConnectionId(2),
            ..link(LinkState::Open)
        };
        commands(&mut course);
        course.report(news(third), after(6));
        assert_eq!(
            commands(&mut course),
            [NetCommand::HalfClose],
            "input has ended here too"
        );
        let answered = Link {
            id: ConnectionId(2),
            ..ended(LinkState::Waiting, EndHow::Fin)
        };
        course.report(news(answered), after(7));
        assert_eq!(course.verdict(), Some(Verdict::Ended));
    }

    #[test]
    fn a_wrong_line_ends_a_script_and_warns_a_person() {
        let wrong = || Fed::Wrong("line 1".into());
        let mut script = course(Source::Stream, Limits::default(), false);
        script.report(news(link(LinkState::Open)), after(1));
        assert_eq!(script.feed(wrong(), after(2)), None);
        assert!(matches!(script.verdict(), Some(Verdict::Broken(_))));
        let mut person = course(Source::Terminal, Limits::default(), false);
        person.report(news(link(LinkState::Open)), after(1));
        assert_eq!(person.feed(wrong(), after(2)), Some("line 1".into()));
        assert_eq!(commands(&mut person), []);
    }
}
