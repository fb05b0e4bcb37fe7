//! Captures of other programs, of every format and link type: what their packets mean as entries.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sockscope::model::{ConnectionId, EntryId, FileState, Protocol, Records, Timestamp};

use super::wire::{self, Flag, From, Order, Packet, START, STEP, Talk};

const CLIENT: &str = "127.0.0.1:50312";
const SERVER: &str = "127.0.0.1:6379";

/// A conversation of every kind of event.
fn ping() -> Vec<Packet> {
    let mut talk = Talk::new(CLIENT, SERVER, [u32::MAX - 2, 77]);
    talk.open();
    talk.ask(b"PING");
    talk.answer(b"PONG");
    talk.close();
    talk.packets
}

const PING: [&str; 6] = [
    "0 0 Attempt 127.0.0.1:6379 Started",
    "0 1 Open 127.0.0.1:50312 127.0.0.1:6379",
    "0 3 Sent PING",
    "0 4 Received PONG",
    "0 5 HalfClose Local",
    "0 6 Close Peer Fin",
];

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        Folder {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("a")
    }

    /// The entries of a capture with these bytes, and what was said about it.
    fn read(&self, bytes: &[u8]) -> (Vec<String>, Vec<String>) {
        wire::write_old(&self.path(), bytes);
        let (opening, report) = wire::open(&self.path());
        assert!(
            matches!(report.state, FileState::Following | FileState::Complete),
            "{report:?}"
        );
        assert_eq!(report.entries, opening.session.len());
        assert_eq!(report.conversations, opening.session.conversations());
        assert_eq!(report.indexed, report.size);
        assert_eq!(std::fs::read(self.path()).unwrap(), bytes, "it was modified");
        (wire::lines(&opening.session), report.remarks)
    }

    fn check(&self, packets: &[Packet], expected: &[&str], remarks: &[&str]) {
        let bytes = wire::pcap(Order::Little, false, 101, 65_535, packets);
        assert_eq!(self.read(&bytes), (owned(expected), owned(remarks)));
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_format_and_link_type_reads_the_same() {
    let folder = Folder::new();
    let nothing: Vec<String> = Vec::new();
    for link in [0, 1, 12, 14, 101, 108, 113, 276] {
        let files = [
            wire::pcap(Order::Little, false, link, 65_535, &ping()),
            wire::pcap(Order::Big, false, link, 65_535, &ping()),
            wire::pcap(Order::Little, true, link, 65_535, &ping()),
            wire::pcap(Order::Big, true, link, 65_535, &ping()),
            wire::pcapng(Order::Little, link, &ping()),
            wire::pcapng(Order::Big, link, &ping()),
        ];
        for file in files {
            let expected = (owned(&PING), nothing.clone());
            assert_eq!(folder.read(&file), expected, "link type {link}");
            assert_eq!(folder.read(&gzip(&file)), expected, "link type {link}, gzipped");
        }
    }
}

#[test]
fn ipv6_and_vlan_tags_are_looked_through() {
    let folder = Folder::new();
    let mut talk = Talk::new("[fe80::1]:50312", "[fe80::2]:80", [1, 2]);
    talk.open();
    talk.ask(b"GET");
    let expected = [
        "0 0 Attempt [fe80::2]:80 Started",
        "0 1 Open [fe80::1]:50312 [fe80::2]:80",
        "0 3 Sent GET",
    ];
    folder.check(&talk.packets, &expected, &[]);
    let mut file = wire::pcap(Order::Little, false, 1, 65_535, &[]);
    for packet in ping() {
        // As raw packets that carry their own link header: two tags, and Ethernet's padding behind short packets.
        let tags: &[u8] = &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0];
        let ip = [&[0; 12], tags, &packet.ip, &[0; 20]].concat();
        file.extend(wire::pcap_record(
            Order::Little,
            1000,
            101,
            65_535,
            &Packet { ip, ..packet },
        ));
    }
    assert_eq!(folder.read(&file), (owned(&PING), Vec::new()));
}

#[test]
fn extension_headers_of_ipv6_are_looked_through() {
    let folder = Folder::new();
    let mut ip = wire::udp("[::1]:50000", "[::1]:53", b"query");
    // Hop-by-hop options before UDP: next header, length in 8-byte units beyond the first, padding.
    ip.splice(40..40, [17, 0, 1, 4, 0, 0, 0, 0]);
    ip[6] = 0;
    ip[5] += 8;
    folder.check(&[Packet { at: START, ip }], &["0 0 Sent query"], &[]);
}

