//! An open connection as the session sees it: bytes in the clear, read and written without ever waiting.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use socket2::SockRef;
use tokio::io::{Interest, Ready};

use crate::model::{ConnectionId, EntryId, Side, Timestamp, TlsReport};

use super::Clock;
use super::credentials::Credentials;
use super::datagram::Datagram;
use super::kernel::{Kernel, Watch};
use super::messages::Taken;
use super::socket::{Carries, Socket};
use super::stamping::{Refused, Stamping};
use super::tls::{ClientHello, Fault, Greeting, Interceptor, TlsError, TlsStream};
use super::wire::Wire;

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes; of datagrams it may be none.
    Bytes(usize),
    /// The end of what the peer sends.
    End,
    /// The end of the wire, while TLS had not said that it is the end: what was sent may be cut short.
    Cut,
}

/// An open connection.
pub(super) struct Channel {
    /// Declared first, so that it is dropped before the socket is: nobody asks about a closed descriptor.
    watch: Watch,
    wire: Wire,
    tls: Option<Box<TlsStream>>,
    /// Datagrams that the kernel has dropped, and how many of them were told of.
    dropped: (u32, u32),
    /// Who sent the last datagram, and whether that is still to be told.
    sender: (Option<Credentials>, Option<Credentials>),
    /// Bytes of the last message that were not taken.
    cut: usize,
    /// To whom and from whom the last datagram went, where that may be anybody.
    ends: Option<(SocketAddr, SocketAddr)>,
}

impl Channel {
    /// Takes over a socket that leads to a side of a connection. The kernel can be asked about it from now on.
    pub(super) fn new(socket: Socket, id: ConnectionId, side: Side, kernel: &Kernel) -> Channel {
        Channel {
            watch: kernel.watch(id, side, socket.as_fd()),
            wire: Wire::new(socket),
            tls: None,
            dropped: (0, 0),
            sender: (None, None),
            cut: 0,
            ends: None,
        }
    }

    /// What crosses it.
    pub(super) fn carries(&self) -> Carries {
        self.wire.socket.carries()
    }

    /// Who sent the last datagram, if it was somebody else than before.
    pub(super) fn take_sender(&mut self) -> Option<Credentials> {
        self.sender.1.take()
    }

    /// To which of our addresses, or which group, the last datagram went, and from whom, where that may be anybody.
    pub(super) fn take_ends(&mut self) -> Option<(SocketAddr, SocketAddr)> {
        self.ends.take()
    }

    /// How many bytes the last message had beyond those that were taken.
    pub(super) fn take_cut(&mut self) -> usize {
        std::mem::take(&mut self.cut)
    }

    /// Whether what it carries are datagrams, each for itself.
    pub(super) fn has_datagrams(&self) -> bool {
        self.carries() == Carries::Datagrams
    }

    /// Datagrams that the kernel has dropped since this was asked last.
    pub(super) fn take_dropped(&mut self) -> u32 {
        let (count, told) = self.dropped;
        self.dropped.1 = count;
        // It counts on from 0 after its largest number.
        count.wrapping_sub(told)
    }

    /// Makes it a TLS connection; what came of the handshake is told also when it failed.
    pub(super) async fn secure(&mut self, mut tls: Box<TlsStream>) -> (TlsReport, Result<(), Fault>) {
        let start = Instant::now();
        let result = loop {
            match tls.shake(&mut self.wire) {
                Ok(true) => break Ok(()),
                Ok(false) => {}
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(fault) => break Err(fault),
            }
            let interest = if tls.wants_write() {
                Interest::READABLE | Interest::WRITABLE
            } else {
                Interest::READABLE
            };
            self.ready(interest).await;
        };
        let report = tls.report(start.elapsed());
        self.tls = Some(tls);
        (report, result)
    }

    /// Whether it speaks TLS, or is about to.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Begins to make it a TLS connection: [`Channel::shake`] goes on until it is.
    pub(super) fn begin(&mut self, tls: Box<TlsStream>) {
        self.tls = Some(tls);
    }

