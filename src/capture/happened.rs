//! The packets that stand for an event of a connection, where TCP has any.

use super::block;
use super::packet::Segment;
use super::plaintext;
use super::stream::Stream;
use crate::model::{ConnectionId, EndHow, EntryKind, Role, Side, Timestamp};

/// An event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happened<'a> {
    /// Of which connection.
    pub(super) connection: ConnectionId,
    /// The number of its interface in the file.
    pub(super) interface: u32,
    /// Its name, as in `tls://localhost:443`.
    pub(super) name: &'a str,
    /// What the program is, or was, to it.
    pub(super) role: Role,
    /// When.
    pub(super) at: Timestamp,
    /// What.
    pub(super) kind: &'a EntryKind,
}

impl Happened<'_> {
    /// Its packets, the last of which is the entry and carries `json` and `remarks`; none if TCP has no packet for
    /// it. `stream` goes on, or begins.
    pub(super) fn packets(&self, stream: &mut Option<Stream>, json: &[u8], remarks: &[u8]) -> Vec<u8> {
        let bare = |direction, segment: &Segment| {
            block::bare_packet(self.interface, self.at, direction, segment, None, &[])
        };
        let entry = |by: Side, segment: &Segment| {
            let direction = by.direction();
            block::bare_packet(self.interface, self.at, direction, segment, Some(json), remarks)
        };
        match self.kind {
            EntryKind::Open { local, remote } => {
                let (local, remote) = plaintext::ends(self.name, self.role, (*local, *remote));
                let (dialer, mut opened) = (self.role.dialer(), Stream::new(self.connection, local, remote));
                let [syn, syn_ack, ack] = opened.open(dialer);
                *stream = Some(opened);
                [
                    bare(dialer.direction(), &syn),
                    bare(dialer.direction().opposite(), &syn_ack),
                    entry(dialer, &ack),
                ]
                .concat()
            }
            EntryKind::HalfClose { by } => stream
                .as_mut()
                .and_then(|stream| stream.finish(*by))
                .map_or_else(Vec::new, |fin| entry(*by, &fin)),
            EntryKind::Close(end) => match (end.how, stream.as_mut()) {
                (EndHow::Fin | EndHow::Truncated, Some(stream)) => stream
                    .finish(end.by)
                    .map_or_else(Vec::new, |fin| entry(end.by, &fin)),
                (EndHow::Rst, Some(stream)) => entry(end.by, &stream.reset(end.by)),
                (EndHow::Timeout | EndHow::Alert | EndHow::Close | EndHow::Tap | EndHow::Os, _)
                | (_, None) => Vec::new(),
            },
            EntryKind::Gap { direction, bytes } => {
                if let Some(stream) = stream {
                    stream.skip(direction.sender(), *bytes);
                }
                Vec::new()
            }
            EntryKind::Data { .. }
            | EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Error { .. }
            | EntryKind::Note { .. } => Vec::new(),
        }
    }
}
