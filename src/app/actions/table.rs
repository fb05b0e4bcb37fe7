//! The table of actions: names, help and keys (the key map). Nothing else.

use super::{
    Action, ActionInfo, Annotate, Browse, Compose, CopyForm, Dial, Edit, Export, Find, Focus, Open, Peer,
    Program, Reading, Scope, Scroll, Show,
};
use crate::app::{Key, KeyCode, Pane};

const fn row(
    action: Action,
    name: &'static str,
    title: &'static str,
    help: &'static str,
    keys: &'static [(Scope, Key)],
) -> ActionInfo {
    ActionInfo {
        action,
        name,
        title,
        help,
        of_datagrams: "",
        titled_of_datagrams: "",
        argument: "",
        also: "",
        keys,
    }
}

const fn known_as(also: &'static str, mut info: ActionInfo) -> ActionInfo {
    info.also = also;
    info
}

const fn for_datagrams(help: &'static str, mut info: ActionInfo) -> ActionInfo {
    info.of_datagrams = help;
    info
}

const fn titled_for_datagrams(title: &'static str, mut info: ActionInfo) -> ActionInfo {
    info.titled_of_datagrams = title;
    info
}

const fn taking(argument: &'static str, mut info: ActionInfo) -> ActionInfo {
    info.argument = argument;
    info
}

const fn global(key: Key) -> (Scope, Key) {
    (Scope::Global, key)
}

const fn view(key: Key) -> (Scope, Key) {
    (Scope::View, key)
}

const fn input(key: Key) -> (Scope, Key) {
    (Scope::Input, key)
}

const fn char(c: char) -> Key {
    Key::char(c)
}

const fn ctrl(c: char) -> Key {
    Key::ctrl(c)
}

const fn alt(c: char) -> Key {
    Key::alt(c)
}

const fn code(code: KeyCode) -> Key {
    Key::plain(code)
}

