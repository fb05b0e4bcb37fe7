//! A script that repeats the client's part: what it sent, in its pieces, after as many bytes as it had received by
//! then, over any number of connections.
//!
//! Nothing of the log is kept. Whatever it holds reaches the script as printable ASCII: bytes as a literal, words as a
//! comment on one line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::Piece;
use crate::capture::Session;
use crate::model::{
    ConnectionId, Direction, EndHow, Endpoint, EntryKind, Host, Protocol, Purpose, Records as _, Side, Sides,
    sentence,
};
use crate::text::{Policy, Shown};

/// What the script does it with.
const MACHINERY: &str = include_str!("../../../assets/replay.py");

/// Bytes of a literal on one line.
const ROW: usize = 64;

/// What the script has done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is connected.
    Open,
    /// It is over, or cannot be repeated.
    Over,
}

/// The script as far as it is written.
#[derive(Debug)]
pub(super) struct Python {
    session: Session,
    stages: BTreeMap<ConnectionId, Stage>,
    /// Bytes that were received since the client did something.
    owed: BTreeMap<ConnectionId, u64>,
}

impl Python {
    /// A script of what is in `session`.
    pub(super) fn new(session: Session) -> Python {
        Python {
            session,
            stages: BTreeMap::new(),
            owed: BTreeMap::new(),
        }
    }

    /// Writes what comes before the first entry.
    pub(super) fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        let name = harmless(&self.session.path().display().to_string());
        let version = env!("CARGO_PKG_VERSION");
        // A quotation mark or a backslash in the name would be a part of the script.
        let name = name.replace(['"', '\\'], "_");
        write!(
            out,
            r#"#!/usr/bin/env python3
"""Repeats the client's part of a recording: {name}

python3 FILE             to the servers of the recording
python3 FILE HOST PORT   to this server instead

It sends what the client sent then, in the same pieces; before each of them it waits until as many bytes
have come as the client had received by then; it closes as the client did. What comes is shown, and not
compared. Exit status: 0 if all of it could be repeated, 1 if not. Written by sockscope {version}.
"""

{MACHINERY}"#
        )
    }

    /// Writes what an entry means for the client.
    pub(super) fn entry(&mut self, piece: &Piece<'_>, out: &mut impl Write) -> io::Result<()> {
        let (entry, id) = (piece.entry, piece.entry.connection);
        // What the client did, whichever side of the connection recorded it.
        let dialer = piece.role.dialer();
        let of_client = |side: Side| if side == dialer { Side::Local } else { Side::Peer };
        for line in piece.annotation.iter().flat_map(|annotation| annotation.lines()) {
            self.comment(line, out)?;
        }
        match &entry.kind {
            EntryKind::Data { direction } => {
                self.data(id, of_client(direction.sender()).direction(), piece.bytes, out)
            }
            EntryKind::Open { local, remote } => {
                let server = if dialer == Side::Local { remote } else { local };
                self.connect(id, Some(*server), out).map(drop)
            }
            EntryKind::HalfClose { by } => self.half_close(id, of_client(*by), out),
            EntryKind::Close(end) => self.close(id, of_client(end.by), end.how, out),
            EntryKind::Gap { .. } | EntryKind::Error { .. } | EntryKind::Note { .. } => self.comment(
                &sentence(&entry.kind, Sides::of(Purpose::Reading, piece.role)),
                out,
            ),
            EntryKind::Lookup(_) | EntryKind::Attempt(_) | EntryKind::Tls(_) => Ok(()),
        }
    }

    /// Writes what comes after the last entry.
    pub(super) fn end(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        for (id, stage) in std::mem::take(&mut self.stages) {
            if stage == Stage::Open {
                writeln!(out, "close({})", id.0)?;
            }
        }
        writeln!(out, "\nsys.exit(status)")
    }

    fn data(
        &mut self,
        id: ConnectionId,
        direction: Direction,
        bytes: &[u8],
        out: &mut impl Write,
    ) -> io::Result<()> {
        if self.connect(id, None, out)? == Stage::Over {
            return Ok(());
        }
        match direction {
            Direction::Received => {
                *self.owed.entry(id).or_default() += bytes.len() as u64;
                Ok(())
            }
            Direction::Sent => {
                self.settle(out)?;
                literal(id, bytes, out)
            }
        }
    }

    /// Connects, unless that was done; `remote` is where to, if the entry says it.
    fn connect(
        &mut self,
        id: ConnectionId,
        server: Option<SocketAddr>,
        out: &mut impl Write,
    ) -> io::Result<Stage> {
        if let Some(stage) = self.stages.get(&id) {
            return Ok(*stage);
        }
        self.settle(out)?;
        let number = u64::from(id.0);
        let known = self.session.conversation(id);
        let name = known
            .as_ref()
            .map_or_else(String::new, |known| harmless(&known.name));
        let is_tcp = known.as_ref().is_none_or(|known| known.protocol == Protocol::Tcp);
        let stage = match server.or_else(|| known.and_then(|known| known.server())) {
            Some(server) if is_tcp => {
                let (host, port) = (host(server), server.port());
                let tls = match server_name(&name) {
                    Some(server) => format!(", tls=\"{server}\""),
                    None => String::new(),
                };
                writeln!(out, "\nconnect({number}, \"{host}\", {port}{tls})  # {name}")?;
                Stage::Open
            }
            Some(_) | None => {
                writeln!(
                    out,
                    "\n# conversation {number} is left out, since it is no TCP connection or its server is not known: {name}"
                )?;
                Stage::Over
            }
        };
        self.stages.insert(id, stage);
        Ok(stage)
    }

    fn half_close(&mut self, id: ConnectionId, by: Side, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        match by {
            _ if self.stages.get(&id) != Some(&Stage::Open) => Ok(()),
            Side::Local => writeln!(out, "finish({})", id.0),
            Side::Peer => writeln!(out, "receive_end({})", id.0),
        }
    }

    fn close(&mut self, id: ConnectionId, by: Side, how: EndHow, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        if self.stages.get(&id) != Some(&Stage::Open) {
            return Ok(());
        }
        self.stages.insert(id, Stage::Over);
        match (by, how) {
            (Side::Local, EndHow::Rst) => writeln!(out, "reset({})", id.0),
            (Side::Peer, EndHow::Fin | EndHow::Rst | EndHow::Truncated | EndHow::Alert) => {
                writeln!(out, "receive_end({0})\nclose({0})", id.0)
            }
            (Side::Local, EndHow::Fin | EndHow::Truncated | EndHow::Alert)
            | (_, EndHow::Timeout | EndHow::Close | EndHow::Tap | EndHow::Os) => {
                writeln!(out, "close({})", id.0)
            }
        }
    }

    /// Waits for what the client had received by now, over all connections: what it did next may depend on it.
    fn settle(&mut self, out: &mut impl Write) -> io::Result<()> {
        for (id, bytes) in std::mem::take(&mut self.owed) {
            writeln!(out, "receive({}, {bytes})", id.0)?;
        }
        Ok(())
    }

    fn comment(&mut self, text: &str, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        writeln!(out, "# {}", harmless(text))
    }
}

