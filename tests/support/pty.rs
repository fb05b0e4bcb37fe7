//! A program in a real pseudo terminal: sends keys, waits for what the screen shows, and shows the screen when it
//! waited in vain. Never sleeps: everything waits for an event, with a deadline.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "every test crate uses a part of the harness, and none the whole; a harness that fails fails the test"
)]

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};

/// The longest wait for anything. Reached only by a failing test.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What came out of the terminal so far.
pub struct Seen {
    /// Every byte.
    pub raw: Vec<u8>,
    /// What they look like.
    pub screen: vt100::Parser,
    /// How the program ended.
    pub status: Option<ExitStatus>,
    reading: Reading,
}

impl Seen {
    /// The picture as text.
    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// How often these bytes came.
    pub fn count(&self, needle: &[u8]) -> usize {
        self.raw
            .windows(needle.len())
            .filter(|window| *window == needle)
            .count()
    }
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }
}

/// Whether the harness reads what the program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As fast as it comes.
    Always,
    /// Not until [`Pty::read_on`].
    NotYet,
    /// Never again.
    NoMore,
}

/// A program and its terminal.
pub struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn std::io::Write + Send>>,
    /// Kept open so that the line discipline outlives the program.
    slave: Option<Box<dyn SlavePty + Send>>,
    pid: Pid,
    /// The line discipline before the program started.
    discipline: String,
    shared: Arc<Shared>,
}

/// A command with an environment of its own: nothing of the developer's, and state below `home`.
pub fn command(program: &str, home: &std::path::Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env("HOME", home);
    command.env("XDG_STATE_HOME", home.join("state"));
    command.cwd(home);
    command
}

impl Pty {
    /// Starts the command in a terminal of that size.
    pub fn spawn(command: CommandBuilder, columns: u16, rows: u16, reading: Reading) -> Pty {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let discipline = format!("{:?}", pair.master.get_termios().unwrap());
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = Pid::from_raw(child.process_id().unwrap().cast_signed());
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen {
                raw: Vec::new(),
                screen: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
                status: None,
                reading,
            }),
            changed: Condvar::new(),
        });
        let reads = Arc::clone(&shared);
        thread::spawn(move || {
            let mut seen = reads.lock();
            while seen.reading == Reading::NotYet {
                seen = reads.changed.wait(seen).unwrap();
            }
            drop(seen);
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut seen = reads.lock();
                seen.raw.extend_from_slice(&buffer[..count]);
                seen.screen.process(&buffer[..count]);
                reads.changed.notify_all();
                if seen.reading == Reading::NoMore {
                    break;
                }
            }
        });
        let waits = Arc::clone(&shared);
        thread::spawn(move || {
            let status = child.wait().unwrap();
            waits.lock().status = Some(status);
            waits.changed.notify_all();
        });
        Pty {
            master: Some(pair.master),
            writer: Some(writer),
            slave: Some(pair.slave),
            pid,
            discipline,
            shared,
        }
    }

    /// The number of the program.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Types these bytes.
    pub fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    /// Sends a signal to the process group in the foreground: in a shell, to the job that it runs.
    pub fn signal_foreground(&self, signal: Signal) {
        let group = self.master.as_ref().unwrap().process_group_leader().unwrap();
        kill(Pid::from_raw(-group), signal).unwrap();
    }

    /// Changes the size of the window.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
        if columns > 0 && rows > 0 {
            let mut seen = self.shared.lock();
            let (rows, columns) = (rows.try_into().unwrap(), columns.try_into().unwrap());
            seen.screen.screen_mut().set_size(rows, columns);
        }
    }

    /// Starts to read.
    pub fn read_on(&self) {
        self.shared.lock().reading = Reading::Always;
        self.shared.changed.notify_all();
    }

    /// Closes the terminal, as when its window is closed. The reader holds it open until the next output, which an
    /// open connection brings within a second.
    pub fn hang_up(&mut self) {
        self.shared.lock().reading = Reading::NoMore;
        self.slave = None;
        self.writer = None;
        self.master = None;
    }

    /// Whether the line discipline is what it was before the program started.
    pub fn is_cooked(&self) -> bool {
        format!("{:?}", self.master.as_ref().unwrap().get_termios().unwrap()) == self.discipline
    }

    /// Looks at what was seen so far.
    pub fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.shared.lock())
    }

    /// Waits until the picture holds this text.
    pub fn wait_text(&self, text: &str) {
        self.wait_for(text, |seen| seen.text().contains(text));
    }

    /// Waits until `ready`; `what` names it when that never comes.
    pub fn wait_for(&self, what: &str, ready: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = self.shared.lock();
        while !ready(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let tail =
                    String::from_utf8_lossy(&seen.raw[seen.raw.len().saturating_sub(600)..]).into_owned();
                let (text, status) = (seen.text(), seen.status.clone());
                drop(seen);
                panic!(
                    "never came: {what}\nstatus: {status:?}\nthe screen:\n{text}\nthe last bytes: {tail:?}"
                );
            }
            seen = self.shared.changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Waits until the program has ended.
    pub fn wait_exit(&self) -> ExitStatus {
        self.wait_for("the end of the program", |seen| seen.status.is_some());
        self.look(|seen| seen.status.clone().unwrap())
    }

    /// Waits until everything that the guard changes is undone on the screen.
    pub fn wait_restored(&self) {
        self.wait_for("the terminal as it was", |seen| {
            let screen = seen.screen.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && balanced(seen)
        });
    }
}

/// Modes that vt100 does not know: each has to be off at its last mention.
fn balanced(seen: &Seen) -> bool {
    let last = |needle: &str| {
        let needle = needle.as_bytes();
        seen.raw
            .windows(needle.len())
            .rposition(|window| window == needle)
    };
    let off = |mode: &str| last(&format!("\x1b[?{mode}l")) >= last(&format!("\x1b[?{mode}h"));
    [
        "2026", "1000", "1002", "1003", "1006", "1015", "1004", "2004", "1049",
    ]
    .into_iter()
    .all(off)
        && last("\x1b[23;0t") >= last("\x1b[22;0t")
}

impl Drop for Pty {
    fn drop(&mut self) {
        let ended = self.shared.seen.lock().is_ok_and(|seen| seen.status.is_some());
        if !ended {
            // It may just have ended.
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}
