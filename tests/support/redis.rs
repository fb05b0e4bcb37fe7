//! Starts a redis server that keeps nothing.

use crate::binary::{Home, free_port};
use crate::server::{Server, command, is_installed};

/// A server of its own; none where redis is not installed.
pub(crate) fn start(home: &Home) -> Option<Server> {
    is_installed("redis-server").then(|| {
        let address = free_port();
        let mut redis = command("redis-server");
        redis.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
        ]);
        redis
            .arg(address.port().to_string())
            .arg("--dir")
            .arg(home.path(""));
        Server::start_until(&mut redis, address.to_string(), "Ready to accept connections")
    })
}