/// Every action, in the order in which help and palette list them.
#[rustfmt::skip]
pub const ACTIONS: &[ActionInfo] = &[
    for_datagrams("Send what is typed as a datagram, with the chosen line ending; an empty line without one is an empty datagram.",
        row(Action::Compose(Compose::Send), "send", "Send", "Send what is typed, with the chosen line ending.",
        &[input(code(KeyCode::Enter))])),
    for_datagrams("Send what is typed as a datagram without a line ending, this once; an empty line is an empty datagram.",
        row(Action::Compose(Compose::SendBare), "send-bare", "Send without line ending", "Send what is typed without a line ending, this once.",
        &[input(alt('s'))])),
    row(Action::Edit(Edit::NewLine), "new-line", "New line", "Insert a line break; it becomes the chosen line ending.",
        &[input(code(KeyCode::Enter).with_alt()), input(ctrl('j'))]),
    taking("[text|escaped|hex]", row(Action::Compose(Compose::InputType), "input", "Input type",
        "Change how typed input is read: text, escaped (\\r \\n \\xNN \\u{…}) or hex.",
        &[input(ctrl('t'))])),
    taking("[none|lf|crlf|cr|nul]", row(Action::Compose(Compose::LineEnding), "eol", "Line ending",
        "Change what Enter appends: nothing, LF, CRLF, CR or NUL.",
        &[input(alt('l'))])),
    taking("[mask]", row(Action::Compose(Compose::Secret), "secret", "Hidden input",
        "Type the next message hidden and keep it out of the history; with mask also out of the session file.", &[])),
    row(Action::Compose(Compose::Preview), "preview", "Show exact bytes", "Show the exact bytes that Enter would send, without sending.",
        &[input(ctrl('o'))]),
    row(Action::Edit(Edit::Up), "history-previous", "Previous message",
        "Go to the line above, or to the previous message of this target's history.",
        &[input(code(KeyCode::Up)), input(ctrl('p'))]),
    row(Action::Edit(Edit::Down), "history-next", "Next message",
        "Go to the line below, or to the next message of this target's history.",
        &[input(code(KeyCode::Down)), input(ctrl('n'))]),
    row(Action::Open(Open::HistorySearch), "history-search", "Search history", "Search this target's history backwards while you type.",
        &[input(ctrl('r'))]),
    row(Action::Edit(Edit::Literal), "literal", "Insert literally", "Insert the next key as the byte that it stands for.",
        &[input(ctrl('v'))]),
    row(Action::Edit(Edit::Left), "left", "Character left", "Move the cursor one character left.",
        &[input(code(KeyCode::Left)), input(ctrl('b'))]),
    row(Action::Edit(Edit::Right), "right", "Character right", "Move the cursor one character right.",
        &[input(code(KeyCode::Right)), input(ctrl('f'))]),
    row(Action::Edit(Edit::WordLeft), "word-left", "Word left", "Move the cursor to the start of the word.",
        &[input(alt('b')), input(code(KeyCode::Left).with_ctrl()), input(code(KeyCode::Left).with_alt())]),
    row(Action::Edit(Edit::WordRight), "word-right", "Word right", "Move the cursor to the end of the word.",
        &[input(alt('f')), input(code(KeyCode::Right).with_ctrl()), input(code(KeyCode::Right).with_alt())]),
    row(Action::Edit(Edit::LineStart), "line-start", "Line start", "Move the cursor to the start of the line.",
        &[input(code(KeyCode::Home)), input(ctrl('a'))]),
    row(Action::Edit(Edit::LineEnd), "line-end", "Line end", "Move the cursor to the end of the line.",
        &[input(code(KeyCode::End)), input(ctrl('e'))]),
    row(Action::Edit(Edit::DeleteLeft), "delete-left", "Delete left", "Delete the character before the cursor.",
        &[input(code(KeyCode::Backspace))]),
    row(Action::Edit(Edit::DeleteRight), "delete-right", "Delete right", "Delete the character at the cursor.",
        &[input(code(KeyCode::Delete))]),
    for_datagrams("Delete the character at the cursor; on an empty line, pressed twice, end as soon as answers cease.",
        row(Action::Compose(Compose::DeleteOrHalfClose), "delete-or-half-close", "Delete right, or half-close",
        "Delete the character at the cursor; on an empty line, pressed twice, half-close (FIN).",
        &[input(ctrl('d'))])),
    row(Action::Edit(Edit::KillToStart), "kill-to-start", "Cut to line start", "Cut from the start of the line to the cursor.",
        &[input(ctrl('u'))]),
    row(Action::Edit(Edit::KillToEnd), "kill-to-end", "Cut to line end", "Cut from the cursor to the end of the line.",
        &[input(ctrl('k'))]),
    row(Action::Edit(Edit::KillWordLeft), "kill-word-left", "Cut word left", "Cut the word before the cursor.",
        &[input(ctrl('w')), input(code(KeyCode::Backspace).with_alt())]),
    row(Action::Edit(Edit::KillWordRight), "kill-word-right", "Cut word right", "Cut the word after the cursor.",
        &[input(alt('d'))]),
    row(Action::Edit(Edit::Yank), "yank", "Paste what was cut", "Insert what was cut last.",
        &[input(ctrl('y'))]),
    row(Action::Edit(Edit::YankPrevious), "yank-previous", "Paste an earlier cut", "Replace what was just inserted by what was cut before it.",
        &[input(alt('y'))]),
    row(Action::Browse(Browse::PageUp), "log-page-up", "Scroll log up", "Scroll the log a page up without leaving Input.",
        &[input(code(KeyCode::PageUp))]),
    row(Action::Browse(Browse::PageDown), "log-page-down", "Scroll log down", "Scroll the log a page down without leaving Input.",
        &[input(code(KeyCode::PageDown))]),

    for_datagrams("Connect to a target; an open socket is closed first.",
        taking("[HOST:PORT]", row(Action::Dial(Dial::Connect), "connect", "Connect", "Connect to a target; an open connection is closed with FIN first.",
        &[view(char('c'))]))),
    for_datagrams("Connect to the last target again; an open socket is closed first.",
        row(Action::Dial(Dial::Reconnect), "reconnect", "Reconnect", "Connect to the last target again; an open connection is closed with FIN first.",
        &[view(char('R'))])),
    known_as("disconnect hang up", row(Action::Open(Open::CloseMenu), "close-menu", "Close menu", "Choose how to end the connection.",
        &[view(char('C'))])),
    taking("[smtp|imap|pop3|ftp|xmpp|ldap|postgresql|mysql]", known_as("upgrade secure", row(Action::Dial(Dial::StartTls), "starttls", "Start TLS",
        "Go on in TLS on the open connection: asked for in the words of a protocol, or, without one, from the next byte on.", &[]))),
    titled_for_datagrams("End as soon as answers cease", for_datagrams("Send nothing more, and end when nothing has crossed for a second; the peer is not told.",
        row(Action::Dial(Dial::HalfClose), "half-close", "Half-close (FIN)", "Send FIN after everything unsent, and go on reading.", &[]))),
    titled_for_datagrams("Close the socket", for_datagrams("Close the socket after everything unsent; the peer is not told.",
        row(Action::Dial(Dial::Close), "close", "Close (FIN)", "Send FIN after everything unsent, and end once the peer has ended too, or after 2 s.", &[]))),
    titled_for_datagrams("Close the socket at once", for_datagrams("Close the socket; the peer is not told.",
        row(Action::Dial(Dial::Reset), "reset", "Reset (RST)", "End the connection at once with RST; what is unsent is dropped.", &[]))),
    known_as("acknowledged ack kernel latency", taking("[on|off]", row(Action::Dial(Dial::Timestamps), "timestamps", "Time stamps of the kernel",
        "Ask the kernel when what is sent was on the wire and acknowledged, and when what is received arrived, or ask no more; the Inspector shows it.", &[]))),
    row(Action::Dial(Dial::Cancel), "cancel", "Cancel dialing", "Give up the attempt under way, or the wait for the next one.", &[]),
    taking("[NAME[=VALUE]]", known_as("sockopt setsockopt", row(Action::Dial(Dial::Option), "option", "Socket option", "Show or change an option of the socket, as in ttl or ttl=5; what is changed counts for later connections too.", &[]))),

    row(Action::Scroll(Scroll::Down), "down", "Down", "Go to the next entry, or scroll one row down.",
        &[view(char('j')), view(code(KeyCode::Down))]),
    row(Action::Scroll(Scroll::Up), "up", "Up", "Go to the previous entry, or scroll one row up.",
        &[view(char('k')), view(code(KeyCode::Up))]),
    row(Action::Scroll(Scroll::HalfPageDown), "half-page-down", "Half a page down", "Scroll half a page down.",
        &[view(ctrl('d'))]),
    row(Action::Scroll(Scroll::HalfPageUp), "half-page-up", "Half a page up", "Scroll half a page up.",
        &[view(ctrl('u'))]),
    row(Action::Scroll(Scroll::PageDown), "page-down", "Page down", "Scroll a page down.",
        &[view(code(KeyCode::PageDown)), view(char(' '))]),
    row(Action::Scroll(Scroll::PageUp), "page-up", "Page up", "Scroll a page up.",
        &[view(code(KeyCode::PageUp))]),
    row(Action::Scroll(Scroll::First), "first", "First", "Go to the first entry, or the top.",
        &[view(char('g')), view(code(KeyCode::Home))]),
    row(Action::Scroll(Scroll::Last), "last", "Last", "Go to the last entry, or the bottom; the log follows again.",
        &[view(char('G')), view(code(KeyCode::End))]),
    taking("[WHAT]", row(Action::Find(Find::Search), "search", "Search", "Search the log for text, re: and an expression, or hex: and bytes with ?.",
        &[view(char('/'))])),
    row(Action::Find(Find::Next), "search-next", "Next hit", "Go to the next entry that has what is searched for.",
        &[view(char('n'))]),
    row(Action::Find(Find::Previous), "search-previous", "Previous hit", "Go to the previous entry that has what is searched for.",
        &[view(char('N'))]),
    row(Action::Find(Find::Clear), "search-clear", "End the search", "Search no more; hits are not marked any longer.", &[]),
    taking("[WHICH]", row(Action::Find(Find::Filter), "filter", "Filter", "Show only the entries for which something holds, as in dir:rx and size>100 and re:ERR; nothing shows all.",
        &[view(char('f'))])),
    known_as("bookmark flag", row(Action::Annotate(Annotate::Mark), "mark", "Mark", "Mark the selected entry, or take its mark away.",
        &[view(char('m'))])),
    taking("[TEXT]", known_as("note annotate", row(Action::Annotate(Annotate::Comment), "comment", "Comment", "Write something about the selected entry; nothing written takes the comment away.",
        &[view(char(';'))]))),
    row(Action::Annotate(Annotate::Next), "next-mark", "Next mark", "Go to the next entry with a mark or a comment.",
        &[view(char('u'))]),
    row(Action::Annotate(Annotate::Previous), "previous-mark", "Previous mark", "Go to the previous entry with a mark or a comment.",
        &[view(char('U'))]),
    known_as("bookmarks comments notes", row(Action::Open(Open::Marks), "marks", "List of marks", "List what was marked or commented; Enter goes there.",
        &[view(char('\''))])),
    known_as("connections streams peers", row(Action::Open(Open::Conversations), "conversations", "Conversations", "List the conversations; Enter shows only the selected one.",
        &[view(char('o'))])),
    row(Action::Peer(Peer::Next), "next-peer", "Next peer", "Go to the next peer of a listener, or of a tap: the log shows it, and input goes to it.",
        &[view(char(']'))]),
    row(Action::Peer(Peer::Previous), "previous-peer", "Previous peer", "Go to the previous peer; before the first one stand all of them.",
        &[view(char('['))]),
    taking("[all|NUMBER]", row(Action::Peer(Peer::Choose), "peer", "Peer", "Go to the peer of that number, or to all of them.", &[])),
    taking("[application|server]", row(Action::Peer(Peer::Side), "side", "Side of a tap", "Change to which side of a tap goes what is typed: to the server or to the application.",
        &[input(alt('o')), view(char('T'))])),
    row(Action::Find(Find::Unfilter), "filter-clear", "Show all entries", "Show all entries again, at the same place.", &[]),
    taking("12|+10|50%|12:04|0x40", row(Action::Browse(Browse::Goto), "goto", "Go to entry, time or offset",
        "Go to an entry (12, +10, -10, 50%), to a time (12:04:31, 2026-11-23T12:04) or to an offset in the entry (0x40); the place alone does too.", &[])),
    row(Action::Browse(Browse::Follow), "follow", "Follow", "Follow the newest entry, or stop following.",
        &[view(char('F'))]),
    known_as("visual", row(Action::Browse(Browse::Range), "select", "Select entries", "Select all entries from here to where you go, for copying and writing; again or Esc ends that.",
        &[view(char('v'))])),
    row(Action::Browse(Browse::Inspect), "inspect", "Inspect", "Show the whole entry in the Inspector and focus it.",
        &[(Scope::Log, code(KeyCode::Enter)), (Scope::Log, char('l')), (Scope::Status, code(KeyCode::Enter)), (Scope::Status, char('l'))]),
    row(Action::Browse(Browse::CloseInspector), "close-inspector", "Close Inspector", "Close the Inspector.",
        &[(Scope::Inspector, char('h'))]),
    row(Action::Browse(Browse::NextEntry), "next-entry", "Next entry", "Inspect the next entry.",
        &[(Scope::Inspector, char('J'))]),
    row(Action::Browse(Browse::PreviousEntry), "previous-entry", "Previous entry", "Inspect the previous entry.",
        &[(Scope::Inspector, char('K'))]),
    row(Action::Open(Open::CopyMenu), "copy", "Copy", "Choose how to copy the selected entry or entries to the clipboard.",
        &[view(char('y'))]),
    row(Action::Copy(CopyForm::Text), "copy-text", "Copy as text", "Copy the entry as text, with what is not printable escaped.", &[]),
    row(Action::Copy(CopyForm::Hex), "copy-hex", "Copy as hex", "Copy the entry as hex digits.", &[]),
    row(Action::Copy(CopyForm::Hexdump), "copy-hexdump", "Copy as hexdump", "Copy the entry as a hexdump with offsets and text.", &[]),
    known_as("save as", taking("[pcapng|jsonl|raw|hexdump|text|python] [FILE]", row(Action::Export(Export::Shown), "export", "Export", "Export everything, or what the filter shows: pcapng, JSON, raw bytes, hexdump, text or a Python script.",
        &[view(char('E'))]))),
    known_as("save", taking("[pcapng|jsonl|raw|hexdump|text|python] [FILE]", row(Action::Export(Export::Entry), "write", "Write entry", "Export the selected entry or entries alone.",
        &[view(char('w'))]))),
    row(Action::Export(Export::Stop), "export-stop", "Stop the export", "Stop the export that is under way and remove its file; Esc does too.", &[]),
    row(Action::Export(Export::Rename), "export-rename", "Export under another name", "Give another name to an export whose file exists already.", &[]),
    row(Action::Export(Export::Overwrite), "export-overwrite", "Export over the file", "Overwrite the file that the export found in its place.", &[]),
    taking("[hex|text|both]", row(Action::Show(Show::View), "view", "View", "Change the view of the log: hex, text or both.",
        &[view(char('x'))])),
    taking("[absolute|start|delta|kernel]", row(Action::Show(Show::TimeColumn), "time", "Time column",
        "Change the time column: absolute, since start of the connection, since the previous entry, or what the kernel's time stamps tell.",
        &[view(char('t'))])),
    row(Action::Show(Show::Zoom), "zoom", "Zoom", "Give the focused pane the whole window, or give it back.",
        &[view(char('z'))]),
    row(Action::Show(Show::Arrange), "layout", "Layout", "Change where the Inspector stands: by width, beside, below.",
        &[view(char('|'))]),
    row(Action::Show(Show::Mouse), "mouse", "Mouse", "Switch the mouse on or off; off, the terminal selects text.",
        &[view(char('M'))]),
    known_as("dial phases lookup dns timing", row(Action::Show(Show::Waterfall), "waterfall", "Connect waterfall",
        "Show in Status how the connection came about: lookups, addresses tried, TLS, first byte.", &[])),
    known_as("tcp-info rtt retransmits window", row(Action::Show(Show::Kernel), "kernel", "Kernel's view",
        "Show in Status what the kernel says of the connection: round trip, windows, losses, rates.", &[])),

    row(Action::Reading(Reading::Stop), "stop-indexing", "Stop indexing", "Stop indexing the file; what was found so far stays readable.", &[]),

    row(Action::Focus(Focus::Next), "next-pane", "Next pane", "Focus the next pane.",
        &[global(code(KeyCode::Tab))]),
    row(Action::Focus(Focus::Previous), "previous-pane", "Previous pane", "Focus the previous pane.",
        &[global(code(KeyCode::Tab).with_shift())]),
    row(Action::Focus(Focus::Pane(Pane::Status)), "focus-status", "Go to Status", "Focus the Status pane.",
        &[view(char('1'))]),
    row(Action::Focus(Focus::Pane(Pane::Log)), "focus-log", "Go to Log", "Focus the Log pane.",
        &[view(char('2'))]),
    row(Action::Focus(Focus::Pane(Pane::Inspector)), "focus-inspector", "Go to Inspector", "Focus the Inspector, and open it if it is closed.",
        &[view(char('3'))]),
    row(Action::Focus(Focus::Pane(Pane::Input)), "focus-input", "Go to Input", "Focus the Input pane.",
        &[view(char('i')), view(char('4'))]),
    row(Action::Open(Open::Help), "help", "Help", "Show the keys of the focused pane.",
        &[global(code(KeyCode::F(1))), view(char('?'))]),
    row(Action::Open(Open::Palette), "palette", "Commands", "Run any action by its name.",
        &[global(ctrl('g')), view(char(':'))]),
    row(Action::Program(Program::Back), "back", "Back", "Close the pop-up, clear the selection, or leave Input.",
        &[global(code(KeyCode::Esc))]),
    row(Action::Program(Program::Interrupt), "interrupt", "Clear, or quit", "Clear the typed text; with none, ask whether to quit.",
        &[global(ctrl('c'))]),
    row(Action::Program(Program::Redraw), "redraw", "Redraw", "Clear the terminal and paint it again.",
        &[global(ctrl('l'))]),
    row(Action::Program(Program::Suspend), "suspend", "Suspend", "Go back to the shell; the connection stays open, fg returns.",
        &[global(ctrl('z'))]),
    known_as("exit leave", row(Action::Program(Program::Quit), "quit", "Quit", "Quit; asks when a connection is open or bytes were recorded.",
        &[view(char('q'))])),
    row(Action::Program(Program::QuitKeep), "quit-now", "Quit and keep", "Quit at once and keep the recording.",
        &[view(char('Q'))]),
    row(Action::Program(Program::QuitDiscard), "quit-discard", "Quit and discard", "Quit at once and delete the recording.", &[]),
];
