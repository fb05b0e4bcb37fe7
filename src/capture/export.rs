//! Export.

mod json;
mod piece;

pub use self::piece::{Piece, Wording};
