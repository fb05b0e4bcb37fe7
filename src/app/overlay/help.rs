//! What the help shows, read from the table of actions.

use std::fmt;

use super::Prompt;
use crate::app::actions::{ACTIONS, ActionInfo, Scope};
use crate::app::{Layout, Pane, Purpose, Wire};
use crate::model::Query;
use crate::text::{Example, Pattern, wrapped};

/// Columns that no sentence needs more of, beside its keys.
const WIDTH: u16 = 100;

/// What help is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The pane that had the focus.
    Pane(Pane),
    /// What can be searched for.
    Search,
    /// What can be filtered by.
    Filter,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Pane(pane) => pane.fmt(f),
            Topic::Search => f.write_str("search"),
            Topic::Filter => f.write_str("filter"),
        }
    }
}

/// The help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// What it is about.
    pub topic: Topic,
    /// What the program was started for.
    pub purpose: Purpose,
    /// What crosses the connection in front.
    pub wire: Wire,
    /// The first line that is shown.
    pub top: usize,
    /// The prompt that it was opened from, and that it goes back to.
    pub behind: Option<Box<Prompt>>,
}

/// A line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpLine {
    /// Where the keys below apply.
    Section(String),
    /// The first line of an action.
    Action {
        /// What triggers it.
        by: Trigger,
        /// Its sentence, or the start of it.
        help: String,
    },
    /// The continuation of an action's sentence.
    More(String),
    /// Space between sections.
    Blank,
}

/// What triggers an action in the place that a section is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// These keys.
    Keys(String),
    /// What is typed: a name in the palette, a condition.
    Name(&'static str),
}

impl Trigger {
    /// What is to be pressed or typed.
    pub fn text(&self) -> &str {
        match self {
            Trigger::Keys(keys) => keys,
            Trigger::Name(name) => name,
        }
    }
}

/// The help of a pane, for a certain width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpText {
    /// Columns of all of it.
    pub width: u16,
    /// Columns of the triggers; the sentences stand two further to the right.
    pub column: u16,
    /// The lines: the pane's own keys, then those of wider scopes, then what only the palette has.
    pub lines: Vec<HelpLine>,
}

impl Help {
    /// The text in a window with that layout.
    pub fn text(&self, layout: &Layout) -> HelpText {
        let width = layout.popup_columns(WIDTH);
        let sections = match self.topic {
            Topic::Pane(pane) => self.of_pane(pane),
            Topic::Search => vec![examples("What a search takes", Pattern::EXAMPLES)],
            Topic::Filter => vec![examples("Conditions of a filter", Query::EXAMPLES)],
        };
        let triggers = sections.iter().flat_map(|(_, items)| items);
        let longest = triggers
            .map(|(by, _)| by.text().chars().count())
            .max()
            .unwrap_or(0);
        let column = u16::try_from(longest).unwrap_or(u16::MAX).min(width / 3);
        let room = width.saturating_sub(column + 2);
        let mut lines = Vec::new();
        for (title, items) in sections.into_iter().filter(|(_, items)| !items.is_empty()) {
            section(&mut lines, title, items, room);
        }
        HelpText { width, column, lines }
    }

    /// The pane's own keys, those of wider scopes, what only the palette has, and what prompts take.
    fn of_pane(&self, pane: Pane) -> Vec<Section> {
        let serving = || ACTIONS.iter().filter(|info| info.action.serves(self.purpose));
        let covering = Scope::ALL.into_iter().rev().filter(|scope| scope.covers(pane));
        let mut sections: Vec<Section> = covering
            .map(|scope| {
                let bound = serving()
                    .filter_map(|info| Some((Trigger::Keys(keys_in(info, scope)?), info.told(self.wire))));
                (scope.to_string(), bound.collect())
            })
            .collect();
        let unbound = serving().filter(|info| info.keys.is_empty());
        let unbound = unbound
            .map(|info| (Trigger::Name(info.name), info.told(self.wire)))
            .collect();
        sections.push(("Commands without a key (Ctrl-G)".into(), unbound));
        sections.push(examples("What a search takes (/)", Pattern::EXAMPLES));
        sections.push(examples("Conditions of a filter (f)", Query::EXAMPLES));
        sections
    }
}

