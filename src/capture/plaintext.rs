//! Decrypted TLS is written on the port that its protocol has without TLS, so that dissectors recognise it. The real
//! port stands in the name of the interface and in the entry that tells of the opening.

use std::net::SocketAddr;

use crate::model::{ConnectionId, Endpoint, Role, Side};

/// What names of connections begin with whose bytes were decrypted.
const DECRYPTED: &str = "tls://";

/// Ports with TLS from the start, and without (IANA's registry of service names and port numbers).
const PORTS: &[(u16, u16)] = &[
    (443, 80),
    (465, 25),
    (636, 389),
    (853, 53),
    (990, 21),
    (993, 143),
    (995, 110),
    (5671, 5672),
    (6380, 6379),
    (8443, 8080),
    (8883, 1883),
];

/// The address of the server as packets have it, of the connection of that name.
fn server(name: &str, mut address: SocketAddr) -> SocketAddr {
    if name.starts_with(DECRYPTED)
        && let Some((_, plain)) = PORTS.iter().find(|(port, _)| *port == address.port())
    {
        address.set_port(*plain);
    }
    address
}

/// The addresses of both sides, ours first, in the packets of a connection of that name and role.
pub(super) fn ends(
    name: &str,
    role: Role,
    (local, remote): (SocketAddr, SocketAddr),
) -> (SocketAddr, SocketAddr) {
    match role.dialer() {
        Side::Local => (local, server(name, remote)),
        Side::Peer => (server(name, local), remote),
    }
}

/// Ports beyond those that systems give to clients by themselves (Linux: 32,768 to 60,999).
const OWN_PORTS: (u16, u32) = (61_000, 4_500);

/// Our address in the packets of what was decrypted after an upgrade to TLS: what came before it in the clear is
/// another stream, which the same two addresses would join it to.
pub(super) fn client(id: ConnectionId, mut address: SocketAddr) -> SocketAddr {
    let (first, count) = OWN_PORTS;
    address.set_port(first + (id.0 % count) as u16);
    address
}

/// What a connection to this endpoint is called in the file from an upgrade to TLS on.
pub(super) fn name(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(authority) => Endpoint::Tls(authority.clone()).to_string(),
        Endpoint::Tls(_)
        | Endpoint::Udp(_)
        | Endpoint::Unix(_)
        | Endpoint::UnixDatagram(_)
        | Endpoint::UnixSeqpacket(_) => endpoint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_decrypted_moves() {
        let check = |name: &str, port: u16, expected: u16| {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            assert_eq!(server(name, address).port(), expected, "{name}");
        };
        check("tls://example.org:443", 443, 80);
        check("tls://example.org:imaps", 993, 143);
        check("tls://example.org:7443", 7443, 7443);
        check("tcp://example.org:443", 443, 443);
        check("", 443, 443);
    }
}
