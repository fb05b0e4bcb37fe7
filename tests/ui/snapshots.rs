//! Pictures of the screen at four sizes. With `SOCKSCOPE_PICTURES=DIR` each is also written there as SVG.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::stage::{Stage, settings};
use crate::svg::Picture;
use sockscope::app::{App, Event, Key, KeyCode, SessionFile, Settings};
use sockscope::model::{
    Agreed, Annotation, Attempt, AttemptOutcome, Certificate, ConnectionId, Direction, End, EndHow, EntryId,
    EntryKind, ExportReport, ExportState, Family, FileReport, FileState, Full, KernelReport, Link, LinkState,
    Lookup, RecorderState, Records as _, RingReport, Side, Stamps, TcpInfo, TcpState, Timestamp,
    Timestamping, TlsReport, TlsRole, Verdict,
};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (40, 10), (20, 5)];

/// Compares the picture of a stage with the stored one, at every size.
pub(crate) fn check(name: &str, styled: &[u16], build: impl Fn((u16, u16)) -> Stage) {
    for size in SIZES {
        check_at(name, size, styled, &build);
    }
}

fn check_at(name: &str, size: (u16, u16), styled: &[u16], build: impl Fn((u16, u16)) -> Stage) {
    let stage = build(size);
    let name = format!("{name}_{}x{}", size.0, size.1);
    if let Some(folder) = std::env::var_os("SOCKSCOPE_PICTURES") {
        let (buf, cursor) = stage.draw();
        let mut picture = Picture::from(&buf);
        picture.cursor = cursor.map(|at| (at.x, at.y));
        let file = std::path::Path::new(&folder).join(format!("{name}.svg"));
        std::fs::write(file, picture.to_svg(&name)).unwrap();
    }
    let styled: Vec<u16> = styled.iter().copied().filter(|y| *y < size.1).collect();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, stage.picture(&styled));
    });
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// A conversation with every kind of byte.
fn conversation(size: (u16, u16)) -> Stage {
    let mut stage = Stage::open(size);
    stage
        .wait(Duration::from_millis(1_204))
        .data(Direction::Sent, b"PING\r\n");
    stage.wait(micros(71)).data(Direction::Received, b"+PONG\r\n");
    stage
        .wait(Duration::from_millis(2_300))
        .data(Direction::Sent, "SET ключ \"漢字 😀\"\r\n".as_bytes());
    stage.wait(micros(112)).data(Direction::Received, b"+OK\r\n");
    stage
        .wait(Duration::from_millis(900))
        .data(Direction::Sent, b"GET blob\r\n");
    stage.wait(micros(95)).data(
        Direction::Received,
        b"$24\r\n\x00\x01\x02\x7f\xff\xfe\x80 caf\xc3",
    );
    stage
        .wait(micros(15))
        .data(Direction::Received, b"\xa9\t\x1b[2J \xe2\x80\xaeend\r\n");
    stage.wait(Duration::from_millis(3_100)).report();
    stage
}

fn with_recents(size: (u16, u16)) -> Stage {
    let recents = ["localhost:6379", "[::1]:8080", "mail.example.org:smtp"];
    let settings = Settings {
        goal: None,
        recents: recents.iter().map(|target| target.parse().unwrap()).collect(),
        ..settings()
    };
    Stage::new(settings, size)
}

fn key(c: char) -> Key {
    Key::char(c)
}

#[test]
fn the_start_asks_for_a_target() {
    check("start", &[], with_recents);
}

#[test]
fn a_target_that_is_none_is_pointed_at() {
    check("start_error", &[], |size| {
        let mut stage = with_recents(size);
        stage.typed("localhost:70000").key(Key::plain(KeyCode::Enter));
        stage
    });
}

#[test]
fn an_open_connection_says_what_to_do() {
    check("open_silent", &[], Stage::open);
}

#[test]
fn traffic_is_shown_as_hex_and_text() {
    check("both", &[0, 2, 5, 6], conversation);
}

#[test]
fn traffic_is_shown_as_hex() {
    check("hex", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('x'));
        stage
    });
}

