//! The full sizes of the proofs that `cargo test` runs in small: `cargo bench --bench proofs`. Each prints what it did
//! and how long it took; a proof that fails ends the run with its panic.

#![expect(clippy::unwrap_used, reason = "a proof that cannot go on has failed")]

#[path = "../support/binary.rs"]
mod binary;
#[path = "../support/crowd.rs"]
mod crowd;
#[path = "../capture/cuts.rs"]
mod cuts;
#[path = "../support/dead.rs"]
mod dead;
#[path = "../pty/full.rs"]
mod full;
#[path = "../capture/hostile.rs"]
mod hostile;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/peer.rs"]
mod peer;
#[path = "../pty/proofs.rs"]
mod proofs;
#[path = "../support/pty.rs"]
mod pty;
#[path = "../pty/relay.rs"]
mod relay;
#[path = "../capture/roundtrip.rs"]
mod roundtrip;
#[path = "../capture/sample.rs"]
mod sample;
#[path = "../pty/servers.rs"]
mod servers;
#[path = "../support/service.rs"]
mod service;
#[path = "../support/wire.rs"]
mod wire;

use std::time::{Duration, Instant};

use crowd::Waits;
use proofs::Way;
use pty::Reading;

/// Bytes of hostile traffic for P1.
const HOSTILE: usize = 64 << 20;
/// Bytes of the flood for P8.
const FLOOD: usize = 1 << 30;

/// Bytes each way of P10.
const RELAYED: usize = 1 << 30;

/// The most memory of P10 and the most growth of P13, in MiB.
const MEMORY: f64 = 64.0;

/// The longest that a key may take under hostile servers.
const ANSWER: Duration = Duration::from_millis(100);

/// Rounds of P16, each with another part of the disk taken.
const FULL_ROUNDS: u32 = 10;
/// Bytes that come while the disk is full.
const FULL_FLOOD: usize = 64 << 20;

/// Runs a proof, unless others were named: `cargo bench --bench proofs -- P8 P20`.
fn prove(what: &str, proof: impl FnOnce() -> String) {
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument.starts_with('P'))
        .collect();
    let name = what.split_whitespace().next();
    if !named.is_empty() && !named.iter().any(|wanted| Some(wanted.as_str()) == name) {
        return;
    }
    let start = Instant::now();
    let found = proof();
    println!("{what}: held{found}, in {:.1} s", start.elapsed().as_secs_f64());
}

fn main() {
    if let Some(place) = full::place() {
        return full::prove(&place, FULL_ROUNDS, FULL_FLOOD);
    }
    // Under `cargo test --benches` nothing is measured and nothing this long is run.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    prove("P1  64 MiB of hostile bytes over TCP, in every view", || {
        proofs::hostile_bytes(HOSTILE);
        ", 0 violations".into()
    });
    prove(
        "P4  messages of 90 MB to 150 MB made to be expensive, 200x60",
        || format!(", the largest frame has {} bytes", proofs::largest_frames(100)),
    );
    prove("P5  100 SIGTERM at random moments", || {
        proofs::sigterm_at_random_moments(100);
        String::new()
    });
    prove("P6  20 cycles of stop and fg under bash", || {
        proofs::stops_and_continues(20);
        String::new()
    });
    prove("P8  1 GiB recorded while nobody reads the terminal", || {
        let read = proofs::flood(Way::Key, Reading::Always, FLOOD).as_secs_f64();
        let stalled = proofs::flood(Way::Signal, Reading::NotYet, FLOOD).as_secs_f64();
        format!(
            ", {read:.2} s with a terminal that reads, {stalled:.2} s without: {:.2} x",
            stalled / read
        )
    });
    prove("P9  1,000 resizes under hostile traffic", || {
        proofs::resizes_under_traffic(1000);
        String::new()
    });
    prove("P14 200 kill -9 at random moments of a flood", || {
        proofs::kills_at_random_moments(200);
        ", 200 files opened, nothing that was shown is missing".into()
    });
    prove("P15 every cut of 64 KiB, every flipped bit of 4 KiB", || {
        let cuts = cuts::cuts(64 << 10, 1);
        let (flips, refused) = cuts::flips(4 << 10, 1);
        format!(", {cuts} cuts and {flips} flips, of which {refused} made a file that is refused")
    });
    prove(
        "P16 a disk of 4 MiB and a limit for files, 10 rounds, 64 MiB",
        || {
            if full::start_again(&[]) {
                ", headless and on the screen, with each --on-full".into()
            } else {
                " not, for it was skipped".into()
            }
        },
    );
    prove("P19 1,000 random sessions written and opened", || {
        roundtrip::write_then_open(1000, 400);
        String::new()
    });
    prove("P20 10,000 mutated captures", || {
        let longest = hostile::mutations(10_000);
        assert!(longest < Duration::from_secs(2), "{longest:?}");
        format!(", the slowest took {:.1} ms", longest.as_secs_f64() * 1000.0)
    });
    of_sockets();
}

/// Those of taps, listeners and hostile peers.
fn of_sockets() {
    prove(
        "P10 1 GiB each way at once through a tap that scrolls and searches",
        || {
            let memory = relay::exact(RELAYED);
            assert!(memory <= MEMORY, "{memory} MiB");
            format!(", both ends and the file have the same SHA-256, at most {memory:.1} MiB")
        },
    );
    prove("P13 100 readers of 1 KiB/s for 60 s", || {
        let grown = relay::slow_readers(100, 60, Duration::from_secs(1));
        assert!(grown < MEMORY, "{grown} MiB");
        format!(", grown by {grown:.1} MiB")
    });
    prove("P21 hostile servers, and 20,000 connections that reset", || {
        let (servers, longest) = servers::hostile_servers();
        let stormed = servers::storms(10_000);
        assert!(longest.max(stormed) <= ANSWER, "{longest:?}, {stormed:?}");
        format!(
            ", {servers} servers, a key took {:.1} ms at most, in a storm {:.1} ms",
            longest.as_secs_f64() * 1000.0,
            stormed.as_secs_f64() * 1000.0
        )
    });
    prove("P22 200 clients at once with 40 descriptors", || {
        let quiet = Duration::from_secs(3);
        let found = [Waits::Listening, Waits::Relaying].map(|waits| {
            let found = crowd::too_many(waits, 200, quiet);
            assert!(found.spent < quiet / 100, "{found:?}");
            format!(
                "{} served, {} told, {:.1} ms of CPU in {} s without news",
                found.served,
                found.turned_away,
                found.spent.as_secs_f64() * 1000.0,
                quiet.as_secs()
            )
        });
        format!("; listen: {}; tap: {}", found[0], found[1])
    });
    prove(
        "P24 every failure to connect, a dead IPv6 beside a living IPv4",
        || match dead::every_failure_is_named() {
            Some(took) => {
                assert!(took <= Duration::from_millis(400), "{took:?}");
                format!(", open after {:.0} ms", took.as_secs_f64() * 1000.0)
            }
            None => " not, for it was skipped".into(),
        },
    );
}
