//! TLS at either end: what is trusted, who is presented, the handshake, and the records of an open connection.
//!
//! `rustls` does the protocol. It is driven here rather than through a wrapper that waits, so that what the kernel
//! took and what arrived are known to the byte.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `config` | the options, read and checked; connections of clients |
//! | `server`, `clients` | accepting, with a certificate of ours; the check of those of clients |
//! | `intercept` | accepting in the name of another server, in two steps |
//! | `local`, `issue` | the local authority; making certificates |
//! | `stream`, `incoming` | one connection; what was read and not looked at |
//! | `verify`, `seen` | the check of servers' certificates; what was presented |
//! | `certificate`, `words`, `fault` | certificates, alerts and faults in words |
//! | `pem`, `keylog` | files |

mod certificate;
mod clients;
mod config;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of rustls are open: what they gain later is shown as it is called there"
)]
mod fault;
mod incoming;
mod intercept;
mod issue;
mod keylog;
mod local;
mod pem;
mod seen;
mod server;
mod stream;
mod verify;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums of rustls are open: what they gain later is shown as it is called there"
)]
mod words;

pub use config::{Tls, TlsError, TlsOptions, TlsVersion};
pub use fault::Fault;
pub use intercept::{ClientHello, Greeting, Interceptor};
pub use local::LocalAuthority;
pub use server::TlsServer;
pub use stream::TlsStream;
