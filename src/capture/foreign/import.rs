//! Reads a foreign capture from front to end, once, and makes it a log: frames, packets, conversations, entries.
//!
//! Deliberately absent: when to go on and when to stop; `opening` decides that.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::decode::{self, Packet};
use super::flow::Output;
use super::flows::{Fate, Flows};
use super::fragments::Fragments;
use super::frames::{Frame, Frames, Pcap};
use super::item::Item;
use super::link::Link;
use super::pcapng::Pcapng;
use super::table::{Record, RecordKind};
use super::tcp::{Bytes, Place};
use super::{Foreign, hold, remarks};
use crate::capture::fact;
use crate::capture::temp::Appender;
use crate::capture::walk::Fault;
use crate::capture::window::Window;
use crate::model::Protocol;

/// Bytes read at a time: as fast as larger ones, and small beside the program itself.
const CHUNK: usize = 128 << 10;

/// Entries that wait for others that are to stand before them, at most.
const MOST_READY: usize = 4096;

/// What a foreign capture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A pcap file.
    Pcap,
    /// A pcapng file.
    Pcapng,
}

/// What was left out or repaired.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Frames that carry neither TCP nor UDP over IP.
    pub(super) other: u64,
    /// Frames of interfaces that are not read.
    pub(super) links: BTreeMap<Link, u64>,
    /// Frames that the capture cut, so that bytes are missing.
    pub(super) cut: u64,
    /// Segments of which nothing was new.
    pub(super) repeated: u64,
    /// Gaps, and the bytes missing in them.
    pub(super) gaps: (u64, u64),
}

/// The reading of one file.
#[derive(Debug)]
pub(crate) struct Import {
    foreign: Arc<Foreign>,
    frames: Frames,
    at: u64,
    flows: Flows,
    fragments: Fragments,
    counts: Counts,
    table: Appender,
    spool: Appender,
    entries: u64,
    output: Output,
    /// Whether what is ready waits, so that it is not in order.
    waited: bool,
    buffer: Vec<u8>,
}

impl Import {
    /// Begins to fill `foreign`, which is empty.
    pub(crate) fn new(foreign: Arc<Foreign>, format: Format) -> io::Result<Import> {
        Ok(Import {
            frames: match format {
                Format::Pcap => Frames::Pcap(Pcap::default()),
                Format::Pcapng => Frames::Pcapng(Pcapng::new()),
            },
            table: Appender::new(foreign.table.try_clone()?),
            spool: Appender::new(foreign.spool.try_clone()?),
            foreign,
            at: 0,
            flows: Flows::default(),
            fragments: Fragments::default(),
            counts: Counts::default(),
            entries: 0,
            output: Output::default(),
            waited: false,
            buffer: Vec::new(),
        })
    }

    /// Bytes that were read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Conversations that were found.
    pub(crate) fn conversations(&self) -> u64 {
        self.flows.count()
    }

    /// What was left out or repaired so far.
    pub(crate) fn remarks(&self) -> Vec<String> {
        remarks::of(&self.counts, self.fragments.lost(), self.flows.forgotten())
    }

    /// Reads some `budget` bytes on, never past `end`. Returns once it has, or with why it cannot go on.
    pub(crate) fn advance(&mut self, end: u64, budget: u64) -> Result<(), Fault> {
        let foreign = self.foreign.clone();
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut window = Window::new(&foreign.file, end, CHUNK, &mut buffer);
        let stop = self.at.saturating_add(budget).min(end);
        let mut output = std::mem::take(&mut self.output);
        let mut result = Ok(());
        while self.at < stop && result.is_ok() {
            result = self.step(&mut window, &mut output);
        }
        self.output = output;
        self.buffer = buffer;
        result
    }

    /// Shows readers what was found so far.
    pub(crate) fn publish(&mut self) -> io::Result<()> {
        self.spool.flush()?;
        self.table.flush()?;
        self.foreign.conversations.write(self.flows.changes())?;
        self.foreign.entries.store(self.entries, Ordering::Release);
        Ok(())
    }

