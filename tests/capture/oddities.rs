//! What real captures have and textbooks do not: second answers, resets with a text, tunnels, cut fragments. Each was
//! met in a sample, and read otherwise than tshark reads it.

use std::net::SocketAddr;

use sockscope::model::FileState;

use super::wire::{self, Flag, From, Order, Packet, START, STEP, Talk};

const CLIENT: &str = "10.0.0.1:50000";
const SERVER: &str = "10.0.0.2:80";

/// The entries of a file, and what was said about it.
fn read(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    wire::write_old(&path, bytes);
    let (opening, report) = wire::open(&path);
    assert!(!matches!(report.state, FileState::Failed(_)), "{report:?}");
    (wire::lines(&opening.session), report.remarks)
}

fn check(packets: &[Packet], expected: &[&str]) {
    let (lines, _) = read(&wire::pcap(Order::Little, false, 101, 65_535, packets));
    assert_eq!(lines, expected);
}

/// From whom, sequence number, acknowledgement, flag, bytes.
type Segment<'a> = (From, u32, Option<u32>, Flag, &'a [u8]);

/// Segments as packets, a step apart.
fn segments(all: &[Segment<'_>]) -> Vec<Packet> {
    let [client, server]: [SocketAddr; 2] = [CLIENT, SERVER].map(|text| text.parse().unwrap());
    let times = (0..).map(|number| START + number * STEP);
    all.iter()
        .zip(times)
        .map(|((from, seq, ack, flag, bytes), at)| {
            let (from, to) = match from {
                From::Client => (client, server),
                From::Server => (server, client),
            };
            let ip = wire::tcp(from, to, *seq, *ack, *flag, bytes);
            Packet { at, ip }
        })
        .collect()
}

#[test]
fn a_reset_may_say_why() {
    let mut talk = Talk::new(CLIENT, SERVER, [5, 6]);
    talk.open();
    talk.ask(b"x");
    talk.send(From::Server, Flag::Rst, b"go away");
    check(
        &talk.packets,
        &[
            "0 0 Attempt 10.0.0.2:80 Started",
            "0 1 Open 10.0.0.1:50000 10.0.0.2:80",
            "0 3 Sent x",
            "0 4 Received go away",
            "0 4 Close Peer Rst",
        ],
    );
}

#[test]
fn a_reset_opens_nothing_whatever_its_other_flags_say() {
    let mut talk = Talk::new(CLIENT, SERVER, [5, 6]);
    talk.open();
    talk.send(From::Server, Flag::Rst, b"");
    talk.packets[3].ip[33] |= 0x3f;
    check(
        &talk.packets,
        &[
            "0 0 Attempt 10.0.0.2:80 Started",
            "0 1 Open 10.0.0.1:50000 10.0.0.2:80",
            "0 3 Close Peer Rst",
        ],
    );
}

#[test]
fn a_second_answer_to_the_same_syn_is_no_other_connection() {
    use Flag::{None as Ack, Syn};
    use From::{Client, Server};
    let (first, second) = (100, 900_000);
    let play = |chosen: u32| {
        segments(&[
            (Client, 1, None, Syn, b""),
            (Server, first, Some(2), Syn, b""),
            (Server, second, Some(2), Syn, b""),
            (Client, 2, Some(chosen + 1), Ack, b""),
            (Client, 2, Some(chosen + 1), Ack, b"ask"),
            (Server, chosen + 1, Some(5), Ack, b"answer"),
        ])
    };
    let expected = [
        "0 0 Attempt 10.0.0.2:80 Started",
        "0 1 Open 10.0.0.1:50000 10.0.0.2:80",
        "0 4 Sent ask",
        "0 5 Received answer",
    ];
    check(&play(first), &expected);
    check(&play(second), &expected);
    // The same where the capture began a moment too late for the SYN.
    let late = [
        "0 1 Open 10.0.0.1:50000 10.0.0.2:80",
        "0 4 Sent ask",
        "0 5 Received answer",
    ];
    check(&play(first)[1..], &late);
    check(&play(second)[1..], &late);
}

#[test]
fn an_answer_after_a_reset_that_somebody_put_in_opens_the_connection() {
    use Flag::{None as Ack, Rst, Syn};
    use From::{Client, Server};
    let packets = segments(&[
        (Client, 1, None, Syn, b""),
        (Server, 0, Some(1), Rst, b""),
        (Server, 0, Some(1), Flag::Fin, b""),
        (Server, 70, Some(2), Syn, b""),
        (Client, 2, Some(71), Ack, b"ask"),
        (Server, 71, Some(5), Ack, b"answer"),
    ]);
    check(
        &packets,
        &[
            "0 0 Attempt 10.0.0.2:80 Started",
            "0 1 Attempt 10.0.0.2:80 Failed { errno: 111, text: \"Connection refused\" }",
            "0 3 Open 10.0.0.1:50000 10.0.0.2:80",
            "0 4 Sent ask",
            "0 5 Received answer",
        ],
    );
}

/// An IPv4 packet around a payload of that protocol.
fn around(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let len = (20 + payload.len() as u16).to_be_bytes();
    let mut ip = vec![0x45, 0, len[0], len[1], 0, 0, 0, 0, 64, protocol, 0, 0];
    ip.extend([192, 0, 2, 1, 192, 0, 2, 2]);
    ip.extend(payload);
    ip
}

#[test]
fn tunnels_are_looked_through() {
    let four = wire::udp("10.0.0.1:40000", "10.0.0.2:53", b"query");
    let six = wire::udp("[::1]:50000", "[::1]:53", b"query");
    // Checksum, key and sequence number follow where the flags say so (RFC 2890 §2).
    let plain = [&[0, 0, 8, 0], four.as_slice()].concat();
    let full = [&[0xb0, 0, 0x86, 0xdd], [7; 12].as_slice(), &six].concat();
    let bridged = [&[0, 0, 0x65, 0x58], wire::frame(1, &four).as_slice()].concat();
    let pptp = [
        &[0x30, 0x81, 0x88, 0x0b],
        [7; 12].as_slice(),
        &[0xff, 3, 0, 0x21],
        &four,
    ]
    .concat();
    let versions = [
        around(4, &four),
        around(41, &six),
        around(4, &around(4, &four)),
        around(47, &plain),
        around(47, &full),
        around(47, &bridged),
        around(47, &pptp),
    ];
    for ip in versions {
        check(&[Packet { at: START, ip }], &["0 0 Sent query"]);
    }
    // A version that nobody knows, and a tunnel without end, are given up.
    let later = [&[0, 2, 8, 0], four.as_slice()].concat();
    let deep = (0..20).fold(four, |inner, _| around(4, &inner));
    for ip in [around(47, &later), around(47, &[0xb0]), around(4, b""), deep] {
        check(&[Packet { at: START, ip }], &[]);
    }
}

#[test]
fn what_the_snap_length_left_of_a_fragment_is_shown_if_it_has_the_ports() {
    let mut first = wire::udp("10.0.0.1:40000", "10.0.0.2:514", &[b'a'; 100]);
    first[6] = 0x20;
    let packets = [Packet { at: START, ip: first }];
    let cut = wire::pcap(Order::Little, false, 101, 20 + 8 + 5, &packets);
    assert_eq!(read(&cut).0, ["0 0 Sent aaaaa", "0 0 Gap Sent 95"]);
    // Also where the capture does not say what it has cut.
    let mut stripped = packets[0].clone();
    stripped.ip.truncate(20 + 8 + 5);
    check(&[stripped], &["0 0 Sent aaaaa"]);
    let mut second = packets[0].clone();
    second.ip[7] = 9;
    let cut = wire::pcap(Order::Little, false, 101, 20 + 8 + 5, &[second]);
    let lost = "1 IP fragment could not be put together";
    assert_eq!(read(&cut), (Vec::new(), vec![lost.to_owned()]));
}

#[test]
fn a_length_that_is_a_lie_is_no_gap() {
    let mut talk = Talk::new(CLIENT, SERVER, [5, 6]);
    talk.open();
    talk.ask(b"one");
    talk.ask(b"two");
    // The SYN/ACK claims a payload that no capture has cut off.
    talk.packets[1].ip[2] = 16;
    check(
        &talk.packets,
        &[
            "0 0 Attempt 10.0.0.2:80 Started",
            "0 1 Open 10.0.0.1:50000 10.0.0.2:80",
            "0 3 Sent one",
            "0 4 Sent two",
        ],
    );
}

#[test]
fn a_section_of_another_version_is_not_guessed_at() {
    let mut later = wire::section(Order::Big);
    later[13] = 2;
    let mut file = wire::pcapng(Order::Little, 101, &Talk::new(CLIENT, SERVER, [1, 2]).packets);
    let known = file.len();
    file.extend(&later);
    file.extend(wire::pcapng(Order::Little, 101, &[]));
    let expected = format!(
        "byte {known} and what follows, {} bytes, were left out: the section is of a version of pcapng that is not known",
        file.len() - known
    );
    assert_eq!(read(&file), (Vec::new(), vec![expected]));
}