#[test]
fn traffic_is_shown_as_text() {
    check("text", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('x')).key(key('x'));
        stage
    });
}

#[test]
fn scrolled_up_says_how_much_is_new_below() {
    check("scrolled", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('k')).key(key('k')).key(key('k'));
        for number in 0..1234 {
            stage.data(Direction::Received, format!("line {number}\n").as_bytes());
        }
        stage
    });
}

#[test]
fn the_inspector_shows_an_entry_in_full() {
    check("inspector", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('k')).key(Key::plain(KeyCode::Enter));
        stage
    });
    check_at("inspector", (170, 30), &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('k')).key(Key::plain(KeyCode::Enter));
        stage
    });
}

#[test]
fn a_long_entry_is_paged_in_the_inspector() {
    check_at("inspector_long", (100, 30), &[], |size| {
        let mut stage = conversation(size);
        let bytes: Vec<u8> = (0..4096u32).map(|at| (at % 251) as u8).collect();
        stage.data(Direction::Received, &bytes);
        stage
            .escape()
            .key(Key::plain(KeyCode::Enter))
            .key(Key::plain(KeyCode::PageDown));
        stage
    });
}

#[test]
fn dialing_shows_every_attempt() {
    check("connecting", &[], |size| {
        let mut stage = refused(size);
        stage.link(|link| {
            link.state = LinkState::Connecting;
            link.reason = None;
            link.ended = None;
        });
        stage.wait(Duration::from_millis(2_400));
        stage
    });
}

#[test]
fn the_end_of_one_direction_is_shown() {
    check("half_closed", &[], |size| {
        let mut stage = conversation(size);
        stage.event(EntryKind::HalfClose { by: Side::Peer }).link(|link| {
            link.state = LinkState::HalfClosed;
            link.first_fin = Some(Side::Peer);
        });
        stage
    });
}

#[test]
fn who_has_sent_fin_is_not_asked_to_type() {
    check("only_receives", &[], |size| {
        let mut stage = conversation(size);
        stage
            .event(EntryKind::HalfClose { by: Side::Local })
            .link(|link| {
                link.state = LinkState::HalfClosed;
                link.first_fin = Some(Side::Local);
            });
        stage
    });
}

fn close(link: &mut Link, end: End) {
    link.state = LinkState::Closed;
    link.end = Some(end);
    link.ended = Some(crate::stage::START + Duration::from_secs(192));
}

#[test]
fn the_end_says_who_and_how() {
    check("closed", &[], |size| {
        let mut stage = conversation(size);
        let end = End {
            by: Side::Peer,
            how: EndHow::Rst,
            errno: Some(104),
        };
        stage.event(EntryKind::Close(end)).link(|link| close(link, end));
        stage.escape();
        stage
    });
}

/// A name with two addresses that both refuse.
fn refused(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(settings(), size);
    let mut link = Link::new(ConnectionId(0), "localhost:6379".parse().unwrap(), stage.now);
    link.state = LinkState::Failed;
    link.remote = Some("127.0.0.1:6379".parse().unwrap());
    link.reason = Some("localhost:6379 refused the connection: is a server listening there?".into());
    link.ended = Some(stage.now);
    stage.link = Some(link);
    let v4: Vec<SocketAddr> = vec!["127.0.0.1:6379".parse().unwrap()];
    let v6: Vec<SocketAddr> = vec!["[::1]:6379".parse().unwrap()];
    for (family, result) in [(Family::V6, v6.clone()), (Family::V4, v4.clone())] {
        stage.wait(micros(180)).event(EntryKind::Lookup(Lookup {
            name: "localhost".into(),
            family,
            took: micros(180),
            result: Ok(result),
        }));
    }
    for remote in [v6[0], v4[0]] {
        let attempt = |took, outcome| {
            EntryKind::Attempt(Attempt {
                remote,
                took,
                outcome,
            })
        };
        stage
            .wait(micros(40))
            .event(attempt(Duration::ZERO, AttemptOutcome::Started));
        let outcome = AttemptOutcome::Failed {
            errno: 111,
            text: "connection refused".into(),
        };
        stage.wait(micros(60)).event(attempt(micros(60), outcome));
    }
    stage.event(EntryKind::Error {
        text: "localhost:6379 refused the connection: is a server listening there?".into(),
        errno: Some(111),
    });
    stage
}