#[test]
fn datagrams_are_entries_also_empty_ones() {
    let folder = Folder::new();
    let texts: [(&str, &str, &[u8]); 4] = [
        ("10.0.0.1:40000", "10.0.0.2:53", b"query"),
        ("10.0.0.2:53", "10.0.0.1:40000", b"reply"),
        ("10.0.0.1:40000", "10.0.0.2:53", b""),
        ("10.0.0.3:5353", "224.0.0.251:5353", b"who"),
    ];
    let packets: Vec<Packet> = texts
        .iter()
        .zip(0..)
        .map(|((from, to, bytes), number)| Packet {
            at: START + number * STEP,
            ip: wire::udp(from, to, bytes),
        })
        .collect();
    let expected = [
        "0 0 Sent query",
        "0 1 Received reply",
        "0 2 Sent ",
        "1 3 Sent who",
    ];
    folder.check(&packets, &expected, &[]);
    let (opening, _) = wire::open(&folder.path());
    let all = opening.session.conversation_page(0..100);
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].protocol, all[0].client().unwrap().to_string()),
        (Protocol::Udp, "10.0.0.1:40000".to_owned())
    );
    assert_eq!((all[0].entries, all[0].sent, all[0].received), (3, 5, 5));
    assert_eq!(all[1].name, "udp://224.0.0.251:5353");
    assert_eq!(
        opening.session.started(ConnectionId(1)),
        Some(Timestamp(START / 1000 * 1000 + 3 * STEP))
    );
}

#[test]
fn refusals_and_resets_are_told_apart() {
    let folder = Folder::new();
    let mut refused = Talk::new(CLIENT, SERVER, [5, 0]);
    refused.send(From::Client, Flag::Syn, b"");
    refused.send(From::Server, Flag::Rst, b"");
    let refused_lines = [
        "0 0 Attempt 127.0.0.1:6379 Started",
        "0 1 Attempt 127.0.0.1:6379 Failed { errno: 111, text: \"Connection refused\" }",
    ];
    folder.check(&refused.packets, &refused_lines, &[]);
    let mut reset = Talk::new(CLIENT, SERVER, [5, 0]);
    reset.open();
    reset.ask(b"x");
    reset.send(From::Server, Flag::Rst, b"");
    reset.send(From::Server, Flag::Rst, b"");
    let reset_lines = [PING[0], PING[1], "0 3 Sent x", "0 4 Close Peer Rst"];
    folder.check(&reset.packets, &reset_lines, &[]);
}

#[test]
fn what_opens_a_stream_does_not_end_it() {
    let mut talk = Talk::new(CLIENT, SERVER, [10, 20]);
    talk.open();
    // FIN besides the SYN of the server.
    talk.packets[1].ip[33] |= 1;
    talk.ask(b"GET");
    talk.answer(b"200");
    let expected = [
        "0 0 Attempt 127.0.0.1:6379 Started",
        "0 1 Open 127.0.0.1:50312 127.0.0.1:6379",
        "0 3 Sent GET",
        "0 4 Received 200",
    ];
    Folder::new().check(&talk.packets, &expected, &[]);
}

#[test]
fn a_connection_without_its_opening_says_how_the_client_was_found() {
    let folder = Folder::new();
    let middle = |client: &str, server: &str| {
        let mut talk = Talk::new(client, server, [500, 600]);
        talk.answer(b"late");
        talk.ask(b"x");
        talk.packets
    };
    folder.check(
        &middle("10.0.0.1:50000", "10.0.0.2:80"),
        &[
            "0 0 Note the opening was not captured; 10.0.0.1:50000 is taken for the client, because its port is the \
             higher one",
            "0 0 Received late",
            "0 1 Sent x",
        ],
        &[],
    );
    folder.check(
        &middle("10.0.0.1:179", "10.0.0.2:179"),
        &[
            "0 0 Note the opening was not captured; 10.0.0.2:179 is taken for the client, because it is the first \
             to speak",
            "0 0 Sent late",
            "0 1 Received x",
        ],
        &[],
    );
}

