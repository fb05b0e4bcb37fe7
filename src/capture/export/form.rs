//! How entries are written in each format.

use std::io::{self, Write};

use super::output::Output;
use super::pcapng::{Numbering, Pcapng};
use super::python::Python;
use super::{Piece, Wording};
use crate::capture::Session;
use crate::model::{Direction, EntryId, ExportFormat, Portion, Records as _};
use crate::text::{Shown, format};

/// A format, with what has to be remembered from entry to entry.
#[derive(Debug)]
pub(super) enum Form {
    /// A capture.
    Pcapng(Box<Pcapng>),
    /// A script.
    Python(Python),
    /// Objects in JSON.
    Jsonl,
    /// Lines of text.
    Text(Wording),
    /// Hexdumps.
    Hexdump(Wording),
    /// Bytes.
    Raw,
}

impl Form {
    /// A format before the first entry of `session`.
    pub(super) fn new(format: ExportFormat, session: &Session, portion: &Portion, wording: Wording) -> Form {
        match format {
            ExportFormat::Pcapng => {
                let numbering = match portion {
                    // In a ring, the connections before those that are kept are missing.
                    Portion::All if session.first().0 > 0 => Numbering::Own,
                    Portion::All => Numbering::Same,
                    Portion::Query(_) | Portion::Entries(_) | Portion::Within(..) => Numbering::Own,
                };
                let first = first(session, portion);
                Form::Pcapng(Box::new(Pcapng::new(session.clone(), numbering, first)))
            }
            ExportFormat::Python => Form::Python(Python::new(session.clone())),
            ExportFormat::Jsonl => Form::Jsonl,
            ExportFormat::Text => Form::Text(wording),
            ExportFormat::Hexdump => Form::Hexdump(wording),
            ExportFormat::Raw => Form::Raw,
        }
    }

    /// From here on, texts say of which connection an entry is.
    pub(super) fn number_connections(&mut self) {
        if let Form::Text(wording) | Form::Hexdump(wording) = self {
            wording.connections = true;
        }
    }

    /// Whether bytes are decoded, so that those around an entry matter.
    pub(super) fn decodes(&self) -> bool {
        match self {
            Form::Text(_) | Form::Hexdump(_) => true,
            Form::Pcapng(_) | Form::Python(_) | Form::Jsonl | Form::Raw => false,
        }
    }

    /// Writes what comes before the first entry; `what` says what is exported.
    pub(super) fn begin(&self, what: &str, session: &Session, out: &mut Output) -> io::Result<()> {
        match self {
            Form::Pcapng(pcapng) => pcapng.begin(what, out),
            Form::Python(python) => python.begin(out),
            Form::Text(wording) | Form::Hexdump(wording) if out.is_kept() => {
                heading(what, *wording, session, out)
            }
            Form::Text(_) | Form::Hexdump(_) | Form::Jsonl | Form::Raw => Ok(()),
        }
    }

    /// Writes an entry.
    pub(super) fn entry(&mut self, piece: &Piece<'_>, out: &mut Output) -> io::Result<()> {
        match self {
            Form::Pcapng(pcapng) => pcapng.entry(piece, out),
            Form::Python(python) => python.entry(piece, out),
            Form::Jsonl => piece.write_json(out),
            Form::Text(wording) => piece.write_text(out, *wording),
            Form::Hexdump(wording) => piece.write_hexdump(out, *wording),
            Form::Raw => match piece.entry.direction() {
                // As headless runs print it: what came, without what went.
                Some(Direction::Sent) if !out.is_kept() => Ok(()),
                Some(direction) => out.write_to(direction, piece.bytes),
                None => Ok(()),
            },
        }
    }

    /// Writes what comes after the last entry.
    pub(super) fn end(&mut self, out: &mut Output) -> io::Result<()> {
        match self {
            Form::Pcapng(pcapng) => pcapng.end(out),
            Form::Python(python) => python.end(out),
            Form::Jsonl | Form::Text(_) | Form::Hexdump(_) | Form::Raw => Ok(()),
        }
    }
}

/// The number of the first entry in a capture: its own, where all others follow it there too. What a filter leaves is
/// counted anew: the format has no room for numbers with gaps.
fn first(session: &Session, portion: &Portion) -> EntryId {
    match portion {
        Portion::Entries(range) => session.first().max(EntryId(range.start)),
        // The files of a ring that is being recorded may go before they are read.
        Portion::All if session.is_of_files() => session.first(),
        Portion::All | Portion::Query(_) | Portion::Within(..) => EntryId(0),
    }
}

/// The lines that follow have times of day; this one says of which day.
fn heading(what: &str, wording: Wording, session: &Session, out: &mut Output) -> io::Result<()> {
    let what = Shown::of(what, wording.policy);
    match session.entry(session.first()) {
        Ok(first) => writeln!(
            out,
            "# sockscope: {what}; recorded from {} {} on",
            format::date_time(first.at.0, wording.offset),
            format::offset(wording.offset)
        ),
        // Nothing follows.
        Err(_) => writeln!(out, "# sockscope: {what}"),
    }
}
