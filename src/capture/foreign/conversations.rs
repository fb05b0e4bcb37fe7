//! The list of conversations on disk: a table of fixed records, since a capture can have millions.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::item::Summary;
use crate::capture::temp;
use crate::model::{ConnectionId, Conversation, Protocol, Role, Timestamp};

/// Bytes of a record: four numbers, two addresses, two ports, the protocol, and a filler.
const RECORD: usize = 4 * 8 + 2 * 17 + 2 * 2 + 1 + 1;

/// The most conversations that one page holds, so that no caller makes us read all at once.
const PAGE: u64 = 4096;

/// The table.
#[derive(Debug)]
pub(super) struct Conversations {
    file: File,
    count: AtomicU64,
}

impl Conversations {
    /// An empty table.
    pub(super) fn create() -> io::Result<Conversations> {
        Ok(Conversations {
            file: temp::file()?,
            count: AtomicU64::new(0),
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Writes records; those with neighbouring numbers by one call.
    pub(super) fn write(&self, mut changed: Vec<Summary>) -> io::Result<()> {
        changed.sort_unstable_by_key(|summary| summary.id);
        let mut bytes = Vec::new();
        for run in changed.chunk_by(|a, b| a.id.0.checked_add(1) == Some(b.id.0)) {
            bytes.clear();
            for summary in run {
                encode(summary, &mut bytes);
            }
            let (Some(first), Some(last)) = (run.first(), run.last()) else {
                continue;
            };
            self.file.write_all_at(&bytes, place(u64::from(first.id.0)))?;
            self.count.fetch_max(u64::from(last.id.0) + 1, Ordering::Release);
        }
        Ok(())
    }

    /// One of them.
    pub(super) fn one(&self, id: ConnectionId) -> Option<Conversation> {
        let number = u64::from(id.0);
        self.page(number..number + 1).pop()
    }

    /// Those of these numbers that there are, at most a page.
    pub(super) fn page(&self, range: Range<u64>) -> Vec<Conversation> {
        let end = range.end.min(self.len()).min(range.start.saturating_add(PAGE));
        let count = end.saturating_sub(range.start) as usize;
        let mut bytes = vec![0; count * RECORD];
        if count == 0 || self.file.read_exact_at(&mut bytes, place(range.start)).is_err() {
            return Vec::new();
        }
        let numbers = range.start..end;
        let records = numbers.zip(bytes.as_chunks::<RECORD>().0);
        records
            .filter_map(|(number, record)| decode(number, record))
            .collect()
    }
}

fn place(number: u64) -> u64 {
    number * RECORD as u64
}

fn encode(summary: &Summary, out: &mut Vec<u8>) {
    let numbers = [summary.started.0, summary.entries, summary.sent, summary.received];
    for number in numbers {
        out.extend(number.to_le_bytes());
    }
    for address in [summary.client, summary.server] {
        match address.ip() {
            IpAddr::V4(ip) => {
                out.push(4);
                out.extend(ip.to_ipv6_mapped().octets());
            }
            IpAddr::V6(ip) => {
                out.push(6);
                out.extend(ip.octets());
            }
        }
        out.extend(address.port().to_le_bytes());
    }
    out.push(match summary.protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    });
    out.push(0);
}

fn decode(number: u64, record: &[u8; RECORD]) -> Option<Conversation> {
    let (numbers, rest) = record.split_first_chunk::<32>()?;
    let (client, rest) = address(rest)?;
    let (server, rest) = address(rest)?;
    let [started, entries, sent, received] = numbers.as_chunks::<8>().0 else {
        return None;
    };
    let protocol = match rest.first()? {
        6 => Protocol::Tcp,
        17 => Protocol::Udp,
        _ => return None,
    };
    let scheme = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    Some(Conversation {
        id: ConnectionId(u32::try_from(number).ok()?),
        protocol,
        role: Role::Client,
        local: Some(client),
        remote: Some(server),
        name: format!("{scheme}://{server}"),
        started: Timestamp(u64::from_le_bytes(*started)),
        entries: u64::from_le_bytes(*entries),
        sent: u64::from_le_bytes(*sent),
        received: u64::from_le_bytes(*received),
    })
}

fn address(bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (version, bytes) = bytes.split_first()?;
    let (octets, bytes) = bytes.split_first_chunk::<16>()?;
    let (port, bytes) = bytes.split_first_chunk::<2>()?;
    let ip = Ipv6Addr::from(*octets);
    let ip = match version {
        4 => ip.to_ipv4_mapped()?.into(),
        6 => ip.into(),
        _ => return None,
    };
    Some((SocketAddr::new(ip, u16::from_le_bytes(*port)), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(id: u32, protocol: Protocol, client: &str, server: &str) -> Summary {
        Summary {
            id: ConnectionId(id),
            protocol,
            client: client.parse().unwrap(),
            server: server.parse().unwrap(),
            started: Timestamp(u64::from(id) + 7),
            entries: 3,
            sent: 1 << 40,
            received: 5,
        }
    }

    #[test]
    fn what_is_written_is_read_page_by_page() {
        let table = Conversations::create().unwrap();
        assert_eq!(table.page(0..10), Vec::new());
        let first = summary(0, Protocol::Tcp, "127.0.0.1:5", "127.0.0.2:6379");
        let mapped = summary(2, Protocol::Udp, "[::ffff:1.2.3.4]:5", "[::1]:53");
        let second = summary(1, Protocol::Tcp, "[fe80::1]:5", "[fe80::2]:6");
        table.write(vec![mapped, first, second]).unwrap();
        let names: Vec<String> = table.page(0..10).into_iter().map(|c| c.name).collect();
        assert_eq!(
            names,
            ["tcp://127.0.0.2:6379", "tcp://[fe80::2]:6", "udp://[::1]:53"]
        );
        let last = table.one(ConnectionId(2)).unwrap();
        assert_eq!(last.local, Some(mapped.client));
        assert_eq!(
            (last.started, last.entries, last.sent, last.received),
            (Timestamp(9), 3, 1 << 40, 5)
        );
        assert_eq!(table.one(ConnectionId(3)), None);
        assert_eq!(table.page(u64::MAX - 1..u64::MAX), Vec::new());
    }
}
