//! Starts an nginx that serves files from a folder of its own.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "every test crate uses a part of the harness; one that cannot set up its server fails the test"
)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::binary::{Home, free_port};
use crate::server::{Server, command, is_installed};

/// A server of its own with these files; none where nginx is not installed.
pub(crate) fn start(home: &Home, files: &[(&str, &[u8])]) -> Option<Server> {
    start_with(home, files, "", "")
}

/// The same; `flags` belong to the socket, as `ssl` does, and `directives` to the server.
pub(crate) fn start_with(
    home: &Home,
    files: &[(&str, &[u8])],
    flags: &str,
    directives: &str,
) -> Option<Server> {
    is_installed("nginx").then(|| {
        let address = free_port().to_string();
        let root = home.path("root");
        fs::create_dir(&root).unwrap();
        // nginx gives up root in the processes that read files.
        for folder in [home.path(""), root.clone()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for (name, content) in files {
            fs::write(root.join(name), content).unwrap();
        }
        let mut temporary = String::new();
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            write!(temporary, "{kind}_temp_path {}; ", home.path(kind).display()).unwrap();
        }
        let configuration = home.path("nginx.conf");
        let text = format!(
            "daemon off; master_process off; pid {}; error_log stderr notice; events {{}}\n\
             http {{ access_log off; {temporary}\n\
             server {{ listen {address} {flags}; {directives} root {}; }} }}\n",
            home.path("pid").display(),
            root.display(),
        );
        fs::write(&configuration, text).unwrap();
        let mut nginx = command("nginx");
        nginx.arg("-c").arg(configuration).arg("-p").arg(home.path(""));
        // It says this once it listens, and is not reached by a client that a capture would show.
        Server::start_until(&mut nginx, address, "getrlimit(RLIMIT_NOFILE)")
    })
}
