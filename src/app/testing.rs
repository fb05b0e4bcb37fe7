//! A log in memory, and a tiny notation for "state, keys, state": only for tests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::{
    App, Context, Effect, Event, Key, KeyCode, Layout, Reaction, SessionFile, Settings, TimeColumn, View,
    Zone,
};
use crate::model::{
    Annotation, ConnectionId, Direction, Entry, EntryId, EntryKind, Found, Goal, Link, LinkState, NetEvent,
    Records, RecordsError, Stamps, Surroundings, Tail, Timestamp,
};
use crate::text::{InputType, LineEnding, Policy};

/// Entries in memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    entries: Vec<(EntryKind, Vec<u8>)>,
    /// The numbers of the entries that a filter shows; without it, all.
    pub(crate) shown: Option<Vec<u64>>,
    /// How many entries are not kept any more.
    pub(crate) gone: u64,
    /// How often entries were looked at, to show that work is bounded.
    pub(crate) looks: RefCell<u64>,
    /// What was added to entries.
    pub(crate) annotations: BTreeMap<u64, Annotation>,
    pub(crate) stamps: BTreeMap<u64, Stamps>,
}

impl Memory {
    pub(crate) fn data(&mut self, direction: Direction, bytes: &[u8]) {
        self.entries.push((EntryKind::Data { direction }, bytes.to_vec()));
    }

    pub(crate) fn event(&mut self, kind: EntryKind) {
        self.entries.push((kind, Vec::new()));
    }

    /// The number of the entry at a place.
    fn number(&self, place: EntryId) -> Option<usize> {
        match &self.shown {
            Some(shown) => shown.get(place.0 as usize).map(|number| *number as usize),
            None => Some(place.0 as usize),
        }
    }
}

impl Records for Memory {
    fn first(&self) -> EntryId {
        self.place_of(EntryId(self.gone))
    }

    fn len(&self) -> u64 {
        self.shown.as_ref().map_or(self.entries.len(), Vec::len) as u64
    }

    fn place_of(&self, number: EntryId) -> EntryId {
        let before = |shown: &Vec<u64>| EntryId(shown.partition_point(|at| *at < number.0) as u64);
        self.shown.as_ref().map_or(number, before)
    }

    fn entry(&self, id: EntryId) -> Result<Entry, RecordsError> {
        *self.looks.borrow_mut() += 1;
        let number = self.number(id).ok_or(RecordsError::Missing(id))?;
        if (number as u64) < self.gone {
            return Err(RecordsError::Removed);
        }
        let (kind, bytes) = self.entries.get(number).ok_or(RecordsError::Missing(id))?;
        Ok(Entry {
            id: EntryId(number as u64),
            connection: ConnectionId(0),
            at: Timestamp(number as u64 * 1_000),
            kind: kind.clone(),
            len: bytes.len() as u32,
        })
    }

    fn payload(&self, id: EntryId, range: Range<u32>) -> Result<Vec<u8>, RecordsError> {
        let number = self.number(id).ok_or(RecordsError::Missing(id))?;
        let (_, bytes) = self.entries.get(number).ok_or(RecordsError::Missing(id))?;
        let end = (range.end as usize).min(bytes.len());
        Ok(bytes[(range.start as usize).min(end)..end].to_vec())
    }

    fn surroundings(&self, id: EntryId) -> Result<Surroundings, RecordsError> {
        let at = self.number(id).ok_or(RecordsError::Missing(id))?;
        let (kind, _) = self.entries.get(at).ok_or(RecordsError::Missing(id))?;
        let same = |(_, (other, _)): &(usize, &(EntryKind, Vec<u8>))| other == kind;
        let before = self.entries.iter().enumerate().take(at).rfind(same);
        let after = self.entries.iter().enumerate().skip(at + 1).find(same);
        Ok(Surroundings {
            before: before.map_or(Tail::default(), |(_, (_, bytes))| Tail::last_of(bytes)),
            after: after.map_or(Tail::default(), |(_, (_, bytes))| Tail::first_of(bytes)),
        })
    }

    fn started(&self, _: ConnectionId) -> Option<Timestamp> {
        Some(Timestamp(0))
    }

    fn stamps(&self, number: EntryId) -> Option<Stamps> {
        self.stamps.get(&number.0).copied()
    }

    fn has_stamps(&self) -> bool {
        !self.stamps.is_empty()
    }

    fn annotation(&self, number: EntryId) -> Option<Annotation> {
        self.annotations.get(&number.0).cloned()
    }

    fn annotations(&self) -> u64 {
        self.annotations.len() as u64
    }

    fn annotated(&self, page: Range<u64>) -> Vec<EntryId> {
        let all = self.annotations.keys().map(|number| EntryId(*number));
        all.skip(page.start as usize)
            .take((page.end - page.start) as usize)
            .collect()
    }

    fn annotated_after(&self, number: EntryId) -> Option<EntryId> {
        self.annotations
            .range(number.0 + 1..)
            .next()
            .map(|(number, _)| EntryId(*number))
    }

    fn annotated_before(&self, number: EntryId) -> Option<EntryId> {
        self.annotations
            .range(..number.0)
            .next_back()
            .map(|(number, _)| EntryId(*number))
    }
}

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

impl Found for Hits {
    fn count(&self) -> u64 {
        self.known().len() as u64
    }

    fn scanned(&self) -> u64 {
        self.scanned
    }

    fn entries(&self) -> u64 {
        self.of
    }

    fn next(&self, from: EntryId) -> Option<EntryId> {
        self.known()
            .iter()
            .copied()
            .find(|number| *number >= from.0)
            .map(EntryId)
    }

    fn previous(&self, to: EntryId) -> Option<EntryId> {
        self.known()
            .iter()
            .copied()
            .rfind(|number| *number <= to.0)
            .map(EntryId)
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
        let context = Context {
            now: self.now,
            records: &self.memory,
            layout: &layout,
            hits: self.hits.as_ref().map(|hits| hits as &dyn Found),
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
        let end = |row: Option<&super::VisibleRow>| row.map_or(u64::MAX, |row| row.id.0);
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
