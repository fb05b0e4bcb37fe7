//! One dial: lookups and attempts as RFC 8305 says, each of them recorded. Commands that end it are the caller's.

use std::collections::HashMap;
use std::future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use crate::model::{Attempt, AttemptOutcome, Authority, EntryKind, Family, Host, Lookup, Timestamp};

use super::race::{ATTEMPT_DELAY, RESOLUTION_DELAY, Race};
use super::reach::{Error, Means, Tried, connect};
use super::socket::Socket;
use super::{Clock, Options, resolve, words};

/// What a dial tells while it runs.
#[derive(Debug)]
pub(super) enum Step {
    /// Something to record.
    Event(Timestamp, EntryKind),
    /// A name is being looked up now.
    Asked(Timestamp, Family),
    /// An address is being tried now.
    Trying(SocketAddr),
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct Failure {
    /// One sentence.
    pub(super) reason: String,
    /// The last error's number.
    pub(super) errno: Option<i32>,
    /// Whether it was our own time-out.
    pub(super) timed_out: bool,
}

/// A dial under way.
pub(super) struct Dial<'a> {
    options: &'a Options,
    clock: Clock,
    authority: &'a Authority,
    means: Means,
    race: Race,
    lookups: FuturesUnordered<BoxFuture<'static, Lookup>>,
    asked: HashMap<Family, Instant>,
    attempts: FuturesUnordered<BoxFuture<'static, Tried>>,
    running: HashMap<SocketAddr, Instant>,
    /// When the next attempt may start; `None` while answers are awaited.
    next: Option<Instant>,
    last_start: Option<Instant>,
    /// Why lookups gave nothing.
    unresolved: Vec<String>,
    /// Why attempts failed.
    failures: Vec<String>,
    errno: Option<i32>,
    took: Duration,
}

impl<'a> Dial<'a> {
    /// Prepares to dial.
    pub(super) fn new(
        (authority, means): (&'a Authority, Means),
        options: &'a Options,
        clock: Clock,
    ) -> Dial<'a> {
        Dial {
            options,
            clock,
            authority,
            means,
            race: Race::default(),
            lookups: FuturesUnordered::new(),
            asked: HashMap::new(),
            attempts: FuturesUnordered::new(),
            running: HashMap::new(),
            next: None,
            last_start: None,
            unresolved: Vec::new(),
            failures: Vec::new(),
            errno: None,
            took: Duration::ZERO,
        }
    }

    /// Dials until an address answers, all have failed, or `deadline` has passed.
    pub(super) async fn run(
        &mut self,
        deadline: Instant,
        mut tell: impl FnMut(Step),
    ) -> Result<(Socket, SocketAddr), Failure> {
        self.ask(&mut tell)?;
        loop {
            if let Some(failure) = self.exhausted() {
                return Err(failure);
            }
            let next = self.next;
            tokio::select! {
                biased;
                Some((address, tried)) = self.attempts.next(), if !self.attempts.is_empty() => {
                    if let Some(stream) = self.ended(address, tried, &mut tell) {
                        self.give_up(&AttemptOutcome::Abandoned, &mut tell);
                        return Ok((stream, address));
                    }
                }
                Some(lookup) = self.lookups.next(), if !self.lookups.is_empty() => self.answered(lookup, &mut tell),
                () = until(next), if next.is_some() => self.start_next(&mut tell),
                () = sleep_until(deadline) => return Err(self.out_of_time(&mut tell)),
            }
        }
    }

    /// How long the attempt took that succeeded.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// Records that the attempts under way were given up.
    pub(super) fn abandon(&mut self, mut tell: impl FnMut(Step)) {
        self.give_up(&AttemptOutcome::Abandoned, &mut tell);
    }

    fn ask(&mut self, tell: &mut impl FnMut(Step)) -> Result<(), Failure> {
        let now = self.clock.now();
        let wrong = |reason: String| Failure {
            reason,
            errno: None,
            timed_out: false,
        };
        let families = resolve::families(self.authority, self.options.family).map_err(wrong)?;
        if let Some(address) = resolve::literal(self.authority).map_err(wrong)? {
            self.race.add(&[address]);
            self.next = Some(Instant::now());
            return Ok(());
        }
        for family in families {
            if !self.fits_bind(family) {
                let text = format!(
                    "{} is not tried: --bind names an address of the other family",
                    resolve::name(family)
                );
                tell(Step::Event(now, EntryKind::Note { text }));
                continue;
            }
            self.asked.insert(family, Instant::now());
            tell(Step::Asked(now, family));
            self.lookups
                .push(Box::pin(resolve::lookup(self.authority.clone(), family)));
        }
        Ok(())
    }

    fn fits_bind(&self, family: Family) -> bool {
        match self.options.bind.and_then(|bind| bind.ip) {
            None => true,
            Some(ip) => ip.is_ipv6() == (family == Family::V6),
        }
    }

