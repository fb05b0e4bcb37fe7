//! sockscope as the targets want it measured: a screen of 200x50, the log following, both views, and a session file on
//! the disk where the limits write theirs. Beside it the screen that sets the limit.

use std::fs;
use std::path::{Path, PathBuf};

use sockscope::capture::Session;
use sockscope::model::{Direction, EntryId, EntryKind, Records as _};

use crate::content::Check;
use crate::limits::Pace;
use crate::servers::Server;
use crate::terminal::{Played, Terminal};
use crate::{PART, pty};

/// The keys that end it: out of the input line, and quit.
pub(crate) const QUIT: &str = "\tQ";

/// The program and its files.
pub(crate) struct Scope {
    pub(crate) terminal: Terminal,
    home: tempfile::TempDir,
}

impl Scope {
    /// Starts it in a directory of its own below `folder`.
    pub(crate) fn start(folder: &Path, target: &str) -> Scope {
        Scope::with(folder, &[target])
    }

    /// The same with other arguments.
    pub(crate) fn with(folder: &Path, arguments: &[&str]) -> Scope {
        let home = tempfile::tempdir_in(folder).unwrap();
        let file = session_file(&home);
        let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), home.path());
        command.args(arguments);
        command.args(["--view", "both", "-w", file.to_str().unwrap()]);
        Scope {
            terminal: Terminal::start(command),
            home,
        }
    }

    /// Starts it as a tap before `server`; where it listens.
    pub(crate) fn tap(folder: &Path, server: &str) -> (Scope, String) {
        let scope = Scope::with(folder, &["tap", "127.0.0.1:0", server]);
        scope.terminal.wait_text("listening on 127.0.0.1:");
        // What is shown is in the file.
        let session = Session::open(&session_file(&scope.home)).unwrap();
        let note = session.entry(EntryId(0)).unwrap().kind;
        let EntryKind::Note { text } = note else {
            panic!("the first entry says where it listens: {note:?}");
        };
        let address = text.rsplit(' ').next().unwrap().to_owned();
        (scope, address)
    }

    /// Ends it and removes its files.
    pub(crate) fn finish(self) -> Played {
        let played = self.terminal.finish(QUIT);
        self.home.close().unwrap();
        played
    }

    /// Takes everything that `server` sends, then ends, proves that `bytes` bytes are in the file and are the right
    /// ones, and removes it.
    pub(crate) fn take(folder: &Path, mut server: Server, bytes: u64) -> (Recorded, Played) {
        let scope = Scope::start(folder, &server.address);
        assert_eq!(server.sent(), bytes);
        scope.terminal.wait_text("half-closed");
        scope.received(bytes)
    }

    /// Ends, proves that so many bytes were received and are the right ones, and removes the file.
    pub(crate) fn received(self, bytes: u64) -> (Recorded, Played) {
        let played = self.terminal.finish(QUIT);
        let recorded = prove(&session_file(&self.home), Direction::Received, bytes);
        self.home.close().unwrap();
        (recorded, played)
    }

    /// The same of a tap, whose log has the keys, for both directions.
    pub(crate) fn relayed(self, sent: u64, received: u64) -> Played {
        let played = self.terminal.finish("Q");
        let file = session_file(&self.home);
        prove(&file, Direction::Sent, sent);
        prove(&file, Direction::Received, received);
        self.home.close().unwrap();
        played
    }
}

/// What a session file tells.
pub(crate) struct Recorded {
    pub(crate) entries: u64,
    /// From the first read to the last.
    pub(crate) seconds: f64,
}

fn session_file(home: &tempfile::TempDir) -> PathBuf {
    home.path().join("session.pcapng")
}

/// Reads the session file back and compares it with what was sent.
fn prove(path: &Path, direction: Direction, bytes: u64) -> Recorded {
    let session = Session::open(path).unwrap();
    assert_eq!(session.cut(), 0, "{} is damaged", path.display());
    let mut check = Check::new();
    let (mut entries, mut total) = (0, 0);
    let (mut first, mut last) = (None, None);
    for id in (0..session.len()).map(EntryId) {
        let entry = session.entry(id).unwrap();
        if entry.direction() == Some(direction) {
            let payload = session.payload(id, 0..entry.len).unwrap();
            assert!(check.goes_on_with(&payload), "entry {} differs", id.0);
            first = first.or(Some(entry.at));
            last = Some(entry.at);
            entries += 1;
            total += payload.len() as u64;
        }
    }
    assert_eq!(
        total,
        bytes,
        "of {} bytes in {}",
        fs::metadata(path).unwrap().len(),
        path.display()
    );
    let seconds = last
        .zip(first)
        .map_or(0.0, |(last, first)| last.since(first).as_secs_f64());
    Recorded { entries, seconds }
}

/// Starts the screen that sets the limit.
pub(crate) fn painter(folder: &Path, pace: Pace, target: Option<&str>) -> Terminal {
    let program = std::env::current_exe().unwrap();
    let mut command = pty::command(program.to_str().unwrap(), folder);
    command.args([PART, "paint", pace.name()]);
    command.args(target);
    Terminal::start(command)
}
