//! What is typed to the peer: text, cursor, kill ring, history, and how it becomes bytes. Pure state; sending is an
//! effect, and what keys mean is in the table of actions.

mod editor;
mod history;
mod kill;

pub use editor::Editor;
pub use history::{History, Typed};
pub use kill::KillRing;

use super::Key;
use super::actions::Edit;
use crate::model::Recording;
use crate::text::{InputError, InputType, LineEnding, encode_input};
use kill::Side;

/// What the next key means instead of what it usually means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pending {
    /// Nothing special.
    #[default]
    None,
    /// It is inserted as its byte.
    Literal,
    /// Ctrl-D half-closes; anything else does not.
    HalfClose,
    /// Enter sends what looks like a command of this program; anything else does not.
    Command,
}

/// Hidden input: the text is drawn as dots, kept out of history and kill ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// How it is written to the session file.
    pub recording: Recording,
    /// What was typed before; it comes back.
    stash: Editor,
}

/// A text that was handed over to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// As typed.
    pub typed: Typed,
    /// How it is recorded, if it was hidden.
    pub hidden: Option<Recording>,
}

/// What the edit before was, where the next one depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LastEdit {
    #[default]
    Other,
    Kill,
    /// So many bytes before the cursor were inserted from the kill ring.
    Yank(usize),
}

/// The Input pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composer {
    /// What is typed.
    pub editor: Editor,
    /// How it is read.
    pub input: InputType,
    /// What Enter appends.
    pub eol: LineEnding,
    /// Whether the next key is special.
    pub pending: Pending,
    /// Whether input is hidden.
    pub secret: Option<Secret>,
    /// What is wrong with the text, where, since the last attempt to send it.
    pub error: Option<InputError>,
    /// What was sent to this target before.
    pub history: History,
    kills: KillRing,
    last: LastEdit,
}

impl Composer {
    /// An empty one.
    pub fn new(input: InputType, eol: LineEnding) -> Composer {
        Composer {
            editor: Editor::default(),
            input,
            eol,
            pending: Pending::None,
            secret: None,
            error: None,
            history: History::default(),
            kills: KillRing::default(),
            last: LastEdit::Other,
        }
    }

    /// How many lines are typed; at least one. Hidden input is drawn on one.
    pub fn lines(&self) -> usize {
        if self.secret.is_some() {
            1
        } else {
            self.editor.lines()
        }
    }

    /// A typed or pasted text; line breaks of all kinds become LF.
    pub fn insert(&mut self, text: &str) {
        self.edited();
        self.editor
            .insert(&text.replace("\r\n", "\n").replace('\r', "\n"));
    }

    /// Does one edit.
    pub fn edit(&mut self, edit: Edit) {
        let last = std::mem::take(&mut self.last);
        match edit {
            Edit::Literal => {
                self.pending = Pending::Literal;
                return;
            }
            Edit::Up => return self.up(),
            Edit::Down => return self.down(),
            Edit::Left => return self.editor.left(),
            Edit::Right => return self.editor.right(),
            Edit::WordLeft => return self.editor.word_left(),
            Edit::WordRight => return self.editor.word_right(),
            Edit::LineStart => return self.editor.line_start(),
            Edit::LineEnd => return self.editor.line_end(),
            Edit::NewLine => self.editor.insert("\n"),
            Edit::DeleteLeft => self.editor.delete_left(),
            Edit::DeleteRight => self.editor.delete_right(),
            Edit::KillToStart => {
                let cut = self.editor.kill_to_start();
                self.cut(cut, Side::Left, last);
            }
            Edit::KillToEnd => {
                let cut = self.editor.kill_to_end();
                self.cut(cut, Side::Right, last);
            }
            Edit::KillWordLeft => {
                let cut = self.editor.kill_word_left();
                self.cut(cut, Side::Left, last);
            }
            Edit::KillWordRight => {
                let cut = self.editor.kill_word_right();
                self.cut(cut, Side::Right, last);
            }
            Edit::Yank => self.yank(),
            Edit::YankPrevious => self.yank_previous(last),
        }
        self.touched();
    }

    /// Inserts a key as its byte, in the way that the input type writes it; false if the key has none.
    pub fn insert_literal(&mut self, key: Key) -> bool {
        self.pending = Pending::None;
        let Some(c) = key.literal() else { return false };
        let mut utf8 = [0; 4];
        let bytes = c.encode_utf8(&mut utf8).as_bytes();
        let text = match self.input {
            // A bare LF in text is a line break, which becomes the line ending: no control character but that one.
            InputType::Text => c.to_string(),
            InputType::Escaped if c.is_control() => digits(bytes, "\\x", ""),
            InputType::Escaped if c == '\\' => "\\\\".into(),
            InputType::Escaped => c.to_string(),
            InputType::Hex => digits(bytes, "", " "),
        };
        self.edited();
        self.editor.insert(&text);
        true
    }

