//! Update tests: state, keys, state.

mod composing;
mod endings;
mod exporting;
mod finding;
mod panes;
mod reading;
mod scrolling;
mod storm;