#[test]
fn a_failure_is_named() {
    check("failed", &[], refused);
}

#[test]
fn the_wait_for_the_next_attempt_counts_down() {
    check("waiting", &[], |size| {
        let mut stage = refused(size);
        let retry = stage.now + Duration::from_millis(3_500);
        stage.link(|link| {
            link.state = LinkState::Waiting;
            link.round = 3;
            link.retry_at = Some(retry);
        });
        stage
    });
}

#[test]
fn a_peer_that_does_not_read_is_shown() {
    check("unsent", &[], |size| {
        let mut stage = conversation(size);
        stage.link(|link| link.unsent = 3 << 20);
        stage
    });
}

#[test]
fn help_lists_the_keys_of_the_pane() {
    check("help", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('?'));
        stage
    });
}

#[test]
fn the_palette_knows_that_datagrams_have_no_fin() {
    check("palette_datagrams", &[], |size| {
        let mut stage = Stage::open(size);
        stage.link(|link| link.endpoint = "udp://localhost:53".parse().unwrap());
        stage.key(Key::ctrl('g')).typed("close");
        stage
    });
}

#[test]
fn the_palette_lists_actions_by_name() {
    check("palette", &[], |size| {
        let mut stage = conversation(size);
        stage
            .key(Key::ctrl('g'))
            .typed("clo")
            .key(Key::plain(KeyCode::Down));
        stage
    });
}

/// A conversation over a socket with these options.
fn with_options(size: (u16, u16)) -> Stage {
    let written = [
        "nodelay=on",
        "cork=off",
        "keepalive=10s:2s:5",
        "user-timeout=off",
        "linger=off",
        "mss=32741",
        "congestion=cubic",
        "ttl=64",
        "tos=0xb8",
        "dscp=ef",
        "sndbuf=128K",
        "rcvbuf=128K",
    ];
    let mut stage = conversation(size);
    stage.link(|link| link.options = written.map(|text| text.parse().unwrap()).into());
    stage
}

#[test]
fn socket_options_are_listed_with_what_the_kernel_has() {
    check("options", &[], |size| {
        let mut stage = with_options(size);
        stage.key(Key::ctrl('g')).typed("option ");
        stage.key(Key::plain(KeyCode::Down));
        stage
    });
    check("options_zoomed", &[], |size| {
        let mut stage = with_options(size);
        stage.escape().key(key('1')).key(key('z'));
        stage
    });
}

#[test]
fn menus_ask_before_anything_is_lost() {
    check("quit", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('q'));
        stage
    });
    check("close_menu", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('C'));
        stage
    });
    check("copy_menu", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('k')).key(key('y'));
        stage
    });
}

#[test]
fn a_wrong_digit_is_pointed_at() {
    check("input_error", &[22], |size| {
        let mut stage = conversation(size);
        stage.key(Key::ctrl('t')).key(Key::ctrl('t'));
        stage.typed("50 4g 4e 47").key(Key::plain(KeyCode::Enter));
        stage
    });
}

#[test]
fn typed_lines_and_hidden_input_are_told_apart() {
    check("multi_line", &[], |size| {
        let mut stage = conversation(size);
        stage
            .typed("GET / HTTP/1.1")
            .key(Key::ctrl('j'))
            .typed("Host: localhost")
            .key(Key::ctrl('j'));
        stage
    });
    check("hidden", &[], |size| {
        let mut stage = conversation(size);
        stage
            .key(Key::ctrl('g'))
            .typed("secret mask")
            .key(Key::plain(KeyCode::Enter))
            .typed("hunter2");
        stage
    });
}

#[test]
fn the_exact_bytes_can_be_seen_before_they_are_sent() {
    check("preview", &[], |size| {
        let mut stage = conversation(size);
        stage.typed("SET greeting \"hello\"").key(Key::ctrl('o'));
        stage
    });
}