#[test]
fn what_is_sent_again_or_out_of_order_is_put_right() {
    let folder = Folder::new();
    let mut talk = Talk::new(CLIENT, SERVER, [u32::MAX - 3, 9]);
    talk.open();
    for word in [b"one ", b"two ", b"six ", b"ten "] {
        talk.ask(word);
    }
    talk.close();
    let mut packets = talk.packets;
    packets.swap(4, 6);
    packets.insert(8, packets[3].clone());
    // FIN before the last bytes.
    packets.swap(7, 6);
    let expected = [
        PING[0],
        PING[1],
        "0 3 Sent one ",
        "0 4 Sent two ",
        "0 5 Sent six ",
        "0 6 Sent ten ",
        "0 7 HalfClose Local",
        "0 8 Close Peer Fin",
    ];
    let (lines, remarks) = folder.read(&wire::pcap(Order::Little, false, 101, 65_535, &packets));
    assert_eq!(lines, owned(&expected));
    assert_eq!(remarks, ["1 segment came again; the first copy is shown"]);
}

/// A server that answers four times and ends first; the second answer was not captured.
fn with_a_lost_answer(flag: Flag) -> Vec<Packet> {
    let mut talk = Talk::new(CLIENT, SERVER, [10, 20]);
    talk.open();
    talk.ask(b"GET");
    for answer in [&b"AAAA"[..], b"BBBB", b"CCCC", b"DDDD"] {
        talk.answer(answer);
        talk.ask(b"");
    }
    talk.send(From::Server, flag, b"");
    talk.send(From::Client, Flag::Fin, b"");
    talk.send(From::Server, Flag::None, b"");
    talk.packets.retain(|packet| !packet.ip.ends_with(b"BBBB"));
    talk.packets
}

#[test]
fn what_stands_behind_a_gap_and_the_ends_are_told_in_their_order() {
    let folder = Folder::new();
    let mut expected = vec![
        "0 0 Attempt 127.0.0.1:6379 Started",
        "0 1 Open 127.0.0.1:50312 127.0.0.1:6379",
        "0 3 Sent GET",
        "0 4 Received AAAA",
        "0 7 Gap Received 4",
        "0 8 Received CCCC",
        "0 10 Received DDDD",
        "0 12 HalfClose Peer",
        "0 13 Close Local Fin",
    ];
    let remarks = ["4 bytes are missing in 1 gap"];
    folder.check(&with_a_lost_answer(Flag::Fin), &expected, &remarks);
    expected.truncate(7);
    expected.push("0 12 Close Peer Rst");
    folder.check(&with_a_lost_answer(Flag::Rst)[..12], &expected, &remarks);
}

/// The client goes on asking before anything tells that the answer is lost, and somebody else talks meanwhile.
#[test]
fn around_a_gap_the_entries_of_all_conversations_are_in_the_order_of_time() {
    let folder = Folder::new();
    let mut talk = Talk::new(CLIENT, SERVER, [10, 20]);
    let mut other = Talk::new("127.0.0.1:50313", SERVER, [10, 20]);
    for talk in [&mut talk, &mut other] {
        talk.open();
        for number in 0..12 {
            talk.ask(format!("ask {number:02}").as_bytes());
            talk.answer(format!("say {number:02}").as_bytes());
        }
    }
    talk.packets.retain(|packet| !packet.ip.ends_with(b"say 03"));
    for packet in &mut other.packets {
        packet.at += STEP / 2;
    }
    let mut packets = [talk.packets, other.packets].concat();
    packets.sort_by_key(|packet| packet.at);
    let bytes = wire::pcap(Order::Little, false, 101, 65_535, &packets);
    wire::write_old(&folder.path(), &bytes);
    let (opening, report) = wire::open(&folder.path());
    assert_eq!(report.remarks, ["6 bytes are missing in 1 gap"]);
    let times: Vec<Timestamp> = (0..opening.session.len())
        .map(|number| opening.session.entry(EntryId(number)).unwrap().at)
        .collect();
    assert!(times.is_sorted(), "{:#?}", wire::lines(&opening.session));
    assert_eq!(times.len(), 2 * (2 + 24));
    let of_first: Vec<String> = wire::lines(&opening.session)
        .into_iter()
        .filter(|line| line.starts_with("0 "))
        .collect();
    assert_eq!(
        of_first[8..12],
        [
            "0 9 Sent ask 03",
            "0 11 Gap Received 6",
            "0 11 Sent ask 04",
            "0 12 Received say 04"
        ]
    );
}

