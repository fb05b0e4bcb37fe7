//! Starts a dnsmasq that knows one name and asks nobody else.

use crate::binary::{Home, free_port};
use crate::server::{Server, command, is_installed};

/// The query for the address of `scope.example`, without the length that stands before it over TCP (RFC 1035 §4.2.2).
pub(crate) fn query(number: u16, kind: u16) -> Vec<u8> {
    let mut query = number.to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend(b"\x05scope\x07example\0");
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]);
    query
}

/// A server of its own, over UDP and TCP; none where dnsmasq is not installed.
pub(crate) fn start(home: &Home) -> Option<Server> {
    is_installed("dnsmasq").then(|| {
        let address = free_port();
        let mut dns = command("dnsmasq");
        dns.args([
            "--keep-in-foreground",
            "--no-daemon",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
            "--listen-address=127.0.0.1",
            "--conf-file=/dev/null",
            "--address=/scope.example/192.0.2.7",
        ])
        .arg(format!("--port={}", address.port()))
        .arg(format!("--pid-file={}", home.path("dns.pid").display()));
        Server::start_reachable(&mut dns, address.to_string())
    })
}
