//! Update tests: state, keys, state.

mod composing;
mod endings;
mod panes;
mod reading;
mod scrolling;
mod storm;
