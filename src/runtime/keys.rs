//! What comes from the terminal, as the app understands it: a thread that reads, and the conversion.

use std::io;
use std::thread;

use crossterm::event::{
    self, Event as TerminalEvent, KeyCode as TerminalCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton,
    MouseEvent, MouseEventKind,
};
use nix::sys::signal::{SigSet, Signal};
use tokio::sync::mpsc;

use crate::app::{Event, Key, KeyCode, Modifiers, Mouse, MouseKind};

/// Events that wait for the loop; then the terminal's own buffer has to hold them.
const QUEUE: usize = 64;

/// Starts the thread that reads the terminal. A thread of its own, because crossterm 0.29 blocks whoever polls it
/// while half an escape sequence has arrived, and never returns once the terminal has vanished (crossterm issue 793).
/// It reads blockingly, because crossterm's stream of events has a second thread wait for the first, which doubles
/// the way of a key. It ends with the process: nothing can wake it but the terminal.
pub(crate) fn start() -> io::Result<mpsc::Receiver<io::Result<TerminalEvent>>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    thread::Builder::new().name("keys".into()).spawn(move || {
        // What the shell has read meanwhile still counts as ready when a stopped program is continued in order to
        // end. Reading the terminal in the background must then fail, instead of stopping the program again.
        let _ = SigSet::from(Signal::SIGTTIN).thread_block();
        loop {
            match event::read() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                event => {
                    let failed = event.is_err();
                    if sender.blocking_send(event).is_err() || failed {
                        return;
                    }
                }
            }
        }
    })?;
    Ok(receiver)
}

/// The app's event, if it is one that the app knows.
pub(crate) fn convert(event: TerminalEvent) -> Option<Event> {
    match event {
        TerminalEvent::Key(key) => convert_key(key).map(Event::Key),
        TerminalEvent::Mouse(mouse) => convert_mouse(mouse).map(Event::Mouse),
        TerminalEvent::Paste(text) => Some(Event::Paste(text)),
        TerminalEvent::Resize(..) => Some(Event::Resized),
        TerminalEvent::FocusGained | TerminalEvent::FocusLost => None,
    }
}

fn convert_key(key: KeyEvent) -> Option<Key> {
    match key.kind {
        KeyEventKind::Press | KeyEventKind::Repeat => {}
        KeyEventKind::Release => return None,
    }
    let code = match key.code {
        TerminalCode::Char(c) => KeyCode::Char(c),
        TerminalCode::Enter => KeyCode::Enter,
        TerminalCode::Esc => KeyCode::Esc,
        TerminalCode::Tab | TerminalCode::BackTab => KeyCode::Tab,
        TerminalCode::Backspace => KeyCode::Backspace,
        TerminalCode::Delete => KeyCode::Delete,
        TerminalCode::Insert => KeyCode::Insert,
        TerminalCode::Left => KeyCode::Left,
        TerminalCode::Right => KeyCode::Right,
        TerminalCode::Up => KeyCode::Up,
        TerminalCode::Down => KeyCode::Down,
        TerminalCode::Home => KeyCode::Home,
        TerminalCode::End => KeyCode::End,
        TerminalCode::PageUp => KeyCode::PageUp,
        TerminalCode::PageDown => KeyCode::PageDown,
        TerminalCode::F(n) => KeyCode::F(n),
        TerminalCode::Null => return Some(Key::ctrl(' ')),
        TerminalCode::CapsLock
        | TerminalCode::ScrollLock
        | TerminalCode::NumLock
        | TerminalCode::PrintScreen
        | TerminalCode::Pause
        | TerminalCode::Menu
        | TerminalCode::KeypadBegin
        | TerminalCode::Media(_)
        | TerminalCode::Modifier(_) => return None,
    };
    let modifiers = Modifiers {
        ctrl: key.modifiers.contains(KeyModifiers::CONTROL),
        // Meta is what Alt was called on the keyboards that terminals were built after.
        alt: key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::META),
        shift: key.modifiers.contains(KeyModifiers::SHIFT) || key.code == TerminalCode::BackTab,
    };
    Some(Key { code, modifiers }.canonical())
}

fn convert_mouse(mouse: MouseEvent) -> Option<Mouse> {
    let kind = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => MouseKind::Click,
        MouseEventKind::ScrollUp => MouseKind::ScrollUp,
        MouseEventKind::ScrollDown => MouseKind::ScrollDown,
        MouseEventKind::Down(MouseButton::Middle | MouseButton::Right)
        | MouseEventKind::Up(_)
        | MouseEventKind::Drag(_)
        | MouseEventKind::Moved
        | MouseEventKind::ScrollLeft
        | MouseEventKind::ScrollRight => return None,
    };
    Some(Mouse {
        kind,
        x: mouse.column,
        y: mouse.row,
    })
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyEventState;

    use super::*;

    fn check(code: TerminalCode, modifiers: KeyModifiers, expected: Option<Key>) {
        assert_eq!(convert_key(KeyEvent::new(code, modifiers)), expected);
    }

    #[test]
    fn keys_are_those_of_the_app() {
        check(TerminalCode::Char('q'), KeyModifiers::NONE, Some(Key::char('q')));
        check(TerminalCode::Char('Q'), KeyModifiers::SHIFT, Some(Key::char('Q')));
        check(
            TerminalCode::Char('j'),
            KeyModifiers::CONTROL,
            Some(Key::ctrl('j')),
        );
        check(
            TerminalCode::Char('h'),
            KeyModifiers::CONTROL,
            Some(Key::plain(KeyCode::Backspace)),
        );
        check(
            TerminalCode::BackTab,
            KeyModifiers::NONE,
            Some(Key::plain(KeyCode::Tab).with_shift()),
        );
        check(
            TerminalCode::Enter,
            KeyModifiers::ALT,
            Some(Key::plain(KeyCode::Enter).with_alt()),
        );
        check(TerminalCode::Null, KeyModifiers::NONE, Some(Key::ctrl(' ')));
        check(TerminalCode::CapsLock, KeyModifiers::NONE, None);
    }

    #[test]
    fn a_release_is_no_key() {
        let released = KeyEvent {
            code: TerminalCode::Char('q'),
            modifiers: KeyModifiers::NONE,
            kind: KeyEventKind::Release,
            state: KeyEventState::NONE,
        };
        assert_eq!(convert_key(released), None);
    }

    #[test]
    fn clicks_and_the_wheel_are_mouse_events() {
        let check = |kind: MouseEventKind, expected: Option<MouseKind>| {
            let mouse = MouseEvent {
                kind,
                column: 3,
                row: 4,
                modifiers: KeyModifiers::NONE,
            };
            assert_eq!(
                convert_mouse(mouse),
                expected.map(|kind| Mouse { kind, x: 3, y: 4 })
            );
        };
        check(MouseEventKind::Down(MouseButton::Left), Some(MouseKind::Click));
        check(MouseEventKind::ScrollUp, Some(MouseKind::ScrollUp));
        check(MouseEventKind::Moved, None);
    }
}