/// What is remarked of these packets, and the lines of the first conversation; all entries are in the order of time.
fn in_order(mut packets: Vec<Packet>) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    packets.sort_by_key(|packet| packet.at);
    let bytes = wire::pcap(Order::Little, true, 101, 65_535, &packets);
    wire::write_old(&folder.path(), &bytes);
    let (opening, report) = wire::open(&folder.path());
    let lines = wire::lines(&opening.session);
    let times: Vec<Timestamp> = (0..opening.session.len())
        .map(|number| opening.session.entry(EntryId(number)).unwrap().at)
        .collect();
    assert!(times.is_sorted(), "{lines:#?}");
    let of_first = lines.into_iter().filter(|line| line.starts_with("0 ")).collect();
    (report.remarks, of_first)
}

/// Two captures, one of each direction, whose clocks differ: every answer is acknowledged before it is captured, and the
/// one before it too.
#[test]
fn a_capture_that_always_has_one_side_late_has_no_gap() {
    let mut talk = Talk::new(CLIENT, SERVER, [10, 20]);
    talk.open();
    for number in 0..200 {
        talk.ask(format!("ask {number:03}").as_bytes());
        talk.answer(format!("say {number:03}").as_bytes());
    }
    let packets = talk.packets.into_iter().map(|packet| {
        let late = packet.ip.windows(4).any(|word| word == b"say ");
        Packet {
            at: packet.at + if late { STEP * 9 / 2 } else { 0 },
            ..packet
        }
    });
    let (remarks, lines) = in_order(packets.collect());
    assert_eq!(remarks, Vec::<String>::new());
    assert_eq!(lines.len(), 2 + 2 * 200);
}

/// Two captures, one of each direction, whose clocks differ, of a server that sends all the time, so that the client
/// acknowledges much of it before it is captured.
#[test]
fn a_late_side_is_waited_for_however_often_the_other_acknowledges_it() {
    let mut talk = Talk::new(CLIENT, SERVER, [10, 20]);
    talk.open();
    for number in 0..200 {
        talk.answer(format!("say {number:03}").as_bytes());
        talk.ask(format!("ask {number:03}").as_bytes());
    }
    let packets = talk.packets.into_iter().map(|packet| {
        let late = packet.ip.windows(4).any(|word| word == b"say ");
        Packet {
            at: packet.at + if late { 90 * STEP } else { 0 },
            ..packet
        }
    });
    let (remarks, lines) = in_order(packets.collect());
    assert_eq!(remarks, Vec::<String>::new());
    assert_eq!(lines.len(), 2 + 2 * 200);
}

/// What is acknowledged before it is captured is waited for as long as before, however long another conversation has
/// waited meanwhile, and whatever was waited for before.
#[test]
fn waiting_for_one_segment_is_not_cut_short_by_waiting_for_another() {
    let at = |tenths: u64| START + tenths * STEP / 10;
    let send = |ports: [u16; 2], seq: u32, ack: u32, bytes: &[u8], tenths: u64| {
        let [from, to] = ports.map(|port| std::net::SocketAddr::from(([127, 0, 0, 1], port)));
        Packet {
            at: at(tenths),
            ip: wire::tcp(from, to, seq, Some(ack), Flag::None, bytes),
        }
    };
    let packets = vec![
        send([5001, 80], 0, 0, b"ask", 0),
        send([80, 5001], 0, 3, b"so", 1),
        // The next answer is acknowledged before it is captured.
        send([5001, 80], 3, 5, b"", 10),
        send([80, 5001], 2, 3, b"say", 20),
        // That of another conversation is never captured.
        send([5002, 80], 0, 0, b"ask", 0),
        send([80, 5002], 0, 3, b"so", 14),
        send([5002, 80], 3, 5, b"", 15),
        // Once more, when the first time is a tenth of a second ago.
        send([5001, 80], 3, 8, b"", 1009),
        send([80, 5001], 5, 3, b"say", 1011),
    ];
    let (remarks, lines) = in_order(packets);
    assert_eq!(remarks, ["3 bytes are missing in 1 gap"], "{lines:#?}");
    let said = lines.iter().filter(|line| line.ends_with("Received say"));
    assert_eq!(said.count(), 2, "{lines:#?}");
}

