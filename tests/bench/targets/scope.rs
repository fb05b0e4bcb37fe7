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
        let home = tempfile::tempdir_in(folder).unwrap();
        let file = session_file(&home);
        let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), home.path());
        command.args(["--view", "both", "-w", file.to_str().unwrap(), target]);
        Scope {
            terminal: Terminal::start(command),
            home,
        }
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
        let played = scope.terminal.finish(QUIT);
        let recorded = prove(&session_file(&scope.home), bytes);
        scope.home.close().unwrap();
        (recorded, played)
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
fn prove(path: &Path, bytes: u64) -> Recorded {
    let session = Session::open(path).unwrap();
    assert_eq!(session.cut(), 0, "{} is damaged", path.display());
    let received = EntryKind::Data {
        direction: Direction::Received,
    };
    let mut check = Check::new();
    let (mut entries, mut total) = (0, 0);
    let (mut first, mut last) = (None, None);
    for id in (0..session.len()).map(EntryId) {
        let entry = session.entry(id).unwrap();
        if entry.kind == received {
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
