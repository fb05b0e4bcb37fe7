//! Typed and pasted text: sending it, and what changes how it is sent. The text itself is in `composer`.

use super::actions::{Compose, Dial, Edit, named};
use super::{Anchor, App, Composer, Context, Effect, Key, Overlay, Pane, Pending, Preview, Severity};
use crate::model::{LinkState, NetCommand, Outgoing, PeerCommand, Recording};
use crate::text::{InputError, InputType, LineEnding, format};

/// The worker keeps what the kernel does not take yet; from here on more is refused, so that a peer that never reads
/// does not fill the memory.
const UNSENT: u64 = 16 << 20;

/// Longer pastes are for sending files, not for a line editor.
const PASTE: usize = 1 << 20;

impl App {
    pub(super) fn compose(
        &mut self,
        compose: Compose,
        argument: &str,
        pending: Pending,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        match compose {
            Compose::Send if pending != Pending::Command && self.looks_like_a_command() => {
                self.composer.pending = Pending::Command;
                let text =
                    "that is a command of this program: Ctrl-G runs commands; Enter again sends it as text";
                self.notify(Severity::Warning, text, context);
            }
            Compose::Send => self.send(self.composer.eol, context, out),
            Compose::SendBare => self.send(LineEnding::None, context, out),
            Compose::InputType => match input_type(argument, self.composer.input.next()) {
                Some(input) => self.composer.read_as(input),
                None => self.notify(Severity::Warning, "input takes text, escaped or hex", context),
            },
            Compose::LineEnding => match line_ending(argument, self.composer.eol.next()) {
                Some(eol) => self.composer.eol = eol,
                None => self.notify(Severity::Warning, "eol takes none, lf, crlf, cr or nul", context),
            },
            Compose::Secret => self.hide(argument, context),
            Compose::Preview => self.preview(context),
            Compose::DeleteOrHalfClose => self.delete_or_half_close(pending, context, out),
        }
    }

    /// A paste always ends up where text is typed, and is never sent by itself.
    pub(super) fn paste(&mut self, text: &str, context: &Context<'_>) {
        if text.len() > PASTE {
            let size = format::size(text.len() as u64);
            return self.notify(
                Severity::Warning,
                format!("{size} are too much to paste: at most 1 MiB"),
                context,
            );
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            let text = "the terminal pasted U+FFFD, which often stands for bytes that are not UTF-8: check them, or \
                        type them as \\xNN";
            self.notify(Severity::Warning, text, context);
        }
        if self.paste_into_overlay(text) {
            return;
        }
        self.overlay = None;
        self.focus(Pane::Input, context);
        self.composer.insert(text);
    }

    pub(super) fn insert_literal(&mut self, key: Key, context: &Context<'_>) {
        if !self.composer.insert_literal(key) {
            self.notify(
                Severity::Warning,
                format!("{key} is not one byte, so nothing was inserted"),
                context,
            );
        }
    }

    fn send(&mut self, eol: LineEnding, context: &Context<'_>, out: &mut Vec<Effect>) {
        let (severity, text) = match self.try_send(eol, out) {
            Ok(()) => {
                // What was said before is about what was sent before.
                self.notice = None;
                if self.log.anchor != Anchor::Follow {
                    let text = match self.last_view {
                        Pane::Inspector => "sent, below what is shown: Esc, 2 and G go there",
                        Pane::Status | Pane::Log | Pane::Input => {
                            "sent, below what is shown: Esc and G go there"
                        }
                    };
                    self.notify(Severity::Info, text, context);
                }
                return;
            }
            Err(Unsent::Refused(text)) => (Severity::Warning, text),
            Err(Unsent::Input(error)) => (Severity::Error, error.to_string()),
        };
        self.notify(severity, text, context);
    }

    /// A colon and the name of an action, as other programs take them in such a place.
    fn looks_like_a_command(&self) -> bool {
        let text = self.composer.editor.text();
        let word = text
            .strip_prefix(':')
            .and_then(|rest| rest.split_whitespace().next());
        self.composer.secret.is_none() && word.is_some_and(|word| named(word).is_some())
    }

    fn try_send(&mut self, eol: LineEnding, out: &mut Vec<Effect>) -> Result<(), Unsent> {
        self.may_send()?;
        let bytes = encode(&mut self.composer, eol)?;
        if bytes.is_empty() && !self.may_be_empty() {
            return Err(Unsent::Refused(self.nothing(eol)));
        }
        let sent = self.composer.sent();
        let recording = sent.hidden.unwrap_or_default();
        let message = Outgoing { bytes, recording };
        out.push(Effect::Net(match &self.listening {
            None => {
                self.sending_to = 1;
                NetCommand::Send(message)
            }
            Some(_) => {
                let recipients = self.recipients();
                self.sending_to = recipients.len() as u64;
                NetCommand::Peers(recipients, PeerCommand::Send(message, self.way()))
            }
        }));
        if let (None, false, Some(link)) = (sent.hidden, sent.typed.text.is_empty(), &self.link) {
            out.push(Effect::Remember {
                endpoint: link.endpoint.clone(),
                line: sent.typed.clone(),
            });
        }
        self.sending = Some(sent);
        self.sends += self.sending_to;
        Ok(())
    }

