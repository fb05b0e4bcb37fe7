//! sockscope, an oscilloscope for sockets: everything but the parsing of the command line.
//!
//! ```text
//!             bytes in                                              keys in
//!  peer ══► net ══► capture (append-only, on disk) ──► app ──► ui ──► terminal
//!       ◄══     ◄────────────── NetCommand ─────────────┘
//!                               runtime owns the loop and performs effects
//! ```
//!
//! # Layout
//!
//! | layer | module | holds |
//! |---|---|---|
//! | 0 | [`text`] | pure functions between bytes and what people read or type |
//! | 1 | [`model`] | plain values shared by all layers, and the read trait [`model::Records`] |
//! | 2 | [`capture`] | the recorder and the reader of the session file |
//! | 3 | [`net`] | the worker that dials, reads, writes and records |
//! | 3 | [`app`] | the state machine: keys and news in, state and effects out |
//! | 4 | [`ui`] | pure rendering of the state |
//! | 5 | [`runtime`] | the loop, the terminal, the headless front end; every effect |
//!
//! Imports run strictly downward, and `net` and `app` do not see each other; `tests/tidy.rs` proves it.

pub mod app;
pub mod capture;
pub mod model;
pub mod net;
pub mod runtime;
pub mod text;
pub mod ui;
