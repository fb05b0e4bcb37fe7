//! Update tests: state, keys, state.

mod composing;
mod endings;
mod panes;
mod scrolling;
mod storm;
