//! More than the real binary can take: clients that there are no descriptors for (P22, whose full size is a benchmark) and
//! datagrams that come faster than they are read (P23).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/binary.rs"]
mod binary;
#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/service.rs"]
mod service;

use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, EntryKind, Records as _};

use binary::{HANGS, Home};
use crowd::{Waits, too_many};
use service::Service;

/// Longer than the program waits between two attempts to accept.
const QUIET: Duration = Duration::from_millis(200);

#[test]
fn whom_there_is_no_descriptor_for_is_told_and_the_others_are_served() {
    too_many(Waits::Listening, 60, QUIET);
}

#[test]
fn a_tap_without_descriptors_resets_whom_it_cannot_relay() {
    too_many(Waits::Relaying, 60, QUIET);
}

/// Waits until the program has read everything that was sent to its socket: `rx_queue` of proc(5), /proc/net/udp.
fn until_read(address: &str) {
    let port: u16 = address.rsplit_once(':').unwrap().1.parse().unwrap();
    let started = Instant::now();
    let waits = || {
        let table = std::fs::read_to_string("/proc/net/udp").unwrap();
        table.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields.len() > 4
                && fields[1].ends_with(&format!(":{port:04X}"))
                && !fields[4].ends_with(":00000000")
        })
    };
    while waits() {
        assert!(started.elapsed() < HANGS, "it does not read");
        thread::yield_now();
    }
}

/// How many datagrams of a direction a recording has, and how many it says that the kernel dropped.
fn counted(service: Service, direction: Direction) -> (u64, u64) {
    let file = service.file.clone();
    service.terminate();
    let session = Session::open(&file).unwrap();
    let entries = (0..session.len()).map(|id| session.entry(EntryId(id)).unwrap());
    let (mut came, mut dropped) = (0, 0);
    for entry in entries {
        if entry.direction() == Some(direction) {
            came += 1;
        }
        if let EntryKind::Error { text, .. } = entry.kind
            && let Some((_, rest)) = text.split_once("the kernel dropped ")
        {
            let count = rest.split(' ').next().unwrap().replace(',', "");
            dropped += count.parse::<u64>().unwrap();
        }
    }
    (came, dropped)
}

#[test]
fn datagrams_that_come_too_fast_are_counted() {
    const SENT: u64 = 20_000;
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = format!("udp://{}", server.local_addr().unwrap());
    let listens = ["listen", "udp://127.0.0.1:0", "-o", "rcvbuf=8K"];
    let taps = ["tap", "udp://127.0.0.1:0", &target, "-o", "rcvbuf=8K"];
    let ways = [(&listens[..], Direction::Received), (&taps[..], Direction::Sent)];
    for (arguments, direction) in ways {
        let home = Home::new();
        let service = Service::start(&home, arguments);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = service.address.replace("udp://", "");
        socket.connect(&address).unwrap();
        for _ in 0..SENT {
            socket.send(&[b'x'; 200]).unwrap();
        }
        until_read(&address);
        // What comes last tells what was dropped before it.
        socket.send(b"the last one").unwrap();
        service.wait_line("the last one");
        let (came, dropped) = counted(service, direction);
        assert!(dropped > 0, "nothing was dropped, so nothing was proved");
        assert_eq!(came + dropped, SENT + 1, "{arguments:?}: {dropped} dropped");
    }
}
