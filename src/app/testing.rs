//! A log in memory, and a tiny notation for "state, keys, state": only for tests.

mod memory;

pub(crate) use memory::Memory;

use super::{
    App, Context, Effect, Event, Key, KeyCode, Layout, Reaction, SessionFile, Settings, TimeColumn, View,
    Zone,
};
use crate::model::{ConnectionId, EntryId, Found, Goal, Link, LinkState, NetEvent, Records, Timestamp};
use crate::text::{InputType, LineEnding, Policy};

/// What a search has found, as a test says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hits {
    pub(crate) numbers: Vec<u64>,
    pub(crate) scanned: u64,
    pub(crate) of: u64,
}

impl Hits {
    /// Those that were looked at.
    fn known(&self) -> &[u64] {
        &self.numbers[..self.numbers.partition_point(|number| *number < self.scanned)]
    }
}

/// They, and what of them the log shows.
struct ShownHits<'a>(&'a Hits, &'a Memory);

impl ShownHits<'_> {
    fn known(&self) -> &[u64] {
        self.0.known()
    }

    fn is_shown(&self, number: u64) -> bool {
        let shown = self.1.shown.as_ref();
        shown.is_none_or(|shown| shown.contains(&number))
    }
}

impl Found for ShownHits<'_> {
    fn count(&self) -> u64 {
        self.known().len() as u64
    }

    fn scanned(&self) -> u64 {
        self.0.scanned
    }

    fn entries(&self) -> u64 {
        self.0.of
    }

    fn next(&self, from: EntryId) -> Option<EntryId> {
        let mut known = self.known().iter().copied();
        known
            .find(|number| *number >= from.0 && self.is_shown(*number))
            .map(EntryId)
    }

    fn previous(&self, to: EntryId) -> Option<EntryId> {
        let mut known = self.known().iter().copied();
        known
            .rfind(|number| *number <= to.0 && self.is_shown(*number))
            .map(EntryId)
    }

    fn hidden_before(&self, id: EntryId) -> u64 {
        let before = self.known().iter().filter(|number| **number < id.0);
        before.filter(|number| !self.is_shown(**number)).count() as u64
    }

    fn rank(&self, id: EntryId) -> u64 {
        self.known().partition_point(|number| *number < id.0) as u64
    }

    fn nth(&self, rank: u64) -> Option<EntryId> {
        self.known().get(rank as usize).copied().map(EntryId)
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        goal: Some(Goal::Connect("host:1".parse().unwrap())),
        view: View::Both,
        time: TimeColumn::Absolute,
        input: InputType::Text,
        eol: LineEnding::Lf,
        policy: Policy::default(),
        zone: Zone::Utc,
        session: SessionFile::Temporary("/sessions/1.pcapng".into()),
        recents: vec!["old:1".parse().unwrap()],
        mouse: true,
        greetings: Vec::new(),
    }
}

/// The program without its outside: a state, a log, a window and a time.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) memory: Memory,
    pub(crate) hits: Option<Hits>,
    pub(crate) size: (u16, u16),
    pub(crate) now: Timestamp,
    /// The effects of the last call.
    pub(crate) effects: Vec<Effect>,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Bench {
        let mut bench = Bench {
            app: App::new(settings),
            memory: Memory::default(),
            hits: None,
            size: (80, 24),
            now: Timestamp(1_000_000_000),
            effects: Vec::new(),
        };
        bench.event(Event::Started);
        bench
    }

    /// With an open connection.
    pub(crate) fn open() -> Bench {
        let mut bench = Bench::new();
        bench.link(LinkState::Open, |_| {});
        bench
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::split(self.size.0, self.size.1, &self.app)
    }

    pub(crate) fn event(&mut self, event: Event) -> Reaction {
        let layout = self.layout();
        let hits = self.hits.as_ref().map(|hits| ShownHits(hits, &self.memory));
        let context = Context {
            now: self.now,
            records: &self.memory,
            layout: &layout,
            hits: hits.as_ref().map(|hits| hits as &dyn Found),
        };
        let reaction = self.app.update(event, &context);
        self.effects.clone_from(&reaction.effects);
        reaction
    }

    pub(crate) fn link(&mut self, state: LinkState, change: impl FnOnce(&mut Link)) {
        let mut link = Link::new(ConnectionId(0), "host:1".parse().unwrap(), Timestamp(0));
        link.state = state;
        change(&mut link);
        self.event(Event::Net(NetEvent {
            payload: link.sent.bytes + link.received.bytes,
            link: Some(link),
            entries: self.memory.len(),
            ..NetEvent::default()
        }));
    }

    /// Presses keys: characters are themselves, `<...>` is a key by its name in help, as in `<Ctrl-G>` or `<Esc>`.
    /// The keys come 100 ms apart. All their effects are kept.
    pub(crate) fn keys(&mut self, notation: &str) -> &mut Bench {
        let mut effects = Vec::new();
        for key in parse(notation) {
            self.now = Timestamp(self.now.0 + 100_000_000);
            self.event(Event::Key(key));
            effects.append(&mut self.effects);
        }
        self.effects = effects;
        self
    }

    /// The typed text with `|` as the cursor.
    pub(crate) fn typed(&self) -> String {
        let editor = &self.app.composer.editor;
        let mut text = editor.text().to_owned();
        text.insert(editor.cursor(), '|');
        text
    }

    pub(crate) fn notice(&self) -> &str {
        self.app.notice.as_ref().map_or("", |notice| &notice.text)
    }

    /// The entry and row of the topmost visible row, and those of the last one.
    pub(crate) fn window(&self) -> (u64, u64) {
        let rows = self.app.log_rows(&self.memory, &self.layout());
        let end = |row: Option<&super::VisibleRow>| row.map_or(u64::MAX, |row| row.number.0);
        (end(rows.first()), end(rows.last()))
    }
}

/// Reads the notation of [`Bench::keys`].
pub(crate) fn parse(notation: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = notation;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '<' {
            keys.push(Key::char(c));
            continue;
        }
        let (name, after) = rest.split_once('>').expect("a key in angle brackets");
        rest = after;
        keys.push(named(name));
    }
    keys
}

fn named(name: &str) -> Key {
    for (prefix, with) in [
        ("Ctrl-", Key::with_ctrl as fn(Key) -> Key),
        ("Alt-", Key::with_alt),
        ("Shift-", Key::with_shift),
    ] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return with(named(&if rest.chars().count() == 1 {
                rest.to_lowercase()
            } else {
                rest.into()
            }));
        }
    }
    let all = [
        ("Enter", KeyCode::Enter),
        ("Esc", KeyCode::Esc),
        ("Tab", KeyCode::Tab),
        ("Backspace", KeyCode::Backspace),
        ("Delete", KeyCode::Delete),
        ("Left", KeyCode::Left),
        ("Right", KeyCode::Right),
        ("Up", KeyCode::Up),
        ("Down", KeyCode::Down),
        ("Home", KeyCode::Home),
        ("End", KeyCode::End),
        ("PgUp", KeyCode::PageUp),
        ("PgDn", KeyCode::PageDown),
        ("F1", KeyCode::F(1)),
    ];
    match all.into_iter().find(|(n, _)| *n == name) {
        Some((_, code)) => Key::plain(code),
        None => Key::char(name.parse().expect("one character")),
    }
}
