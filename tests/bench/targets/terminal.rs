//! A pseudo terminal of 200x50 that reads as fast as it can and keeps what came and when; only afterwards does anybody
//! look at what was painted, so that looking costs the measured program nothing.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use memchr::memmem;
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::process::{cpu_of_child, peak_memory};
use crate::pty::DEADLINE;

/// The size of the screen.
const ROWS: u16 = 50;
const COLUMNS: u16 = 200;

/// The end of a synchronized update, with which every frame ends.
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// What a terminal received.
#[derive(Default)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    /// When the bytes before that place were there.
    marks: Vec<(usize, Instant)>,
}

impl Tape {
    /// When the byte before `end` was there.
    fn when(&self, end: usize) -> Instant {
        let mark = self.marks.partition_point(|(place, _)| *place < end);
        self.marks[mark].1
    }

    /// The end of every frame: where it is and when it came.
    pub(crate) fn frames(&self) -> Vec<(usize, Instant)> {
        memmem::find_iter(&self.bytes, FRAME_END)
            .map(|start| start + FRAME_END.len())
            .map(|end| (end, self.when(end)))
            .collect()
    }

    /// The times between the frames, in milliseconds.
    pub(crate) fn gaps(&self) -> Vec<f64> {
        let frames = self.frames();
        frames
            .windows(2)
            .map(|pair| (pair[1].1 - pair[0].1).as_secs_f64() * 1000.0)
            .collect()
    }

    /// Plays all frames again; `look` sees each as a picture, with the time at which it was complete.
    pub(crate) fn replay(&self, mut look: impl FnMut(&vt100::Screen, Instant)) {
        let mut screen = blank();
        let mut from = 0;
        for (end, at) in self.frames() {
            screen.process(&self.bytes[from..end]);
            from = end;
            look(screen.screen(), at);
        }
    }
}

struct Shared {
    tape: Mutex<Tape>,
    grew: Condvar,
}

/// A program and its terminal.
pub(crate) struct Terminal {
    /// When it was started.
    pub(crate) started: Instant,
    pub(crate) pid: Pid,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    _master: Box<dyn MasterPty + Send>,
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

/// A run that is over.
pub(crate) struct Played {
    pub(crate) tape: Tape,
    /// CPU seconds from start to end.
    pub(crate) cpu: f64,
    /// In MiB.
    pub(crate) peak_memory: f64,
}

impl Terminal {
    /// Starts the program.
    pub(crate) fn start(command: CommandBuilder) -> Terminal {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut source = pair.master.try_clone_reader().unwrap();
        let shared = Arc::new(Shared {
            tape: Mutex::default(),
            grew: Condvar::new(),
        });
        let recorder = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                let now = Instant::now();
                let mut tape = recorder.tape.lock().unwrap();
                tape.bytes.extend_from_slice(&buffer[..count]);
                let end = tape.bytes.len();
                tape.marks.push((end, now));
                recorder.grew.notify_all();
            }
        });
        let writer = pair.master.take_writer().unwrap();
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        Terminal {
            started,
            pid: Pid::from_raw(child.process_id().unwrap().cast_signed()),
            child,
            writer,
            _master: pair.master,
            shared,
            reader,
        }
    }

    /// Types these bytes; when that was.
    pub(crate) fn send(&mut self, keys: &str) -> Instant {
        let now = Instant::now();
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
        now
    }

    /// Waits until the picture holds this text; when it did.
    pub(crate) fn wait_text(&self, text: &str) -> Instant {
        let mut screen = blank();
        let (mut seen, mut fed) = (0, 0);
        let give_up = Instant::now() + DEADLINE;
        let mut tape = self.shared.tape.lock().unwrap();
        loop {
            while let Some(&(end, at)) = tape.marks.get(seen) {
                screen.process(&tape.bytes[fed..end]);
                (seen, fed) = (seen + 1, end);
                let caught_up = seen == tape.marks.len();
                if (caught_up || tape.bytes[..end].ends_with(FRAME_END))
                    && screen.screen().contents().contains(text)
                {
                    return at;
                }
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "never came: {text}\n{}",
                screen.screen().contents()
            );
            tape = self.shared.grew.wait_timeout(tape, left).unwrap().0;
        }
    }

    /// Waits for the first frame that is complete after `at`; when it was.
    pub(crate) fn wait_frame(&self, at: Instant) -> Instant {
        let give_up = at + DEADLINE;
        let mut tape = self.shared.tape.lock().unwrap();
        loop {
            let from = tape.marks.partition_point(|(_, when)| *when <= at);
            let start = from
                .checked_sub(1)
                .map_or(0, |mark| tape.marks[mark].0)
                .saturating_sub(FRAME_END.len() - 1);
            if let Some(end) = memmem::find(&tape.bytes[start..], FRAME_END) {
                return tape.when(start + end + FRAME_END.len());
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no frame came");
            tape = self.shared.grew.wait_timeout(tape, left).unwrap().0;
        }
    }

    /// Types `keys`, which end the program, and waits for the end.
    pub(crate) fn finish(mut self, keys: &str) -> Played {
        let peak_memory = peak_memory(self.pid);
        self.send(keys);
        let cpu = cpu_of_child(|| {
            let status = self.child.wait().unwrap();
            assert!(status.success(), "{status}");
        });
        // Nobody holds the other end any more, so the reader has an end too.
        self.reader.join().unwrap();
        let mut tape = self.shared.tape.lock().unwrap();
        Played {
            tape: std::mem::take(&mut tape),
            cpu,
            peak_memory,
        }
    }
}

fn blank() -> vt100::Parser {
    vt100::Parser::new(ROWS.try_into().unwrap(), COLUMNS.try_into().unwrap(), 0)
}
