//! Layer 3: the state machine. Events go in; state for the screen and effects for the runtime come out.
//!
//! # Layout
//!
//! | module | holds |
//! |---|---|
//! | `event`, `key`, `settings` | what goes in and what comes out |
//! | `actions` | the table of actions: names, help and keys |
//! | `layout` | where the panes stand |
//! | `log`, `inspector`, `rows` | what is visible of the log, row by row |
//! | `block` | what is visible of a Status pane that has the whole window |
//! | `composer` | what is typed |
//! | `wire` | what crosses, and what follows from that |
//! | `overlay` | pop-ups |
//! | `notice`, `rates`, `kernel` | messages and figures that change with time |
//! | `server` | who came to a listener, and which of them is meant |
//! | `perform`, `browse`, `goto`, `annotate`, `options`, `typing`, `dialing`, `popups`, `news`, `mouse`, `ending`, `target`, `copying` | what events do to all of that |
//!
//! Deliberately absent: sockets, files, the clock, the terminal. Time and the log come in with the context.

pub mod actions;

mod annotate;
mod block;
mod browse;
mod composer;
mod copying;
mod dialing;
mod ending;
mod event;
mod exporting;
mod filter;
mod find;
mod goto;
mod hints;
mod inspector;
mod kernel;
mod key;
mod layout;
mod log;
mod mouse;
mod news;
mod notice;
mod options;
mod overlay;
mod perform;
mod popups;
mod rates;
mod rows;
mod server;
mod settings;
mod target;
mod typing;
mod wire;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
use std::time::Duration;

pub use block::Block;
pub use composer::{Composer, Editor, History, KillRing, Pending, Secret, Sent, Typed};
pub use event::{Context, Effect, Ending, Event, Keeping, Reaction, Report};
pub use exporting::{ExportOrder, Exporting, Extent};
pub use filter::{Filter, FilterScan};
pub use find::{Scanned, Search};
pub use hints::Hint;
pub use inspector::Inspector;
pub use kernel::Kernel;
pub use key::{Key, KeyCode, Modifiers, Mouse, MouseKind};
pub use layout::{Area, Arrangement, Frame, Layout};
pub use log::{Anchor, Log, LogPosition};
pub use notice::{Notice, Severity};
pub use overlay::{
    Command, ConnectDialog, Help, HelpLine, HelpText, HistorySearch, List, Match, Menu, MenuItem, MenuKind,
    Mistake, Overlay, Palette, Preview, Prompt, TargetError, Topic, Trigger, Wanted,
};
pub use rates::{Rates, Second};
pub use rows::{
    COMMENT_SIGN, Head, HeadColumns, HexRow, INDENT, RowKind, TEXT_COLUMN, TextUnits, VisibleRow,
};
pub use settings::{Pane, SessionFile, Settings, TimeColumn, View, Zone};
pub use wire::Wire;

pub use crate::model::{Purpose, end_sentence, sentence};

use crate::model::{
    Annotation, ConnectionId, Endpoint, EntryId, FileReport, Goal, Link, LinkState, Listening, Peers, Query,
    RecorderState, Records, RingReport, Side, Timestamp, reading,
};
use rows::Sheet;

/// Terminals send Alt-x as Esc and x; within this time after an Esc, letters are not commands of the View panes.
const ESC_DELAY: Duration = Duration::from_millis(50);