    /// Goes on with the handshake as far as the wire lets it; whether it is through.
    pub(super) fn shake(&mut self) -> Result<bool, Fault> {
        match &mut self.tls {
            Some(tls) => tls.shake(&mut self.wire),
            None => Ok(true),
        }
    }

    /// What the handshake came to, that took so long.
    pub(super) fn tls_report(&self, took: Duration) -> Option<TlsReport> {
        self.tls.as_ref().map(|tls| tls.report(took))
    }

    /// Reads what has arrived in the clear, whatever the reactor knows of it; none if nothing has.
    pub(super) fn waiting(&self, buffer: &mut [u8]) -> Option<usize> {
        self.wire.socket.waiting(buffer)
    }

    /// Reads a client's first message of TLS, to which nothing is answered yet; [`Channel::answer`] does.
    pub(super) async fn hello(&mut self) -> Result<Box<ClientHello>, Fault> {
        let mut greeting = Box::<Greeting>::default();
        loop {
            if let Some(hello) = greeting.listen(&mut self.wire)? {
                return Ok(Box::new(hello));
            }
            self.ready(Interest::READABLE).await;
        }
    }

    /// Makes it a TLS connection in the name of the server that the client asked for, or else of `server`, with the
    /// application protocol that the real one chose; what came of the handshake is told also when it failed.
    pub(super) async fn answer(
        &mut self,
        interceptor: &Interceptor,
        hello: Box<ClientHello>,
        (server, alpn): (&str, Option<&[u8]>),
    ) -> Result<(TlsReport, Result<(), Fault>), TlsError> {
        let unanswered = hello.unanswered();
        Ok(match interceptor.answer(*hello, server, alpn, &mut self.wire)? {
            Ok(tls) => self.secure(Box::new(tls)).await,
            Err(fault) => (unanswered, Err(fault)),
        })
    }

    /// Tells a client that it will not be answered.
    pub(super) fn refuse(&mut self, hello: Box<ClientHello>) {
        hello.refuse(&mut self.wire);
    }

    /// The application protocol that TLS agreed on.
    pub(super) fn protocol(&self) -> Option<Vec<u8>> {
        self.tls.as_ref()?.protocol().map(<[u8]>::to_vec)
    }

    /// Says that nothing more will be sent, and waits until the peer has ended too, as long as that has little to say:
    /// what nobody reads would make a reset of our end, and that can overtake our last words.
    pub(super) async fn part(&mut self) {
        const LITTLE: usize = 256 << 10;
        let mut heard = 0;
        let mut buffer = vec![0; 4096];
        if self.wire.socket.finish().is_err() {
            return;
        }
        while heard < LITTLE {
            match self.wire.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => heard += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wire.ready(Interest::READABLE).await;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Our address.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.wire.socket.local()
    }

    /// The socket, for its options.
    pub(super) fn options(&self) -> SockRef<'_> {
        SockRef::from(&self.wire.socket)
    }

    /// Waits until something of `interest` is worth trying.
    pub(super) async fn ready(&self, interest: Interest) -> Ready {
        let decrypted = self.tls.as_ref().is_some_and(|tls| tls.wants_reading());
        let wire = self.wire.ready(interest);
        if decrypted && interest.is_readable() {
            let now = wire.now_or_never();
            return now.map_or(Ready::READABLE, |now| now | Ready::READABLE);
        }
        wire.await
    }

