//! From a connection that was accepted to one through which bytes may cross: at once, or with the handshake of TLS in
//! between, as its server. Whoever is slow at it, or says something else, holds up nobody but itself.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::channel::Channel;
use super::journal::Journal;
use super::session::After;
use super::shared::{Fate, Shared};
use super::tls::{ClientHello, Fault, Interceptor, LocalAuthority, TlsError, TlsServer};
use super::words;
use crate::model::{End, EndHow, Endpoint, EntryKind, LinkState, NetCommand, PeerCommand, Side, TlsReport};
use crate::text::format;

/// How long whoever is turned away may take to hear why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is between accepting a connection and its first byte.
pub(super) enum Acceptor {
    /// Nothing.
    Clear,
    /// TLS, with one certificate for all.
    Tls(Box<TlsServer>),
    /// TLS in the name of the server that is asked for.
    Intercept(Box<Interceptor>),
}

impl Acceptor {
    /// The one for what is bound at these addresses, and relayed to `target` if there is one.
    pub(super) fn new(
        shared: &Shared,
        endpoint: &Endpoint,
        target: Option<&Endpoint>,
        bound: &[IpAddr],
    ) -> Result<Acceptor, TlsError> {
        if let (Some(directory), Some(_)) = (&shared.options.tls.intercept, target) {
            let authority = LocalAuthority::open(directory)?;
            return Ok(Acceptor::Intercept(Box::new(shared.tls.interceptor(authority))));
        }
        match endpoint {
            Endpoint::Tls(_) => Ok(Acceptor::Tls(Box::new(shared.tls.server(bound)?))),
            Endpoint::Tcp(_)
            | Endpoint::Udp(_)
            | Endpoint::Unix(_)
            | Endpoint::UnixDatagram(_)
            | Endpoint::UnixSeqpacket(_) => Ok(Acceptor::Clear),
        }
    }

    /// What those who connect get to see, in words.
    pub(super) fn note(&self) -> Option<String> {
        match self {
            Acceptor::Clear => None,
            Acceptor::Tls(server) => {
                let (certificate, made) = (server.certificate(), server.is_made());
                let whose = if made {
                    "a certificate that was made on the spot".to_owned()
                } else {
                    format!("the certificate of {}", certificate.subject)
                };
                Some(format!(
                    "clients get to see {whose}, SHA-256 {}",
                    certificate.sha256
                ))
            }
            Acceptor::Intercept(interceptor) => Some(format!(
                "clients get to see certificates by {}, SHA-256 {}, which they have to trust: sockscope ca prints it",
                interceptor.authority().certificate().subject,
                interceptor.authority().certificate().sha256
            )),
        }
    }

    /// The SHA-256 of the certificate that those who connect get to see, and whether it was made on the spot.
    pub(super) fn fingerprint(&self) -> Option<(String, bool)> {
        match self {
            Acceptor::Tls(server) => Some((server.certificate().sha256.clone(), server.is_made())),
            // Each server that is asked for has its own.
            Acceptor::Clear | Acceptor::Intercept(_) => None,
        }
    }
}

/// How far a connection has come.
pub(super) enum Welcomed {
    /// Bytes may cross, in the clear.
    Clear,
    /// Bytes may cross in TLS, in which this application protocol was agreed on.
    Secured(Option<Vec<u8>>),
    /// It has said what it asks for, and waits for the answer.
    Asks(Box<ClientHello>),
}

/// A connection that was accepted and through which nothing may cross yet.
pub(super) struct Guest<'g> {
    pub(super) shared: &'g Shared,
    pub(super) journal: &'g mut Journal,
    pub(super) channel: &'g mut Channel,
    /// What it is called in sentences.
    pub(super) name: &'g str,
    /// Which side of the connection it is: with a server behind it the near one.
    pub(super) side: Side,
}