/// The whole state. The screen is a function of it, of the log and of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// What was fixed at the start.
    pub settings: Settings,
    /// The pane that has the keyboard, unless a pop-up has it.
    pub focus: Pane,
    /// The connection, as last reported.
    pub link: Option<Link>,
    /// What waits for connections, if anything does.
    pub listening: Option<Listening>,
    /// Those who came.
    pub peers: Peers,
    /// The one of them that is meant; `None` means all.
    pub chosen: Option<ConnectionId>,
    /// The side of a tap to which goes what is typed.
    pub side: Side,
    /// How the opened file stands, as last reported; only while a recording is read.
    pub file: Option<FileReport>,
    /// How the recorder is doing, as last reported.
    pub recorder: RecorderState,
    /// The size of the session file in bytes, or of the kept files of a ring, as last reported.
    pub recorded: u64,
    /// The files of a ring, as last reported.
    pub ring: Option<RingReport>,
    /// Bytes of both sides in it, as last reported.
    pub payload: u64,
    /// The Log pane.
    pub log: Log,
    /// What is searched for, when something is.
    pub search: Option<Search>,
    /// What is shown of the log, when not all of it is.
    pub filter: Option<Filter>,
    /// What was searched for before.
    searches: History,
    /// What was filtered by before.
    filters: History,
    /// The export, while one is under way or waits for an answer.
    pub exporting: Option<Exporting>,
    /// The Inspector pane, when it is open.
    pub inspector: Option<Inspector>,
    /// The Input pane.
    pub composer: Composer,
    /// The pop-up, when there is one.
    pub overlay: Option<Overlay>,
    /// The message in the footer, when there is one.
    pub notice: Option<Notice>,
    /// Traffic per second.
    pub rates: Rates,
    /// The kernel's view of the connection.
    pub kernel: Kernel,
    /// The pane that has the whole window, when there is one.
    pub zoomed: Option<Pane>,
    /// The block that Status begins with when it has the whole window.
    pub block: Block,
    /// Where the Inspector stands.
    pub arrangement: Arrangement,
    /// Whether mouse reports are on.
    pub mouse: bool,
    /// Targets of before, the most recent first.
    pub recents: Vec<Endpoint>,
    /// The pane that had the focus before Input.
    last_view: Pane,
    /// When Esc was pressed last.
    escaped: Option<Timestamp>,
    /// The title that the window was given last.
    title: String,
    /// A text that was handed to the worker last, until it is known to be on its way.
    sending: Option<Sent>,
    /// What was added to an entry last, until it is kept.
    annotating: Option<(EntryId, Annotation)>,
    /// What was written about an entry, until it is kept.
    commenting: Option<(EntryId, String)>,
    /// Whether the annotations that are kept beside the opened file were asked for.
    recalled: bool,
    /// How many requests to send were handed to the worker.
    sends: u64,
    /// To how many peers the latest message goes.
    sending_to: u64,
    /// How many of them it had refused, as last reported.
    refused: u64,
    /// How many answers about socket options were shown.
    answers: u64,
}

impl App {
    /// The state before the first event, which is [`Event::Started`].
    pub fn new(settings: Settings) -> App {
        let purpose = settings.session.purpose();
        App {
            focus: match (purpose, &settings.goal) {
                (Purpose::Live, None | Some(Goal::Connect(_))) => Pane::Input,
                (Purpose::Live, Some(Goal::Listen(_) | Goal::Tap(..))) | (Purpose::Reading, _) => Pane::Log,
            },
            link: None,
            listening: None,
            peers: Peers::default(),
            chosen: None,
            side: Side::Peer,
            file: match purpose {
                Purpose::Live => None,
                Purpose::Reading => Some(FileReport::default()),
            },
            recorder: RecorderState::default(),
            recorded: 0,
            ring: None,
            payload: 0,
            log: Log::new(settings.view, settings.time, purpose),
            search: None,
            filter: None,
            searches: History::default(),
            filters: History::default(),
            exporting: None,
            inspector: None,
            composer: Composer::new(settings.input, settings.eol),
            overlay: None,
            notice: None,
            rates: Rates::default(),
            kernel: Kernel::default(),
            zoomed: None,
            block: Block::default(),
            arrangement: Arrangement::default(),
            mouse: settings.mouse,
            recents: settings.recents.clone(),
            last_view: Pane::Log,
            escaped: None,
            title: String::new(),
            sending: None,
            annotating: None,
            commenting: None,
            recalled: false,
            sends: 0,
            sending_to: 0,
            refused: 0,
            answers: 0,
            settings,
        }
    }

    /// Takes in one event.
    pub fn update(&mut self, event: Event, context: &Context<'_>) -> Reaction {
        if self
            .notice
            .as_ref()
            .is_some_and(|notice| notice.expires <= context.now)
        {
            self.notice = None;
        }
        let mut reaction = Reaction::redraw();
        let out = &mut reaction.effects;
        let resized = event == Event::Resized;
        let mistake = self.composer.error.clone();
        match event {
            Event::Started => self.started(context, out),
            Event::Key(key) => reaction.redraw = self.key(key.canonical(), context, out),
            Event::Paste(text) => self.paste(&text, context),
            Event::Mouse(mouse) => reaction.redraw = self.mouse_event(mouse, context),
            Event::Net(news) => self.news(news, context, out),
            Event::Kernel(report) => {
                self.kernel.update(report);
                return Reaction::default();
            }
            Event::File(report) => self.file_report(report, context, out),
            Event::Searched(progress) => self.searched(progress, context),
            Event::Refiltered => self.refiltered(context),
            Event::Filtered(progress) => self.filtered(progress, context),
            Event::Annotated {
                number,
                annotation,
                result,
            } => self.annotated(number, &annotation, result, context),
            Event::Exported(report) => self.exported(report, context),
            Event::History { endpoint, lines } => self.composer.history.recalled(&endpoint, lines),
            Event::Report(report) => self.report(report, context),
            Event::Resized | Event::Resumed | Event::Recalled | Event::Tick => {}
        }
        if let Some(mistake) = mistake.filter(|mistake| self.composer.error.as_ref() != Some(mistake)) {
            // Corrected, or given up: nothing needs to be said of it any more.
            self.notice.take_if(|notice| notice.text == mistake.to_string());
        }
        self.log.release(target::first_kept(context.records));
        self.settle(resized, context);
        reaction
    }