/// What triggers something, and its sentence.
type Item = (Trigger, &'static str);

/// A title, and what stands below it.
type Section = (String, Vec<Item>);

fn examples(title: &str, examples: &[Example]) -> Section {
    let items = examples
        .iter()
        .map(|example| (Trigger::Name(example.written), example.shows));
    (title.to_owned(), items.collect())
}

fn keys_in(info: &ActionInfo, scope: Scope) -> Option<String> {
    let keys = info.keys.iter().filter(|(of, _)| *of == scope);
    let keys: Vec<String> = keys.map(|(_, key)| key.to_string()).collect();
    (!keys.is_empty()).then(|| keys.join(" "))
}

fn section(lines: &mut Vec<HelpLine>, title: String, items: Vec<Item>, room: u16) {
    if !lines.is_empty() {
        lines.push(HelpLine::Blank);
    }
    lines.push(HelpLine::Section(title));
    for (by, help) in items {
        let mut rows = wrapped(help, room).into_iter();
        lines.push(HelpLine::Action {
            by,
            help: rows.next().unwrap_or_default(),
        });
        lines.extend(rows.map(HelpLine::More));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::Bench;

    fn text(pane: Pane, purpose: Purpose, columns: u16) -> HelpText {
        let mut bench = Bench::new();
        bench.size = (columns, 24);
        let help = Help {
            topic: Topic::Pane(pane),
            purpose,
            wire: Wire::Stream,
            top: 0,
            behind: None,
        };
        help.text(&bench.layout())
    }

    fn lists(text: &HelpText, info: &ActionInfo) -> bool {
        let first = wrapped(info.help, 1000).concat();
        let starts =
            |line: &HelpLine| matches!(line, HelpLine::Action { help, .. } if first.starts_with(help));
        text.lines.iter().any(starts)
    }

    #[test]
    fn help_starts_with_the_pane_and_lists_every_key_of_it() {
        for pane in Pane::ALL {
            let text = text(pane, Purpose::Live, 200);
            let serving = ACTIONS.iter().filter(|info| info.action.serves(Purpose::Live));
            let expected = serving
                .filter(|info| info.keys.is_empty() || info.keys.iter().any(|(scope, _)| scope.covers(pane)));
            for info in expected {
                assert!(lists(&text, info), "{} in {pane}", info.name);
            }
        }
        let first = |pane| text(pane, Purpose::Live, 80).lines.swap_remove(0);
        assert_eq!(first(Pane::Input), HelpLine::Section("Input".into()));
        assert_eq!(first(Pane::Log), HelpLine::Section("Log".into()));
    }

    #[test]
    fn only_what_can_be_done_is_listed() {
        let reading = text(Pane::Log, Purpose::Reading, 200);
        for info in ACTIONS.iter().filter(|info| info.keys.is_empty()) {
            assert_eq!(
                lists(&reading, info),
                info.action.serves(Purpose::Reading),
                "{}",
                info.name
            );
        }
    }

    #[test]
    fn sentences_are_wrapped_and_not_cut() {
        for columns in [20, 40, 80] {
            let text = text(Pane::Input, Purpose::Live, columns);
            let mut whole = String::new();
            for line in &text.lines {
                match line {
                    HelpLine::Action { help: row, .. } | HelpLine::More(row) => whole = whole + row + " ",
                    HelpLine::Section(_) | HelpLine::Blank => {}
                }
            }
            for info in ACTIONS.iter().filter(|info| info.keys.is_empty()) {
                assert_eq!(
                    whole.contains(info.help),
                    info.action.serves(Purpose::Live),
                    "{}",
                    info.name
                );
            }
        }
    }
}
