//! The state machine and the screen without a terminal: events in, a picture of cells out, at a time that stands
//! still until the test moves it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use sockscope::app::{
    App, Context, Event, Key, KeyCode, Layout, SessionFile, Settings, TimeColumn, View, Zone,
};
use sockscope::model::{
    ConnectionId, Direction, EntryKind, Goal, Link, LinkState, Listening, NetEvent, Peers, RecorderState,
    Records, RingReport, Timestamp,
};
use sockscope::text::{InputType, LineEnding, Policy};
use sockscope::ui::{self, Frame, Theme};

use super::memory::Memory;

/// 2026-09-21 12:04:31.120331 UTC.
pub(crate) const START: Timestamp = Timestamp(1_789_992_271_120_331_000);

/// An app with a log and a window.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) log: Memory,
    pub(crate) link: Option<Link>,
    pub(crate) listening: Option<Listening>,
    pub(crate) peers: Peers,
    pub(crate) recorder: RecorderState,
    pub(crate) ring: Option<RingReport>,
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
}

/// The settings of every stage: nothing that depends on the machine.
pub(crate) fn settings() -> Settings {
    Settings {
        goal: Some(Goal::Connect("localhost:6379".parse().unwrap())),
        view: View::Both,
        time: TimeColumn::Absolute,
        input: InputType::Text,
        eol: LineEnding::CrLf,
        policy: Policy::default(),
        zone: Zone::Utc,
        session: SessionFile::Temporary(
            "/home/ada/.local/state/sockscope/sessions/20260921-120431.pcapng".into(),
        ),
        recents: Vec::new(),
        mouse: true,
        greetings: Vec::new(),
    }
}

impl Stage {
    /// A started app.
    pub(crate) fn new(settings: Settings, size: (u16, u16)) -> Stage {
        let mut stage = Stage {
            app: App::new(settings),
            log: Memory::default(),
            link: None,
            listening: None,
            peers: Peers::default(),
            recorder: RecorderState::Recording,
            ring: None,
            now: START,
            size,
            theme: Theme::Ansi,
        };
        stage.send(Event::Started);
        stage
    }

    /// An app whose connection was dialed and is open.
    pub(crate) fn open(size: (u16, u16)) -> Stage {
        let mut stage = Stage::new(settings(), size);
        let (local, remote) = (
            "127.0.0.1:50312".parse().unwrap(),
            "127.0.0.1:6379".parse().unwrap(),
        );
        let mut link = Link::new(ConnectionId(0), "localhost:6379".parse().unwrap(), START);
        link.state = LinkState::Open;
        link.local = Some(local);
        link.remote = Some(remote);
        link.opened = Some(START);
        stage.link = Some(link);
        stage.event(EntryKind::Open { local, remote });
        stage
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, duration: Duration) -> &mut Stage {
        self.now = self.now + duration;
        self
    }

    /// Records an event, and reports it.
    pub(crate) fn event(&mut self, kind: EntryKind) -> &mut Stage {
        if let Some(link) = &mut self.link {
            Arc::make_mut(&mut link.dial).take_in(self.now, &kind);
        }
        self.log.event(self.now, kind);
        self.report()
    }

    /// Records bytes, counts them, and reports it.
    pub(crate) fn data(&mut self, direction: Direction, bytes: &[u8]) -> &mut Stage {
        self.log.data(self.now, direction, bytes);
        if let Some(link) = &mut self.link {
            let tally = match direction {
                Direction::Sent => &mut link.sent,
                Direction::Received => &mut link.received,
            };
            tally.count(bytes.len() as u64, self.now);
        }
        self.report()
    }

    /// Changes the connection, and reports it.
    pub(crate) fn link(&mut self, change: impl FnOnce(&mut Link)) -> &mut Stage {
        change(self.link.as_mut().unwrap());
        self.report()
    }

    /// Reports how things stand, as the worker does.
    pub(crate) fn report(&mut self) -> &mut Stage {
        let news = NetEvent {
            ring: self.ring,
            link: self.link.clone(),
            listening: self.listening.clone(),
            peers: self.peers.clone(),
            entries: self.log.len(),
            size: 12_800,
            payload: self
                .link
                .as_ref()
                .map_or(0, |link| link.sent.bytes + link.received.bytes),
            recorder: self.recorder.clone(),
            ..NetEvent::default()
        };
        self.send(Event::Net(news))
    }