    /// When the Log has got another size, its page stays full and the selection on it.
    fn settle(&mut self, resized: bool, context: &Context<'_>) {
        let screen = context.layout.screen;
        let layout = Layout::split(screen.width, screen.height, self);
        if (resized || layout.log != context.layout.log) && !layout.log.is_empty() {
            let sheet = self.sheet(context.records, &layout);
            self.log.settle(&sheet, layout.log.height);
        }
    }

    /// The rows of the Log, from the top; no more than its area has.
    pub fn log_rows(&self, records: &dyn Records, layout: &Layout) -> Vec<VisibleRow> {
        let rows = self
            .log
            .visible_rows(&self.sheet(records, layout), layout.log.height);
        self.with_hits(rows, records)
    }

    /// The rows of the Inspector, from the top; no more than its area has.
    pub fn inspector_rows(&self, records: &dyn Records, layout: &Layout) -> Vec<VisibleRow> {
        let Some(inspector) = &self.inspector else {
            return Vec::new();
        };
        let rows = inspector.visible_rows(&self.inspector_sheet(records, layout), layout.inspector.height);
        self.with_hits(rows, records)
    }

    /// What the title of the Log says.
    pub fn log_position(&self, records: &dyn Records, layout: &Layout) -> LogPosition {
        self.log.position(&self.sheet(records, layout), layout.log.height)
    }

    /// What the program was started for.
    pub fn purpose(&self) -> Purpose {
        self.settings.session.purpose()
    }

    /// The state of the connection; idle before the first was asked for.
    pub fn state(&self) -> LinkState {
        self.link.as_ref().map_or(LinkState::Idle, |link| link.state)
    }

    /// When the screen changes by itself next, apart from the clock of the connection: a notice vanishes.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.notice.as_ref().map(|notice| notice.expires)
    }

    fn sheet<'a>(&self, records: &'a dyn Records, layout: &Layout) -> Sheet<'a> {
        Sheet {
            records,
            first: records.first(),
            len: records.len(),
            width: layout.log.width,
            view: self.log.view,
            time: self.log.time,
            digits: self.connection_digits(records),
            policy: self.settings.policy,
            purpose: self.purpose(),
            detailed: false,
        }
    }

    /// Digits of the numbers of connections in the log; 0 where all that is shown is of the same one.
    pub fn connection_digits(&self, records: &dyn Records) -> u16 {
        let query = self.filter.as_ref().map(|filter| &filter.query);
        match records.conversations() {
            0 | 1 => 0,
            _ if query.and_then(Query::connection).is_some() => 0,
            count => (count - 1).ilog10() as u16 + 1,
        }
    }

    /// Of the log from which the inspected entry is read, also while the filter has not come to it.
    fn inspector_sheet<'a>(&self, records: &'a dyn Records, layout: &Layout) -> Sheet<'a> {
        let inspected = self.inspector.as_ref().map(|inspector| inspector.entry);
        let records = inspected.map_or(records, |number| reading(records, number).0);
        Sheet {
            width: layout.inspector.width,
            view: View::Both,
            detailed: true,
            ..self.sheet(records, layout)
        }
    }

    fn notify(&mut self, severity: Severity, text: impl Into<String>, context: &Context<'_>) {
        self.notice = Some(Notice::new(severity, text, context.now));
    }

    fn focus(&mut self, pane: Pane, context: &Context<'_>) {
        if pane == Pane::Inspector && self.inspector.is_none() {
            let Some(current) = self.current_number(context) else {
                self.notify(Severity::Warning, "there is no entry to inspect yet", context);
                return;
            };
            self.inspector = Some(Inspector::new(current));
        }
        if pane != Pane::Input {
            self.last_view = pane;
        }
        // A zoomed pane hides the others: the zoom follows the focus, but Input is always visible.
        if self.zoomed.is_some() && pane != Pane::Input {
            self.zoomed = Some(pane);
        }
        self.focus = pane;
    }
}
