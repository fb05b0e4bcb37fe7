//! The course of a headless run that waits for connections. Pure, like that of one that dials.
//!
//! - Whoever comes is greeted with `--send`, and served until it ends; its FIN is answered with ours.
//! - Standard input goes to the first who comes, and to nobody else. A pipe or a file that was sent, and whose peer has
//!   ended, ends the run; without one, a limit or a signal does.
//! - A tap is given nothing: it only passes on.

use std::collections::{BTreeSet, VecDeque};

use super::{AHEAD, Course, GRACE, Input, Rules, StdinEof, Verdict};
use crate::model::{
    ConnectionId, Direction, EndHow, Goal, Link, LinkState, Listening, NetCommand, NetEvent, Outgoing,
    PeerCommand, Peers, Recording, Side, Timestamp,
};
use crate::runtime::headless::feed::{Fed, Source};

/// The course of a run that waits for connections.
#[derive(Debug)]
pub(in crate::runtime::headless) struct Serving {
    rules: Rules,
    started: Timestamp,
    input: Input,
    listening: Option<Listening>,
    peers: Peers,
    /// Those who were greeted and are still there.
    greeted: BTreeSet<ConnectionId>,
    /// Those whose FIN was answered with ours.
    answered: BTreeSet<ConnectionId>,
    /// Who gets standard input, and how much of it was given to the worker.
    fed: Option<(ConnectionId, u64)>,
    commands: VecDeque<NetCommand>,
    /// Why and when this side decided to end.
    ending: Option<(Verdict, Timestamp)>,
    forced: bool,
}

impl Serving {
    pub(in crate::runtime::headless) fn new(rules: Rules, now: Timestamp) -> Serving {
        let input = match (&rules.goal, rules.source) {
            (Goal::Tap(..), _) | (_, Source::Nothing) => Input::Absent,
            (Goal::Connect(_) | Goal::Listen(_), Source::Terminal | Source::Stream) => Input::Open,
        };
        Serving {
            commands: VecDeque::from([rules.goal.clone().command()]),
            rules,
            started: now,
            input,
            listening: None,
            peers: Peers::default(),
            greeted: BTreeSet::new(),
            answered: BTreeSet::new(),
            fed: None,
            ending: None,
            forced: false,
        }
    }

    fn is_tap(&self) -> bool {
        matches!(self.rules.goal, Goal::Tap(..))
    }

    fn greet(&mut self) {
        let live: Vec<ConnectionId> = self.peers.live().map(|link| link.id).collect();
        self.greeted.retain(|id| live.contains(id));
        self.answered.retain(|id| live.contains(id));
        if self.is_tap() {
            return;
        }
        for id in live {
            if !self.greeted.insert(id) {
                continue;
            }
            for bytes in self.rules.send.clone() {
                self.send(id, bytes);
            }
            if self.fed.is_none() {
                self.fed = Some((id, 0));
                if self.input == Input::Over {
                    self.half_close(id);
                }
            }
        }
    }

    /// Nobody will answer those who have finished.
    fn answer(&mut self) {
        let feeding = self.fed.filter(|_| self.input == Input::Open).map(|(id, _)| id);
        let done = |link: &&Link| {
            link.state == LinkState::HalfClosed
                && link.first_fin == Some(Side::Peer)
                && link.unsent == 0
                // A person at a terminal, or what comes through a pipe, may answer yet.
                && Some(link.id) != feeding
        };
        if !self.is_tap() {
            let done: Vec<ConnectionId> = self.peers.live().filter(done).map(|link| link.id).collect();
            for id in done {
                if self.answered.insert(id) {
                    self.commands
                        .push_back(NetCommand::Peers(vec![id], PeerCommand::Close));
                }
            }
        }
    }

    fn send(&mut self, id: ConnectionId, bytes: Vec<u8>) {
        let message = Outgoing {
            bytes,
            recording: Recording::AsIs,
        };
        let command = PeerCommand::Send(message, Direction::Sent);
        self.commands.push_back(NetCommand::Peers(vec![id], command));
    }

    fn half_close(&mut self, id: ConnectionId) {
        match self.rules.stdin_eof {
            StdinEof::HalfClose => self
                .commands
                .push_back(NetCommand::Peers(vec![id], PeerCommand::HalfClose)),
            StdinEof::Ignore => {}
        }
    }

    /// The peer that gets standard input, as long as it is listed.
    fn fed_peer(&self) -> Option<&Link> {
        self.peers.get(self.fed?.0)
    }