#[test]
fn the_history_is_searched_in_the_input_pane() {
    check("search", &[], |size| {
        let mut stage = conversation(size);
        for line in ["GET greeting", "PING"] {
            stage.typed(line).key(Key::plain(KeyCode::Enter));
        }
        stage.key(Key::ctrl('r')).typed("get");
        stage
    });
}

#[test]
fn a_mistake_in_a_filter_is_pointed_at_in_whole() {
    check("filter_error", &[], |size| {
        let mut stage = conversation(size);
        stage.key(Key::plain(KeyCode::Tab)).typed("fsize>>3 and dir:rx");
        stage
    });
}

fn annotated(size: (u16, u16)) -> Stage {
    let mut stage = conversation(size);
    let mut add = |number, marked, comment: Option<&str>| {
        let comment = comment.map(str::to_owned);
        stage
            .log
            .annotations
            .insert(number, Annotation { marked, comment });
    };
    add(2, true, None);
    add(
        3,
        false,
        Some("the key is not in the cache, which it should be after a minute"),
    );
    add(6, true, Some("binary"));
    stage.key(Key::plain(KeyCode::Tab)).typed("2UU");
    stage
}

#[test]
fn marks_and_comments_stand_with_their_entries() {
    check("annotations", &[], annotated);
}

#[test]
fn marks_and_comments_are_listed() {
    check("marks", &[], |size| {
        let mut stage = annotated(size);
        stage.typed("'j");
        stage
    });
}

#[test]
fn what_the_kernel_says_stands_in_status() {
    let told = |size| {
        let mut stage = conversation(size);
        for round in 1..=5u32 {
            let info = TcpInfo {
                state: TcpState::Established,
                rtt: Duration::from_micros(42),
                rtt_variation: Duration::from_micros(11),
                rtt_least: Some(Duration::from_micros(20)),
                congestion_window: 10 * round,
                slow_start_threshold: Some(7),
                mss: 32_768,
                path_mtu: 65_535,
                unacknowledged: 1,
                lost: round / 5,
                retransmitted: 2,
                unsent: Some(4096),
                peer_window: Some(65_536),
                delivery_rate: Some(5 << 20),
                busy: Some(Duration::from_millis(120)),
                limited_by_window: Some(Duration::from_millis(20)),
                limited_by_buffer: Some(Duration::ZERO),
                last_sent: Duration::from_secs(2),
                ..TcpInfo::default()
            };
            stage.send(Event::Kernel(KernelReport::Tcp(ConnectionId(0), info)));
        }
        stage
    };
    check("kernel", &[1], told);
    check("kernel_zoomed", &[], |size| {
        let mut stage = told(size);
        stage.escape().typed("1z");
        stage
    });
}

/// A request that was acknowledged long before its answer came, which lay unread for a while; and one that is on its way.
fn stamped(size: (u16, u16)) -> Stage {
    let mut stage = Stage::open(size);
    let stamps = |stage: &mut Stage, stamps| {
        let last = stage.log.len() - 1;
        stage.log.stamps.insert(last, stamps);
    };
    stage
        .wait(Duration::from_millis(1_204))
        .data(Direction::Sent, b"PING\r\n");
    let (sent, queued) = (stage.now, Timestamp(stage.now.0 - 30_000));
    let since = |micros| Some(queued + Duration::from_micros(micros));
    stamps(
        &mut stage,
        Stamps {
            queued: Some(queued),
            scheduled: since(12),
            on_wire: since(14),
            acknowledged: since(21_800),
            arrived: None,
        },
    );
    stage
        .wait(micros(152_500))
        .data(Direction::Received, b"+PONG\r\n");
    stamps(
        &mut stage,
        Stamps {
            arrived: Some(sent + micros(152_300)),
            ..Stamps::default()
        },
    );
    stage
        .wait(Duration::from_millis(900))
        .data(Direction::Sent, b"PING\r\n");
    let queued = Timestamp(stage.now.0 - 30_000);
    stamps(
        &mut stage,
        Stamps {
            queued: Some(queued),
            on_wire: Some(queued + micros(16)),
            ..Stamps::default()
        },
    );
    stage
}

