//! What goes into the state machine and what comes out of it. Values only; the runtime performs the effects.

use std::fmt;

use super::{ExportOrder, Key, Layout, Mouse, Scanned, Typed};
use crate::model::{
    Annotation, Endpoint, EntryId, ExportReport, FileReport, Found, KernelReport, NetCommand, NetEvent,
    Query, Records, Timestamp,
};
use crate::text::Pattern;

/// Something that happened outside.
#[expect(
    clippy::large_enum_variant,
    reason = "an event is moved once; a box for each report would save nothing"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The program started: dial the target, or ask for one. Always the first event.
    Started,
    /// A key was pressed.
    Key(Key),
    /// Text was pasted (bracketed paste), with its line breaks as LF, CR or CRLF.
    Paste(String),
    /// The mouse did something.
    Mouse(Mouse),
    /// The window has another size; the layout in the context is already the new one.
    Resized,
    /// The worker's latest report.
    Net(NetEvent),
    /// What the kernel says of the connection now. It is drawn with the clock.
    Kernel(KernelReport),
    /// How the opened file stands.
    File(FileReport),
    /// How far the search is.
    Searched(Scanned),
    /// The filter that was asked for is in effect: the log in the context is another one.
    Refiltered,
    /// How far the filter is.
    Filtered(Scanned),
    /// What was added to entries earlier was looked up; the log tells of it now.
    Recalled,
    /// What was added to an entry is kept, or not.
    Annotated {
        /// The number of the entry.
        number: EntryId,
        /// What was added.
        annotation: Annotation,
        /// How it is kept, or why it is not and what to do.
        result: Result<Keeping, String>,
    },
    /// How far the export is.
    Exported(ExportReport),
    /// The stored history of a target, the oldest message first.
    History {
        /// The target that it belongs to.
        endpoint: Endpoint,
        /// What was sent to it, as typed.
        lines: Vec<Typed>,
    },
    /// The program runs again after it was suspended.
    Resumed,
    /// How an effect went.
    Report(Report),
    /// The time that [`super::App::next_change`] named has come.
    Tick,
}

/// How an effect went, where it did not simply succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The worker's queue is full; the command was not given to it.
    Busy(NetCommand),
    /// The worker has stopped; the command reached nobody.
    WorkerGone(NetCommand),
    /// An effect failed; one sentence that says what was tried, what happened and what to do.
    Failed(String),
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In a file.
    ForGood,
    /// Until the program ends: there is no file to keep it in.
    ForNow,
}

/// What the state machine may look at while it handles an event.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The time of the event.
    pub now: Timestamp,
    /// The log.
    pub records: &'a dyn Records,
    /// Where the panes stand, as they were last drawn.
    pub layout: &'a Layout,
    /// What the search has found, while there is one.
    pub hits: Option<&'a dyn Found>,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("entries", &self.records.len())
            .field("layout", self.layout)
            .finish()
    }
}

/// What an event led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// Whether anything that is drawn may have changed.
    pub redraw: bool,
    /// What the runtime has to do, in this order.
    pub effects: Vec<Effect>,
}

impl Reaction {
    /// Something that is drawn changed.
    pub fn redraw() -> Reaction {
        Reaction {
            redraw: true,
            effects: Vec::new(),
        }
    }
}

/// What becomes of the recording when the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is kept; a recording without any byte is removed all the same.
    Keep,
    /// It is deleted, as the user asked.
    Discard,
}

/// Something that the runtime has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Give this command to the worker, or report that its queue is full.
    Net(NetCommand),
    /// Put this text on the clipboard (OSC 52). It holds no control character but LF.
    Copy(String),
    /// Store a sent message in the history of its target.
    Remember {
        /// The target.
        endpoint: Endpoint,
        /// The message, as typed.
        line: Typed,
    },
    /// Load the history of this target and answer with [`Event::History`].
    Recall(Endpoint),
    /// Store this target as the most recent one.
    RememberTarget(Endpoint),
    /// Search the log for this from now on, or no more; progress comes as [`Event::Searched`].
    Search(Option<Pattern>),
    /// Show only the entries for which this holds, or all of them again; [`Event::Refiltered`] follows, and progress
    /// comes as [`Event::Filtered`].
    Filter(Option<Query>),
    /// Stop the scan of the filter; what it has found stays shown.
    StopFilter,
    /// Keep this of the entry of that number, in place of what was kept before, and answer with
    /// [`Event::Annotated`]. An annotation that is empty is none.
    Annotate(EntryId, Annotation),
    /// Read the annotations that are kept beside the opened file.
    RecallAnnotations,
    /// Export this; progress comes as [`Event::Exported`].
    Export(ExportOrder),
    /// Stop the export and remove its file.
    StopExport,
    /// Stop indexing the opened file; what was found stays readable.
    StopIndexing,
    /// Set the title of the window. It went through the encoder already.
    Title(String),
    /// Restore the terminal, stop the process as the shell's job control does, and answer with [`Event::Resumed`].
    Suspend,
    /// Clear the terminal and paint everything again.
    Redraw,
    /// Switch mouse reports on or off.
    Mouse(bool),
    /// End the program.
    Quit(Ending),
}
