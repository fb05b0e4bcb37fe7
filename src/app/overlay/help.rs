//! What the help shows, read from the table of actions.

use crate::app::actions::{ACTIONS, Scope};
use crate::app::{Pane, Purpose};

/// The help of a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Help {
    /// The pane that had the focus.
    pub pane: Pane,
    /// What the program was started for.
    pub purpose: Purpose,
    /// The first line that is shown.
    pub top: usize,
}

/// A line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpLine {
    /// Where the keys below apply.
    Section(String),
    /// An action.
    Action {
        /// Its keys in that place; empty if it is only in the palette.
        keys: String,
        /// Its name in the palette.
        name: &'static str,
        /// One sentence.
        help: &'static str,
    },
    /// Space between sections.
    Blank,
}

/// The lines of the help of a pane: its own keys, then those of wider scopes, then what only the palette has.
pub fn help_lines(pane: Pane, purpose: Purpose) -> Vec<HelpLine> {
    let serving = || ACTIONS.iter().filter(|info| info.action.serves(purpose));
    let mut lines = Vec::new();
    for scope in Scope::ALL.into_iter().rev().filter(|scope| scope.covers(pane)) {
        let bound = serving().filter_map(|info| {
            let keys = info.keys.iter().filter(|(of, _)| *of == scope);
            let keys: Vec<String> = keys.map(|(_, key)| key.to_string()).collect();
            (!keys.is_empty()).then(|| (keys.join(" "), info))
        });
        section(&mut lines, scope.to_string(), bound.collect());
    }
    let unbound = serving().filter(|info| info.keys.is_empty());
    let unbound = unbound.map(|info| (String::new(), info)).collect();
    section(&mut lines, "Commands without a key (Ctrl-G)".into(), unbound);
    lines
}

fn section(
    lines: &mut Vec<HelpLine>,
    title: String,
    actions: Vec<(String, &'static crate::app::actions::ActionInfo)>,
) {
    if actions.is_empty() {
        return;
    }
    if !lines.is_empty() {
        lines.push(HelpLine::Blank);
    }
    lines.push(HelpLine::Section(title));
    lines.extend(actions.into_iter().map(|(keys, info)| HelpLine::Action {
        keys,
        name: info.name,
        help: info.help,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_starts_with_the_pane_and_lists_every_key_of_it() {
        for pane in Pane::ALL {
            let lines = help_lines(pane, Purpose::Live);
            let expected = ACTIONS
                .iter()
                .filter(|info| info.action.serves(Purpose::Live))
                .filter(|info| info.keys.is_empty() || info.keys.iter().any(|(scope, _)| scope.covers(pane)));
            let listed = |name: &str| {
                lines
                    .iter()
                    .any(|line| matches!(line, HelpLine::Action { name: n, .. } if *n == name))
            };
            for info in expected {
                assert!(listed(info.name), "{} in {pane}", info.name);
            }
        }
        assert_eq!(
            help_lines(Pane::Input, Purpose::Live)[0],
            HelpLine::Section("Input".into())
        );
        assert_eq!(
            help_lines(Pane::Log, Purpose::Live)[0],
            HelpLine::Section("Log".into())
        );
        let reading = help_lines(Pane::Log, Purpose::Reading);
        let is =
            |line: &HelpLine, wanted: &str| matches!(line, HelpLine::Action { name, .. } if *name == wanted);
        assert!(
            !reading
                .iter()
                .any(|line| is(line, "connect") || is(line, "focus-input"))
        );
        assert!(reading.iter().any(|line| is(line, "stop-indexing")));
    }
}