#[test]
fn the_kernels_time_stamps_stand_with_their_entry() {
    check("stamps", &[], |size| {
        let mut stage = stamped(size);
        stage.escape().typed(":2").key(Key::plain(KeyCode::Enter));
        stage.key(Key::plain(KeyCode::Enter));
        stage.link(|link| link.timestamping = Timestamping::On);
        stage
    });
    check("stamps_column", &[], |size| {
        let mut stage = stamped(size);
        stage.escape().typed("ttt");
        stage
    });
    check_at("stamps_ascii", (80, 24), &[], |size| {
        let mut stage = stamped(size);
        stage.app.settings.policy.ascii = true;
        stage.escape().typed("ttt:2").key(Key::plain(KeyCode::Enter));
        stage.key(Key::plain(KeyCode::Enter));
        stage
    });
}

/// A dial of a name with an address that refuses, one that is given up, and one that answers; then TLS, and an answer.
fn dialed(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(settings(), size);
    let link = Link::new(
        ConnectionId(0),
        "tls://example.org:443".parse().unwrap(),
        stage.now,
    );
    stage.link = Some(link);
    let ask = stage.now;
    stage.link(|link| {
        link.state = LinkState::Resolving;
        Arc::make_mut(&mut link.dial).asked(ask, Family::V6);
        Arc::make_mut(&mut link.dial).asked(ask, Family::V4);
    });
    let (v6, other, v4): (SocketAddr, SocketAddr, SocketAddr) = (
        "[2001:db8::10]:443".parse().unwrap(),
        "[2001:db8::11]:443".parse().unwrap(),
        "192.0.2.7:443".parse().unwrap(),
    );
    let lookup = |family, micros, found| {
        EntryKind::Lookup(Lookup {
            name: "example.org".into(),
            family,
            took: Duration::from_micros(micros),
            result: Ok(found),
        })
    };
    let attempt = |remote, micros, outcome| {
        EntryKind::Attempt(Attempt {
            remote,
            took: Duration::from_micros(micros),
            outcome,
        })
    };
    let refused = AttemptOutcome::Failed {
        errno: 111,
        text: "it refused".into(),
    };
    stage
        .wait(micros(12_300))
        .event(lookup(Family::V6, 12_300, vec![v6, other]));
    stage.link(|link| link.state = LinkState::Connecting);
    stage.event(attempt(v6, 0, AttemptOutcome::Started));
    stage
        .wait(micros(2_100))
        .event(lookup(Family::V4, 14_400, vec![v4]));
    stage.wait(micros(9_000)).event(attempt(v6, 11_100, refused));
    stage
        .wait(micros(80))
        .event(attempt(v4, 0, AttemptOutcome::Started));
    stage
        .wait(micros(250_000))
        .event(attempt(other, 0, AttemptOutcome::Started));
    stage
}

/// The rest of it.
fn secured(stage: &mut Stage) {
    let (other, v4) = (
        "[2001:db8::11]:443".parse().unwrap(),
        "192.0.2.7:443".parse().unwrap(),
    );
    let attempt = |remote, micros, outcome| {
        EntryKind::Attempt(Attempt {
            remote,
            took: Duration::from_micros(micros),
            outcome,
        })
    };
    stage.wait(micros(21_000));
    stage.event(attempt(other, 21_000, AttemptOutcome::Abandoned));
    stage.event(attempt(v4, 271_000, AttemptOutcome::Connected));
    let report = TlsReport {
        took: Duration::from_micros(48_200),
        verdict: Verdict::Trusted,
        ..handshake()
    };
    stage
        .wait(micros(48_200))
        .event(EntryKind::Tls(Box::new(report.clone())));
    let (local, remote) = ("192.0.2.200:50312".parse().unwrap(), v4);
    stage.event(EntryKind::Open { local, remote });
    let opened = stage.now;
    stage.link(|link| {
        link.state = LinkState::Open;
        link.tls = Some(Arc::new(report));
        (link.local, link.remote, link.opened) = (Some(local), Some(remote), Some(opened));
    });
    stage
        .wait(Duration::from_secs(3))
        .data(Direction::Sent, b"GET / HTTP/1.0\r\n\r\n");
    stage
        .wait(micros(120_400))
        .data(Direction::Received, b"HTTP/1.0 200 OK\r\n\r\n");
}

