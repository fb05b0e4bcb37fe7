//! The session file as its users see it: what is recorded is what is read, whatever happens to the disk, the
//! process or the file in between.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod crash;
mod damage;
mod foreign;
mod full;
mod hostile;
mod identity;
mod opening;
mod private;
mod ring;
mod sample;
mod search;
#[path = "../support/wire.rs"]
mod wire;