    /// Whether bytes can be sent now; if not, why not and what to do.
    fn may_send(&self) -> Result<(), Unsent> {
        let state = self.state();
        let refused = |text: String| Err(Unsent::Refused(text));
        if let Some(why) = self.nobody() {
            return refused(why);
        }
        if self.listening.is_none() && !state.is_live() {
            return refused(match state {
                LinkState::Idle => "not sent: nothing is connected; Esc, then c connects".into(),
                LinkState::Closed => "not sent: the connection is closed; Esc, then R connects again".into(),
                LinkState::Failed => "not sent: there is no connection; Esc, then R connects again".into(),
                LinkState::Resolving
                | LinkState::Connecting
                | LinkState::Handshaking
                | LinkState::Waiting
                | LinkState::Listening
                | LinkState::Open
                | LinkState::HalfClosed => format!("not sent yet: the connection is still {state}"),
            });
        }
        if self.only_receives() {
            return refused(format!("not sent: {}", self.wire().only_receives()));
        }
        let unsent = self.link.as_ref().map_or(0, |link| link.unsent);
        if unsent >= UNSENT {
            let unsent = format::size(unsent);
            return refused(format!(
                "not sent: {unsent} are still waiting for the peer to read"
            ));
        }
        Ok(())
    }

    /// Why there is nothing to send.
    fn nothing(&self, eol: LineEnding) -> String {
        match (self.composer.input, eol) {
            _ if self.may_be_empty() => "there is no byte to show: Enter sends an empty message".into(),
            (InputType::Hex, _) => "nothing to send: type hex digits, as in 0d 0a".into(),
            (InputType::Text | InputType::Escaped, _) => {
                "nothing to send: the line is empty and no line ending is added".into()
            }
        }
    }

    fn preview(&mut self, context: &Context<'_>) {
        if self.composer.secret.is_some() {
            return self.notify(Severity::Warning, "hidden input is not shown", context);
        }
        let eol = self.composer.eol;
        match encode(&mut self.composer, eol) {
            Ok(bytes) if bytes.is_empty() => {
                let text = self.nothing(eol);
                self.notify(Severity::Warning, text, context);
            }
            Ok(bytes) => self.overlay = Some(Overlay::Preview(Preview { bytes, top: 0 })),
            Err(Unsent::Refused(text)) => self.notify(Severity::Warning, text, context),
            Err(Unsent::Input(error)) => self.notify(Severity::Error, error.to_string(), context),
        }
    }

    fn hide(&mut self, argument: &str, context: &Context<'_>) {
        let (recording, text) = match argument {
            "" => (
                Recording::AsIs,
                "hidden input: kept out of the history, recorded as sent; Esc cancels",
            ),
            "mask" => (
                Recording::Masked,
                "hidden input: kept out of the history, recorded as asterisks; Esc cancels",
            ),
            _ => return self.notify(Severity::Warning, "secret takes mask or nothing", context),
        };
        self.focus(Pane::Input, context);
        self.composer.hide(recording);
        self.notify(Severity::Info, text, context);
    }

    fn delete_or_half_close(&mut self, pending: Pending, context: &Context<'_>, out: &mut Vec<Effect>) {
        if !self.composer.editor.is_empty() {
            return self.composer.edit(Edit::DeleteRight);
        }
        if pending == Pending::HalfClose || !self.state().is_live() || self.only_receives() {
            return self.dial(Dial::HalfClose, "", context, out);
        }
        self.composer.pending = Pending::HalfClose;
        self.notify(Severity::Warning, self.wire().half_close(), context);
    }
}

/// Why something was not sent.
enum Unsent {
    /// It cannot be now.
    Refused(String),
    /// The text is wrong.
    Input(InputError),
}

/// The bytes of the typed text. Inner line breaks become the chosen ending even when none is added behind the last.
fn encode(composer: &mut Composer, eol: LineEnding) -> Result<Vec<u8>, Unsent> {
    let chosen = composer.eol;
    let mut bytes = composer.encode(chosen).map_err(Unsent::Input)?;
    if eol == LineEnding::None && composer.input != InputType::Hex {
        bytes.truncate(bytes.len().saturating_sub(chosen.bytes().len()));
    }
    Ok(bytes)
}

fn input_type(argument: &str, next: InputType) -> Option<InputType> {
    let named = |input: &InputType| input.to_string() == argument;
    match argument {
        "" => Some(next),
        _ => [InputType::Text, InputType::Escaped, InputType::Hex]
            .into_iter()
            .find(named),
    }
}

fn line_ending(argument: &str, next: LineEnding) -> Option<LineEnding> {
    let all = [
        LineEnding::None,
        LineEnding::Lf,
        LineEnding::CrLf,
        LineEnding::Cr,
        LineEnding::Nul,
    ];
    match argument {
        "" => Some(next),
        _ => all.into_iter().find(|eol| eol.to_string() == argument),
    }
}
