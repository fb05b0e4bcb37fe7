//! Keys to actions, and what the actions of the View panes do. Typing, pop-ups and endings have modules of their own.

use super::actions::{Action, Focus, Open, Program, Reading, Show, lookup};
use super::{
    App, Arrangement, Block, Command, ConnectDialog, Context, ESC_DELAY, Effect, Help, HistorySearch, Key,
    KeyCode, List, Log, Menu, Overlay, Pane, Pending, Purpose, Severity, Topic,
};
use crate::model::FileState;
use crate::text::format;

impl App {
    /// Takes in a key; false if it means nothing here.
    pub(super) fn key(&mut self, key: Key, context: &Context<'_>, out: &mut Vec<Effect>) -> bool {
        let escaped = self.escaped.take();
        if key == Key::plain(KeyCode::Esc) {
            self.escaped = Some(context.now);
        }
        if self.overlay.is_some() {
            return self.overlay_key(key, context, out);
        }
        if self.focus == Pane::Input && self.composer.pending == Pending::Literal {
            self.insert_literal(key, context);
            return true;
        }
        let late = escaped.is_some_and(|at| context.now.since(at) < ESC_DELAY);
        if late && self.focus != Pane::Input && key.typed().is_some() {
            return false;
        }
        match lookup(self.focus, key) {
            Some(action) => self.perform(&Command::from(action), context, out),
            None if self.focus == Pane::Input => {
                let Some(c) = key.typed() else { return false };
                self.composer.insert(c.encode_utf8(&mut [0; 4]));
            }
            None => return false,
        }
        true
    }

    /// Does an action; what was answered to the one before is over with it.
    pub(super) fn perform(&mut self, command: &Command, context: &Context<'_>, out: &mut Vec<Effect>) {
        let before = self.notice.take_if(|notice| notice.answer);
        let news = self.notice.clone();
        self.do_action(command, context, out);
        let typing = matches!(command.action, Action::Edit(_));
        match &mut self.notice {
            Some(notice) if news.as_ref() != Some(notice) => notice.answer = true,
            Some(_) => {}
            None if typing => self.notice = before,
            None => {}
        }
    }

    fn do_action(&mut self, command: &Command, context: &Context<'_>, out: &mut Vec<Effect>) {
        if !command.action.serves(self.purpose()) {
            let text = match self.purpose() {
                Purpose::Live => "there is no file being read",
                Purpose::Reading => "a recording is only read: there is no connection to do that with",
            };
            return self.notify(Severity::Warning, text, context);
        }
        let pending = std::mem::take(&mut self.composer.pending);
        let argument = command.argument.as_str();
        match command.action {
            Action::Edit(edit) => return self.composer.edit(edit),
            Action::Compose(compose) => self.compose(compose, argument, pending, context, out),
            Action::Dial(dial) => self.dial(dial, argument, context, out),
            Action::Peer(peer) => self.peer(peer, argument, context, out),
            Action::Scroll(scroll) => self.scroll(scroll, context),
            Action::Browse(browse) => self.browse(browse, argument, context),
            Action::Copy(form) => self.copy(form, context, out),
            Action::Show(show) => self.show(show, argument, context, out),
            Action::Focus(focus) => self.change_focus(focus, context),
            Action::Open(open) => self.open(open, context),
            Action::Find(find) => self.find(find, argument, context, out),
            Action::Annotate(annotate) => self.annotate(annotate, argument, context, out),
            Action::Export(export) => self.export(export, argument, context, out),
            Action::Reading(Reading::Stop) => self.stop_indexing(context, out),
            Action::Program(program) => self.program(program, context, out),
        }
        // Cuts join only when they follow each other.
        let pending = self.composer.pending;
        self.composer.rest();
        self.composer.pending = pending;
    }

