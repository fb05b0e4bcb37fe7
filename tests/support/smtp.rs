//! Starts the SMTP server of Postfix that takes everything and keeps nothing.

use nix::unistd::Uid;

use crate::binary::free_port;
use crate::server::{Server, command, is_installed};

/// A server of its own, by the name `mail.example`; none where Postfix is not installed.
pub(crate) fn start() -> Option<Server> {
    is_installed("smtp-sink").then(|| {
        let address = free_port().to_string();
        let mut sink = command("smtp-sink");
        if Uid::effective().is_root() {
            // It refuses to serve as root.
            sink.args(["-u", "nobody"]);
        }
        sink.args(["-h", "mail.example", &address, "10"]);
        Server::start_reachable(&mut sink, address)
    })
}
