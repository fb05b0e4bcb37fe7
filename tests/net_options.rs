//! Options of sockets: set before the connection is made, read back from the kernel, changed while it is open.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/worker.rs"]
mod worker;

use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use sockscope::model::{Answer, EntryKind, Link, LinkState, NetCommand, SocketOptions};
use sockscope::net::Options;
use worker::Bench;

fn bench(written: &[&str]) -> Bench {
    let sockets: SocketOptions = written.iter().map(|text| text.parse().unwrap()).collect();
    Bench::new(Options {
        sockets,
        ..Options::default()
    })
}

/// What the kernel had last, as it would be written.
fn has(link: &Link, expected: &str) -> bool {
    link.options.iter().any(|setting| setting.to_string() == expected)
}

fn notes(bench: &Bench) -> Vec<String> {
    let texts = bench.entries().into_iter().filter_map(|entry| {
        if let EntryKind::Note { text } = entry.kind {
            Some(text)
        } else {
            None
        }
    });
    texts.collect()
}

/// Asks, and waits for that answer.
fn ask(bench: &Bench, request: &str) -> Answer {
    let number = bench
        .worker
        .news
        .borrow()
        .answer
        .as_ref()
        .map_or(1, |answer| answer.number + 1);
    bench.ask(NetCommand::Option(request.parse().unwrap()));
    let answered = |answer: &Answer| answer.number == number;
    let news = bench.wait(request, |news| news.answer.as_ref().is_some_and(answered));
    news.answer.unwrap()
}

#[test]
fn options_are_set_before_the_connection_and_told_as_the_kernel_has_them() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bench = bench(&[
        "ttl=9",
        "sndbuf=64K",
        "keepalive=10s:2s:5",
        "mss=1000",
        "nodelay=off",
    ]);
    bench.dial(listener.local_addr().unwrap());
    let link = bench.wait_state(LinkState::Open);
    for expected in ["ttl=9", "sndbuf=128K", "keepalive=10s:2s:5", "nodelay=off"] {
        assert!(has(&link, expected), "{expected}: {:?}", link.options);
    }
    // Only what is set before the handshake bounds the segments of either side.
    let mss = link
        .options
        .iter()
        .find(|setting| setting.option.to_string() == "mss")
        .unwrap();
    assert!(mss.shown().parse::<u32>().unwrap() <= 1000, "{mss}");
    bench.wait("the note", |_| !notes(&bench).is_empty());
    let note = &notes(&bench)[0];
    assert!(
        note.starts_with("socket options: nodelay=off, keepalive=10s:2s:5, "),
        "{note}"
    );
    assert!(note.contains("sndbuf=128K (64K was asked for)"), "{note}");
    assert!(
        !note.contains("linger"),
        "what nobody asked for is not told: {note}"
    );
}

#[test]
fn options_are_shown_and_changed_while_it_is_open_and_kept_for_later() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bench = bench(&[]);
    let before = ask(&bench, "ttl=7");
    assert_eq!(before.text, "no connection is open; ttl=7 is set on the next one");
    bench.dial(listener.local_addr().unwrap());
    let link = bench.wait_state(LinkState::Open);
    assert!(has(&link, "ttl=7") && has(&link, "nodelay=on"));
    bench.wait("the note on it", |_| !notes(&bench).is_empty());
    let quiet = bench.entries().len();
    assert_eq!(ask(&bench, "ttl").text, "ttl is 7");
    assert_eq!(bench.entries().len(), quiet, "a question leaves no trace");
    assert_eq!(ask(&bench, "ttl=5").text, "ttl is 5 now; it was 7");
    assert_eq!(notes(&bench).last().unwrap(), "ttl is 5 now; it was 7");
    assert!(has(
        &bench.wait_link("it", |link| has(link, "ttl=5")),
        "nodelay=on"
    ));
    let refused = ask(&bench, "device=no-such-if");
    assert!(refused.refused, "{refused:?}");
    assert!(
        refused
            .text
            .contains("device=no-such-if (SO_BINDTODEVICE): there is no such interface"),
        "{refused:?}"
    );
    let late = ask(&bench, "mss=500");
    assert!(
        late.refused && late.text.contains("is set on the next one"),
        "{late:?}"
    );
    bench.ask(NetCommand::Reset);
    bench.wait_state(LinkState::Closed);
    bench.ask(NetCommand::Reconnect);
    let again = bench.wait_link("the second connection", |link| {
        link.id.0 == 1 && link.state == LinkState::Open
    });
    assert!(has(&again, "ttl=5"), "{:?}", again.options);
}

#[test]
fn what_the_kernel_refuses_ends_the_dial_and_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = format!("tcp://{}", listener.local_addr().unwrap());
    let udp = format!("udp://{}", udp.local_addr().unwrap());
    let check = |option: &str, target: &str, expected: &str| {
        let bench = bench(&[option]);
        bench.dial(target);
        let reason = bench.wait_state(LinkState::Failed).reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
    };
    let device = "socket option device=no-such-if (SO_BINDTODEVICE): there is no such interface: ip link";
    check("device=no-such-if", &tcp, device);
    check("device=no-such-if", &udp, device);
    check(
        "congestion=none-such",
        &tcp,
        "congestion=none-such (TCP_CONGESTION): it does not have it",
    );
    check(
        "multicast-interface=no-such-if",
        &udp,
        "(IP_MULTICAST_IF): there is no such interface",
    );
}

#[test]
fn what_means_nothing_for_a_later_target_is_left_out_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let bench = bench(&["nodelay", "sndbuf=64K"]);
    bench.dial(format!("unix:{}", path.display()));
    let link = bench.wait_state(LinkState::Open);
    assert!(has(&link, "sndbuf=128K"), "{:?}", link.options);
    let said = "the socket option nodelay=on is not set: it means nothing for Unix sockets";
    assert_eq!(notes(&bench)[0], said);
}

#[test]
fn a_close_that_lingers_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bench = Bench::new(Options {
        // Longer than anything here may take.
        sockets: ["linger=300s", "sndbuf=1M"]
            .map(|text| text.parse().unwrap())
            .into_iter()
            .collect(),
        idle_timeout: Some(Duration::from_millis(200)),
        ..Options::default()
    });
    bench.dial(listener.local_addr().unwrap());
    bench.wait_state(LinkState::Open);
    let _silent = listener.accept().unwrap();
    bench.send(&vec![0; 8 << 20]);
    let link = bench.wait_link("the end", |link| link.end.is_some());
    assert!(link.unsent > 0 || link.sent.bytes > 0, "{link:?}");
    bench.dial(listener.local_addr().unwrap());
    bench.wait_link("another connection", |link| {
        link.id.0 == 1 && link.state == LinkState::Open
    });
}