    fn show(&mut self, show: Show, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        match show {
            Show::View => match choice(argument, self.log.view.next()) {
                Ok(view) => self.recut(|log| log.view = view, context),
                Err(error) => self.notify(Severity::Warning, error, context),
            },
            Show::TimeColumn => match choice(argument, self.log.time.next(context.records.has_stamps())) {
                Ok(time) => self.recut(|log| log.time = time, context),
                Err(error) => self.notify(Severity::Warning, error, context),
            },
            Show::Zoom => {
                self.zoomed = if self.zoomed == Some(self.focus) {
                    None
                } else {
                    Some(self.focus)
                }
            }
            Show::Arrange => {
                self.arrangement = match self.arrangement {
                    Arrangement::ByWidth => Arrangement::Beside,
                    Arrangement::Beside => Arrangement::Below,
                    Arrangement::Below => Arrangement::ByWidth,
                };
                let text = match self.arrangement {
                    Arrangement::ByWidth => "the Inspector stands where the width allows",
                    Arrangement::Beside => "the Inspector stands beside the Log",
                    Arrangement::Below => "the Inspector stands below the Log",
                };
                self.notify(Severity::Info, text, context);
            }
            Show::Waterfall => self.show_block(Block::Dial, context),
            Show::Kernel => self.show_block(Block::Kernel, context),
            Show::Mouse => {
                self.mouse = !self.mouse;
                out.push(Effect::Mouse(self.mouse));
                let text = if self.mouse {
                    "mouse on: click focuses, the wheel scrolls; Shift selects text in the terminal"
                } else {
                    "mouse off: the terminal selects text"
                };
                self.notify(Severity::Info, text, context);
            }
        }
    }

    /// Gives Status the whole window, from a block on.
    fn show_block(&mut self, block: Block, context: &Context<'_>) {
        self.block = block;
        self.zoomed = Some(Pane::Status);
        self.focus(Pane::Status, context);
    }

    pub(super) fn indexing(&self) -> bool {
        self.file
            .as_ref()
            .is_some_and(|file| file.state == FileState::Indexing)
    }

    fn stop_indexing(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        if self.indexing() {
            out.push(Effect::StopIndexing);
        } else {
            self.notify(Severity::Info, "the file is not being indexed", context);
        }
    }

    /// Rows are cut in another way: the same bytes stay at the top.
    fn recut(&mut self, change: impl FnOnce(&mut Log), context: &Context<'_>) {
        let before = self.sheet(context.records, context.layout);
        self.log.recut(&before, change);
        let after = self.sheet(context.records, context.layout);
        self.log.settle(&after, context.layout.log.height);
    }

    fn change_focus(&mut self, focus: Focus, context: &Context<'_>) {
        let open = |pane: &Pane| match pane {
            Pane::Status | Pane::Log => true,
            Pane::Inspector => self.inspector.is_some(),
            Pane::Input => self.purpose() == Purpose::Live,
        };
        let panes: Vec<Pane> = Pane::ALL.into_iter().filter(open).collect();
        let at = panes.iter().position(|pane| *pane == self.focus).unwrap_or(0);
        let pane = match focus {
            Focus::Pane(pane) => pane,
            Focus::Next => panes[(at + 1) % panes.len()],
            Focus::Previous => panes[(at + panes.len() - 1) % panes.len()],
        };
        self.focus(pane, context);
    }

