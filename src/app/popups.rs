//! Keys while a pop-up is open. A pop-up has the whole keyboard; Esc closes it.

use super::actions::{Action, Browse, Compose, Edit, Open, Program, Scroll, lookup};
use super::{
    App, Command, ConnectDialog, Context, Editor, Effect, Ending, Extent, Help, HistorySearch, Key, List,
    MenuKind, Overlay, Palette, Pane, Preview, Prompt, Topic, Typed, Wanted,
};
use crate::capture::Existing;
use crate::model::{ConnectionId, Endpoint, EntryId, ExportFormat};
use crate::text::HexLayout;

/// What becomes of the pop-up after a key.
enum Answer {
    /// It stays.
    Stay,
    /// It closes.
    Close,
    /// It closes, and this is done.
    Run(Command),
    /// It closes, and this is dialed.
    Dial(Endpoint),
    /// It closes, and this is searched for.
    Search(String),
    /// It closes, and only what this holds for is shown.
    Filter(String),
    /// Show a connection, or all of them, and mean it.
    Choose(Option<ConnectionId>),
    /// It closes, and this is what the entry is commented with.
    Comment(EntryId, String),
    /// The help on what it takes opens over it.
    Help(Topic, Box<Prompt>),
    /// It closes, and the entry of that number is selected.
    Goto(EntryId),
    /// It closes, and the file is asked for.
    ExportAs(Extent, ExportFormat),
    /// It closes, and this is exported to that file.
    ExportTo(Extent, ExportFormat, String),
    /// It closes, and this takes the place of what is typed; the key then means what it always means.
    Take(Option<Typed>, Option<Key>),
}

impl App {
    pub(super) fn overlay_key(&mut self, key: Key, context: &Context<'_>, out: &mut Vec<Effect>) -> bool {
        let Some(mut overlay) = self.overlay.take() else {
            return false;
        };
        match lookup(Pane::Input, key) {
            Some(Action::Program(Program::Redraw)) => out.push(Effect::Redraw),
            Some(Action::Program(Program::Suspend)) => out.push(Effect::Suspend),
            Some(Action::Program(Program::Interrupt)) => {
                // Ctrl-C twice quits, but only while the question is on the screen.
                if matches!(&overlay, Overlay::Menu(menu) if menu.kind == MenuKind::Quit) {
                    out.push(Effect::Quit(Ending::Keep));
                }
                return true;
            }
            Some(Action::Program(Program::Back) | Action::Open(Open::Palette)) => {
                self.overlay = overlay.behind();
                return true;
            }
            Some(_) | None => {
                let answer = self.answer(&mut overlay, key, context);
                return self.follow_answer(answer, overlay, context, out);
            }
        }
        self.overlay = Some(overlay);
        true
    }

    /// A paste into the field of a pop-up, as one line; false if it has none.
    pub(super) fn paste_into_overlay(&mut self, text: &str) -> bool {
        let line = text.trim().replace(['\r', '\n'], " ");
        match &mut self.overlay {
            Some(Overlay::Connect(dialog)) => {
                dialog.field.insert(&line);
                dialog.edited();
            }
            Some(Overlay::Palette(palette)) => {
                palette.field.insert(&line);
                palette.edited();
            }
            Some(Overlay::Prompt(prompt)) => {
                prompt.field.insert(&line);
                prompt.edited();
            }
            Some(
                Overlay::Help(_)
                | Overlay::Conversations(_)
                | Overlay::Marks(_)
                | Overlay::Menu(_)
                | Overlay::Search(_)
                | Overlay::Preview(_),
            )
            | None => {
                return false;
            }
        }
        true
    }

    fn answer(&mut self, overlay: &mut Overlay, key: Key, context: &Context<'_>) -> Answer {
        let height = usize::from(context.layout.popup_rows());
        match overlay {
            Overlay::Help(help) => {
                let lines = help.text(context.layout).lines.len();
                page_key(&mut help.top, lines, height, key)
            }
            Overlay::Preview(preview) => {
                let rows = preview
                    .layout(context.layout.screen.width)
                    .rows(preview.bytes.len());
                page_key(&mut preview.top, rows, height, key)
            }
            Overlay::Palette(palette) => palette_key(palette, key),
            Overlay::Connect(dialog) => connect_key(dialog, key),
            Overlay::Menu(menu) => match menu.key(key) {
                Some(item) => match (item.action, menu.kind, item.format) {
                    (Action::Program(Program::Back), ..) => Answer::Close,
                    (_, MenuKind::Export(extent), Some(format)) => Answer::ExportAs(extent, format),
                    (action, ..) => Answer::Run(Command::from(action)),
                },
                None if key == Key::char('q') => Answer::Close,
                // What quits at once everywhere does so here too.
                None if key == Key::char('Q') && menu.kind == MenuKind::Quit => {
                    Answer::Run(Command::from(Action::Program(Program::QuitKeep)))
                }
                None => Answer::Stay,
            },
            Overlay::Search(search) => self.search_key(search, key),
            Overlay::Prompt(prompt) => prompt_key(prompt, key),
            Overlay::Conversations(list) => conversations_key(list, context, key),
            Overlay::Marks(list) => marks_key(list, context, key),
        }
    }

