//! A capture as we record it, of entries from anywhere: synthetic packets, annotations between them, and what people
//! wrote or should know as comments on packets.
//!
//! Sequence numbers count what is in the file, so that what a filter left out is no gap.

mod channel;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use self::channel::{Channel, Interfaces, harmless};
use super::Piece;
use crate::capture::annotations::Written;
use crate::capture::block::{self, DataFrame};
use crate::capture::connection::{MAX_PAYLOAD, decrypted};
use crate::capture::happened::Happened;
use crate::capture::joined;
use crate::capture::packet::{self, Headers};
use crate::capture::plaintext;
use crate::capture::{Session, fact, stamps};
use crate::model::{
    ConnectionId, Conversation, Direction, Entry, EntryId, EntryKind, Protocol, Purpose, Records as _, Role,
    Sides, Stamped, Timestamp, sentence,
};

/// Connections of which more than the number is known at a time, before those that are over are forgotten.
const KNOWN: usize = 64 << 10;

/// How connections are numbered in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// As in the log; all of them are there.
    Same,
    /// By the order of their first entries; only those that have any.
    Own,
}

/// The file as far as it is written.
#[derive(Debug)]
pub(super) struct Pcapng {
    session: Session,
    numbering: Numbering,
    numbers: HashMap<ConnectionId, ConnectionId>,
    interfaces: Interfaces,
    known: HashMap<ConnectionId, Channel>,
    /// Those that are over, oldest first.
    over: Vec<ConnectionId>,
    /// Connections that have an interface.
    announced: u32,
    /// The number that the next entry has in the file.
    next: EntryId,
    /// How many are known when room is made.
    most: usize,
}

impl Pcapng {
    /// A file of what is in `session`, whose first entry gets that number.
    pub(super) fn new(session: Session, numbering: Numbering, first: EntryId) -> Pcapng {
        Pcapng {
            session,
            numbering,
            numbers: HashMap::new(),
            interfaces: Interfaces::default(),
            known: HashMap::new(),
            over: Vec::new(),
            announced: 0,
            next: first,
            most: KNOWN,
        }
    }