#[test]
fn missing_and_cut_bytes_are_gaps() {
    let folder = Folder::new();
    let mut talk = Talk::new(CLIENT, SERVER, [1, 9]);
    talk.open();
    for word in [b"one ", b"two ", b"six "] {
        talk.ask(word);
    }
    let mut packets = talk.packets.clone();
    packets.remove(4);
    let expected = [
        PING[0],
        PING[1],
        "0 3 Sent one ",
        "0 5 Gap Sent 4",
        "0 5 Sent six ",
    ];
    folder.check(&packets, &expected, &["4 bytes are missing in 1 gap"]);
    let cut = wire::pcap(Order::Little, false, 101, 41, &talk.packets[..4]);
    assert_eq!(
        folder.read(&cut),
        (
            owned(&[PING[0], PING[1], "0 3 Sent o", "0 3 Gap Sent 3"]),
            owned(&[
                "3 bytes are missing in 1 gap",
                "1 packet was cut by the capture's snap length; what is missing is shown as gaps",
            ])
        )
    );
}

#[test]
fn the_same_ports_again_are_another_conversation() {
    let folder = Folder::new();
    let mut packets = ping();
    for mut again in ping() {
        // Another initial sequence number, and so on: every number of the client is shifted.
        let place = if again.ip[20..22] == 50312u16.to_be_bytes() {
            24
        } else {
            28
        };
        let number = u32::from_be_bytes(again.ip[place..place + 4].try_into().unwrap());
        if again.ip[33] & 0x12 != 0x02 || place == 24 {
            let shifted = number.wrapping_add(100_000);
            again.ip[place..place + 4].copy_from_slice(&shifted.to_be_bytes());
        }
        packets.push(again);
    }
    let second: Vec<String> = PING.iter().map(|line| line.replacen('0', "1", 1)).collect();
    let expected: Vec<&str> = PING
        .iter()
        .copied()
        .chain(second.iter().map(String::as_str))
        .collect();
    folder.check(&packets, &expected, &[]);
}

#[test]
fn fragments_are_put_together() {
    let folder = Folder::new();
    let text: Vec<u8> = (0..3000u32).map(|number| b'a' + (number % 26) as u8).collect();
    let whole = wire::udp("10.0.0.1:40000", "10.0.0.2:514", &text);
    let part = |from: usize, to: usize| {
        let payload = &whole[20..];
        let end = to.min(payload.len());
        let mut ip = whole[..20].to_vec();
        ip[2..4].copy_from_slice(&((20 + end - from) as u16).to_be_bytes());
        let more = if end < payload.len() { 0x2000 } else { 0 };
        ip[6..8].copy_from_slice(&(more | (from / 8) as u16).to_be_bytes());
        ip.extend(&payload[from..end]);
        Packet { at: START, ip }
    };
    let text = format!("0 0 Sent {}", String::from_utf8(text).unwrap());
    let parts = [part(1480, 2960), part(0, 1480), part(2960, 9000)];
    folder.check(&parts, &[&text], &[]);
    let (opening, _) = wire::open(&folder.path());
    assert_eq!(opening.session.payload(EntryId(0), 2998..4000).unwrap().len(), 2);
    folder.check(&parts[..2], &[], &["2 IP fragments could not be put together"]);
}

