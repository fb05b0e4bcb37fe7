//! What kind of file it is, by how it begins; names and extensions mean nothing.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::block::{BYTE_ORDER_MAGIC, INTERFACE, LARGEST, SECTION, SECTION_HEADER, SMALLEST};
use super::foreign::{Format, Pcap};
use super::walk::{self, Fault};
use crate::model::EntryId;

/// What can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Too short to tell, so far.
    Short,
    /// A recording of ours; a file of a ring says which number its first entry has.
    Own { first: Option<EntryId> },
    /// A capture of another program.
    Foreign(Format),
    /// A compressed file (RFC 1952 §2.3.1).
    Gzip,
}

const NONE: Fault = Fault::Damaged("it begins as no capture does");

/// Two bytes that name the format, the method "deflate", and no flags.
const GZIP: [u8; 4] = [0x1f, 0x8b, 8, 0];

/// Type, length and byte order of a section header.
const SECTION_HEAD: u64 = 12;

/// The largest section header that is looked through for who wrote it.
const READ: u32 = 64 << 10;

/// What the first `size` bytes of `file` are; `Fault::Damaged` says why they are none of these.
pub(super) fn kind(file: &File, size: u64) -> Result<Kind, Fault> {
    let mut head = [0; SECTION_HEAD as usize];
    let known = size.min(SECTION_HEAD) as usize;
    file.read_exact_at(&mut head[..known], 0)?;
    let Some(magic) = head[..known].first_chunk::<4>() else {
        let magics = [SECTION.to_le_bytes(), GZIP].into_iter().chain(Pcap::MAGICS);
        return if magics.into_iter().any(|magic| magic.starts_with(&head[..known])) {
            Ok(Kind::Short)
        } else {
            Err(NONE)
        };
    };
    if magic[..3] == GZIP[..3] {
        return Ok(Kind::Gzip);
    }
    if Pcap::MAGICS.contains(magic) {
        return Ok(Kind::Foreign(Format::Pcap));
    }
    if u32::from_le_bytes(*magic) != SECTION {
        return Err(NONE);
    }
    let [_, len, order] = [0, 4, 8].map(|at| head.get(at..).and_then(|field| field.first_chunk::<4>()));
    let (Some(len), Some(order), true) = (len, order, size >= SECTION_HEAD) else {
        return Ok(Kind::Short);
    };
    if u32::from_be_bytes(*order) == BYTE_ORDER_MAGIC {
        return Ok(Kind::Foreign(Format::Pcapng));
    }
    let len = u32::from_le_bytes(*len);
    if u32::from_le_bytes(*order) != BYTE_ORDER_MAGIC || !(SMALLEST..=LARGEST).contains(&len) {
        return Err(Fault::Damaged("its first block is damaged"));
    }
    section(file, size, len)
}

/// Who wrote the section whose header has `len` bytes.
fn section(file: &File, size: u64, len: u32) -> Result<Kind, Fault> {
    if size < u64::from(len) {
        return Ok(Kind::Short);
    }
    let mut block = vec![0; len.min(READ) as usize];
    file.read_exact_at(&mut block, 0)?;
    let options = block.get(SECTION_HEADER..).unwrap_or_default();
    if !walk::is_ours(options) || is_rewritten(file, size, u64::from(len))? {
        return Ok(Kind::Foreign(Format::Pcapng));
    }
    Ok(Kind::Own {
        first: walk::first_entry(options)?,
    })
}

/// Whether the first interface behind the section header lacks what we write: editcap and Wireshark keep our name
/// when they save a file, and drop our option.
fn is_rewritten(file: &File, size: u64, offset: u64) -> Result<bool, Fault> {
    let mut head = [0; 8];
    if size - offset < head.len() as u64 {
        return Ok(false);
    }
    file.read_exact_at(&mut head, offset)?;
    let (kind, len) = head.split_at(4);
    let len = len.first_chunk().map_or(0, |len| u32::from_le_bytes(*len));
    if kind != INTERFACE.to_le_bytes() || !(SMALLEST..=READ).contains(&len) || size - offset < u64::from(len)
    {
        return Ok(false);
    }
    let mut block = vec![0; len as usize];
    file.read_exact_at(&mut block, offset)?;
    Ok(block.get(16..).and_then(walk::find_ours).is_none())
}