    /// Clears the text into the kill ring; false if there was none. Hidden input ends, and is not kept.
    pub fn clear(&mut self) -> bool {
        self.edited();
        if self.secret.is_some() {
            self.reveal();
            return true;
        }
        let text = self.editor.take();
        let any = !text.is_empty();
        self.kills.push(text);
        any
    }

    /// From now on until it is sent or cancelled, input is hidden.
    pub fn hide(&mut self, recording: Recording) {
        self.edited();
        let stash = match self.secret.take() {
            Some(secret) => secret.stash,
            None => std::mem::take(&mut self.editor),
        };
        self.editor = Editor::default();
        self.secret = Some(Secret { recording, stash });
    }

    /// Hidden input ends: what was typed before comes back.
    pub fn reveal(&mut self) {
        if let Some(secret) = self.secret.take() {
            self.editor = secret.stash;
            self.touched();
        }
    }

    /// How typed input is read from now on.
    pub fn read_as(&mut self, input: InputType) {
        self.edited();
        self.input = input;
    }

    /// The bytes that the text stands for, with that line ending. An error is kept for the screen, and the cursor goes
    /// behind its place, where what is missing is typed and what is wrong is deleted.
    pub fn encode(&mut self, eol: LineEnding) -> Result<Vec<u8>, InputError> {
        let result = encode_input(self.editor.text(), self.input, eol);
        self.error = result.as_ref().err().cloned();
        if let Some(error) = &self.error {
            self.editor.move_to(error.at.end);
        }
        result
    }

    /// The text was handed over: it leaves the pane, and goes into the history unless it was hidden.
    pub fn sent(&mut self) -> Sent {
        self.edited();
        let typed = Typed::new(self.editor.take(), self.input);
        let hidden = self.secret.as_ref().map(|secret| secret.recording);
        if hidden.is_some() {
            self.reveal();
        } else if !typed.text.is_empty() {
            self.history.push(typed.clone());
        }
        Sent { typed, hidden }
    }

    /// What was handed over did not go: it comes back, unless something else is typed by now.
    pub fn unsent(&mut self, sent: &Sent) {
        match sent.hidden {
            Some(recording) if self.secret.is_none() => {
                self.hide(recording);
                self.editor.insert(&sent.typed.text);
            }
            None if self.secret.is_none() && self.editor.is_empty() => {
                self.input = sent.typed.input;
                self.editor.insert(&sent.typed.text);
            }
            Some(_) | None => {}
        }
    }

    /// A text from the history takes the place of what is typed.
    pub fn replace(&mut self, typed: Typed) {
        self.touched();
        self.put(typed);
    }

    /// Anything but an edit happened: special keys and joined cuts are over.
    pub fn rest(&mut self) {
        self.pending = Pending::None;
        self.last = LastEdit::Other;
    }

    fn up(&mut self) {
        if self.editor.line_up() || self.secret.is_some() {
            return;
        }
        let typed = Typed::new(self.editor.text(), self.input);
        if let Some(line) = self.history.older(&typed).cloned() {
            self.error = None;
            self.put(line);
        }
    }

    fn down(&mut self) {
        if self.editor.line_down() || self.secret.is_some() {
            return;
        }
        if let Some(line) = self.history.newer() {
            self.error = None;
            self.put(line);
        }
    }

    /// What is typed now, and how it is read.
    fn put(&mut self, typed: Typed) {
        self.input = typed.input;
        self.editor = Editor::new(typed.text);
    }

    fn cut(&mut self, text: String, side: Side, last: LastEdit) {
        if self.secret.is_some() || text.is_empty() {
            return;
        }
        if last == LastEdit::Kill {
            self.kills.join(text, side);
        } else {
            self.kills.push(text);
        }
        self.last = LastEdit::Kill;
    }

    fn yank(&mut self) {
        if let Some(text) = self.kills.yank() {
            self.editor.insert(text);
            self.last = LastEdit::Yank(text.len());
        }
    }

    fn yank_previous(&mut self, last: LastEdit) {
        let LastEdit::Yank(len) = last else { return };
        let end = self.editor.cursor();
        if let Some(text) = self.kills.turn() {
            self.editor.remove(end - len..end);
            self.editor.insert(text);
            self.last = LastEdit::Yank(text.len());
        }
    }

    fn edited(&mut self) {
        self.rest();
        self.touched();
    }

    fn touched(&mut self) {
        self.error = None;
        self.history.rest();
    }
}

fn digits(bytes: &[u8], before: &str, after: &str) -> String {
    bytes.iter().fold(String::new(), |text, byte| {
        format!("{text}{before}{byte:02x}{after}")
    })
}