#[test]
fn sections_interfaces_and_times_are_those_of_each_packet() {
    let folder = Folder::new();
    let query = |number: u64| wire::udp("10.0.0.1:40000", "10.0.0.2:53", number.to_string().as_bytes());
    let seconds = START / 1_000_000_000;
    let little = Order::Little;
    let big = Order::Big;
    let file = [
        wire::section(little),
        // Nanoseconds; units of 2^-10 s; seconds with an offset.
        wire::interface(little, 101, 0, &[(9, &[9])]),
        wire::interface(little, 1, 0, &[(9, &[0x8a])]),
        wire::interface(little, 113, 0, &[(9, &[0]), (14, &1000u64.to_le_bytes())]),
        wire::enhanced(little, 0, START + STEP, &query(0), usize::MAX),
        wire::enhanced(little, 1, seconds << 10, &wire::frame(1, &query(1)), usize::MAX),
        wire::enhanced(
            little,
            2,
            seconds - 1000,
            &wire::frame(113, &query(2)),
            usize::MAX,
        ),
        // A block that nobody knows, and statistics.
        wire::block(little, 0x8000_1234, b"whatever"),
        wire::block(little, 5, &[0; 12]),
        wire::section(big),
        wire::interface(big, 276, 0, &[(2, b"eth0")]),
        wire::enhanced(
            big,
            0,
            (START + 9 * STEP) / 1000,
            &wire::frame(276, &query(3)),
            usize::MAX,
        ),
        // A simple packet has no time: the latest is as good as any.
        wire::block(
            big,
            3,
            &[&big.word(49)[..], &wire::frame(276, &query(4))].concat(),
        ),
    ]
    .concat();
    let expected = [
        "0 1 Sent 0",
        "0 -123 Sent 1",
        "0 -123 Sent 2",
        "0 9 Sent 3",
        "0 9 Sent 4",
    ];
    assert_eq!(folder.read(&file), (owned(&expected), Vec::new()));
}

#[test]
fn what_is_not_shown_is_counted() {
    let folder = Folder::new();
    let arp = [&[0xff; 12][..], &[8, 6], &[0; 28]].concat();
    let little = Order::Little;
    let file = [
        wire::section(little),
        wire::interface(little, 1, 0, &[]),
        wire::interface(little, 147, 0, &[]),
        wire::enhanced(little, 0, 1, &arp, usize::MAX),
        wire::enhanced(little, 0, 1, &arp, usize::MAX),
        wire::enhanced(little, 1, 1, &arp, usize::MAX),
    ]
    .concat();
    let remarks = [
        "2 packets are no TCP or UDP over IP and not shown",
        "1 packet is of link type 147, which is not read",
    ];
    assert_eq!(folder.read(&file), (Vec::new(), owned(&remarks)));
}

#[test]
fn neighbours_are_found_between_other_conversations() {
    let folder = Folder::new();
    let mut talks: Vec<Talk> = (0..200)
        .map(|number| Talk::new(&format!("10.0.0.1:{}", 20_000 + number), SERVER, [1, 2]))
        .collect();
    let mut packets = Vec::new();
    for talk in &mut talks {
        talk.open();
    }
    for round in 0..3 {
        for talk in &mut talks {
            talk.ask(&[b"\xe2\x82"[..].to_vec(), vec![b'0' + round]].concat());
        }
    }
    for place in 0..6 {
        packets.extend(talks.iter().map(|talk| talk.packets[place].clone()));
    }
    wire::write_old(
        &folder.path(),
        &wire::pcap(Order::Little, false, 101, 65_535, &packets),
    );
    let (opening, _) = wire::open(&folder.path());
    let middle = opening.session.len() - 300;
    let found = opening.session.surroundings(EntryId(middle)).unwrap();
    assert_eq!(found.before.as_slice(), b"\xe2\x820");
    assert_eq!(found.after.as_slice(), b"\xe2\x822");
}

#[test]
fn what_is_no_capture_is_refused_at_once() {
    let folder = Folder::new();
    let refuse = |path: &Path, expected: &str| {
        let error = sockscope::capture::open_in_background(path)
            .expect_err("it is no capture")
            .to_string();
        assert_eq!(error.replace(&path.display().to_string(), "FILE"), expected);
    };
    let known = "pcap and pcapng files, also gzipped, can be opened";
    wire::write_old(&folder.path(), b"GET / HTTP/1.1\r\n");
    refuse(
        &folder.path(),
        &format!("cannot open FILE: it begins as no capture does; {known}"),
    );
    refuse(
        folder.folder.path(),
        &format!("cannot open FILE: it is neither a file nor a stream; {known}"),
    );
    refuse(
        &folder.folder.path().join("none"),
        "cannot open FILE: No such file or directory",
    );
    wire::write_old(&folder.path(), &gzip(b"GET / HTTP/1.1\r\n"));
    let (_, report) = wire::open(&folder.path());
    assert_eq!(
        report.state,
        FileState::Failed("it begins as no capture does".to_owned())
    );
    wire::write_old(&folder.path(), &gzip(&gzip(b"x")));
    let (_, report) = wire::open(&folder.path());
    assert!(matches!(report.state, FileState::Failed(_)), "{report:?}");
}
