//! What can be asked for, by kind. Names, help and keys are in the table; what each does is elsewhere.

use std::fmt;

use crate::app::Pane;

/// Everything that can be asked for by a key or by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Edit the typed text.
    Edit(Edit),
    /// Send what is typed, or change how it is sent.
    Compose(Compose),
    /// Do something to the connection.
    Dial(Dial),
    /// Which of those who came is meant.
    Peer(Peer),
    /// Move within the focused pane.
    Scroll(Scroll),
    /// Move within the log, whatever has the focus.
    Browse(Browse),
    /// Copy the selected entry.
    Copy(CopyForm),
    /// Change how things are shown.
    Show(Show),
    /// Focus a pane.
    Focus(Focus),
    /// Open a pop-up.
    Open(Open),
    /// Add something to an entry.
    Annotate(Annotate),
    /// Search the log.
    Find(Find),
    /// Export entries.
    Export(Export),
    /// Something about the file that is read.
    Reading(Reading),
    /// Something about the program as a whole.
    Program(Program),
}

/// Editing of the typed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Insert a line break.
    NewLine,
    /// The line above, or the previous message of the history.
    Up,
    /// The line below, or the next message of the history.
    Down,
    /// Insert the next key as its byte.
    Literal,
    /// One character left.
    Left,
    /// One character right.
    Right,
    /// One word left.
    WordLeft,
    /// One word right.
    WordRight,
    /// To the start of the line.
    LineStart,
    /// To the end of the line.
    LineEnd,
    /// Delete the character to the left.
    DeleteLeft,
    /// Delete the character to the right.
    DeleteRight,
    /// Cut to the start of the line.
    KillToStart,
    /// Cut to the end of the line.
    KillToEnd,
    /// Cut the word to the left.
    KillWordLeft,
    /// Cut the word to the right.
    KillWordRight,
    /// Insert what was cut last.
    Yank,
    /// Replace what was just inserted by what was cut before it.
    YankPrevious,
}

/// Sending what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compose {
    /// Send it with the line ending.
    Send,
    /// Send it without the line ending.
    SendBare,
    /// Change how typed input is read.
    InputType,
    /// Change what Enter appends.
    LineEnding,
    /// Type the next message hidden.
    Secret,
    /// Show the exact bytes without sending them.
    Preview,
    /// Delete to the right; on an empty text, half-close when pressed twice.
    DeleteOrHalfClose,
}

/// What can be asked of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dial {
    /// Connect to a target.
    Connect,
    /// Connect to the last target again.
    Reconnect,
    /// Start TLS on the open connection.
    StartTls,
    /// Send FIN and go on reading.
    HalfClose,
    /// Close in both directions with FIN.
    Close,
    /// Close at once with RST.
    Reset,
    /// Give up the attempt under way, or the wait for the next.
    Cancel,
    /// Show or change an option of its socket.
    Option,
    /// Ask the kernel for time stamps, or for no more.
    Timestamps,
}

/// Which of those who came is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The next one.
    Next,
    /// The previous one.
    Previous,
    /// The one whose number is given, or all.
    Choose,
    /// The side of a tap to which is sent what is typed.
    Side,
}

/// Moving within a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scroll {
    /// One step down.
    Down,
    /// One step up.
    Up,
    /// Half a page down.
    HalfPageDown,
    /// Half a page up.
    HalfPageUp,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// To the first entry, or the top.
    First,
    /// To the last entry, or the bottom; in the Log it follows again.
    Last,
}

/// Moving within the log, whatever has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Browse {
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Follow the newest entry, or stop following.
    Follow,
    /// Select a range of entries, or end it.
    Range,
    /// To the entry of a number.
    Goto,
    /// Show the selected entry in the Inspector.
    Inspect,
    /// Close the Inspector.
    CloseInspector,
    /// Inspect the next entry.
    NextEntry,
    /// Inspect the previous entry.
    PreviousEntry,
}

/// In which form an entry is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CopyForm {
    /// Text, with escapes.
    Text,
    /// Hex digits.
    Hex,
    /// A hexdump with offsets and text.
    Hexdump,
}

impl fmt::Display for CopyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CopyForm::Text => "text",
            CopyForm::Hex => "hex",
            CopyForm::Hexdump => "hexdump",
        })
    }
}

/// How things are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Show {
    /// Change the view.
    View,
    /// Change the time column.
    TimeColumn,
    /// Give the focused pane the whole window, or give it back.
    Zoom,
    /// Change where the Inspector stands.
    Arrange,
    /// Switch the mouse on or off.
    Mouse,
    /// How the connection came about, in Status.
    Waterfall,
    /// What the kernel says of the connection, in Status.
    Kernel,
}

/// Which pane to focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Focus {
    /// The next one.
    Next,
    /// The previous one.
    Previous,
    /// This one; a closed Inspector opens.
    Pane(Pane),
}

/// What pop-up to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Open {
    /// The help of the focused pane.
    Help,
    /// The palette.
    Palette,
    /// The list of conversations.
    Conversations,
    /// The list of marks and comments.
    Marks,
    /// The choice of how to end the connection.
    CloseMenu,
    /// The choice of what to copy.
    CopyMenu,
    /// The search in the history.
    HistorySearch,
}

/// Adding something to entries, and finding it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Annotate {
    /// Mark the entry, or take its mark away.
    Mark,
    /// Write something about it.
    Comment,
    /// Go to the next entry with a mark or a comment.
    Next,
    /// Go to the previous one.
    Previous,
}

/// Searching and filtering the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Find {
    /// Search for something.
    Search,
    /// Go to the next hit.
    Next,
    /// Go to the previous hit.
    Previous,
    /// Search no more.
    Clear,
    /// Show only some entries.
    Filter,
    /// Show all entries again.
    Unfilter,
}

/// Exporting entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Export {
    /// What the log shows.
    Shown,
    /// The entry that actions mean.
    Entry,
    /// Again, over the file that is in the way.
    Overwrite,
    /// Again, under another name.
    Rename,
    /// Stop the one that is under way.
    Stop,
}

/// The file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Stop indexing it.
    Stop,
}

/// The program as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// One step back: pop-up, selection, Input.
    Back,
    /// Clear the typed text, or ask whether to quit.
    Interrupt,
    /// Paint the whole screen again.
    Redraw,
    /// Stop as the shell's job control does; the socket stays open.
    Suspend,
    /// Quit, asking when something is at stake.
    Quit,
    /// Quit at once and keep the recording.
    QuitKeep,
    /// Quit at once and delete the recording.
    QuitDiscard,
}