    fn follow_answer(
        &mut self,
        answer: Answer,
        overlay: Overlay,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) -> bool {
        match answer {
            Answer::Stay => self.overlay = Some(overlay),
            Answer::Close => self.overlay = overlay.behind(),
            Answer::Help(topic, prompt) => {
                self.overlay = Some(Overlay::Help(Help {
                    topic,
                    purpose: self.purpose(),
                    wire: self.wire(),
                    top: 0,
                    behind: Some(prompt),
                }));
            }
            Answer::Run(command) => self.perform(&command, context, out),
            Answer::Dial(endpoint) => self.connect(endpoint, context, out),
            Answer::Search(text) => self.search_for(&text, context, out),
            Answer::Filter(text) if text.is_empty() && self.filter.is_none() => {}
            Answer::Filter(text) => self.filter_by(&text, context, out),
            Answer::Choose(id) => self.choose(id, context, out),
            Answer::Comment(number, text) => self.comment(number, &text, context, out),
            Answer::Goto(number) => self.goto_number(number, context),
            Answer::ExportAs(extent, format) => self.ask_for_file(extent, format, context),
            Answer::ExportTo(extent, format, path) => {
                self.export_to(extent, format, &path, Existing::Refuse, out);
            }
            Answer::Take(typed, key) => {
                if let Some(typed) = typed {
                    self.composer.replace(typed);
                }
                if let Some(key) = key {
                    return self.key(key, context, out);
                }
            }
        }
        true
    }

    fn search_key(&self, search: &mut HistorySearch, key: Key) -> Answer {
        let history = &self.composer.history;
        let before = match lookup(Pane::Input, key) {
            Some(Action::Open(Open::HistorySearch) | Action::Edit(Edit::Up)) => {
                search.found.unwrap_or(usize::MAX)
            }
            Some(Action::Edit(Edit::DeleteLeft)) => {
                search.query.delete_left();
                usize::MAX
            }
            Some(Action::Compose(Compose::Send)) => return Answer::Take(self.found(search), None),
            Some(_) => return Answer::Take(self.found(search), Some(key)),
            None => {
                let Some(c) = key.typed() else { return Answer::Stay };
                search.query.insert(c.encode_utf8(&mut [0; 4]));
                // The message that is shown may go on matching.
                search.found.map_or(usize::MAX, |found| found + 1)
            }
        };
        match history.search(search.query.text(), before) {
            Some((found, _)) => search.found = Some(found),
            // Without an older one the last one stays, unless it no longer matches.
            None if lookup(Pane::Input, key).is_some() => {}
            None => search.found = None,
        }
        Answer::Stay
    }

    fn found(&self, search: &HistorySearch) -> Option<Typed> {
        self.composer.history.line(search.found?).cloned()
    }
}

impl Preview {
    /// How the bytes are laid out in a window of that width; the pop-up takes its border and margin from it.
    pub fn layout(&self, width: u16) -> HexLayout {
        HexLayout::fitting(width.saturating_sub(8).min(80), true)
    }
}

fn page_key(top: &mut usize, lines: usize, height: usize, key: Key) -> Answer {
    let last = lines.saturating_sub(height);
    *top = match lookup(Pane::Log, key) {
        Some(Action::Scroll(scroll)) => match scroll {
            Scroll::Down => *top + 1,
            Scroll::Up => top.saturating_sub(1),
            Scroll::HalfPageDown => *top + height / 2,
            Scroll::HalfPageUp => top.saturating_sub(height / 2),
            Scroll::PageDown => *top + height,
            Scroll::PageUp => top.saturating_sub(height),
            Scroll::First => 0,
            Scroll::Last => last,
        },
        // Help opens and closes by the same keys; everything that leaves something leaves this too.
        Some(Action::Open(Open::Help) | Action::Program(Program::Quit) | Action::Browse(_)) => {
            return Answer::Close;
        }
        Some(_) | None => *top,
    }
    .min(last);
    Answer::Stay
}

