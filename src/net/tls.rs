//! TLS as a client: what is trusted, the handshake, and the records of an open connection.
//!
//! `rustls` does the protocol. It is driven here rather than through a wrapper that waits, so that what the kernel
//! took and what arrived are known to the byte.

mod certificate;
mod config;
mod keylog;
mod stream;
mod verify;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of rustls are open: what they gain later is shown as it is called there"
)]
mod words;

pub(super) use config::Tls;
pub use config::{TlsError, TlsOptions, TlsVersion};
pub(super) use stream::{Fault, TlsStream};
