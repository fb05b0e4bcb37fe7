//! Pictures of programs that wait for connections, and of taps.

use std::net::SocketAddr;
use std::time::Duration;

use crate::snapshots::check;
use crate::stage::{START, Stage, settings};
use sockscope::app::{Key, Overlay, Settings};
use sockscope::model::{
    Address, ConnectionId, Conversation, Direction, End, EndHow, EntryKind, Goal, Link, LinkState, Listening,
    Protocol, Role, Side, Timestamp,
};

/// A program that has waited for half a second.
fn waiting(goal: Goal, size: (u16, u16)) -> Stage {
    let (address, target) = match &goal {
        Goal::Listen(address) => (address.clone(), None),
        Goal::Tap(address, target) => (address.clone(), Some(target.clone())),
        Goal::Connect(_) => unreachable!("it waits"),
    };
    let mut stage = Stage::new(
        Settings {
            goal: Some(goal),
            ..settings()
        },
        size,
    );
    let mut listening = Listening::new(ConnectionId(0), address, target, Timestamp(0));
    listening.state = LinkState::Listening;
    listening.bound = vec!["127.0.0.1:9000".into()];
    listening.since = Some(START);
    stage.listening = Some(listening);
    stage.log.conversations = vec![conversation(0, Role::Listener, None)];
    stage.event(EntryKind::Note {
        text: "listening on 127.0.0.1:9000".into(),
    });
    stage.wait(Duration::from_millis(500)).report();
    stage
}

fn conversation(number: u32, role: Role, ends: Option<(SocketAddr, SocketAddr)>) -> Conversation {
    Conversation {
        id: ConnectionId(number),
        protocol: Protocol::Tcp,
        role,
        local: ends.map(|(local, _)| local),
        remote: ends.map(|(_, remote)| remote),
        name: "tcp://127.0.0.1:9000".into(),
        started: START,
        entries: 1,
        sent: 0,
        received: 0,
    }
}

/// Somebody comes.
fn come(stage: &mut Stage, number: u32, role: Role, ends: (SocketAddr, SocketAddr)) {
    stage
        .log
        .conversations
        .push(conversation(number, role, Some(ends)));
    stage.log.connection = ConnectionId(number);
    let mut link = Link::new(ConnectionId(number), "127.0.0.1:9000".parse().unwrap(), stage.now);
    link.role = role;
    link.state = LinkState::Open;
    link.opened = Some(stage.now);
    (link.local, link.remote) = (Some(ends.0), Some(ends.1));
    stage.peers.push(link);
    if let Some(listening) = &mut stage.listening {
        listening.accepted += 1;
    }
    stage.event(EntryKind::Open {
        local: ends.0,
        remote: ends.1,
    });
}

/// Bytes cross a connection.
fn cross(stage: &mut Stage, number: u32, direction: Direction, bytes: &[u8]) {
    let now = stage.now;
    stage.log.connection = ConnectionId(number);
    let link = stage.peers.get_mut(ConnectionId(number)).unwrap();
    let tally = match direction {
        Direction::Sent => &mut link.sent,
        Direction::Received => &mut link.received,
    };
    tally.count(bytes.len() as u64, now);
    stage.data(direction, bytes);
}

/// Three have come, one of them has gone.
fn served(size: (u16, u16)) -> Stage {
    let address: Address = ":9000".parse().unwrap();
    let mut stage = waiting(Goal::Listen(address), size);
    for number in 1..=3u16 {
        let local = SocketAddr::from(([127, 0, 0, 1], 9000));
        let remote = SocketAddr::from(([127, 0, 0, 1], 50_310 + number));
        stage.wait(Duration::from_millis(120));
        come(&mut stage, number.into(), Role::Server, (local, remote));
        cross(&mut stage, number.into(), Direction::Received, b"HELO there\r\n");
    }
    stage.wait(Duration::from_millis(40));
    cross(&mut stage, 2, Direction::Sent, b"250 sockscope\r\n");
    stage.log.connection = ConnectionId(2);
    let end = End {
        by: Side::Peer,
        how: EndHow::Fin,
        errno: None,
    };
    let now = stage.now;
    let link = stage.peers.get_mut(ConnectionId(2)).unwrap();
    link.state = LinkState::Closed;
    link.ended = Some(now);
    stage.event(EntryKind::Close(end));
    stage.wait(Duration::from_millis(300)).report();
    stage
}