    /// What was given to that peer and is not on the wire yet.
    fn ahead(&self) -> u64 {
        let given = self.fed.map_or(0, |(_, given)| given);
        let greeting: u64 = self.rules.send.iter().map(|bytes| bytes.len() as u64).sum();
        let sent = self.fed_peer().map_or(0, |link| link.sent.bytes);
        (given + greeting).saturating_sub(sent)
    }

    /// How the peer ended that got all of standard input.
    fn delivered(&self) -> Option<Verdict> {
        let link = self.fed_peer().filter(|_| self.rules.source == Source::Stream)?;
        let over = matches!(link.state, LinkState::Closed | LinkState::Failed);
        // What input has left to give reaches nobody any more.
        over.then(|| match link.end.map(|end| end.how) {
            Some(EndHow::Fin | EndHow::Close | EndHow::Tap) => Verdict::Ended,
            Some(_) | None => {
                let reason = link.reason.clone();
                Verdict::Broken(reason.unwrap_or_else(|| "the connection of the peer failed".into()))
            }
        })
    }

    fn limit(&self) -> Option<Timestamp> {
        let limits = &self.rules.limits;
        let duration = limits.duration.map(|duration| self.started + duration);
        let since = self.listening.as_ref().and_then(|listening| listening.since);
        let [sent, received] = self.peers.totals().map(|tally| tally.last);
        let opened = self.peers.iter().filter_map(|link| link.opened).max();
        let last = [since, sent, received, opened].into_iter().flatten().max();
        let idle = limits.idle.and_then(|idle| Some(last? + idle));
        [duration, idle].into_iter().flatten().min()
    }
}

impl Course for Serving {
    fn has_command(&self) -> bool {
        !self.commands.is_empty()
    }

    fn command(&mut self) -> Option<NetCommand> {
        self.commands.pop_front()
    }

    fn report(&mut self, news: NetEvent, _now: Timestamp) {
        self.listening = news.listening;
        self.peers = news.peers;
        self.greet();
        self.answer();
    }

    fn wants_input(&self) -> bool {
        self.input == Input::Open
            && self.fed_peer().is_some_and(|link| link.state.is_live())
            && self.ending.is_none()
            && self.commands.is_empty()
            && self.ahead() < AHEAD
    }

    fn feed(&mut self, fed: Fed, now: Timestamp) -> Option<String> {
        let peer = self.fed.map(|(id, _)| id);
        match (fed, peer) {
            (Fed::Bytes(bytes), Some(id)) => {
                if let Some((_, given)) = &mut self.fed {
                    *given += bytes.len() as u64;
                }
                self.send(id, bytes);
            }
            (Fed::Wrong(what), _) if self.rules.source == Source::Terminal => return Some(what),
            (Fed::Wrong(what), _) => self.end(Verdict::Broken(what), now),
            (Fed::End, peer) => {
                self.input = Input::Over;
                if let Some(id) = peer {
                    self.half_close(id);
                }
                self.answer();
            }
            // It is asked for only when somebody is there.
            (Fed::Bytes(_), None) => {}
        }
        None
    }