#[test]
fn the_connect_waterfall_shows_every_phase() {
    let zoomed = |size| {
        let mut stage = dialed(size);
        secured(&mut stage);
        stage.escape().key(Key::char(':')).typed("waterfall");
        stage.key(Key::plain(KeyCode::Enter));
        stage
    };
    check("waterfall_dialing", &[2], dialed);
    check("waterfall", &[], zoomed);
    check_at("waterfall_ascii", (80, 24), &[], |size| {
        let mut stage = zoomed(size);
        stage.app.settings.policy.ascii = true;
        stage
    });
    check_at("waterfall_no_color", (80, 24), &[13, 14, 15, 16], |size| {
        let mut stage = zoomed(size);
        stage.theme = sockscope::ui::Theme::Plain;
        stage
    });
    check("waterfall_failed", &[], |size| {
        let mut stage = refused(size);
        let now = stage.now;
        stage.link(|link| link.ended = Some(now));
        stage.escape().typed("1zG");
        stage
    });
    check("waterfall_inspected", &[], |size| {
        let mut stage = dialed(size);
        secured(&mut stage);
        stage.escape().typed(":10").key(Key::plain(KeyCode::Enter));
        stage.key(Key::plain(KeyCode::Enter)).key(key('z'));
        stage
    });
}

/// A handshake with a server whose certificate is not trusted.
pub(crate) fn handshake() -> TlsReport {
    TlsReport {
        role: TlsRole::Client,
        server_name: "localhost".into(),
        took: Duration::from_micros(2_300),
        agreed: Some(Agreed {
            version: "TLS 1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            group: Some("x25519".into()),
            alpn: Some("h2".into()),
            resumed: false,
        }),
        verdict: Verdict::Ignored("nobody who is trusted has issued it".into()),
        chain: vec![Certificate {
            subject: "CN=localhost\u{202e}".into(),
            issuer: "CN=Test CA, O=Somebody".into(),
            names: vec!["localhost".into(), "127.0.0.1".into()],
            more_names: 0,
            not_before: 1_700_000_000,
            not_after: 1_900_000_000,
            key: "EC P-256".into(),
            signature: "ecdsa-with-SHA256".into(),
            serial: "7f3a".into(),
            sha256: "0123456789abcdef".repeat(4),
        }],
    }
}

#[test]
fn tls_is_told_in_status_and_in_the_inspector() {
    let secured = |size| {
        let mut stage = conversation(size);
        stage.event(EntryKind::Tls(Box::new(handshake())));
        stage.link(|link| link.tls = Some(Arc::new(handshake())));
        stage.report();
        stage
    };
    check("tls", &[0, 1], secured);
    check("tls_zoomed", &[], |size| {
        let mut stage = secured(size);
        stage.escape().typed("1z");
        stage
    });
    check("tls_inspected", &[], |size| {
        let mut stage = secured(size);
        stage.escape().key(key('k')).key(Key::plain(KeyCode::Enter));
        stage
    });
}

#[test]
fn a_connection_on_its_way_to_tls_says_so() {
    check("starting_tls", &[0, 1, 2], |size| {
        let mut stage = conversation(size);
        stage.link(|link| link.state = LinkState::Handshaking);
        stage.report();
        stage
    });
}

#[test]
fn a_recorder_that_fails_is_announced_over_everything() {
    check("banner", &[0, 1], |size| {
        let mut stage = conversation(size);
        stage.recorder = RecorderState::Paused {
            full: Full::ForNow,
            reason: "no space left on device; free some, and it goes on by itself".into(),
        };
        stage.report();
        stage
    });
}

#[test]
fn the_status_pane_zoomed_says_everything() {
    check("status", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('1')).key(key('z'));
        stage
    });
}

#[test]
fn seven_bits_are_enough() {
    check("ascii", &[], |size| {
        let mut stage = conversation(size);
        stage.app.settings.policy.ascii = true;
        stage
    });
}

