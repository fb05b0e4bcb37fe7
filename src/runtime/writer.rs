//! Writing frames: one in flight, none queued. What the terminal does not take at once is left to a thread; while the
//! terminal is slow, nothing is drawn and nobody waits, and what is drawn next is the newest state.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::mpsc as async_mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::output::Output;

/// Where finished frames go. Tests put a screen of their own here.
pub(crate) trait Display {
    /// Whether a frame can be taken now.
    fn is_free(&mut self) -> bool;

    /// Waits until a frame can be taken. Cancelling this loses nothing.
    fn freed(&mut self) -> impl Future<Output = ()>;

    /// An empty buffer for the next frame.
    fn buffer(&mut self) -> Vec<u8>;

    /// Takes a frame. To be called only while free.
    fn show(&mut self, frame: Vec<u8>);
}

/// Hands frames to the terminal, or to the thread.
#[derive(Debug)]
pub(crate) struct FrameWriter {
    output: Arc<Output>,
    frames: mpsc::SyncSender<Vec<u8>>,
    written: async_mpsc::Receiver<Vec<u8>>,
    in_flight: bool,
    spare: Vec<u8>,
}

impl FrameWriter {
    /// Starts the thread. It ends when this is dropped and the terminal has taken what it was given; nobody waits for
    /// that.
    pub(crate) fn start(output: Arc<Output>) -> io::Result<FrameWriter> {
        let (frames, queue) = mpsc::sync_channel::<Vec<u8>>(1);
        let (done, written) = async_mpsc::channel(1);
        let waiting = Arc::clone(&output);
        thread::Builder::new().name("frames".into()).spawn(move || {
            for mut frame in queue {
                // What became of it is not of interest here: a shut gate and a vanished terminal end the loop by
                // other ways.
                waiting.write(&frame);
                frame.clear();
                if done.blocking_send(frame).is_err() {
                    break;
                }
            }
        })?;
        Ok(FrameWriter {
            output,
            frames,
            written,
            in_flight: false,
            spare: Vec::new(),
        })
    }
}

impl FrameWriter {
    /// The thread has done its work, or is gone.
    fn take_back(&mut self, buffer: Option<Vec<u8>>) {
        self.spare = buffer.unwrap_or_default();
        self.in_flight = false;
    }
}

impl Display for FrameWriter {
    fn is_free(&mut self) -> bool {
        if self.in_flight {
            match self.written.try_recv() {
                Ok(buffer) => self.take_back(Some(buffer)),
                Err(TryRecvError::Disconnected) => self.take_back(None),
                Err(TryRecvError::Empty) => {}
            }
        }
        !self.in_flight
    }

    async fn freed(&mut self) {
        if self.in_flight {
            let buffer = self.written.recv().await;
            self.take_back(buffer);
        }
    }

    fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    fn show(&mut self, mut frame: Vec<u8>) {
        if !frame.is_empty() {
            // Most terminals take all of it at once, which spares two switches between threads.
            let taken = self.output.write_now(&frame);
            frame.drain(..taken);
        }
        if frame.is_empty() {
            self.spare = frame;
            return;
        }
        // One in flight at most, so there is room; the thread outlives its sender.
        self.in_flight = self.frames.try_send(frame).is_ok();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;

    use nix::pty::openpty;
    use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

    use super::*;

    #[tokio::test]
    async fn one_frame_is_in_flight_and_its_buffer_comes_back() {
        let (mut reader, pipe) = io::pipe().unwrap();
        let output = Arc::new(Output::new(&pipe).unwrap());
        output.open();
        let mut writer = FrameWriter::start(output).unwrap();
        drop(pipe);

        writer.show(Vec::new());
        assert!(writer.is_free());
        let mut frame = writer.buffer();
        frame.extend_from_slice(&vec![b'x'; 1 << 17]);
        let capacity = frame.capacity();
        writer.show(frame);
        assert!(!writer.is_free());
        // Twice what a pipe holds: the frame stays in flight until somebody reads.
        assert!(writer.written.try_recv().is_err());
        let mut seen = vec![0; 1 << 17];
        reader.read_exact(&mut seen).unwrap();
        writer.freed().await;
        assert!(writer.is_free());
        assert_eq!(writer.buffer().capacity(), capacity);
    }

    #[tokio::test]
    async fn what_does_not_fit_at_once_follows_in_order() {
        let pty = openpty(None, None).unwrap();
        let mut mode = tcgetattr(&pty.slave).unwrap();
        cfmakeraw(&mut mode);
        tcsetattr(&pty.slave, SetArg::TCSANOW, &mode).unwrap();
        let output = Arc::new(Output::new(&pty.slave).unwrap());
        output.open();
        let mut writer = FrameWriter::start(output).unwrap();

        writer.show(b"small".to_vec());
        assert!(writer.is_free());
        let large: Vec<u8> = (0..1 << 20).map(|i: u32| (i % 251) as u8).collect();
        writer.show(large.clone());
        assert!(!writer.is_free());
        let mut seen = vec![0; 5 + large.len()];
        File::from(pty.master).read_exact(&mut seen).unwrap();
        assert_eq!(&seen[..5], b"small");
        assert!(seen[5..] == large);
        writer.freed().await;
        assert!(writer.is_free());
    }
}
