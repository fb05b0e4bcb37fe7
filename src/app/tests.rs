//! Update tests: state, keys, state.

mod annotating;
mod composing;
mod endings;
mod exporting;
mod finding;
mod going;
mod panes;
mod reading;
mod scrolling;
mod storm;