impl Guest<'_> {
    /// Does what comes before the first byte, or before the real server is asked.
    ///
    /// # Errors
    /// It came to nothing, which is recorded and reported; what follows.
    pub(super) async fn welcome(
        &mut self,
        acceptor: &Acceptor,
        inbox: &mut mpsc::Receiver<NetCommand>,
    ) -> Result<Welcomed, After> {
        match acceptor {
            Acceptor::Clear => Ok(Welcomed::Clear),
            Acceptor::Tls(server) => {
                self.begin();
                let tls = match server.accept() {
                    Ok(tls) => tls,
                    Err(error) => return Err(self.not_ours(&error)),
                };
                let shaken = bounded(self.shared, inbox, self.channel.secure(Box::new(tls))).await;
                let agreed = self.shaken(shaken, inbox).await?;
                Ok(Welcomed::Secured(agreed))
            }
            Acceptor::Intercept(_) => {
                self.begin();
                match bounded(self.shared, inbox, self.channel.hello()).await {
                    Ok(Ok(hello)) => Ok(Welcomed::Asks(hello)),
                    Ok(Err(fault)) => Err(self.faulty(fault, inbox).await),
                    Err(stopped) => Err(self.stopped(stopped)),
                }
            }
        }
    }

    /// Answers in the name of the server that was asked for, or else of `server`, with the application protocol that
    /// the real one chose.
    ///
    /// # Errors
    /// As above.
    pub(super) async fn answer(
        &mut self,
        interceptor: &Interceptor,
        hello: Box<ClientHello>,
        as_whom: (&str, Option<&[u8]>),
        inbox: &mut mpsc::Receiver<NetCommand>,
    ) -> Result<(), After> {
        self.begin();
        let answering = Box::pin(self.channel.answer(interceptor, hello, as_whom));
        let shaken = match bounded(self.shared, inbox, answering).await {
            Ok(Ok(shaken)) => Ok(shaken),
            Ok(Err(error)) => return Err(self.not_ours(&error)),
            Err(stopped) => Err(stopped),
        };
        self.shaken(shaken, inbox).await.map(drop)
    }

    /// Tells whoever waits for an answer that there will be none.
    pub(super) async fn refuse(&mut self, hello: Box<ClientHello>) {
        self.channel.refuse(hello);
        self.last_words().await;
    }

    fn begin(&self) {
        let id = self.journal.connection();
        self.shared.link(id, |link| link.state = LinkState::Handshaking);
    }

    /// What came of a handshake: the application protocol that was agreed on.
    async fn shaken(
        &mut self,
        shaken: Result<(TlsReport, Result<(), Fault>), Stopped>,
        inbox: &mut mpsc::Receiver<NetCommand>,
    ) -> Result<Option<Vec<u8>>, After> {
        let (report, result) = match shaken {
            Ok(shaken) => shaken,
            Err(stopped) => return Err(self.stopped(stopped)),
        };
        let at = self.shared.clock.now();
        self.journal.event(at, EntryKind::Tls(Box::new(report.clone())));
        let report = Arc::new(report);
        self.shared
            .link(self.journal.connection(), |link| match self.side {
                Side::Local => link.application_tls = Some(Arc::clone(&report)),
                Side::Peer => link.tls = Some(Arc::clone(&report)),
            });
        match result {
            Ok(()) => Ok(self.channel.protocol()),
            Err(fault) => Err(self.faulty(fault, inbox).await),
        }
    }

    /// The handshake cannot go on.
    async fn faulty(&mut self, fault: Fault, inbox: &mut mpsc::Receiver<NetCommand>) -> After {
        let is_ours = matches!(fault, Fault::Tls { by: Side::Local, .. });
        let (how, errno, reason) = match fault {
            Fault::Io(error) => {
                let how = match words::errno(&error) {
                    Some(Errno::ECONNRESET | Errno::EPIPE) => EndHow::Rst,
                    Some(Errno::ETIMEDOUT) => EndHow::Timeout,
                    Some(_) | None => EndHow::Os,
                };
                (how, error.raw_os_error(), words::broken(self.name, &error))
            }
            Fault::Cut { why } => (EndHow::Truncated, None, format!("{} {why}", self.name)),
            Fault::Tls { why, .. } => (EndHow::Alert, None, format!("{} {why}", self.name)),
        };
        let end = if is_ours {
            self.our_end(how)
        } else {
            End {
                by: self.side,
                how,
                errno,
            }
        };
        self.over(end, reason);
        if is_ours {
            // It hears the alert, and the user need not wait for that.
            return attended(self.shared, inbox, self.last_words())
                .await
                .err()
                .unwrap_or(After::Ended);
        }
        After::Ended
    }

    fn stopped(&mut self, stopped: Stopped) -> After {
        match stopped {
            Stopped::Late => {
                let limit = format::took(self.shared.options.connect_timeout);
                let reason = format!(
                    "{} connected and did not finish the TLS handshake within {limit} (--connect-timeout): does it \
                     speak TLS?",
                    self.name
                );
                self.over(self.our_end(EndHow::Timeout), reason);
                After::Ended
            }
            Stopped::Told(after) => {
                let reason = format!("{} was let go during the TLS handshake", self.name);
                self.over(self.our_end(EndHow::Close), reason);
                after
            }
        }
    }

    /// It is our own fault.
    fn not_ours(&mut self, error: &TlsError) -> After {
        self.over(self.our_end(EndHow::Os), error.to_string());
        After::Ended
    }

    /// An end that is our doing: a tap is neither of the sides.
    fn our_end(&self, how: EndHow) -> End {
        let how = match self.side {
            Side::Local => EndHow::Tap,
            Side::Peer => how,
        };
        End {
            by: Side::Local,
            how,
            errno: None,
        }
    }

    fn over(&mut self, end: End, reason: String) {
        let at = self.shared.clock.now();
        let text = reason.clone();
        let errno = end.errno;
        self.journal.event(at, EntryKind::Error { text, errno });
        self.journal.event(at, EntryKind::Close(end));
        let id = self.journal.connection();
        let state = self.shared.recorder_state(id, self.journal.state());
        self.shared.publish(|news| {
            news.recorder = state;
            if let Some(link) = news.link_mut(id) {
                link.state = LinkState::Failed;
                link.end = Some(end);
                link.ended = Some(at);
                link.reason = Some(reason);
            }
        });
    }

    /// Waits until it has heard why it is turned away.
    async fn last_words(&mut self) {
        // One that does not listen is not waited for.
        drop(timeout(LAST_WORDS, self.channel.part()).await);
    }
}