    /// Whether something waits to be written, whatever is to be sent.
    pub(super) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads what is there.
    pub(super) fn receive(&mut self, buffer: &mut Vec<u8>) -> Result<Received, Fault> {
        if let Some(tls) = &mut self.tls {
            return tls.receive(&mut self.wire, buffer);
        }
        match &mut self.wire.socket {
            Socket::Udp(_) | Socket::Lane(_) => {
                let datagram = self.wire.take_datagram(buffer)?;
                self.dropped.0 = datagram.dropped.unwrap_or(self.dropped.0);
                Ok(Received::Bytes(datagram.len))
            }
            Socket::Group(group) => {
                let Datagram {
                    count,
                    remote,
                    local,
                    dropped,
                } = group.take(buffer)?;
                self.dropped.0 = dropped.unwrap_or(self.dropped.0);
                let mut to = group.local();
                if let Some(ip) = local {
                    to.set_ip(ip);
                }
                self.ends = Some((to, remote));
                Ok(Received::Bytes(count))
            }
            Socket::Messages(messages) => {
                let taken = messages.take(buffer)?;
                Ok(self.taken(taken))
            }
            Socket::Tcp(_) | Socket::Unix(_) => match self.wire.read(buffer)? {
                0 => Ok(Received::End),
                count => Ok(Received::Bytes(count)),
            },
        }
    }

    fn taken(&mut self, taken: Taken) -> Received {
        match taken {
            Taken::End => Received::End,
            Taken::Message { count, len, sender } => {
                self.cut = len - count;
                // Whoever has connected is known already.
                if self.wire.socket.carries() == Carries::Datagrams && sender != self.sender.0 {
                    self.sender = (sender, sender);
                }
                Received::Bytes(count)
            }
        }
    }

    /// Asks for time stamps of what crosses from now on, or for no more.
    pub(super) fn stamp(&mut self, on: bool, clock: Clock) -> Result<(), Refused> {
        self.wire.stamp(on, clock)
    }

    /// Its time stamps, if they were ever asked for.
    pub(super) fn stamping(&mut self) -> Option<&mut Stamping> {
        self.wire.stamping()
    }

    /// The time before something is written, where that is asked for.
    pub(super) fn queued_at(&mut self, clock: Clock) -> Option<Timestamp> {
        let stamping = self.wire.stamping()?;
        stamping.is_active().then(|| clock.now())
    }

    /// An entry was sent, which the kernel was given at `queued`.
    pub(super) fn stamp_sent(&mut self, entry: Option<EntryId>, at: Timestamp, queued: Option<Timestamp>) {
        if let (Some(stamping), Some(entry), Some(queued)) = (self.wire.stamping(), entry, queued) {
            stamping.sent(entry, at, queued);
        }
    }

    /// An entry was received.
    pub(super) fn stamp_received(&mut self, entry: Option<EntryId>, at: Timestamp) {
        if let (Some(stamping), Some(entry)) = (self.wire.stamping(), entry) {
            stamping.received(entry, at);
        }
    }

    /// Takes in the time stamps that have come.
    pub(super) fn gather_stamps(&mut self) {
        self.wire.gather();
    }

    /// Whether an error that the reactor told of was a time stamp, and not the end.
    pub(super) fn only_stamped(&self) -> bool {
        self.wire.was_stamped() && !self.wire.socket.is_hung_up()
    }

