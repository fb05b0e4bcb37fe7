//! Layer 2: the recorder and the reader of the session file (pcapng). Knows no socket and no screen.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `block` | the blocks of pcapng as they are built |
//! | `packet`, `stream` | the synthetic IP and TCP headers, and their sequence numbers |
//! | `fact`, `happened` | what has no bytes: as JSON, and as packets where TCP has them |
//! | `recorder`, `connection` | appending, write-ahead, one call an entry |
//! | `window`, `walk`, `frame` | the blocks as they are read, every length checked; data blocks of ours at a glance |
//! | `index`, `group` | where every 64th entry starts, and the entries around it |
//! | `segment`, `roster` | the files of a recording; the connections in them |
//! | `session` | reading by entry number |
//! | `opening`, `format`, `scan` | opening what is on disk, in the background; which kind it is; walking our own |
//! | `foreign`, `temp` | captures of other programs, made a log |
//! | `stamps` | the kernel's time stamps of entries |
//! | `annotations`, `annotator` | what the user added to entries, and where that is kept |
//! | `export`, `growth` | entries in the formats of others; how far a log goes that is read to its end |
//! | `bulk` | all entries in order, at the speed of the file |
//! | `search` | scans in the background, and where hits are |
//! | `file`, `store` | private files, and the directory where recordings are kept |
//!
//! # Which blocks are entries
//!
//! A packet with payload is a data entry. Everything else that happened is JSON: in an annotation block, or,
//! where TCP has a packet for it, in an option of that packet (the ACK of the opening, FIN, RST). Entries are
//! numbered in the order of the file. SYN, SYN/ACK and the acknowledgements that a long one-way flow needs, or
//! the bytes behind a gap, are there for those who follow the packets, and are no entries.

mod annotations;
mod annotator;
mod background;
mod block;
mod bulk;
mod connection;
mod error;
mod export;
mod fact;
mod file;
mod filtered;
mod foreign;
mod format;
mod frame;
mod group;
mod growth;
mod happened;
mod index;
mod joined;
mod opening;
mod original;
mod packet;
mod plaintext;
mod recorder;
mod roster;
mod scan;
mod search;
mod segment;
mod session;
mod stamps;
mod store;
mod stream;
mod temp;
mod walk;
mod window;

pub use annotator::{Annotator, Sidecars, sidecar_path};
pub use connection::{Connection, MAX_DATAGRAM, MAX_PAYLOAD};
pub use error::CaptureError;
pub use export::{Export, Order, Piece, Target, Wording};
pub use filtered::Filtered;
pub use growth::{Grown, Growth};
pub use joined::MAX_MESSAGE;
pub use opening::{Opening, open_in_background, open_joined_in_background, open_stream_in_background};
pub use recorder::{Create, Existing, Recorder, Ring, ring_of};
pub use search::{Highlights, Hits, Scan, ScanReport, ScanState, Sought};
pub use session::Session;
pub(crate) use store::safe_name;
pub use store::{BUDGET, Kept, RingFile, Sessions, state_directory};
