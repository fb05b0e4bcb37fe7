//! The course of a headless run: what is sent when, and when it is over. Pure: news, input and the time go in,
//! commands come out.

mod dialing;
mod serving;

use std::fmt;
use std::time::Duration;

use self::dialing::Dialing;
use self::serving::Serving;
use super::feed::{Fed, Source};
use crate::model::{Goal, NetCommand, NetEvent, Timestamp};

/// Input waits while this much of it is not yet on the wire: enough to keep any connection busy, and a small part of
/// what the worker takes.
const AHEAD: u64 = 1 << 20;

/// How long what is unsent may take once this side has decided to end.
const GRACE: Duration = Duration::from_secs(2);

/// What the end of standard input does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StdinEof {
    /// It half-closes the connection: FIN behind everything sent.
    #[default]
    HalfClose,
    /// Nothing.
    Ignore,
}

/// When to end although the peer has not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// After this many received entries.
    pub count: Option<u64>,
    /// After this time, counted from the start.
    pub duration: Option<Duration>,
    /// After this time without a byte in either direction.
    pub idle: Option<Duration>,
}

/// What is fixed at the start.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// What is connected.
    pub(super) goal: Goal,
    /// Sent as soon as a connection is open, each as one message.
    pub(super) send: Vec<Vec<u8>>,
    pub(super) stdin_eof: StdinEof,
    pub(super) limits: Limits,
    pub(super) reconnect: bool,
    pub(super) source: Source,
}

/// Where standard input stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    /// It has ended.
    Over,
    /// There never was any.
    Absent,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it should: the peer's FIN, or a limit.
    Ended,
    /// Not as it should; why, in one sentence.
    Broken(String),
}

/// The course of a run.
pub(super) trait Course: fmt::Debug {
    /// Whether a command waits for the worker.
    fn has_command(&self) -> bool;

    /// The next command for the worker.
    fn command(&mut self) -> Option<NetCommand>;

    /// The worker's latest report.
    fn report(&mut self, news: NetEvent, now: Timestamp);

    /// Whether input can be taken now.
    fn wants_input(&self) -> bool;

    /// Something came from standard input. What is wrong with it comes back, to be told.
    fn feed(&mut self, fed: Fed, now: Timestamp) -> Option<String>;

    /// Ends from this side, as soon as what was given to the worker is on the wire: what else the peer sends is not
    /// waited for.
    fn end(&mut self, verdict: Verdict, now: Timestamp);

    /// When [`Course::pass`] has something to do, if nothing else happens.
    fn deadline(&self) -> Option<Timestamp>;

    /// Time has passed.
    fn pass(&mut self, now: Timestamp);

    /// How it ended, once it has.
    fn verdict(&self) -> Option<Verdict>;
}

/// The course towards that goal.
pub(super) fn towards(rules: Rules, now: Timestamp) -> Box<dyn Course> {
    match rules.goal {
        Goal::Connect(_) => Box::new(Dialing::new(rules, now)),
        Goal::Listen(_) | Goal::Tap(..) => Box::new(Serving::new(rules, now)),
    }
}