    fn answered(&mut self, lookup: Lookup, tell: &mut impl FnMut(Step)) {
        self.asked.remove(&lookup.family);
        match &lookup.result {
            Ok(found) => {
                self.race.add(found);
                let waits = lookup.family == Family::V4 && self.asked.contains_key(&Family::V6);
                let wait = if waits { RESOLUTION_DELAY } else { Duration::ZERO };
                let mut earliest = Instant::now() + wait;
                // The answer for IPv6 ends the wait; an attempt under way keeps its head start.
                if let (false, Some(start)) = (self.running.is_empty(), self.last_start) {
                    earliest = earliest.max(start + ATTEMPT_DELAY);
                }
                self.next = Some(self.next.map_or(earliest, |next| next.min(earliest)));
            }
            Err(reason) => {
                self.unresolved.push(reason.clone());
                // Nothing more to wait for: what was found already may start.
                if self.asked.is_empty() && self.running.is_empty() && !self.race.is_empty() {
                    self.next = Some(Instant::now());
                }
            }
        }
        tell(Step::Event(self.clock.now(), EntryKind::Lookup(lookup)));
    }

    fn start_next(&mut self, tell: &mut impl FnMut(Step)) {
        let Some(remote) = self.race.next() else {
            self.next = None;
            return;
        };
        let now = Instant::now();
        self.next = Some(now + ATTEMPT_DELAY);
        self.last_start = Some(now);
        self.running.insert(remote, now);
        self.attempts.push(Box::pin(connect(remote, self.means.clone())));
        tell(Step::Trying(remote));
        self.attempt(remote, Duration::ZERO, AttemptOutcome::Started, tell);
    }

    /// Handles the end of an attempt; the stream if it succeeded.
    fn ended(
        &mut self,
        remote: SocketAddr,
        tried: Result<Socket, Error>,
        tell: &mut impl FnMut(Step),
    ) -> Option<Socket> {
        let took = self
            .running
            .remove(&remote)
            .map_or_else(Default::default, |start| start.elapsed());
        let (error, text) = match tried {
            Ok(stream) => {
                self.took = took;
                return Some(stream);
            }
            Err(Error::Connect(error)) => {
                let text = words::attempt(remote, &error);
                (error, text)
            }
            Err(Error::Bind(error)) => {
                let text = words::bind(self.options.bind.unwrap_or_default(), &error);
                (error, text)
            }
            Err(Error::Join(group, error)) => {
                let text = words::join(&group, &error);
                (error, text)
            }
            Err(Error::Option(refused)) => {
                let text = words::option(&refused.setting, &refused.error);
                (refused.error, text)
            }
        };
        self.errno = error.raw_os_error();
        if !self.failures.contains(&text) {
            self.failures.push(text.clone());
        }
        let errno = error.raw_os_error().unwrap_or(0);
        self.attempt(remote, took, AttemptOutcome::Failed { errno, text }, tell);
        // RFC 8305 §5: a failure starts the next attempt at once.
        if self.next.is_some() {
            self.next = Some(Instant::now());
        }
        None
    }

    fn exhausted(&self) -> Option<Failure> {
        if !self.lookups.is_empty() || !self.running.is_empty() || !self.race.is_empty() {
            return None;
        }
        Some(Failure {
            reason: self.reason(),
            errno: self.errno,
            timed_out: false,
        })
    }

    fn reason(&self) -> String {
        // An address that was tried says more than a family that has none.
        let reasons = if self.failures.is_empty() {
            &self.unresolved
        } else {
            &self.failures
        };
        if let Host::Name(host) = &self.authority.host {
            let unknown = |reason: &String| {
                [Family::V4, Family::V6]
                    .iter()
                    .any(|family| *reason == resolve::unknown(host, *family))
            };
            if !reasons.is_empty() && reasons.iter().all(unknown) {
                return format!("there is no host {host:?}: check the name");
            }
        }
        match reasons.as_slice() {
            [] => format!("there is no address to try for {}", self.authority),
            reasons => {
                let mut reasons = reasons.to_vec();
                // Both families may fail for the same reason.
                reasons.dedup();
                reasons.join("; ")
            }
        }
    }

    fn out_of_time(&mut self, tell: &mut impl FnMut(Step)) -> Failure {
        let now = self.clock.now();
        for (family, start) in std::mem::take(&mut self.asked) {
            let lookup = resolve::timed_out(self.authority, family, start.elapsed());
            tell(Step::Event(now, EntryKind::Lookup(lookup)));
        }
        let resolving = !self.lookups.is_empty() && self.running.is_empty();
        self.give_up(&AttemptOutcome::TimedOut, tell);
        let limit = crate::text::format::took(self.options.connect_timeout);
        let target = self.authority;
        let reason = if resolving {
            format!(
                "no answer from the resolver for {target} within {limit}: check the network and /etc/resolv.conf"
            )
        } else {
            format!(
                "no answer from {target} within {limit}: the host is down, or a firewall drops packets; \
                 --connect-timeout sets the limit"
            )
        };
        Failure {
            reason,
            errno: None,
            timed_out: true,
        }
    }

    fn give_up(&mut self, outcome: &AttemptOutcome, tell: &mut impl FnMut(Step)) {
        let mut running: Vec<_> = self.running.drain().collect();
        running.sort_by_key(|(_, start)| *start);
        self.attempts.clear();
        for (remote, start) in running {
            self.attempt(remote, start.elapsed(), outcome.clone(), tell);
        }
    }

    fn attempt(
        &self,
        remote: SocketAddr,
        took: Duration,
        outcome: AttemptOutcome,
        tell: &mut impl FnMut(Step),
    ) {
        tell(Step::Event(
            self.clock.now(),
            EntryKind::Attempt(Attempt {
                remote,
                took,
                outcome,
            }),
        ));
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}
