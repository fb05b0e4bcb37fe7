//! Layer 0: pure functions between bytes and what people read or type. Knows nothing of the rest of the program.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `class` | which code points may be shown as they are |
//! | `unit` | one thing on the screen and the bytes that it stands for |
//! | `decode` | bytes to units, across read boundaries |
//! | `shown` | the only text that may reach a terminal |
//! | `rows` | units to rows of the text view |
//! | `hexdump` | bytes to rows of the hex view, with the gutter |
//! | `copy` | what goes to the clipboard, and back |
//! | `wrap` | our own sentences to rows |
//! | `input` | what is typed, to bytes |
//! | `format` | sizes, rates, times |
//! | `parse` | sizes and durations from the command line |
//! | `quote` | what was typed, in sentences |
//! | `pattern` | what is searched for, and where it is in bytes |

pub mod copy;
pub mod format;
pub mod parse;

mod class;
mod decode;
mod hexdump;
mod input;
mod pattern;
mod quote;
mod rows;
mod shown;
mod unit;
mod wrap;

pub use decode::{Source, Units};
pub use hexdump::{ByteClass, GutterCell, HexLayout, gutter};
pub use input::{InputError, InputType, LineEnding, encode_input};
pub use pattern::{Example, Pattern, PatternError, closing_quote};
pub use quote::{quote, quote_around};
pub use rows::{TextRow, TextRows};
pub use shown::{Shown, Span};
pub use unit::{Cluster, Glyph, Look, Unit};
pub use wrap::wrapped;

/// What may be shown as it is, beyond the rules that always hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Right-to-left letters, for terminals that do not reorder columns.
    pub rtl: bool,
    /// Seven-bit characters only.
    pub ascii: bool,
}