    /// Writes; how many bytes the kernel took. What it has not taken has to be offered again first.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => tls.send(&mut self.wire, bytes),
            None => self.wire.write(bytes),
        }
    }

    /// Writes what TLS itself has to say.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.flush(&mut self.wire),
            None => Ok(()),
        }
    }

    /// Says that nothing more will be sent: FIN, behind TLS's own word for it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.finish(&mut self.wire)?;
        }
        self.wire.socket.finish()
    }

    /// Ends the wire as one does that is cut off: FIN, without TLS's own word for it.
    pub(super) fn cut_off(&self) -> io::Result<()> {
        self.wire.socket.finish()
    }

    /// Whether bytes that were offered have to be offered again before any others.
    pub(super) fn is_sending(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_sending())
    }

    /// Makes the end that follows a reset: RST.
    pub(super) fn reset(&self) {
        self.wire.socket.reset();
    }

    /// Closes it.
    pub(super) fn close(self) {
        let Channel { watch, wire, .. } = self;
        drop(watch);
        wire.socket.close();
    }

    /// The error that came back for a datagram.
    pub(super) fn take_refusal(&self) -> Option<io::Error> {
        self.wire.socket.take_refusal()
    }

    /// The error that the socket has in store.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.wire.socket.take_error()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{Ipv4Addr, TcpStream};
    use std::thread;

    use super::*;
    use crate::net::tls::{LocalAuthority, Tls, TlsOptions};

    /// Connects a client that speaks TLS and waits for what it does, and a channel that accepted it.
    async fn accepted<T: Send + 'static>(
        client: impl FnOnce(TcpStream) -> T + Send + 'static,
    ) -> (Channel, thread::JoinHandle<T>) {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || client(TcpStream::connect(address).unwrap()));
        let (stream, _) = listener.accept().await.unwrap();
        let channel = Channel::new(
            Socket::Tcp(stream),
            ConnectionId(0),
            Side::Peer,
            &Kernel::default(),
        );
        (channel, thread)
    }

    #[tokio::test]
    async fn a_client_is_answered_in_two_steps() {
        let folder = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open(folder.path()).unwrap();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, authority.pem()).unwrap();
        let (mut channel, client) = accepted(move |mut wire| {
            let options = TlsOptions {
                ca: Some(ca),
                alpn: vec!["h2".into(), "imap".into()],
                ..TlsOptions::default()
            };
            let tls = Tls::load(&options).unwrap();
            let mut tls = tls.client(&"mail.example:993".parse().unwrap()).unwrap();
            assert!(tls.shake(&mut wire).unwrap());
            tls.send(&mut wire, b"a1 NOOP").unwrap();
            let mut buffer = [0; 64];
            let Ok(Received::Bytes(count)) = tls.receive(&mut wire, &mut buffer) else {
                panic!("no answer");
            };
            tls.finish(&mut wire).unwrap();
            // Until the other side ends too.
            wire.read_to_end(&mut Vec::new()).unwrap();
            buffer[..count].to_vec()
        })
        .await;
        let hello = channel.hello().await.unwrap();
        assert_eq!(hello.name(), Some("mail.example"));
        assert_eq!(hello.alpn(), [&b"h2"[..], b"imap"]);
        let interceptor = Tls::load(&TlsOptions::default()).unwrap().interceptor(authority);
        let answered = channel
            .answer(&interceptor, hello, ("127.0.0.1", Some(b"imap")))
            .await;
        let (report, result) = answered.unwrap();
        result.unwrap();
        assert_eq!(report.agreed.unwrap().alpn.as_deref(), Some("imap"));
        let mut buffer = vec![0; 64];
        let mut received = Vec::new();
        loop {
            match channel.receive(&mut buffer) {
                Ok(Received::Bytes(count)) => {
                    received.extend_from_slice(&buffer[..count]);
                    channel.send(b"a1 OK").unwrap();
                }
                Ok(Received::End) => break,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    channel.ready(Interest::READABLE).await;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(received, b"a1 NOOP");
        channel.finish().unwrap();
        assert_eq!(client.join().unwrap(), b"a1 OK");
    }

    #[tokio::test]
    async fn a_client_whose_offers_do_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open(folder.path()).unwrap();
        let (mut channel, client) = accepted(|mut wire| {
            let options = TlsOptions {
                alpn: vec!["h2".into()],
                ..TlsOptions::default()
            };
            let tls = Tls::load(&options).unwrap();
            let mut tls = tls.client(&"www.example:443".parse().unwrap()).unwrap();
            match tls.shake(&mut wire) {
                Err(Fault::Tls { why, .. }) => why,
                other => panic!("{other:?}"),
            }
        })
        .await;
        let hello = channel.hello().await.unwrap();
        let interceptor = Tls::load(&TlsOptions::default()).unwrap().interceptor(authority);
        let answered = channel
            .answer(&interceptor, hello, ("127.0.0.1", Some(b"imap")))
            .await;
        let (report, result) = answered.unwrap();
        assert_eq!(
            (report.server_name.as_str(), report.agreed),
            ("www.example", None)
        );
        let Err(Fault::Tls { why, .. }) = result else {
            panic!("it was taken");
        };
        assert!(why.contains("none of the application protocols"), "{why}");
        assert!(client.join().unwrap().contains("no_application_protocol (120)"));
    }
}