    /// Nothing more comes for now: what waits for missing bytes waits no longer.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        let mut output = std::mem::take(&mut self.output);
        self.flows.flush(&mut output);
        let result = self.enter(&mut output);
        self.output = output;
        result?;
        self.publish()
    }

    fn step(&mut self, window: &mut Window<'_>, output: &mut Output) -> Result<(), Fault> {
        let step = self.frames.step(window, self.at)?;
        if let Some(frame) = step.frame {
            let bytes = window.get(frame.offset, frame.captured as usize)?;
            self.frame(&frame, bytes, output)?;
            self.enter(output)?;
            if self.flows.is_full() {
                self.foreign.conversations.write(self.flows.changes())?;
            }
        }
        self.at += step.len;
        Ok(())
    }

    fn frame(&mut self, frame: &Frame, bytes: &[u8], output: &mut Output) -> io::Result<()> {
        let packet = frame.link.ip(bytes).and_then(|ip| decode::packet(ip, frame.cut));
        let Some(packet) = packet else {
            match frame.link {
                Link::Other(_) => *self.counts.links.entry(frame.link).or_default() += 1,
                Link::Ethernet
                | Link::Cooked
                | Link::Cooked2
                | Link::Raw
                | Link::Ppp
                | Link::PppEther
                | Link::Hdlc
                | Link::Loopback => self.counts.other += 1,
            }
            return Ok(());
        };
        // A first part that the capture cut will never be whole; as far as it goes, it is shown.
        let part = packet
            .fragment
            .filter(|part| part.offset.value() > 0 || packet.short == 0);
        if let Some(fragment) = part {
            if let Some(whole) = self.fragments.take(&packet, fragment) {
                let offset = self.spool.append(&whole)?;
                let packet = decode::innermost(Packet {
                    payload: &whole,
                    fragment: None,
                    ..packet
                });
                let offset = offset + within(&whole, packet.payload);
                self.packet(frame, &packet, Place::Spool, offset, output);
            }
            return Ok(());
        }
        let offset = frame.offset + within(bytes, packet.payload);
        self.packet(frame, &packet, Place::File, offset, output);
        Ok(())
    }

    /// Takes in a whole IP packet whose payload is at `offset`.
    fn packet(&mut self, frame: &Frame, packet: &Packet<'_>, place: Place, offset: u64, output: &mut Output) {
        let Some(transport) = decode::transport(packet) else {
            self.counts.other += 1;
            return;
        };
        let bytes = Bytes {
            place,
            offset: offset + transport.start as u64,
            captured: transport.captured,
            len: transport.len,
        };
        self.counts.cut += u64::from(transport.captured < transport.len);
        match self.flows.take(&transport, bytes, frame.at, output) {
            Fate::Taken => {}
            Fate::Repeated => self.counts.repeated += 1,
        }
    }

    /// Makes entries of what is ready, in the order of time, also where some of it had to wait.
    fn enter(&mut self, output: &mut Output) -> io::Result<()> {
        if !self.flows.is_certain() && output.ready.len() < MOST_READY {
            self.waited |= !output.ready.is_empty();
            return Ok(());
        }
        if std::mem::take(&mut self.waited) {
            hold::sort(&mut output.ready);
        }
        for (connection, item) in output.ready.drain(..) {
            let record = match item {
                Item::Data {
                    direction,
                    protocol,
                    place,
                    offset,
                    len,
                    at,
                } => Record {
                    at,
                    connection,
                    kind: match protocol {
                        Protocol::Tcp => RecordKind::Stream(direction, place),
                        Protocol::Udp => RecordKind::Datagram(direction, place),
                    },
                    offset,
                    len,
                },
                Item::Event { kind, at } => {
                    self.counts.count(&kind);
                    let json = fact::to_json(&kind).unwrap_or_default();
                    Record {
                        at,
                        connection,
                        kind: RecordKind::Event,
                        offset: self.spool.append(&json)?,
                        len: json.len() as u32,
                    }
                }
            };
            self.table.append(&record.encode())?;
            self.entries += 1;
        }
        Ok(())
    }
}

/// Where a part of `bytes` starts in it.
fn within(bytes: &[u8], part: &[u8]) -> u64 {
    (part.as_ptr().addr() - bytes.as_ptr().addr()) as u64
}

impl Foreign {
    /// Fills `bytes` from one of the two files.
    pub(crate) fn read(&self, place: Place, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.holder(place).read_exact_at(bytes, offset)
    }

    /// The file that holds the bytes of a place.
    pub(crate) fn holder(&self, place: Place) -> &File {
        match place {
            Place::File => &self.file,
            Place::Spool => &self.spool,
        }
    }
}
