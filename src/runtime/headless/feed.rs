//! Standard input, read on a thread that nobody waits for: whole chunks as they come, or lines turned into what they
//! stand for. Sends nothing itself.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::thread;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc;

use crate::text::{InputError, InputType, LineEnding, encode_input};

/// The most that one read takes: a pipe holds as much on Linux.
const CHUNK: usize = 64 * 1024;

/// A line longer than this is refused, so that a file without line breaks does not fill the memory.
const LINE: usize = 8 << 20;

/// How standard input becomes what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Feed {
    /// Byte for byte.
    #[default]
    Bytes,
    /// Line by line: LF or CR LF ends a line and is not part of it.
    Lines {
        /// How a line is read.
        input: InputType,
        /// What is sent behind it.
        ending: LineEnding,
    },
}

/// What came from standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// Bytes to send.
    Bytes(Vec<u8>),
    /// A line that means nothing, and why.
    Wrong(String),
    /// It has ended, or could not be read any more.
    End,
}

/// What standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `/dev/null`: whoever started the program has no input for it, which is not the same as an input that ends.
    Nothing,
    /// A person.
    Terminal,
    /// A pipe, a file, a socket.
    Stream,
}

impl Source {
    /// Looks at standard input.
    pub(super) fn detect() -> io::Result<Source> {
        if io::stdin().is_terminal() {
            return Ok(Source::Terminal);
        }
        let found = File::from(io::stdin().as_fd().try_clone_to_owned()?).metadata()?;
        // Compared with the device and not with its number, which differs between systems.
        let null = std::fs::metadata("/dev/null").map(|null| null.rdev());
        let is_null = found.rdev() != 0 && null.is_ok_and(|null| null == found.rdev());
        Ok(if is_null { Source::Nothing } else { Source::Stream })
    }
}

/// Starts reading standard input. The channel holds one chunk, so that reading waits for whoever sends.
pub(super) fn spawn(feed: Feed) -> io::Result<mpsc::Receiver<Fed>> {
    let input = Stdin(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let (sender, receiver) = mpsc::channel(1);
    thread::Builder::new().name("stdin".into()).spawn(move || {
        // An error means that nobody listens any more.
        let _ = read(input, feed, &sender);
    })?;
    Ok(receiver)
}

fn read(
    mut input: impl Read,
    feed: Feed,
    sender: &mpsc::Sender<Fed>,
) -> Result<(), mpsc::error::SendError<Fed>> {
    let mut chunk = vec![0; CHUNK];
    let mut lines = Lines::default();
    loop {
        let len = match input.read(&mut chunk) {
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                sender.blocking_send(Fed::Wrong(format!("cannot read standard input: {error}")))?;
                return sender.blocking_send(Fed::End);
            }
        };
        match feed {
            Feed::Bytes if len > 0 => sender.blocking_send(Fed::Bytes(chunk[..len].to_vec()))?,
            Feed::Bytes => {}
            Feed::Lines { input, ending } => {
                for line in lines.take(&chunk[..len]) {
                    if let Some(fed) = lines.encode(&line, input, ending) {
                        sender.blocking_send(fed)?;
                    }
                }
            }
        }
        if len == 0 {
            return sender.blocking_send(Fed::End);
        }
    }
}

/// Cuts a stream into lines.
#[derive(Debug, Default)]
struct Lines {
    pending: Vec<u8>,
    count: u64,
}

impl Lines {
    /// The lines that `bytes` complete; no bytes mean that the last line is complete too.
    fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.pending.len() > LINE {
                lines.push(std::mem::take(&mut self.pending));
            }
        }
        if bytes.is_empty() && !self.pending.is_empty() {
            lines.push(std::mem::take(&mut self.pending));
        }
        lines
    }

    fn encode(&mut self, line: &[u8], input: InputType, ending: LineEnding) -> Option<Fed> {
        self.count += 1;
        if line.len() > LINE {
            return Some(self.wrong(format_args!(
                "is longer than {LINE} bytes; send it without --input and --eol"
            )));
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else {
            // Text goes as it is, whatever its encoding; escapes and digits are ASCII.
            return Some(match input {
                InputType::Text => Fed::Bytes([line, ending.bytes()].concat()),
                InputType::Escaped | InputType::Hex => self.wrong(format_args!("is not UTF-8")),
            });
        };
        match encode_input(text, input, ending) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => Some(Fed::Bytes(bytes)),
            Err(error) => Some(self.wrong(format_args!("cannot be sent: {}", explain(text, &error)))),
        }
    }

    fn wrong(&self, what: std::fmt::Arguments<'_>) -> Fed {
        Fed::Wrong(format!("line {} of standard input {what}", self.count))
    }
}

/// What is wrong with a typed text, and where.
pub fn explain(text: &str, error: &InputError) -> String {
    let before = text.get(..error.at.start).unwrap_or_default();
    format!("{} at column {}", error.message, before.chars().count() + 1)
}

/// Standard input without a buffer; waits where it was left in non-blocking mode.
struct Stdin(File);

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    poll(
                        &mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)],
                        PollTimeout::NONE,
                    )?;
                }
                result => return result,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(feed: Feed, input: &[u8]) -> Vec<Fed> {
        let (sender, mut receiver) = mpsc::channel(64);
        read(input, feed, &sender).unwrap();
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    fn bytes(bytes: &[u8]) -> Fed {
        Fed::Bytes(bytes.to_vec())
    }

    #[test]
    fn bytes_pass_unchanged() {
        assert_eq!(
            fed(Feed::Bytes, b"a\r\n\x00\xff"),
            [bytes(b"a\r\n\x00\xff"), Fed::End]
        );
        assert_eq!(fed(Feed::Bytes, b""), [Fed::End]);
    }

    #[test]
    fn lines_are_read_as_the_options_say() {
        let lines = |input, ending| Feed::Lines { input, ending };
        assert_eq!(
            fed(lines(InputType::Text, LineEnding::CrLf), b"PING\r\n\nlast"),
            [bytes(b"PING\r\n"), bytes(b"\r\n"), bytes(b"last\r\n"), Fed::End]
        );
        assert_eq!(
            fed(lines(InputType::Text, LineEnding::None), b"\xff\n\nx\n"),
            [bytes(b"\xff"), bytes(b"x"), Fed::End]
        );
        assert_eq!(
            fed(lines(InputType::Hex, LineEnding::Lf), b"de ad\n"),
            [bytes(b"\xde\xad"), Fed::End]
        );
        let wrong = fed(lines(InputType::Escaped, LineEnding::Lf), b"a\\r\nb\\q\n");
        assert_eq!(wrong[0], bytes(b"a\r\n"));
        assert!(
            matches!(&wrong[1], Fed::Wrong(text) if text.starts_with("line 2 of standard input cannot be sent: ")
            && text.ends_with(" at column 2")),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_line_over_several_reads_is_one_line() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"a"), Vec::<Vec<u8>>::new());
        assert_eq!(lines.take(b"b\nc\nd"), [b"ab\n".to_vec(), b"c\n".to_vec()]);
        assert_eq!(lines.take(b""), [b"d".to_vec()]);
        assert_eq!(lines.take(&vec![b'x'; LINE + 1]).len(), 1, "memory is bounded");
    }
}