fn palette_key(palette: &mut Palette, key: Key) -> Answer {
    match lookup(Pane::Input, key) {
        Some(Action::Edit(Edit::Up)) => palette.up(),
        Some(Action::Edit(Edit::Down)) => palette.down(),
        Some(Action::Focus(_)) => palette.complete(),
        Some(Action::Compose(Compose::Send)) => match palette.command() {
            Ok(command) => return Answer::Run(command),
            Err(error) => palette.error = Some(error),
        },
        Some(Action::Edit(Edit::DeleteLeft)) if palette.field.is_empty() => return Answer::Close,
        Some(_) | None => {
            if field_key(&mut palette.field, key) {
                palette.edited();
            }
        }
    }
    Answer::Stay
}

fn conversations_key(list: &mut List, context: &Context<'_>, key: Key) -> Answer {
    let records = context.records;
    // Before the first stand all of them.
    list_key(list, records.conversations() + 1, context, key, |selected| {
        let Some(place) = selected.checked_sub(1) else {
            return Some(Answer::Choose(None));
        };
        let chosen = records.conversation_page(place..selected);
        chosen
            .first()
            .map(|conversation| Answer::Choose(Some(conversation.id)))
    })
}

fn marks_key(list: &mut List, context: &Context<'_>, key: Key) -> Answer {
    let records = context.records;
    list_key(list, records.annotations(), context, key, |selected| {
        let chosen = records.annotated(selected..selected + 1);
        chosen.first().map(|number| Answer::Goto(*number))
    })
}

/// A key over a list of `count`; what Enter does is up to the list.
fn list_key(
    list: &mut List,
    count: u64,
    context: &Context<'_>,
    key: Key,
    choose: impl FnOnce(u64) -> Option<Answer>,
) -> Answer {
    let page = u64::from(context.layout.popup_rows());
    match lookup(Pane::Log, key) {
        Some(Action::Scroll(scroll)) => list.scroll(scroll, count, page),
        Some(Action::Browse(Browse::Inspect)) => return choose(list.selected).unwrap_or(Answer::Close),
        // What opened it closes it.
        Some(Action::Open(Open::Conversations | Open::Marks) | Action::Program(Program::Quit)) => {
            return Answer::Close;
        }
        Some(_) | None => {}
    }
    Answer::Stay
}

fn prompt_key(prompt: &mut Prompt, key: Key) -> Answer {
    match lookup(Pane::Input, key) {
        Some(Action::Compose(Compose::Send)) => match prompt.wanted {
            // What kept it from being kept may be mended by now.
            Wanted::Comment(number) => {
                prompt.error = None;
                return Answer::Comment(number, prompt.field.text().to_owned());
            }
            // What is wrong is pointed at already.
            _ if prompt.error.is_some() => {}
            Wanted::Search if prompt.field.is_empty() => {
                return match prompt
                    .history
                    .len()
                    .checked_sub(1)
                    .and_then(|last| prompt.history.line(last))
                {
                    Some(last) => Answer::Search(last.text.clone()),
                    None => Answer::Close,
                };
            }
            Wanted::Search => return Answer::Search(prompt.field.text().to_owned()),
            Wanted::Filter => return Answer::Filter(prompt.field.text().to_owned()),
            Wanted::Export(..) if prompt.field.text().trim().is_empty() => return Answer::Close,
            Wanted::Export(extent, format) => {
                return Answer::ExportTo(extent, format, prompt.field.text().trim().to_owned());
            }
        },
        Some(Action::Edit(Edit::DeleteLeft)) if prompt.field.is_empty() => return Answer::Close,
        Some(Action::Edit(Edit::Up)) => prompt.older(),
        Some(Action::Edit(Edit::Down)) => prompt.newer(),
        Some(Action::Open(Open::Help)) => {
            if let Some(topic) = prompt.topic() {
                return Answer::Help(topic, Box::new(prompt.clone()));
            }
        }
        Some(_) | None => {
            if field_key(&mut prompt.field, key) {
                prompt.edited();
            }
        }
    }
    Answer::Stay
}

fn connect_key(dialog: &mut ConnectDialog, key: Key) -> Answer {
    match lookup(Pane::Input, key) {
        Some(Action::Edit(Edit::Up)) => dialog.up(),
        Some(Action::Edit(Edit::Down)) => dialog.down(),
        Some(Action::Compose(Compose::Send)) => {
            if let Some(endpoint) = dialog.target() {
                return Answer::Dial(endpoint);
            }
        }
        Some(_) | None => {
            if field_key(&mut dialog.field, key) {
                dialog.edited();
            }
        }
    }
    Answer::Stay
}

/// Edits a one-line field; true if its text may have changed.
fn field_key(field: &mut Editor, key: Key) -> bool {
    let edit = match lookup(Pane::Input, key) {
        Some(Action::Edit(edit)) => edit,
        Some(Action::Compose(Compose::DeleteOrHalfClose)) => Edit::DeleteRight,
        Some(_) => return false,
        None => {
            let Some(c) = key.typed() else { return false };
            field.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
    };
    field.apply(edit)
}
