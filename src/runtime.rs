//! Layer 5: the loop, the terminal, the headless front end; every effect happens here.
//!
//! # The terminal side
//!
//! ```text
//!  input ──► keys ──┐                     ┌──► canvas ──► writer ══► output ══► terminal
//!  signals, hang-up ┼──► screen (the loop)┤
//!  worker's news ───┘                     └──► effects: worker, history, clipboard, title
//! ```
//!
//! Double lines are threads that may have to wait for the terminal; the loop waits for nobody.

pub mod demo;
pub mod headless;
pub mod history;
pub mod screen;

mod alarm;
mod canvas;
mod captured;
mod clipboard;
mod desk;
mod guard;
mod keys;
mod launch;
mod output;
mod pace;
mod sessions;
mod sgr;
mod signals;
mod store;
mod tell;
mod writer;

pub use guard::{Guard, GuardError, Mouse, check_terminal, enter_sequence, install_panic_hook};
pub use launch::{Front, Memory, Peer, Plan, RunError, ScreenPlan, run};
pub use sessions::{Housekeeping, keep_house};
pub use signals::{Cause, Control, Jobs, watch_signals};
pub use store::{Bound, Place};
pub use tell::tell;
