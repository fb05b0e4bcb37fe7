//! The session file as its users see it: what is recorded is what is read, whatever happens to the disk, the
//! process or the file in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod annotations;
mod crash;
mod cuts;
mod damage;
mod export;
mod foreign;
mod full;
mod hostile;
mod identity;
mod joined;
mod large;
mod messages;
mod oddities;
mod opening;
mod private;
mod ring;
mod roundtrip;
mod sample;
mod search;
mod sections;
mod stamps;
#[path = "../support/wire.rs"]
mod wire;