    fn open(&mut self, open: Open, context: &Context<'_>) {
        let overlay = match open {
            Open::Help => Overlay::Help(Help {
                topic: Topic::Pane(self.focus),
                purpose: self.purpose(),
                wire: self.wire(),
                top: 0,
                behind: None,
            }),
            Open::Conversations if context.records.conversations() == 0 => {
                let text = format!("there are no {} yet", self.conversations_name());
                return self.notify(Severity::Warning, text, context);
            }
            Open::Conversations => Overlay::Conversations(List {
                // Behind the line that stands for all; in most logs a connection's place is its number.
                selected: self.chosen.map_or(0, |id| u64::from(id.0) + 1),
            }),
            Open::Marks if context.records.annotations() == 0 => {
                let text = "nothing is marked yet: m marks an entry, ; comments on it";
                return self.notify(Severity::Info, text, context);
            }
            Open::Marks => Overlay::Marks(List::default()),
            Open::Palette => Overlay::Palette(self.palette()),
            Open::CloseMenu => {
                let menu = self.close_menu();
                if menu.items.is_empty() {
                    return self.notify(Severity::Warning, "no connection is open", context);
                }
                Overlay::Menu(menu)
            }
            Open::CopyMenu => {
                let number = match self.target(context) {
                    Ok(number) => number,
                    Err(why) => return self.notify(Severity::Warning, why, context),
                };
                let range = self
                    .target_range(context)
                    .filter(|range| range.start() < range.end());
                Overlay::Menu(Menu::copy(match range {
                    Some(range) => {
                        let entries = range.end().0 - range.start().0 + 1;
                        format!("Copy {} entries as", format::count(entries))
                    }
                    None => format!("Copy entry {} as", number.0.saturating_add(1)),
                }))
            }
            Open::HistorySearch => return self.open_search(context),
        };
        self.overlay = Some(overlay);
    }

    fn open_search(&mut self, context: &Context<'_>) {
        if self.composer.secret.is_some() {
            self.notify(Severity::Warning, "hidden input has no history", context);
        } else if self.composer.history.is_empty() {
            self.notify(Severity::Warning, "nothing was sent to this target yet", context);
        } else {
            self.focus(Pane::Input, context);
            self.overlay = Some(Overlay::Search(HistorySearch::default()));
        }
    }

    /// Opens the connect dialog.
    pub(super) fn open_connect(&mut self, text: &str) {
        let mut dialog = ConnectDialog::new(self.recents.clone(), text);
        if !text.is_empty() {
            // For its error, which the dialog points at.
            dialog.target();
        }
        self.overlay = Some(Overlay::Connect(dialog));
    }

    fn program(&mut self, program: Program, context: &Context<'_>, out: &mut Vec<Effect>) {
        match program {
            Program::Back => self.back(context, out),
            Program::Interrupt => {
                if self.focus != Pane::Input || !self.composer.clear() {
                    self.ask_to_quit();
                }
            }
            Program::Redraw => out.push(Effect::Redraw),
            Program::Suspend => out.push(Effect::Suspend),
            Program::Quit => self.quit(out),
            Program::QuitKeep => out.push(Effect::Quit(super::Ending::Keep)),
            Program::QuitDiscard => self.discard(context, out),
        }
    }

    fn back(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        let is_viewing = self.focus != Pane::Input && !self.is_exporting();
        if is_viewing && (self.stop_filter(context, out) || self.stop_waiting(context)) {
            return;
        }
        match self.focus {
            Pane::Input if self.composer.secret.is_some() => {
                self.composer.reveal();
                self.notify(
                    Severity::Info,
                    "hidden input cancelled, nothing was kept",
                    context,
                );
            }
            Pane::Input => self.focus(self.last_view, context),
            Pane::Status | Pane::Log | Pane::Inspector if self.is_exporting() => {
                out.push(Effect::StopExport);
            }
            Pane::Inspector => self.close_inspector(context),
            Pane::Status | Pane::Log => {
                if self.log.end_range() || self.log.selected.take().is_some() || self.zoomed.take().is_some()
                {
                    return;
                }
                if self.search.take().is_some() {
                    out.push(Effect::Search(None));
                } else if self.indexing() {
                    out.push(Effect::StopIndexing);
                }
            }
        }
    }
}

/// What an argument names; without one, the next choice.
pub(super) fn choice<T: std::str::FromStr>(argument: &str, next: T) -> Result<T, T::Err> {
    if argument.is_empty() {
        Ok(next)
    } else {
        argument.parse()
    }
}