/// An application that talks to its server.
fn tapped(size: (u16, u16)) -> Stage {
    let goal = Goal::Tap(":9000".parse().unwrap(), "localhost:6379".parse().unwrap());
    let mut stage = waiting(goal, size);
    let ends = (
        "127.0.0.1:50311".parse().unwrap(),
        "127.0.0.1:6379".parse().unwrap(),
    );
    come(&mut stage, 1, Role::Tap, ends);
    stage.wait(Duration::from_micros(310));
    cross(&mut stage, 1, Direction::Sent, b"*1\r\n$4\r\nPING\r\n");
    stage.wait(Duration::from_micros(80));
    cross(&mut stage, 1, Direction::Received, b"+PONG\r\n");
    stage.wait(Duration::from_millis(700)).report();
    stage
}

#[test]
fn somebody_who_waits_says_where() {
    check("listen_waiting", &[], |size| {
        waiting(Goal::Listen(":9000".parse().unwrap()), size)
    });
}

#[test]
fn all_who_have_come_are_shown_with_their_numbers() {
    check("listen_all", &[6, 8], served);
}

#[test]
fn those_who_have_come_are_listed() {
    check("listen_peers", &[], |size| {
        let mut stage = served(size);
        stage.escape().key(Key::char('o'));
        stage
    });
}

#[test]
fn what_is_known_of_a_listener_is_in_status() {
    check("listen_zoomed", &[], |size| {
        let mut stage = served(size);
        stage.escape().typed("1z");
        stage
    });
}

#[test]
fn a_tap_shows_who_talks_to_whom() {
    check("tap", &[], tapped);
}

#[test]
fn a_tap_says_which_way_is_over_and_sends_the_other() {
    check("tap_half_closed", &[], |size| {
        let mut stage = tapped(size);
        stage.log.connection = ConnectionId(1);
        stage.event(EntryKind::HalfClose { by: Side::Local });
        let link = stage.peers.get_mut(ConnectionId(1)).unwrap();
        link.state = LinkState::HalfClosed;
        link.first_fin = Some(Side::Local);
        stage.report();
        assert!(stage.app.recipients().is_empty(), "the server got FIN");
        stage.escape().key(Key::char('T'));
        assert_eq!(stage.app.recipients(), [ConnectionId(1)]);
        stage.key(Key::char('T')).key(Key::char('i'));
        stage
    });
}

#[test]
fn a_tap_says_to_whom_typed_bytes_go() {
    check("tap_typing", &[], |size| {
        let mut stage = tapped(size);
        stage
            .escape()
            .key(Key::char('T'))
            .key(Key::char('i'))
            .typed("PING");
        stage
    });
}

#[test]
fn a_tap_passes_on_half_closes_and_makes_none() {
    let mut stage = tapped((80, 24));
    stage.escape().typed("]C");
    let Some(Overlay::Menu(menu)) = &stage.app.overlay else {
        panic!("no menu");
    };
    let letters: String = menu.items.iter().map(|item| item.letter).collect();
    assert_eq!(letters, "fr");
}

#[test]
fn a_pair_that_is_over_is_not_dialed_again() {
    let mut stage = tapped((80, 24));
    for link in [ConnectionId(1), ConnectionId(2)] {
        if let Some(link) = stage.peers.get_mut(link) {
            link.state = LinkState::Closed;
        }
    }
    stage.report();
    stage.escape().typed("]");
    let picture = stage.picture(&[]);
    assert!(
        picture.contains("closed") && !picture.contains("dial again"),
        "{picture}"
    );
}
