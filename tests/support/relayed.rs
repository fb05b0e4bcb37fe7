//! Programs at the two sides of a tap, and what it says and records of them.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every test crate uses a part of it; one that fails fails the test"
)]

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::SockRef;
use sockscope::model::{
    ConnectionId, Direction, End, EntryKind, Link, LinkState, NetCommand, NetEvent, Records as _,
};

use crate::worker::{BOUND, Bench, word};

/// A tap, and where the application connects to.
pub(crate) fn tap(bench: &Bench, address: &str, target: impl std::fmt::Display) -> String {
    let target = target.to_string().parse().unwrap();
    bench.ask(NetCommand::Tap(address.parse().unwrap(), target));
    let news = bench.wait("listening", |news| {
        news.listening
            .as_ref()
            .is_some_and(|listening| listening.state == LinkState::Listening)
    });
    news.listening.unwrap().bound.swap_remove(0)
}

/// A server that plays a script with each of `count` connections in turn.
pub(crate) fn server<T: Send + 'static>(
    count: usize,
    script: impl Fn(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<Vec<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let accepted = (0..count).map(|_| {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(BOUND)).unwrap();
            script(stream)
        });
        accepted.collect()
    });
    (address, thread)
}

pub(crate) fn application(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream
}

pub(crate) fn wait_pair(bench: &Bench, id: u32, what: &str, until: impl Fn(&Link) -> bool) -> Link {
    let found = |news: &NetEvent| news.peers.get(ConnectionId(id)).is_some_and(&until);
    let news = bench.wait(what, found);
    news.peers.get(ConnectionId(id)).unwrap().clone()
}

pub(crate) fn end_of(bench: &Bench, id: u32) -> End {
    wait_pair(bench, id, "the end", |link| link.end.is_some())
        .end
        .unwrap()
}

pub(crate) fn bytes(bench: &Bench, id: u32, direction: Direction) -> Vec<u8> {
    let all = bench.entries().into_iter();
    let data =
        all.filter(|entry| entry.connection == ConnectionId(id) && entry.direction() == Some(direction));
    data.flat_map(|entry| bench.session.payload(entry.id, 0..u32::MAX).unwrap())
        .collect()
}

/// What happened from the opening on.
pub(crate) fn story(bench: &Bench, id: u32) -> String {
    let all = bench.entries();
    let of_it = all.iter().filter(|entry| entry.connection == ConnectionId(id));
    let words = of_it
        .map(|entry| word(&entry.kind))
        .skip_while(|word| *word != "open");
    words.collect::<Vec<_>>().join(" ")
}

/// The texts of its notes and errors.
pub(crate) fn texts(bench: &Bench, id: u32) -> Vec<String> {
    let all = bench.entries().into_iter();
    let of_it = all.filter(|entry| entry.connection == ConnectionId(id));
    of_it
        .filter_map(|entry| {
            if let EntryKind::Note { text } | EntryKind::Error { text, .. } = entry.kind {
                Some(text)
            } else {
                None
            }
        })
        .collect()
}

pub(crate) fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251 + seed) as u8).collect()
}

pub(crate) fn read_all(stream: &mut impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

/// Ends a stream with a reset.
pub(crate) fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

pub(crate) fn is_reset<T: std::fmt::Debug>(result: io::Result<T>) -> bool {
    result.unwrap_err().raw_os_error() == Some(104)
}

/// Waits until nothing crosses any more from the server: the buffers of the kernel are full, which hold a few megabytes.
/// Returns the bytes that were read from it.
pub(crate) fn until_it_stands(bench: &Bench) -> u64 {
    let mut before = u64::MAX;
    loop {
        let now = wait_pair(bench, 1, "bytes", |link| link.received.bytes > 0)
            .received
            .bytes;
        if now == before {
            return now;
        }
        before = now;
        thread::sleep(Duration::from_millis(300));
    }
}