#[test]
fn without_colour_modifiers_are_left() {
    check_at("no_color", (80, 24), &[0, 2, 4, 5, 6, 22, 23], |size| {
        let mut stage = conversation(size);
        stage.theme = sockscope::ui::Theme::Plain;
        stage
    });
}

#[test]
fn windows_that_are_too_small_say_so() {
    for size in [(19, 5), (20, 4), (12, 2), (3, 1)] {
        check_at("too_small", size, &[], conversation);
    }
}

/// A recording that is being indexed, and one that is complete and has something to remark.
fn reading(size: (u16, u16), how: FileState, remarks: &[&str]) -> Stage {
    let mut stage = conversation(size);
    stage.app = App::new(Settings {
        goal: None,
        session: SessionFile::Opened("/home/ada/captures/redis-slow.pcapng.gz".into()),
        ..settings()
    });
    stage.send(Event::Started);
    let report = FileReport {
        files: 1,
        first: EntryId(0),
        size: 48_318_382_080,
        indexed: 21_743_271_936,
        entries: 5_318_240,
        conversations: 17,
        state: how,
        remarks: remarks.iter().map(|remark| (*remark).to_owned()).collect(),
    };
    stage.send(Event::File(report));
    stage
}

/// A log whose first entries went with their file, read from its start, with one of those in the Inspector.
#[test]
fn a_ring_whose_first_file_is_gone() {
    let ring = |size| {
        let mut stage = conversation(size);
        stage
            .escape()
            .key(key('g'))
            .key(key('j'))
            .key(Key::plain(KeyCode::Enter));
        stage.log.gone = 4;
        stage.ring = Some(RingReport {
            files: 3,
            of: 3,
            first: EntryId(4),
            deleted: 2,
            deleted_payload: 100,
        });
        stage.report();
        stage
    };
    check("ring", &[1, 2], ring);
    check_at("ring_details", (80, 24), &[], |size| {
        let mut stage = ring(size);
        stage.key(key('1')).key(key('z'));
        stage
    });
}

#[test]
fn a_file_that_is_being_indexed() {
    check("indexing", &[0, 1], |size| {
        reading(size, FileState::Indexing, &[])
    });
}

#[test]
fn a_file_with_remarks() {
    let remarks = [
        "the last 37 B are cut short and were left out",
        "12 packets were not captured whole",
    ];
    check("reading", &[1], |size| {
        reading(size, FileState::Complete, &remarks)
    });
    check_at("reading_details", (80, 24), &[], |size| {
        let mut stage = reading(size, FileState::Complete, &remarks);
        stage.key(key('1')).key(key('z'));
        stage
    });
}

#[test]
fn a_file_that_ends_in_the_middle() {
    let remarks = [
        "the compressed data ends in the middle; what could be unpacked is shown, and what is compressed is read \
                    once: if it was still being written, open it again",
    ];
    check("reading_cut", &[1], |size| {
        reading(size, FileState::Cut, &remarks)
    });
}

#[test]
fn an_export_asks_shows_how_far_it_is_and_says_what_it_wrote() {
    check("export_menu", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('E'));
        stage
    });
    check("export_prompt", &[], |size| {
        let mut stage = conversation(size);
        stage.escape().key(key('k')).key(key('w')).key(key('y'));
        stage
    });
    check("selected", &[23], |size| {
        let mut stage = conversation(size);
        stage.escape().typed("kvkk");
        stage
    });
    let exporting = |size, state| {
        let mut stage = conversation(size);
        stage
            .escape()
            .key(key('E'))
            .key(key('p'))
            .key(Key::plain(KeyCode::Enter));
        stage.send(Event::Exported(ExportReport {
            passed: 431,
            of: 1000,
            entries: 431,
            bytes: 12 << 20,
            state,
        }));
        stage
    };
    check("exporting", &[23], |size| exporting(size, ExportState::Writing));
    check("export_exists", &[], |size| {
        exporting(size, ExportState::Exists("trace.pcapng".into()))
    });
}
