//! The sockets at which connections are waited for: made, bound, and removed again where they have a name.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::{Mode, umask};
use nix::unistd::geteuid;
use socket2::{Domain, SockAddr, SockRef, Type};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use crate::model::{Authority, Endpoint, Family, Host, Port, SocketOptions, UnixAddress};
use crate::net::dial::Failure;
use crate::net::sockopt::apply;
use crate::net::{resolve, words};

use super::datagrams::Sorter;

/// Connections that may wait to be accepted, if the system allows as many.
const BACKLOG: u32 = 1024;

/// How often another port is looked for that is free on both loopback addresses.
const TRIES: u32 = 16;

/// A socket at which connections, or datagrams, are waited for.
#[derive(Debug)]
pub(super) enum Listener {
    /// A TCP socket.
    Tcp(TcpListener),
    /// A UDP socket, and who sends to it.
    Udp(Sorter),
    /// A Unix stream socket.
    Unix(UnixListener),
}

/// All of them, and what there is to say.
#[derive(Debug)]
pub(super) struct Bound {
    /// At least one.
    pub(super) listeners: Vec<Listener>,
    /// Where they are, as in `127.0.0.1:9000`.
    pub(super) places: Vec<String>,
    /// Their addresses, of those that have one of IP.
    pub(super) addresses: Vec<IpAddr>,
    /// The name in the file system, if one was made; held as long as the sockets are.
    pub(super) name: Option<Name>,
    /// What is not as one might expect.
    pub(super) notes: Vec<String>,
}

/// The name of a Unix socket in the file system. It is removed with the socket, as long as it still stands for it.
#[derive(Debug)]
pub(super) struct Name {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for Name {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode)) {
            // What cannot be removed is found to be stale by the next one who binds there.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What carries the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    Tcp,
    Udp,
}

/// Makes the sockets for an address, of one family only if `family` says so.
pub(super) async fn bind(
    endpoint: &Endpoint,
    family: Option<Family>,
    sockets: &SocketOptions,
) -> Result<Bound, Failure> {
    match endpoint {
        Endpoint::Tcp(authority) | Endpoint::Tls(authority) => {
            bind_ip(authority, family, Carrier::Tcp, sockets).await
        }
        Endpoint::Udp(authority) => bind_ip(authority, family, Carrier::Udp, sockets).await,
        Endpoint::Unix(address) => bind_unix(address, sockets),
        Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => Err(wrong(format!(
            "{endpoint} can be connected to and not listened at: write unix:/PATH"
        ))),
    }
}

async fn bind_ip(
    authority: &Authority,
    family: Option<Family>,
    carrier: Carrier,
    sockets: &SocketOptions,
) -> Result<Bound, Failure> {
    let (addresses, is_loopback) = addresses(authority, family).await?;
    let mut tries = TRIES;
    loop {
        match bind_all(&addresses, is_loopback, carrier, sockets) {
            // The port that the system chose for one family is taken in the other.
            Err((address, error)) if address.port() == 0 && is_taken(&error) && tries > 0 => tries -= 1,
            Err((address, error)) => return Err(refused(&address.to_string(), &error)),
            Ok(bound) => return Ok(bound),
        }
    }
}

/// Where to bind, and whether it is the pair of loopback addresses.
async fn addresses(
    authority: &Authority,
    family: Option<Family>,
) -> Result<(Vec<SocketAddr>, bool), Failure> {
    let wanted = resolve::families(authority, family).map_err(wrong)?;
    let is_localhost = authority.host == Host::Name("localhost".to_owned());
    if let (true, Port::Number(port)) = (is_localhost, &authority.port) {
        let both = [
            (Family::V4, SocketAddr::from((Ipv4Addr::LOCALHOST, *port))),
            (Family::V6, SocketAddr::from((Ipv6Addr::LOCALHOST, *port))),
        ];
        let both = both.into_iter().filter(|(family, _)| wanted.contains(family));
        return Ok((both.map(|(_, address)| address).collect(), true));
    }
    if let Some(address) = resolve::literal(authority).map_err(wrong)? {
        return Ok((vec![address], false));
    }
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    for family in wanted {
        match resolve::lookup(authority.clone(), family).await.result {
            Ok(addresses) => found.extend(addresses),
            Err(reason) => reasons.push(reason),
        }
    }
    found.sort_by_key(SocketAddr::is_ipv6);
    found.dedup();
    if found.is_empty() {
        return Err(wrong(reasons.join("; ")));
    }
    Ok((found, is_localhost))
}

fn bind_all(
    addresses: &[SocketAddr],
    is_loopback: bool,
    carrier: Carrier,
    sockets: &SocketOptions,
) -> Result<Bound, (SocketAddr, io::Error)> {
    let mut bound = Bound {
        listeners: Vec::new(),
        places: Vec::new(),
        addresses: Vec::new(),
        name: None,
        notes: Vec::new(),
    };
    let mut port = None;
    for asked in addresses {
        let mut address = *asked;
        // The same port in both families.
        address.set_port(port.unwrap_or(address.port()));
        match bind_one(address, carrier, sockets) {
            Ok((listener, address)) => {
                port = Some(address.port());
                bound.listeners.push(listener);
                bound.places.push(address.to_string());
                bound.addresses.push(address.ip());
            }
            Err(error)
                if is_loopback && address.is_ipv6() && !bound.listeners.is_empty() && !is_taken(&error) =>
            {
                bound.notes.push(format!(
                    "not waiting at {address}: {}; over IPv4 it works",
                    words::plain(&error)
                ));
            }
            Err(error) => return Err((*asked, error)),
        }
    }
    Ok(bound)
}