/// The name that the server of a TLS connection is asked for, if `name` is that of one.
fn server_name(name: &str) -> Option<String> {
    let Ok(Endpoint::Tls(authority)) = name.parse() else {
        return None;
    };
    Some(match authority.host {
        Host::Address { ip, .. } => ip.to_string(),
        Host::Name(name) => name,
    })
}

/// The bytes as a literal, broken behind line feeds.
fn literal(id: ConnectionId, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<&[u8]> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| line.chunks(ROW))
        .collect();
    if let [row] = rows.as_slice() {
        return writeln!(out, "send({}, b\"{}\")", id.0, escaped(row));
    }
    writeln!(out, "send({}, (", id.0)?;
    for row in rows {
        writeln!(out, "    b\"{}\"", escaped(row))?;
    }
    writeln!(out, "))")
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            byte => {
                let [high, low] =
                    [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
                text.extend(['\\', 'x', high, low]);
            }
        }
    }
    text
}

/// As a script that is printed or edited may have it.
fn harmless(text: &str) -> String {
    let policy = Policy {
        rtl: false,
        ascii: true,
    };
    Shown::of(text, policy).to_string()
}

/// The address without its port, as name lookups take it.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        SocketAddr::V4(_) | SocketAddr::V6(_) => match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => ip.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_ascii_and_stays_within_its_quotes() {
        let all: Vec<u8> = (0..=255).collect();
        let text = escaped(&all);
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        assert!(!text.replace("\\\\", "").replace("\\\"", "").contains('"'));
        let mut out = Vec::new();
        literal(ConnectionId(3), b"a\r\n\"b\\", &mut out).unwrap();
        let expected = "send(3, (\n    b\"a\\r\\n\"\n    b\"\\\"b\\\\\"\n))\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn hosts_are_what_lookups_take() {
        let check = |address: &str, expected: &str| assert_eq!(host(address.parse().unwrap()), expected);
        check("127.0.0.1:80", "127.0.0.1");
        check("[::1]:80", "::1");
        check("[fe80::1%3]:80", "fe80::1%3");
    }
}
