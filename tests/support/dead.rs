//! P24: every failed connection is named, in a network of its own where addresses are dead or unreachable and the
//! resolver fails in its ways; and a dead address of IPv6 does not keep a living one of IPv4 waiting.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a proof that cannot go on has failed"
)]

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::binary::{Finished, Home, finish};

/// What each dial is told, in the order of the script.
const NAMED: [(&str, &str); 7] = [
    (
        "192.0.2.1:80",
        "cannot be reached: the host is down or behind a firewall",
    ),
    ("203.0.113.1:80", "no route to 203.0.113.1:80"),
    ("[2001:db8::2]:80", "no answer from [2001:db8::2]:80 within 2.0 s"),
    ("127.0.0.1:80", "refused the connection: nothing listens there"),
    ("name.test:80", "the resolver cannot answer for \"name.test\" now"),
    ("name.test:80", "no answer from the resolver for name.test:80"),
    ("-6 127.0.0.1:80", "-6 asks for IPv6 only"),
];

/// Runs the script; how long the way around the dead address took, from the answer of the resolver to the open
/// connection. Nothing where no namespace can be made.
pub(crate) fn every_failure_is_named() -> Option<Duration> {
    let home = Home::new();
    let mut command = Command::new("unshare");
    home.prepare(&mut command);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/dead.sh");
    command.args(["-Urnm", "sh", script, env!("CARGO_BIN_EXE_sockscope")]);
    command.arg(home.path(""));
    let run = finish(command.spawn().ok()?);
    if run.text().contains("no namespace") || run.stderr.contains("unshare failed") {
        println!("skipped: no network can be made in a namespace here: {run:?}");
        assert!(std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none());
        return None;
    }
    Some(judge(&run))
}

fn judge(run: &Finished) -> Duration {
    let text = run.text();
    let mut dials = text.split("dial ").skip(1);
    let both = dials.next().unwrap();
    let told: Vec<Value> = both
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert!(both.contains("status 0"), "{text}");
    let outcomes: Vec<(&str, &str)> = told
        .iter()
        .filter_map(|entry| Some((entry["remote"].as_str()?, entry["outcome"].as_str()?)))
        .collect();
    let expected = [
        ("[2001:db8::2]:7070", "started"),
        ("127.0.0.1:7070", "started"),
        ("[2001:db8::2]:7070", "abandoned"),
    ];
    assert_eq!(outcomes, expected, "{text}");
    for ((target, reason), dial) in NAMED.iter().zip(dials) {
        let first = dial.lines().next().unwrap();
        assert!(first.ends_with(target), "{target}: {dial}");
        assert!(
            dial.contains(reason) && dial.contains("status 1"),
            "{target}: {dial}"
        );
        // One clear sentence and the status.
        assert_eq!(dial.trim().lines().count(), 3, "{dial}");
    }
    assert_eq!(text.matches("dial ").count(), 1 + NAMED.len(), "{text}");
    let at = |kind: &str| {
        let entry = told.iter().find(|entry| entry["kind"] == kind).unwrap();
        chrono::DateTime::parse_from_rfc3339(entry["at"].as_str().unwrap()).unwrap()
    };
    (at("open") - at("lookup")).to_std().unwrap()
}
