//! Opening a session file that is on disk: its index is made by walking it, up to the first thing that is wrong.
//!
//! Deliberately absent: captures of other programs, which are refused by name rather than misread.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use nix::fcntl::OFlag;

use super::block::{APPLICATION, SECTION, SHB_USERAPPL};
use super::index::{Checkpoint, Index, Tails};
use super::recorder::Shared;
use super::walk::{self, Content, Fault};
use super::window::Window;
use super::{CaptureError, Session, block, fact};
use crate::model::{ConnectionId, EntryId};

/// Bytes read at a time: as fast as larger ones, and small beside the program itself.
const CHUNK: usize = 256 << 10;

/// Connections that a file may announce: 24 bytes of memory each.
const MOST_CONNECTIONS: usize = 16 << 20;

/// Opens the file at `path` for reading.
pub(super) fn open(path: &Path) -> Result<Session, CaptureError> {
    let failed = |tried| CaptureError::io(tried, path);
    // Without O_NONBLOCK, opening a FIFO would wait for somebody to write to it.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open(path)
        .map_err(failed("open"))?;
    let found = file.metadata().map_err(failed("open"))?;
    if !found.is_file() {
        return Err(foreign(path, "it is not a regular file"));
    }
    let size = found.len();
    let index = Index::default();
    let end = match first_block(&file, size).map_err(|fault| refused(path, fault))? {
        First::Whole(len) => walk(&file, size, u64::from(len), &index).map_err(failed("read"))?,
        First::Cut => 0,
    };
    let shared = Shared {
        path: path.to_owned(),
        file,
        index,
    };
    Ok(Session::new(Arc::new(shared), size - end))
}

fn foreign(path: &Path, why: &'static str) -> CaptureError {
    CaptureError::Foreign {
        path: path.to_owned(),
        why,
    }
}

fn refused(path: &Path, fault: Fault) -> CaptureError {
    match fault {
        Fault::Damaged(why) => foreign(path, why),
        Fault::Io(source) => CaptureError::io("read", path)(source),
    }
}

/// What a file starts with.
enum First {
    /// A section header of ours, this long.
    Whole(u32),
    /// Less than that, and all of it as we would have written it: the disk was full at once, or nothing was written.
    Cut,
}

/// Checks that the file is ours at all.
fn first_block(file: &File, size: u64) -> Result<First, Fault> {
    let ours = block::section();
    let mut start = vec![0; ours.len().min(usize::try_from(size).unwrap_or(usize::MAX))];
    file.read_exact_at(&mut start, 0)?;
    if start.len() < ours.len() && ours.starts_with(&start) {
        return Ok(First::Cut);
    }
    if !start.starts_with(&SECTION.to_le_bytes()) {
        return Err(Fault::Damaged("it does not start as a pcapng file does"));
    }
    let mut buffer = Vec::new();
    let mut window = Window::new(file, size, CHUNK, &mut buffer);
    let len = walk::block_at(&mut window, 0, 0)?.len;
    let section = window.get(0, len as usize - 4)?;
    let application = section
        .get(24..)
        .and_then(|options| walk::find(options, SHB_USERAPPL));
    if !application.is_some_and(|name| name.starts_with(APPLICATION.as_bytes())) {
        return Err(Fault::Damaged("another program wrote it"));
    }
    Ok(First::Whole(len))
}

/// Walks from `offset` on, fills the index, and returns where the last whole block ends.
fn walk(file: &File, size: u64, offset: u64, index: &Index) -> std::io::Result<u64> {
    let mut buffer = Vec::new();
    let mut window = Window::new(file, size, CHUNK, &mut buffer);
    let mut entries = 0;
    let mut at = offset;
    // The last bytes of every connection so far; a connection's number is its place.
    let mut tails: Vec<Tails> = Vec::new();
    while at < size {
        let block = match walk::block_at(&mut window, at, tails.len()) {
            Ok(block) => block,
            Err(Fault::Damaged(_)) => break,
            Err(Fault::Io(error)) => return Err(error),
        };
        let entry = match take_in(&mut window, block.content, EntryId(entries), &mut tails) {
            Ok(entry) => entry,
            Err(Fault::Damaged(_)) => break,
            Err(Fault::Io(error)) => return Err(error),
        };
        if let Content::Interface { started } = block.content {
            index.add_connection(started);
        }
        if let Some((connection, tails)) = entry {
            index.add_entry(
                entries,
                Checkpoint {
                    offset: at,
                    connection,
                    tails,
                },
            );
            entries += 1;
        }
        at += u64::from(block.len);
    }
    index.publish(entries, at);
    Ok(at)
}

/// Checks what only the order of blocks can tell, and keeps the last bytes of the streams. If the block is the
/// entry `expected`, returns its connection and the bytes before it.
fn take_in(
    window: &mut Window<'_>,
    content: Content,
    expected: EntryId,
    tails: &mut Vec<Tails>,
) -> Result<Option<(ConnectionId, Tails)>, Fault> {
    match content {
        Content::Interface { .. } => {
            if tails.len() >= MOST_CONNECTIONS {
                return Err(Fault::Damaged("there are too many connections"));
            }
            tails.push(Tails::default());
            Ok(None)
        }
        Content::Data {
            connection,
            direction,
            offset,
            len,
            at: _,
        } => {
            let Some(stream) = tails.get_mut(connection.0 as usize) else {
                return Err(Fault::Damaged("the connection was not announced"));
            };
            let before = *stream;
            let last = len.min(3);
            stream.push(
                direction,
                window.get(offset + u64::from(len - last), last as usize)?,
            );
            Ok(Some((connection, before)))
        }
        Content::Event {
            id,
            connection,
            offset,
            len,
            at: _,
        } => {
            if id.is_some_and(|id| id != expected) {
                return Err(Fault::Damaged("the annotation has the wrong number"));
            }
            fact::from_json(window.get(offset, len as usize)?).map_err(Fault::Damaged)?;
            let before = tails.get(connection.0 as usize).copied().unwrap_or_default();
            Ok(Some((connection, before)))
        }
        Content::Section | Content::Nothing => Ok(None),
    }
}