fn bind_one(
    address: SocketAddr,
    carrier: Carrier,
    sockets: &SocketOptions,
) -> io::Result<(Listener, SocketAddr)> {
    match carrier {
        Carrier::Tcp => {
            let socket = if address.is_ipv6() {
                TcpSocket::new_v6()
            } else {
                TcpSocket::new_v4()
            }?;
            // The port of a server is wanted again right after it ended.
            socket.set_reuseaddr(true)?;
            apply(sockets, &SockRef::from(&socket))?;
            socket.bind(address)?;
            let listener = socket.listen(BACKLOG)?;
            let address = listener.local_addr()?;
            Ok((Listener::Tcp(listener), address))
        }
        Carrier::Udp => {
            let sorter = Sorter::bind(address, sockets)?;
            let address = sorter.socket().local_addr()?;
            Ok((Listener::Udp(sorter), address))
        }
    }
}

fn bind_unix(address: &UnixAddress, sockets: &SocketOptions) -> Result<Bound, Failure> {
    let place = format!("unix:{address}");
    let listener = match address {
        UnixAddress::Abstract(name) => SockAddr::unix(format!("\0{name}")),
        UnixAddress::Path(path) => {
            remove_stale(path)?;
            SockAddr::unix(path)
        }
    }
    .and_then(|address| make_unix(&address, sockets))
    .map_err(|error| refused(&place, &error))?;
    let name = match address {
        UnixAddress::Abstract(_) => None,
        UnixAddress::Path(path) => fs::symlink_metadata(path).ok().map(|found| Name {
            path: path.clone(),
            device: found.dev(),
            inode: found.ino(),
        }),
    };
    Ok(Bound {
        listeners: vec![Listener::Unix(listener)],
        places: vec![place],
        addresses: Vec::new(),
        name,
        notes: Vec::new(),
    })
}

/// A socket that only this user may connect to.
fn make_unix(address: &SockAddr, sockets: &SocketOptions) -> io::Result<UnixListener> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    apply(sockets, &SockRef::from(&socket))?;
    // A mode set afterwards would come too late. Other files of this program have their modes from creation.
    let before = umask(Mode::from_bits_truncate(0o077));
    let bound = socket.bind(address);
    umask(before);
    bound?;
    socket.listen(BACKLOG.cast_signed())?;
    UnixListener::from_std(socket.into())
}

/// Removes what an earlier server left behind, if nobody listens there and it is ours.
fn remove_stale(path: &Path) -> Result<(), Failure> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let shown = path.display();
    if !found.file_type().is_socket() {
        return Err(wrong(format!(
            "{shown} is there already and is no socket: choose another path"
        )));
    }
    if !is_abandoned(path) {
        return Err(wrong(format!(
            "another program listens at unix:{shown}: choose another path, or stop it"
        )));
    }
    if found.uid() != geteuid().as_raw() {
        return Err(wrong(format!(
            "{shown} was left behind by another user's server: remove it, or choose another path"
        )));
    }
    fs::remove_file(path).map_err(|error| refused(&format!("unix:{shown}"), &error))
}

/// Whether nobody has a socket of that name any more. One whose queue is full, or that is of another type, is somebody's;
/// and so it is taken for as long as nobody can tell.
fn is_abandoned(path: &Path) -> bool {
    let connected = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|probe| {
        probe.set_nonblocking(true)?;
        probe.connect(&SockAddr::unix(path)?)
    });
    connected.is_err_and(|error| matches!(words::errno(&error), Some(Errno::ECONNREFUSED | Errno::ENOENT)))
}

fn is_taken(error: &io::Error) -> bool {
    words::errno(error) == Some(Errno::EADDRINUSE)
}

fn wrong(reason: String) -> Failure {
    Failure {
        reason,
        errno: None,
        timed_out: false,
    }
}

fn refused(place: &str, error: &io::Error) -> Failure {
    let reason = match words::errno(error) {
        Some(Errno::EADDRINUSE) => {
            format!("cannot listen at {place}: another program does; stop it, or choose another port")
        }
        Some(Errno::EADDRNOTAVAIL) => {
            format!("cannot listen at {place}: it is not an address of this machine; `ip address` lists them")
        }
        Some(Errno::EACCES | Errno::EPERM) => {
            format!(
                "not permitted to listen at {place}: ports below 1024 and other users' directories need privileges"
            )
        }
        Some(Errno::ENOENT) => format!("cannot listen at {place}: there is no such directory"),
        Some(_) | None => format!("cannot listen at {place}: {}", words::plain(error)),
    };
    Failure {
        reason,
        errno: error.raw_os_error(),
        timed_out: false,
    }
}

/// Says of a connection that was accepted what is said of one that was dialed (see `reach`).
pub(super) fn set_up(stream: &tokio::net::TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_out_of_band_inline(true)?;
    stream.set_nodelay(true)
}
