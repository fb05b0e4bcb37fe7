//! Asking for TLS in the words of a protocol: little dialogues, each a state machine that is told what arrives and says
//! what is to be sent.
//!
//! A dialogue hears one byte after the other, so it does not matter how they were cut up on the way, and it is known
//! to the byte where the clear text ends. Deliberately absent: sockets, time, and what becomes of a refusal.

mod ftp;
mod imap;
mod ldap;
mod lines;
mod mysql;
mod pop3;
mod postgresql;
mod smtp;
#[cfg(test)]
mod tests;
mod xmpp;

use std::net::IpAddr;

use crate::model::Preset;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The server has to say more.
    Wait,
    /// This is sent, and the server answers.
    Send(Vec<u8>),
    /// This is sent, if there is anything, and TLS begins: the next byte of the server is one of TLS.
    Go(Vec<u8>),
    /// The server does not, or not now, or it is not what it was taken for: the rest of a sentence that begins with the
    /// server. The connection goes on in the clear.
    Refused(String),
}

impl Step {
    /// Text is sent.
    fn say(text: impl Into<String>) -> Step {
        Step::Send(text.into().into_bytes())
    }

    /// TLS begins.
    fn go() -> Step {
        Step::Go(Vec::new())
    }
}

/// Where a dialogue starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The server's name, where one is asked for by name.
    pub(super) server: String,
    /// Our address, if it is one of IP.
    pub(super) local: Option<IpAddr>,
    /// Whether nothing was sent yet: then the server's greeting is heard first.
    pub(super) fresh: bool,
}

/// A dialogue under way.
pub(super) trait Dialogue: Send {
    /// What comes first.
    fn begin(&mut self) -> Step;

    /// The server said one byte more. Not called again after `Go` or `Refused`.
    fn hear(&mut self, byte: u8) -> Step;
}

/// The dialogue of a protocol, or why there can be none now.
pub(super) fn dialogue(preset: Preset, start: &Start) -> Result<Box<dyn Dialogue>, String> {
    let only_first = || {
        format!("{preset} starts TLS only before anything else is sent: connect anew, and start TLS first")
    };
    Ok(match preset {
        Preset::Smtp => Box::new(smtp::Smtp::new(start)),
        Preset::Imap => Box::new(imap::Imap::new(start)),
        Preset::Pop3 => Box::new(pop3::Pop3::new(start)),
        Preset::Ftp => Box::new(ftp::Ftp::new(start)),
        Preset::Xmpp => Box::new(xmpp::Xmpp::new(start)),
        Preset::Ldap => Box::new(ldap::Ldap::default()),
        Preset::Postgresql if start.fresh => Box::new(postgresql::Postgresql::default()),
        Preset::Mysql if start.fresh => Box::new(mysql::Mysql::default()),
        Preset::Postgresql | Preset::Mysql => return Err(only_first()),
    })
}
