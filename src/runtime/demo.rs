//! The demo server: a chatty peer on a loopback port inside this process, so that there is something to see with
//! no set-up. It records nothing and knows nothing of the screen; what it says is in `script`.

mod script;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::model::{Authority, Endpoint, Host, Port};
use script::Step;

/// How often the server says something unasked.
const CHAT_EVERY: Duration = Duration::from_secs(7);

/// After this silence an unfinished line counts as a message: typed hex has no line ending.
const UNFINISHED: Duration = Duration::from_millis(200);

/// A line longer than this is answered in pieces.
const LINE: usize = 64 * 1024;

/// The running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Demo {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
    stop: Option<DropGuard>,
}

impl Demo {
    /// Starts the server on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Demo> {
        Demo::chatting_every(CHAT_EVERY)
    }

    /// What to connect to.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp(Authority {
            host: Host::Address {
                ip: self.address.ip(),
                zone: None,
            },
            port: Port::Number(self.address.port()),
        })
    }

    fn chatting_every(pause: Duration) -> io::Result<Demo> {
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        debug_assert_eq!(address.ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("demo".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    () = stopped.cancelled() => {}
                    () = accept(listener, pause) => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Demo {
            address,
            thread: Some(thread),
            stop: Some(stop.drop_guard()),
        })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic in the server was already reported by the hook, and is no reason for another one here.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, pause: Duration) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // A client that goes away is the client's affair.
                tokio::spawn(async move { converse(stream, pause).await.ok() });
            }
            // Out of descriptors: the listener stays readable, so wait instead of spinning.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// What happened next in a conversation.
enum Heard {
    /// More bytes came.
    More,
    /// The client sent FIN.
    End,
    /// Nothing came for as long as was waited.
    Silence,
}

/// One conversation, until either side ends it.
async fn converse(mut stream: TcpStream, pause: Duration) -> io::Result<()> {
    // Each write is to be one segment, so that read boundaries are worth looking at.
    stream.set_nodelay(true)?;
    stream.write_all(script::GREETING.as_bytes()).await?;
    let mut pending = Vec::new();
    let mut chats = 0;
    let mut chat_at = Instant::now() + pause;
    loop {
        let until = if pending.is_empty() {
            chat_at
        } else {
            Instant::now() + UNFINISHED
        };
        let heard = match timeout_at(until, stream.read_buf(&mut pending)).await {
            Ok(Ok(0)) => Heard::End,
            Ok(Ok(_)) => Heard::More,
            Ok(Err(error)) => return Err(error),
            Err(_) => Heard::Silence,
        };
        if matches!(heard, Heard::Silence) && pending.is_empty() {
            perform(&mut stream, vec![script::chat(chats)]).await?;
            chats += 1;
            chat_at = Instant::now() + pause;
        }
        while let Some(line) = next_line(&mut pending, &heard) {
            if perform(&mut stream, script::answer(&line, &now())).await? == Flow::Ended {
                return Ok(());
            }
        }
        if matches!(heard, Heard::End) {
            return stream.shutdown().await;
        }
    }
}

/// Takes the first line out of `pending`; a line without an end counts once nothing more is coming, or when it has
/// grown too long.
fn next_line(pending: &mut Vec<u8>, heard: &Heard) -> Option<Vec<u8>> {
    let end = match pending.iter().position(|byte| *byte == b'\n') {
        Some(at) => at + 1,
        None if matches!(heard, Heard::More) && pending.len() < LINE => return None,
        None => pending.len(),
    };
    (end > 0).then(|| pending.drain(..end).collect())
}

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    GoesOn,
    Ended,
}

async fn perform(stream: &mut TcpStream, steps: Vec<Step>) -> io::Result<Flow> {
    for step in steps {
        match step {
            Step::Write(bytes) => stream.write_all(&bytes).await?,
            Step::Pause(time) => sleep(time).await,
            Step::Finish => {
                stream.shutdown().await?;
                // Closing with unread bytes would turn the FIN into a RST (RFC 2525 §2.17).
                tokio::io::copy(stream, &mut tokio::io::sink()).await?;
                return Ok(Flow::Ended);
            }
            Step::Reset => {
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                return Ok(Flow::Ended);
            }
        }
    }
    Ok(Flow::GoesOn)
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{Shutdown, TcpStream};

    use super::*;

    const NEVER: Duration = Duration::from_hours(1);

    fn client(demo: &Demo) -> TcpStream {
        let mut stream = TcpStream::connect(demo.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        expect(&mut stream, script::GREETING.as_bytes());
        stream
    }

    fn expect(stream: &mut TcpStream, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        stream.read_exact(&mut bytes).unwrap();
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }

    #[test]
    fn it_greets_echoes_and_ends_when_the_client_does() {
        let demo = Demo::chatting_every(NEVER).unwrap();
        let mut stream = client(&demo);
        stream.write_all(b"Hello, server!\r\n").unwrap();
        expect(&mut stream, b"Hello, server!\r\n");
        stream.write_all(b"no line ending").unwrap();
        expect(&mut stream, b"no line ending");
        stream.write_all(b"last words").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"last words");
    }

    #[test]
    fn bye_is_a_fin_and_reset_is_a_rst() {
        let demo = Demo::chatting_every(NEVER).unwrap();
        let mut stream = client(&demo);
        stream.write_all(b"bye\n").unwrap();
        expect(&mut stream, b"goodbye\r\n");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);

        let mut stream = client(&demo);
        stream.write_all(b"reset\n").unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }

    #[test]
    fn it_speaks_unasked_and_serves_several_clients() {
        let demo = Demo::chatting_every(Duration::from_millis(1)).unwrap();
        for mut stream in [client(&demo), client(&demo)] {
            expect(
                &mut stream,
                b"tick: nothing was asked, this line comes by itself\r\n{",
            );
        }
    }

    #[test]
    fn dropping_it_closes_the_port() {
        let demo = Demo::start().unwrap();
        let address = demo.address;
        assert_eq!(demo.endpoint().to_string(), format!("tcp://{address}"));
        drop(demo);
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
    }
}