    /// Takes in an event.
    pub(crate) fn send(&mut self, event: Event) -> &mut Stage {
        let layout = self.layout();
        let context = Context {
            now: self.now,
            records: &self.log,
            layout: &layout,
            hits: None,
        };
        let _ = self.app.update(event, &context);
        self
    }

    /// Types a text, character by character.
    pub(crate) fn typed(&mut self, text: &str) -> &mut Stage {
        for c in text.chars() {
            self.key(Key::char(c));
        }
        self
    }

    /// Presses a key.
    pub(crate) fn key(&mut self, key: Key) -> &mut Stage {
        self.send(Event::Key(key))
    }

    /// Presses Esc, and waits until letters are keys again.
    pub(crate) fn escape(&mut self) -> &mut Stage {
        self.key(Key::plain(KeyCode::Esc)).wait(Duration::from_millis(60))
    }

    /// The layout of the window.
    pub(crate) fn layout(&self) -> Layout {
        Layout::split(self.size.0, self.size.1, &self.app)
    }

    /// Draws the window.
    pub(crate) fn draw(&self) -> (Buffer, Option<Position>) {
        self.draw_at(self.now, None)
    }

    /// Draws the window, or so many rows at its top, as it is at another time.
    pub(crate) fn draw_at(&self, now: Timestamp, rows: Option<u16>) -> (Buffer, Option<Position>) {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let height = rows.unwrap_or(area.height).min(area.height);
        let mut buf = Buffer::empty(Rect { height, ..area });
        let layout = self.layout();
        let frame = Frame {
            now,
            records: &self.log,
            layout: &layout,
            theme: self.theme,
        };
        let cursor = ui::render(&self.app, &frame, area, &mut buf);
        (buf, cursor)
    }

    /// The window as text: its rows, the place of the cursor, and where asked for the styles of rows.
    pub(crate) fn picture(&self, styled: &[u16]) -> String {
        let (buf, cursor) = self.draw();
        let mut out = rows(&buf).join("\n");
        out.push('\n');
        if let Some(at) = cursor {
            writeln!(out, "cursor: {},{}", at.x, at.y).unwrap();
        }
        for y in styled {
            writeln!(out, "row {y}: {}", styles(&buf, *y)).unwrap();
        }
        out
    }
}

/// The rows of a buffer without the blanks at their ends.
pub(crate) fn rows(buf: &Buffer) -> Vec<String> {
    let width = usize::from(buf.area.width.max(1));
    buf.content.chunks(width).map(row).collect()
}

fn row(cells: &[ratatui::buffer::Cell]) -> String {
    let mut out = String::new();
    let mut covered = 0;
    for cell in cells {
        if covered > 0 {
            covered -= 1;
            continue;
        }
        out.push_str(cell.symbol());
        covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
    }
    out.trim_end().to_owned()
}

/// The styles of a row: `2-9 cyan bold`, runs of default style left out.
fn styles(buf: &Buffer, y: u16) -> String {
    let style = |x: u16| {
        let cell = &buf[(x, y)];
        let mut words = Vec::new();
        if cell.fg != Color::Reset {
            words.push(cell.fg.to_string().to_lowercase());
        }
        if cell.bg != Color::Reset {
            words.push(format!("on {}", cell.bg.to_string().to_lowercase()));
        }
        words.extend(
            cell.modifier
                .iter_names()
                .map(|(name, _): (&str, Modifier)| name.to_lowercase()),
        );
        words.join(" ")
    };
    let mut runs: Vec<(u16, u16, String)> = Vec::new();
    for x in 0..buf.area.width {
        let here = style(x);
        match runs.last_mut() {
            Some((_, end, style)) if *style == here => *end = x,
            Some(_) | None => runs.push((x, x, here)),
        }
    }
    let named = runs.into_iter().filter(|(_, _, style)| !style.is_empty());
    let shown: Vec<String> = named
        .map(|(start, end, style)| format!("{start}-{end} {style}"))
        .collect();
    shown.join(", ")
}
