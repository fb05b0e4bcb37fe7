//! A network worker that records to a file of its own, and a peer to play with.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness; one that fails fails the test"
)]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sockscope::capture::{Create, Existing, Recorder, Session};
use sockscope::model::{
    AttemptOutcome, Direction, EndHow, Entry, EntryId, EntryKind, Link, LinkState, NetCommand, NetEvent,
    Outgoing, Recording, Records as _, Side,
};
use sockscope::net::{Clock, Options, Worker, spawn};
use tempfile::TempDir;

/// The longest that anything here may take; reached only when something is wrong.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// A worker that records to a file of its own.
pub(crate) struct Bench {
    pub(crate) worker: Worker,
    pub(crate) session: Session,
    runtime: tokio::runtime::Runtime,
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Bench {
        Bench::limited(options, None)
    }

    pub(crate) fn limited(options: Options, max_size: Option<u64>) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.pcapng");
        let recorder = Recorder::create(&Create {
            path,
            existing: Existing::Refuse,
            max_size,
        })
        .unwrap();
        let session = recorder.reader();
        let worker = spawn(options, recorder, Clock::start()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Bench {
            worker,
            session,
            runtime,
            folder,
        }
    }

    pub(crate) fn ask(&self, command: NetCommand) {
        self.worker.commands.try_send(command).unwrap();
    }

    pub(crate) fn dial(&self, target: impl std::fmt::Display) {
        self.ask(NetCommand::Connect(target.to_string().parse().unwrap()));
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        self.ask(NetCommand::Send(Outgoing {
            bytes: bytes.to_vec(),
            recording: Recording::AsIs,
        }));
    }

    pub(crate) fn wait(&self, what: &str, until: impl FnMut(&NetEvent) -> bool) -> NetEvent {
        let mut news = self.worker.news.clone();
        let waited = self
            .runtime
            .block_on(async { tokio::time::timeout(BOUND, news.wait_for(until)).await });
        match waited {
            Ok(Ok(event)) => event.clone(),
            _ => panic!(
                "{what} did not happen; the last report: {:#?}",
                self.worker.news.borrow().clone()
            ),
        }
    }

    pub(crate) fn wait_link(&self, what: &str, mut until: impl FnMut(&Link) -> bool) -> Link {
        self.wait(what, |news| news.link.as_ref().is_some_and(&mut until))
            .link
            .unwrap()
    }

    pub(crate) fn wait_state(&self, state: LinkState) -> Link {
        self.wait_link(&state.to_string(), |link| link.state == state)
    }

    /// Waits until the worker has ended; whether it has.
    pub(crate) fn ends(&self) -> bool {
        let mut news = self.worker.news.clone();
        let ended = async { while news.changed().await.is_ok() {} };
        self.runtime
            .block_on(async { tokio::time::timeout(BOUND, ended).await })
            .is_ok()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        (0..self.session.len())
            .map(|id| self.session.entry(EntryId(id)).unwrap())
            .collect()
    }

    pub(crate) fn bytes(&self, direction: Direction) -> Vec<u8> {
        let data = self
            .entries()
            .into_iter()
            .filter(|entry| entry.direction() == Some(direction));
        data.flat_map(|entry| self.session.payload(entry.id, 0..u32::MAX).unwrap())
            .collect()
    }

    /// Asserts that the recording, opened anew, tells the same as it does now.
    pub(crate) fn reopens_equal(&self) {
        let reopened = Session::open(&self.folder.path().join("session.pcapng")).unwrap();
        let entries = self.entries();
        assert_eq!(reopened.len(), entries.len() as u64);
        for entry in entries {
            assert_eq!(reopened.entry(entry.id).unwrap(), entry);
            let bytes = |session: &Session| session.payload(entry.id, 0..u32::MAX).ok();
            assert!(bytes(&reopened) == bytes(&self.session), "{entry:?}");
            assert_eq!(
                reopened.role(entry.connection),
                self.session.role(entry.connection)
            );
        }
    }

    pub(crate) fn kinds(&self) -> String {
        let words: Vec<&str> = self.entries().iter().map(|entry| word(&entry.kind)).collect();
        words.join(" ")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.worker.commands.try_send(NetCommand::Shutdown);
        assert!(
            self.ends() || thread::panicking(),
            "the worker ends when it is told to"
        );
    }
}

/// One word for each kind, so that an order fits one line.
pub(crate) fn word(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::Data {
            direction: Direction::Sent,
        } => "sent",
        EntryKind::Data {
            direction: Direction::Received,
        } => "received",
        EntryKind::Lookup(_) => "lookup",
        EntryKind::Attempt(attempt) => match attempt.outcome {
            AttemptOutcome::Started => "try",
            AttemptOutcome::Connected => "connected",
            AttemptOutcome::Failed { .. } => "failed",
            AttemptOutcome::TimedOut => "timed-out",
            AttemptOutcome::Abandoned => "abandoned",
        },
        EntryKind::Tls(_) => "tls",
        EntryKind::Open { .. } => "open",
        EntryKind::HalfClose { by: Side::Local } => "our-fin",
        EntryKind::HalfClose { by: Side::Peer } => "peer-fin",
        EntryKind::Close(end) => match (end.by, end.how) {
            (Side::Local, EndHow::Fin) => "close-our-fin",
            (Side::Peer, EndHow::Fin) => "close-peer-fin",
            (Side::Local, EndHow::Rst) => "our-rst",
            (Side::Peer, EndHow::Rst) => "peer-rst",
            (_, EndHow::Timeout) => "timeout",
            (_, EndHow::Truncated) => "truncated",
            (_, EndHow::Alert) => "alert",
            (_, EndHow::Close) => "closed",
            (_, EndHow::Tap) => "tap",
            (_, EndHow::Os) => "os",
        },
        EntryKind::Error { .. } => "error",
        EntryKind::Gap { .. } => "gap",
        EntryKind::Note { .. } => "note",
    }
}

/// A peer that accepts one connection and plays `script` on it.
pub(crate) fn peer<T: Send + 'static>(
    script: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        script(stream)
    });
    (address, thread)
}