    /// Writes what comes before the first entry; `remark` says what it is an export of.
    pub(super) fn begin(&self, remark: &str, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&block::section_of(&harmless(remark), self.next))
    }

    /// Writes an entry.
    pub(super) fn entry(&mut self, piece: &Piece<'_>, out: &mut impl Write) -> io::Result<()> {
        let id = piece.entry.connection;
        let mut channel = match self.known.remove(&id) {
            Some(channel) => channel,
            None => self.channel(id, out)?,
        };
        let first = self.next;
        let written = match piece.entry.kind {
            EntryKind::Data { direction } => self.data(piece, direction, &mut channel, out),
            EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Gap { .. }
            | EntryKind::Note { .. } => self.event(piece, &mut channel, out),
        };
        let written = written.and_then(|()| annotate(first, piece, out));
        if matches!(piece.entry.kind, EntryKind::Close(_)) {
            self.over.push(id);
        }
        if self.known.len() >= self.most {
            self.forget();
        }
        self.known.insert(id, channel);
        written
    }

    /// Writes what comes after the last entry.
    pub(super) fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        match self.numbering {
            Numbering::Same => self.announce(self.session.connections() as u32, out),
            Numbering::Own => Ok(()),
        }
    }

    fn data(
        &mut self,
        piece: &Piece<'_>,
        direction: Direction,
        channel: &mut Channel,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let (at, from) = (piece.entry.at, direction.sender());
        let mut remarks = channel.remarks(piece);
        channel.waiting.clear();
        if channel.protocol == Protocol::Udp {
            let (source, target) = channel.ends(from);
            let largest = packet::largest_datagram(source);
            if source.is_ipv4() && piece.bytes.len() > largest {
                let head = (channel.interface, at, direction);
                let id = self.next;
                self.next.0 += 1;
                return out.write_all(&joined::blocks(id, head, (source, target), piece.bytes, &remarks));
            }
            let bytes = piece.bytes.get(..largest).unwrap_or(piece.bytes);
            let headers = packet::datagram(source, target, bytes);
            return self.packet(at, direction, channel.interface, &headers, bytes, &remarks, out);
        }
        // A capture can hold segments that are larger than any that we write.
        for bytes in piece.bytes.chunks(MAX_PAYLOAD) {
            let stream = channel.stream();
            let overdue = stream.overdue(from, bytes.len());
            let segment = stream.data(from, bytes.len());
            let confirmed = stream.confirmed(from);
            let interface = channel.interface;
            let acknowledgement =
                |ack| block::bare_packet(interface, at, direction.opposite(), &ack, None, &[]);
            out.write_all(&overdue.map(acknowledgement).unwrap_or_default())?;
            self.packet(
                at,
                direction,
                channel.interface,
                &segment.headers(),
                bytes,
                &remarks,
                out,
            )?;
            out.write_all(&confirmed.map(acknowledgement).unwrap_or_default())?;
            remarks.clear();
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "these are the fields of a packet block")]
    fn packet(
        &mut self,
        at: Timestamp,
        direction: Direction,
        interface: u32,
        headers: &Headers,
        bytes: &[u8],
        remarks: &[u8],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let frame = DataFrame::around(interface, at, direction, headers, bytes.len(), remarks.len());
        let (before, after) = frame.tails();
        for part in [frame.head(), bytes, before, remarks, after] {
            out.write_all(part)?;
        }
        self.next.0 += 1;
        Ok(())
    }

    fn event(&mut self, piece: &Piece<'_>, channel: &mut Channel, out: &mut impl Write) -> io::Result<()> {
        let Entry { kind, at, .. } = piece.entry;
        let name = channel.name.clone();
        let Some(json) = fact::to_json(kind) else {
            return Ok(());
        };
        let upgrade =
            channel.protocol == Protocol::Tcp && Happened::is_upgrade(kind, channel.stream.is_some());
        if upgrade {
            self.go_on(piece.entry.connection, channel, out)?;
        }
        let happened = Happened {
            connection: channel.number,
            interface: channel.interface,
            name: &name,
            role: channel.role,
            at: *at,
            kind,
        };
        let packets = packets(&happened, channel, &json, &channel.remarks(piece));
        if upgrade {
            out.write_all(&packets)?;
        }
        if packets.is_empty() || upgrade {
            out.write_all(&block::annotation(self.next, channel.interface, *at, &json))?;
            channel.wait(&harmless(&sentence(
                kind,
                Sides::of(Purpose::Reading, channel.role),
            )));
            for line in piece.remark_lines() {
                channel.wait(&harmless(&line));
            }
        } else {
            channel.waiting.clear();
            out.write_all(&packets)?;
        }
        self.next.0 += 1;
        Ok(())
    }

    /// A connection of which nothing is known, announced where that was not done yet.
    fn channel(&mut self, id: ConnectionId, out: &mut impl Write) -> io::Result<Channel> {
        let number = match (self.numbering, self.numbers.get(&id)) {
            (Numbering::Same, _) => {
                self.announce(id.0.saturating_add(1), out)?;
                id
            }
            (Numbering::Own, Some(number)) => *number,
            (Numbering::Own, None) => {
                let number = ConnectionId(self.announced);
                self.interface(id, out)?;
                self.numbers.insert(id, number);
                number
            }
        };
        let known = self.conversation(id);
        let unknown = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let (local, remote) = known
            .as_ref()
            .map_or((None, None), |known| (known.local, known.remote));
        let protocol = known.as_ref().map_or(Protocol::Tcp, |known| known.protocol);
        let role = known.as_ref().map_or(Role::Client, |known| known.role);
        let name = known.map_or(String::new(), |known| known.name);
        let ends = (local.unwrap_or(unknown), remote.unwrap_or(unknown));
        let (local, remote) = plaintext::ends(&name, role, ends);
        Ok(Channel {
            number,
            interface: self.interfaces.of(number),
            protocol,
            local,
            remote,
            name,
            role,
            stream: None,
            waiting: Vec::new(),
        })
    }

    /// Announces all connections before this number.
    fn announce(&mut self, until: u32, out: &mut impl Write) -> io::Result<()> {
        while self.announced < until {
            self.interface(ConnectionId(self.announced), out)?;
        }
        Ok(())
    }

    fn interface(&mut self, id: ConnectionId, out: &mut impl Write) -> io::Result<()> {
        let known = self.conversation(id);
        let addresses = known
            .as_ref()
            .and_then(|known| Some((known.local?, known.remote?)));
        let unknown = (String::new(), Role::Client, Timestamp::default());
        let (name, role, started) = known.map_or(unknown, |known| (known.name, known.role, known.started));
        out.write_all(&block::interface(&block::Interface {
            name: &name,
            description: role.name(),
            started,
            addresses,
            goes_on: None,
        }))?;
        self.announced += 1;
        Ok(())
    }

    /// What follows of a connection was decrypted after an upgrade to TLS, and has an interface of its own.
    fn go_on(&mut self, id: ConnectionId, channel: &mut Channel, out: &mut impl Write) -> io::Result<()> {
        let known = self.conversation(id);
        let addresses = known
            .as_ref()
            .and_then(|known| Some((known.local?, known.remote?)));
        let endpoint = channel.name.parse().ok();
        channel.name = endpoint.map_or_else(|| channel.name.clone(), |endpoint| plaintext::name(&endpoint));
        out.write_all(&block::interface(&block::Interface {
            name: &channel.name,
            description: &decrypted(channel.role),
            started: known.map_or(Timestamp::default(), |known| known.started),
            addresses,
            goes_on: Some(channel.interface),
        }))?;
        channel.interface = self.interfaces.add(self.announced);
        Ok(())
    }

    fn conversation(&self, id: ConnectionId) -> Option<Conversation> {
        self.session.conversation(id)
    }

    /// Makes room: what is known of datagrams, and of connections that are over, can be found again.
    fn forget(&mut self) {
        for id in self.over.drain(..) {
            self.known.remove(&id);
        }
        self.known.retain(|_, channel| channel.stream.is_some());
        // What is open stays; looking through it again and again would free nothing.
        self.most = KNOWN.max(2 * self.known.len());
    }
}

