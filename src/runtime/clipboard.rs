//! Control strings that carry text to the terminal: its clipboard (OSC 52) and its title (OSC 2). The text has been
//! through the encoder before it comes here.

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use crossterm::terminal::SetTitle;

/// Who stands between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Between {
    /// Nobody.
    Nobody,
    /// tmux, which passes on what is wrapped for it, if its user allows that.
    Tmux,
}

impl Between {
    /// What the environment says.
    pub(crate) fn detect() -> Between {
        match std::env::var_os("TMUX") {
            Some(value) if !value.is_empty() => Between::Tmux,
            Some(_) | None => Between::Nobody,
        }
    }
}

/// Puts `text` on the clipboard. Under tmux twice: tmux itself may take the first, and passes on the second.
pub(crate) fn copy(text: &str, between: Between) -> String {
    let mut sequence = String::new();
    // Writing to a string cannot fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    if between == Between::Tmux {
        let wrapped = sequence.replace('\x1b', "\x1b\x1b");
        sequence.push_str("\x1bPtmux;");
        sequence.push_str(&wrapped);
        sequence.push_str("\x1b\\");
    }
    sequence
}

/// Sets the title of the window.
pub(crate) fn title(text: &str) -> String {
    // A control character here would end the string early; the encoder lets none through, and this is the second check.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut sequence = String::new();
    // Writing to a string cannot fail.
    let _ = SetTitle(text).write_ansi(&mut sequence);
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_base64() {
        assert_eq!(copy("hello\n", Between::Nobody), "\x1b]52;c;aGVsbG8K\x1b\\");
        assert_eq!(
            copy("hello\n", Between::Tmux),
            "\x1b]52;c;aGVsbG8K\x1b\\\x1bPtmux;\x1b\x1b]52;c;aGVsbG8K\x1b\x1b\\\x1b\\"
        );
    }

    #[test]
    fn titles_hold_no_control_character() {
        assert_eq!(title("a\x07b\x1b]c\u{9c}"), "\x1b]0;ab]c\x07");
    }
}