/// Why something that was waited for did not come.
enum Stopped {
    /// It took too long.
    Late,
    /// The user wanted something else.
    Told(After),
}

/// Waits for what may take as long as connecting may.
async fn bounded<T>(
    shared: &Shared,
    inbox: &mut mpsc::Receiver<NetCommand>,
    work: impl Future<Output = T>,
) -> Result<T, Stopped> {
    match attended(shared, inbox, timeout(shared.options.connect_timeout, work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(Stopped::Late),
        Err(after) => Err(Stopped::Told(after)),
    }
}

/// Waits for what is being prepared for a connection that was accepted, unless a command ends it.
pub(super) async fn attended<T>(
    shared: &Shared,
    inbox: &mut mpsc::Receiver<NetCommand>,
    work: impl Future<Output = T>,
) -> Result<T, After> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            command = inbox.recv() => {
                if let Some(after) = interrupt(shared, command) {
                    return Err(after);
                }
            }
            done = &mut work => return Ok(done),
        }
    }
}

/// A command while nothing can cross yet, as what comes next; the others have nothing to act on.
fn interrupt(shared: &Shared, command: Option<NetCommand>) -> Option<After> {
    match told(command) {
        Told::Stop => Some(After::Stop),
        Told::Peer(PeerCommand::Send(..)) => {
            shared.handled(Fate::Refused);
            None
        }
        Told::Peer(PeerCommand::Option(request)) => {
            shared.adjust_later(request);
            None
        }
        Told::Peer(PeerCommand::Close | PeerCommand::Reset) => Some(After::Closed),
        Told::Peer(PeerCommand::HalfClose) | Told::Nothing => None,
    }
}

/// What a command is to one of the connections that were accepted.
pub(super) enum Told {
    /// The program ends.
    Stop,
    /// It is for this one.
    Peer(PeerCommand),
    /// It is not: the listener passes on nothing else.
    Nothing,
}

/// Takes a command of the listener's.
pub(super) fn told(command: Option<NetCommand>) -> Told {
    match command {
        None | Some(NetCommand::Shutdown) => Told::Stop,
        Some(NetCommand::Peers(_, command)) => Told::Peer(command),
        Some(
            NetCommand::Connect(_)
            | NetCommand::Reconnect
            | NetCommand::Send(_)
            | NetCommand::HalfClose
            | NetCommand::Close
            | NetCommand::Reset
            | NetCommand::Cancel
            | NetCommand::Timestamps(_)
            | NetCommand::StartTls(_)
            | NetCommand::Option(_)
            | NetCommand::Listen(_)
            | NetCommand::Tap(..),
        ) => Told::Nothing,
    }
}
