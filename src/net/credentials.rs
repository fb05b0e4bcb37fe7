//! Who is at the other end of a Unix socket, as the kernel knows it (unix(7)). Only Linux is asked.

use std::fs;
use std::os::fd::AsFd;

use nix::sys::socket::RecvMsg;
#[cfg(target_os = "linux")]
use nix::{
    cmsg_space,
    sys::socket::{ControlMessageOwned, UnixCredentials, getsockopt, setsockopt, sockopt},
};

/// A process and its owner. The kernel fills them in; a privileged sender may choose others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    /// The process; 0 if it is not to be seen from here.
    pid: i32,
    uid: u32,
    gid: u32,
}

impl Credentials {
    /// Who listened at the other end when the connection was made (`SO_PEERCRED`).
    pub(super) fn of_peer(socket: &impl AsFd) -> Option<Credentials> {
        #[cfg(target_os = "linux")]
        return Credentials::new(getsockopt(socket, sockopt::PeerCredentials).ok()?);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = socket;
            None
        }
    }

    /// Has the kernel say of every message who sent it (`SO_PASSCRED`).
    pub(super) fn ask_for(socket: &impl AsFd) {
        // Without them an empty message passes for the end of a connection; nothing else is lost.
        #[cfg(target_os = "linux")]
        let _ = setsockopt(socket, sockopt::PassCred, &true);
        #[cfg(not(target_os = "linux"))]
        let _ = socket;
    }

    /// Room for them beside a message.
    pub(super) fn space() -> Vec<u8> {
        #[cfg(target_os = "linux")]
        return cmsg_space!(UnixCredentials);
        #[cfg(not(target_os = "linux"))]
        Vec::new()
    }

    /// Those that came with a message, if any did.
    pub(super) fn among(message: &RecvMsg<'_, '_, ()>) -> Option<Credentials> {
        #[cfg(target_os = "linux")]
        return message.cmsgs().ok()?.find_map(|one| {
            if let ControlMessageOwned::ScmCredentials(found) = one {
                // An unknown sender is one all the same.
                Some(Credentials::new(found).unwrap_or(Credentials {
                    pid: 0,
                    uid: found.uid(),
                    gid: found.gid(),
                }))
            } else {
                None
            }
        });
        #[cfg(not(target_os = "linux"))]
        {
            let _ = message;
            None
        }
    }

    /// In words, as in `process 12 (redis-server) of user 100, group 101`.
    pub(super) fn words(&self) -> String {
        let process = match (self.pid, name_of(self.pid)) {
            (0, _) => "a process elsewhere".to_owned(),
            (pid, Some(name)) => format!("process {pid} ({name})"),
            (pid, None) => format!("process {pid}"),
        };
        format!("{process} of user {}, group {}", self.uid, self.gid)
    }

    #[cfg(target_os = "linux")]
    fn new(found: UnixCredentials) -> Option<Credentials> {
        // A socket that was never connected has none.
        (found.pid() != 0).then(|| Credentials {
            pid: found.pid(),
            uid: found.uid(),
            gid: found.gid(),
        })
    }
}

/// What a process calls itself (proc(5)).
fn name_of(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}