    fn end(&mut self, verdict: Verdict, now: Timestamp) {
        if self.ending.is_none() {
            self.ending = Some((verdict, now));
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        match &self.ending {
            Some((_, decided)) => (!self.forced).then_some(*decided + GRACE),
            None => self.limit(),
        }
    }

    fn pass(&mut self, now: Timestamp) {
        if self.deadline().is_none_or(|at| at > now) {
            return;
        }
        if self.ending.is_some() {
            self.forced = true;
        } else {
            self.end(Verdict::Ended, now);
        }
    }

    fn verdict(&self) -> Option<Verdict> {
        let listening = self.listening.as_ref();
        let failed = listening.filter(|listening| listening.state == LinkState::Failed);
        if let Some(listening) = failed.filter(|_| self.peers.live().next().is_none()) {
            let reason = listening.reason.clone();
            return Some(Verdict::Broken(
                reason.unwrap_or_else(|| format!("cannot listen at {}", listening.address)),
            ));
        }
        match &self.ending {
            Some((verdict, _)) if self.forced || (self.commands.is_empty() && self.ahead() == 0) => {
                Some(verdict.clone())
            }
            Some(_) => None,
            None => self.delivered(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::End;
    use crate::runtime::headless::course::Limits;

    const START: Timestamp = Timestamp(1_000_000_000);

    fn serving(goal: &str, source: Source, send: &[&str]) -> Serving {
        let goal = match goal.split_once(' ') {
            Some((address, target)) => Goal::Tap(address.parse().unwrap(), target.parse().unwrap()),
            None => Goal::Listen(goal.parse().unwrap()),
        };
        let mut serving = Serving::new(
            Rules {
                goal: goal.clone(),
                send: send.iter().map(|text| text.as_bytes().to_vec()).collect(),
                stdin_eof: StdinEof::HalfClose,
                limits: Limits {
                    idle: Some(Duration::from_secs(1)),
                    ..Limits::default()
                },
                reconnect: false,
                source,
            },
            START,
        );
        assert_eq!(serving.command(), Some(goal.command()));
        serving
    }

    fn news(links: &[(u32, LinkState, Option<Side>)]) -> NetEvent {
        let mut listening = Listening::new(ConnectionId(0), ":1".parse().unwrap(), None, Timestamp(0));
        listening.state = LinkState::Listening;
        listening.since = Some(START);
        let mut news = NetEvent {
            listening: Some(listening),
            ..NetEvent::default()
        };
        for (id, state, first_fin) in links {
            let mut link = Link::new(ConnectionId(*id), "localhost:1".parse().unwrap(), START);
            link.state = *state;
            link.first_fin = *first_fin;
            link.end = (*state == LinkState::Closed).then_some(End {
                by: Side::Peer,
                how: EndHow::Fin,
                errno: None,
            });
            news.peers.push(link);
        }
        news
    }

    fn commands(serving: &mut Serving) -> Vec<String> {
        let one = |command: NetCommand| {
            let NetCommand::Peers(peers, command) = command else {
                panic!("{command:?} is for nobody");
            };
            match command {
                PeerCommand::Send(message, _) => {
                    format!("{} {}", peers[0].0, String::from_utf8(message.bytes).unwrap())
                }
                PeerCommand::HalfClose | PeerCommand::Close | PeerCommand::Reset | PeerCommand::Option(_) => {
                    format!("{} {command:?}", peers[0].0)
                }
            }
        };
        std::iter::from_fn(|| serving.command()).map(one).collect()
    }

    #[test]
    fn everybody_is_greeted_once_and_the_first_is_fed() {
        let mut serving = serving(":1", Source::Stream, &["hello"]);
        assert!(!serving.wants_input());
        serving.report(news(&[(1, LinkState::Open, None)]), START);
        assert_eq!(commands(&mut serving), ["1 hello"]);
        serving.report(
            news(&[(1, LinkState::Open, None), (2, LinkState::Open, None)]),
            START,
        );
        assert_eq!(commands(&mut serving), ["2 hello"]);
        assert!(serving.wants_input());
        serving.feed(Fed::Bytes(b"x".to_vec()), START);
        serving.feed(Fed::End, START);
        assert_eq!(commands(&mut serving), ["1 x", "1 HalfClose"]);
        assert_eq!(serving.verdict(), None);
        serving.report(
            news(&[(1, LinkState::Closed, None), (2, LinkState::Open, None)]),
            START,
        );
        assert_eq!(serving.verdict(), Some(Verdict::Ended));
    }

    #[test]
    fn a_fin_is_answered_when_nobody_else_will() {
        let finished = news(&[(1, LinkState::HalfClosed, Some(Side::Peer))]);
        let check = |goal: &str, source: Source, expected: &[&str]| {
            let mut serving = serving(goal, source, &[]);
            serving.report(finished.clone(), START);
            serving.report(finished.clone(), START);
            assert_eq!(commands(&mut serving), expected, "{goal} {source:?}");
        };
        check(":1", Source::Nothing, &["1 Close"]);
        check(":1", Source::Terminal, &[]);
        check(":1 localhost:2", Source::Stream, &[]);
    }

    #[test]
    fn silence_and_failures_end_it() {
        let mut serving = serving(":1", Source::Nothing, &[]);
        serving.report(news(&[(1, LinkState::Closed, None)]), START);
        assert_eq!(serving.verdict(), None, "the next one may come");
        let end = START + Duration::from_secs(1);
        assert_eq!(serving.deadline(), Some(end));
        serving.pass(end);
        assert_eq!(serving.verdict(), Some(Verdict::Ended));

        let mut failed = news(&[]);
        let listening = failed.listening.as_mut().unwrap();
        (listening.state, listening.reason) = (LinkState::Failed, Some("taken".into()));
        serving.report(failed, START);
        assert_eq!(serving.verdict(), Some(Verdict::Broken("taken".into())));
    }
}
