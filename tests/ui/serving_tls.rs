//! Pictures of a program that is the server in TLS, or stands between two that speak it.

use std::sync::Arc;

use crate::snapshots::{check, handshake};
use crate::stage::{START, Stage, settings};
use sockscope::app::Event;
use sockscope::model::{
    Address, ConnectionId, Endpoint, Link, LinkState, Listening, NetEvent, Role, Timestamp, TlsReport,
    TlsRole, Verdict,
};

/// What waits, and who has come; its Status has the whole window.
fn zoomed(size: (u16, u16), listening: Listening, links: Vec<Link>) -> Stage {
    let mut stage = Stage::new(settings(), size);
    let mut news = NetEvent {
        listening: Some(listening),
        ..NetEvent::default()
    };
    for link in links {
        news.peers.push(link);
    }
    stage.send(Event::Net(news));
    stage.escape().typed("1z");
    stage
}

fn listening(address: &str, target: Option<&str>) -> Listening {
    let address: Address = address.parse().unwrap();
    let target = target.map(|target| target.parse::<Endpoint>().unwrap());
    let mut listening = Listening::new(ConnectionId(0), address, target, Timestamp(0));
    listening.state = LinkState::Listening;
    listening.since = Some(START);
    listening.bound = vec!["127.0.0.1:8443".into(), "[::1]:8443".into()];
    listening
}

fn link(id: u32, endpoint: &str, role: Role) -> Link {
    let mut link = Link::new(ConnectionId(id), endpoint.parse().unwrap(), START);
    (link.role, link.state) = (role, LinkState::Open);
    link.local = Some("127.0.0.1:50312".parse().unwrap());
    link.remote = Some("192.0.2.7:443".parse().unwrap());
    link.opened = Some(START);
    link
}

/// What a client asked for.
fn asked() -> TlsReport {
    TlsReport {
        role: TlsRole::Server,
        server_name: "example.org".into(),
        verdict: Verdict::Unchecked,
        chain: Vec::new(),
        ..handshake()
    }
}

#[test]
fn the_fingerprint_of_a_certificate_made_on_the_spot_is_whole() {
    check("listening_tls_zoomed", &[], |size| {
        let mut listening = listening("tls://:8443", None);
        listening.fingerprint = Some("0123456789abcdef".repeat(4));
        listening.self_signed = true;
        zoomed(size, listening, Vec::new())
    });
}

#[test]
fn both_handshakes_of_a_tap_are_shown() {
    check("tap_tls_zoomed", &[0], |size| {
        let mut pair = link(1, "tls://example.org:443", Role::Tap);
        pair.tls = Some(Arc::new(handshake()));
        pair.application_tls = Some(Arc::new(asked()));
        zoomed(
            size,
            listening(":8443", Some("tls://example.org:443")),
            vec![pair],
        )
    });
}

#[test]
fn that_a_server_is_not_verified_is_said_whoever_is_in_front() {
    check("tap_tls_not_verified", &[0], |size| {
        let mut unverified = link(1, "tls://example.org:443", Role::Tap);
        unverified.tls = Some(Arc::new(handshake()));
        let mut shaking = link(2, "tls://example.org:443", Role::Tap);
        (shaking.state, shaking.remote, shaking.opened) = (LinkState::Handshaking, None, None);
        let links = vec![unverified, shaking, link(3, "tls://example.org:443", Role::Tap)];
        zoomed(size, listening(":8443", Some("tls://example.org:443")), links)
    });
}

#[test]
fn a_handshake_under_way_is_shown() {
    check("listening_tls_handshaking", &[0, 1], |size| {
        let mut shaking = link(1, "tls://localhost:8443", Role::Server);
        (shaking.state, shaking.opened) = (LinkState::Handshaking, None);
        let mut stage = zoomed(size, listening("tls://:8443", None), vec![shaking]);
        stage.typed("z]");
        stage
    });
}