/// Writes what was learnt of it later also as we keep it, so that it is there when the file is opened here.
fn annotate(number: EntryId, piece: &Piece<'_>, out: &mut impl Write) -> io::Result<()> {
    if let Some(annotation) = piece.annotation {
        // Strings always have a JSON form.
        let json = serde_json::to_vec(&Written::of(None, annotation)).unwrap_or_default();
        out.write_all(&block::about(number, &json))?;
    }
    if let Some(stamps) = piece.stamps {
        let stamped = Stamped {
            entry: number,
            at: piece.entry.at,
            stamps,
        };
        let json = stamps::to_json(&[stamped]);
        out.write_all(&block::stamps(number, number, &json))?;
    }
    Ok(())
}

/// The packets that tell of an event, with these remarks; none where it has none.
fn packets(happened: &Happened<'_>, channel: &mut Channel, json: &[u8], remarks: &[u8]) -> Vec<u8> {
    match happened.kind {
        // No packet says that datagrams may follow, or that none will.
        _ if channel.protocol == Protocol::Udp => return Vec::new(),
        // It was seen too late, or a second time: the packets go on as they are.
        EntryKind::Open { .. } if channel.stream.is_some() => return Vec::new(),
        // The opening may not be among what is exported.
        EntryKind::HalfClose { .. } | EntryKind::Close(_) if channel.is_known() => {
            channel.stream();
        }
        EntryKind::Data { .. }
        | EntryKind::Lookup(_)
        | EntryKind::Attempt(_)
        | EntryKind::Tls(_)
        | EntryKind::Open { .. }
        | EntryKind::HalfClose { .. }
        | EntryKind::Close(_)
        | EntryKind::Error { .. }
        | EntryKind::Gap { .. }
        | EntryKind::Note { .. } => {}
    }
    happened.packets(&mut channel.stream, json, remarks)
}
