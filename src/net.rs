//! Layer 3: the network worker. It stamps time at the wire, appends to the capture, then reports. Knows no screen.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `worker` | the thread, the commands, and what follows what: dial, session, waiting |
//! | `dial` | lookups and attempts of one dial, as RFC 8305 says |
//! | `reach` | the socket that is to reach one address |
//! | `group` | sockets that send to many, and hear whoever answers |
//! | `datagram` | from whom and to whom a datagram went |
//! | `sockopt` | socket options, set and read back |
//! | `interface` | the interfaces of this machine |
//! | `race` | the pure order of the addresses |
//! | `resolve` | `getaddrinfo` on threads, its errors told apart |
//! | `adjust` | socket options asked about and changed while the program runs |
//! | `wire`, `stamping` | a socket with what the kernel's time stamps tell of it |
//! | `channel` | a connected socket, read and written without waiting |
//! | `connect` | dialing, and the handshake above TCP |
//! | `acceptor` | the handshake with whoever was accepted |
//! | `socket` | a socket of any kind |
//! | `unix` | connecting to Unix sockets |
//! | `messages` | Unix sockets that keep the boundaries of messages |
//! | `credentials` | who is at the other end of a Unix socket |
//! | `tls` | TLS at either end |
//! | `starttls` | asking for TLS in the words of a protocol |
//! | `session` | reading and writing of one connection, in one task |
//! | `outbox` | what waits to be written |
//! | `journal` | recording, and holding back when the file takes nothing |
//! | `lane` | one sender's datagrams, as if they had a socket |
//! | `listen` | waiting for connections, and serving them |
//! | `kernel` | what the kernel knows of the connection |
//! | `tap` | relaying an application to its server |
//! | `shared` | what all of these use |
//! | `words` | errors in sentences |

pub mod tls;

mod acceptor;
mod adjust;
mod announce;
mod backoff;
mod channel;
mod clock;
mod connect;
mod credentials;
mod datagram;
mod dial;
mod group;
mod interface;
mod journal;
mod kernel;
mod lane;
mod listen;
mod messages;
mod options;
mod outbox;
mod race;
mod reach;
mod resolve;
mod session;
mod shared;
mod socket;
mod sockopt;
mod stamping;
mod starttls;
mod tap;
mod unix;
mod wire;
mod words;
mod worker;

pub use channel::Received;
pub use clock::Clock;
pub use kernel::Kernel;
pub use options::{Bind, OnFull, Options};
pub use outbox::OUTBOX_BYTES;
pub use tls::{TlsError, TlsOptions, TlsVersion};
pub use worker::{StartError, Worker, spawn};
