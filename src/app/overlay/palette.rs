//! The palette: every action by name, filtered while its name is typed, with an argument after a space. The options of
//! sockets are listed in the same way once their action is named.

use crate::app::actions::{ACTIONS, Action, ActionInfo, Browse, Dial};
use crate::app::{Editor, Purpose};
use crate::model::{Destination, OptionInfo, Reference, SOCKET_OPTIONS, SocketKind};

/// The action whose arguments are listed.
const OPTION: Action = Action::Dial(Dial::Option);

/// The palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// What the program was started for.
    purpose: Purpose,
    /// The kind of the connection's socket, if there is one.
    socket: Option<SocketKind>,
    /// What is typed.
    pub field: Editor,
    /// The line that Enter runs, among the matches.
    pub selected: usize,
    /// Why the last Enter did nothing.
    pub error: Option<String>,
}

/// A line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// An action.
    Action(&'static ActionInfo),
    /// An option of the socket, to be shown or changed.
    Option(&'static OptionInfo),
}

/// An action with what was typed behind its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The action.
    pub action: Action,
    /// Its argument, without white space around it; empty for none.
    pub argument: String,
}

impl From<Action> for Command {
    fn from(action: Action) -> Command {
        Command {
            action,
            argument: String::new(),
        }
    }
}

impl Palette {
    /// An empty one, while there is a connection over such a socket.
    pub fn new(purpose: Purpose, socket: Option<SocketKind>) -> Palette {
        Palette {
            purpose,
            socket,
            field: Editor::default(),
            selected: 0,
            error: None,
        }
    }

    /// The actions whose names or titles match what is typed, the best first, or the options.
    pub fn matches(&self) -> Vec<Match> {
        match self.options() {
            Some(options) => options.into_iter().map(Match::Option).collect(),
            None => self.search().0.into_iter().map(Match::Action).collect(),
        }
    }

    /// What Enter runs, or why it runs nothing; a place in the log alone is where it goes.
    pub fn command(&self) -> Result<Command, String> {
        let typed = self.typed();
        if Destination::is_meant(typed) {
            Destination::parse(typed, &Reference::default())?;
            return Ok(Command {
                action: Action::Browse(Browse::Goto),
                argument: typed.to_owned(),
            });
        }
        if let Some(options) = self.options() {
            return self.option(&options);
        }
        match self.choice() {
            None => Err("no action has that name".into()),
            Some((info, argument)) if info.argument.is_empty() && !argument.is_empty() => {
                Err(format!("{} takes nothing behind its name", info.name))
            }
            Some((info, argument)) => Ok(Command {
                action: info.action,
                argument: argument.to_owned(),
            }),
        }
    }

    /// The selection one line down.
    pub fn down(&mut self) {
        self.selected = (self.selected + 1).min(self.matches().len().saturating_sub(1));
    }

    /// The selection one line up.
    pub fn up(&mut self) {
        self.selected = self.selected.saturating_sub(1);
    }

    /// The name of the selected action goes into the field, ready for its argument.
    pub fn complete(&mut self) {
        if let Some(options) = self.options() {
            let (info, argument) = (options.get(self.selected), self.search().1);
            if let Some(info) = info.filter(|_| !argument.contains('=')) {
                self.field = Editor::new(format!("{} {}=", OPTION.name(), info.name));
                self.edited();
            }
        } else if let Some((info, argument)) = self.choice() {
            let space = if info.argument.is_empty() { "" } else { " " };
            self.field = Editor::new(format!("{}{space}{argument}", info.name));
            self.edited();
        }
    }

    /// The field was edited: the best match is selected again.
    pub fn edited(&mut self) {
        self.selected = 0;
        self.error = None;
    }

    fn typed(&self) -> &str {
        // The colon that opens the palette is typed again out of habit.
        self.field.text().trim().trim_start_matches(':')
    }

    /// The selected action, and what is behind its name; a word that is found as an argument is one.
    fn choice(&self) -> Option<(&'static ActionInfo, &str)> {
        let (found, argument) = self.search();
        let info = *found.get(self.selected)?;
        let typed = self.typed();
        let is_argument =
            argument.is_empty() && info.name != typed && info.choices().any(|word| word == typed);
        Some((info, if is_argument { typed } else { argument }))
    }

    /// The matches, and the argument: what follows an exact name, or a first word where the whole matches nothing.
    fn search(&self) -> (Vec<&'static ActionInfo>, &str) {
        let typed = self.typed();
        if Destination::is_meant(typed) {
            let goto = |info: &&ActionInfo| info.action == Action::Browse(Browse::Goto);
            return (self.actions().filter(goto).collect(), typed);
        }
        let Some((word, argument)) = typed.split_once(char::is_whitespace) else {
            return (self.ranked(typed), "");
        };
        if let Some(exact) = self.actions().find(|info| info.name == word) {
            return (vec![exact], argument.trim());
        }
        let whole = self.ranked(typed);
        if whole.is_empty() {
            (self.ranked(word), argument.trim())
        } else {
            (whole, "")
        }
    }

    /// The options that match what is typed behind the name of their action, if it is named.
    fn options(&self) -> Option<Vec<&'static OptionInfo>> {
        let typed = self.field.text().trim_start().trim_start_matches(':');
        let (word, rest) = typed.split_once(char::is_whitespace)?;
        if word != OPTION.name() || !OPTION.serves(self.purpose) {
            return None;
        }
        let wanted = rest.trim();
        let suits = |info: &&OptionInfo| self.socket.is_none_or(|kind| info.option.suits(kind));
        let suiting = SOCKET_OPTIONS.iter().filter(suits);
        if let Some((name, _)) = wanted.split_once('=') {
            return Some(suiting.filter(|info| info.name == name.trim()).collect());
        }
        let ranked = suiting.filter_map(|info| {
            let rank =
                contained(wanted, info.name).or_else(|| contained(wanted, info.help).map(|(_, at)| (5, at)));
            Some((if wanted.is_empty() { (0, 0) } else { rank? }, info))
        });
        let mut found: Vec<((u8, usize), &OptionInfo)> = ranked.collect();
        found.sort_by_key(|(rank, _)| *rank);
        Some(found.into_iter().map(|(_, info)| info).collect())
    }

    /// What Enter does with the selected option: sets it if a value is typed, else shows it.
    fn option(&self, options: &[&'static OptionInfo]) -> Result<Command, String> {
        let typed = self.search().1;
        let argument = match options.get(self.selected) {
            Some(info) if !typed.contains('=') => info.name.to_owned(),
            // What is wrong with it is said where it is read.
            Some(_) | None if !typed.is_empty() => typed.to_owned(),
            Some(_) | None => return Err("no option has that name".into()),
        };
        Ok(Command {
            action: OPTION,
            argument,
        })
    }

    fn actions(&self) -> impl Iterator<Item = &'static ActionInfo> {
        let purpose = self.purpose;
        ACTIONS.iter().filter(move |info| info.action.serves(purpose))
    }

    fn ranked(&self, typed: &str) -> Vec<&'static ActionInfo> {
        let typed = typed.to_lowercase();
        let matching = self
            .actions()
            .filter_map(|info| Some((rank(info, &typed)?, info)));
        let mut found: Vec<((u8, usize), &ActionInfo)> = matching.collect();
        // The sort is stable: equal matches stay in the order of the table.
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, info)| info).collect()
    }
}

/// How well an action matches: the kind of match, then how early it is. Less is better.
fn rank(info: &ActionInfo, typed: &str) -> Option<(u8, usize)> {
    if typed.is_empty() {
        // Nobody opens the palette to move the cursor.
        return Some((0, usize::from(matches!(info.action, Action::Edit(_)))));
    }
    let title = info.title.to_lowercase();
    if info.name == typed {
        return Some((0, 0));
    }
    let found = [
        contained(typed, info.name),
        info.choices().any(|word| word == typed).then_some((2, 0)),
        contained(typed, &title).map(|rank| rank.max((2, 1))),
        contained(typed, info.also).map(|rank| rank.max((2, 1))),
        subsequence(typed, info.name).map(|end| (5, end)),
        subsequence(typed, &title).map(|end| (6, end)),
    ];
    found.into_iter().flatten().min()
}

/// At the start of the name, at the start of a word in it, or somewhere.
fn contained(typed: &str, name: &str) -> Option<(u8, usize)> {
    let starts_word = |at: &usize| !name[..*at].ends_with(char::is_alphanumeric);
    let places = || name.match_indices(typed).map(|(at, _)| at);
    match places().find(starts_word) {
        Some(0) => Some((1, 0)),
        Some(at) => Some((3, at)),
        None => places().next().map(|at| (4, at)),
    }
}

/// Where `typed` ends in `name` when its characters are looked for one after the other.
fn subsequence(typed: &str, name: &str) -> Option<usize> {
    let mut rest = name.char_indices();
    let mut end = 0;
    for wanted in typed.chars().filter(|c| !c.is_whitespace()) {
        (end, _) = rest.find(|(_, c)| *c == wanted)?;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette(typed: &str) -> Palette {
        Palette {
            field: Editor::new(typed),
            ..Palette::new(Purpose::Live, Some(SocketKind::Tcp))
        }
    }

    #[test]
    fn every_action_is_reachable_by_its_name() {
        for info in palette("").actions() {
            let command = palette(info.name).command().unwrap();
            assert_eq!(
                (command.action, command.argument.as_str()),
                (info.action, ""),
                "{}",
                info.name
            );
        }
        for info in ACTIONS {
            let serves = [Purpose::Live, Purpose::Reading].map(|purpose| info.action.serves(purpose));
            assert!(serves.contains(&true), "{}", info.name);
        }
    }

    #[test]
    fn names_are_found_by_parts_and_arguments_follow() {
        let check = |typed: &str, name: &str, argument: &str| {
            let command = palette(typed).command().unwrap();
            let info = command.action.info().unwrap();
            assert_eq!(
                (info.name, command.argument.as_str()),
                (name, argument),
                "{typed}"
            );
        };
        check("hfc", "half-close", "");
        check("half close", "half-close", "");
        check(":connect localhost:80", "connect", "localhost:80");
        check("view  hex ", "view", "hex");
        check("1234", "goto", "1234");
        check(":12:04:31", "goto", "12:04:31");
        check("+10", "goto", "+10");
        check("rst", "reset", "");
        check("crlf", "eol", "crlf");
        check("hex", "input", "hex");
        check("disconnect", "close-menu", "");
        check("exit", "quit", "");
        assert!(
            palette("12:")
                .command()
                .unwrap_err()
                .starts_with("\"12:\" is no place")
        );
        assert_eq!(palette("zzzz").command(), Err("no action has that name".into()));
        assert_eq!(
            palette("reset x").command(),
            Err("reset takes nothing behind its name".into())
        );
    }

    #[test]
    fn options_are_listed_once_their_action_is_named() {
        let names = |typed: &str| -> Vec<&str> {
            let names = palette(typed).matches().into_iter().map(|line| match line {
                Match::Action(info) => info.name,
                Match::Option(info) => info.name,
            });
            names.collect()
        };
        assert_eq!(names("option")[..1], ["option"]);
        assert_eq!(names("option ")[..2], ["nodelay", "cork"]);
        assert!(!names("option ").contains(&"broadcast"), "that is of UDP");
        assert_eq!(names("option buf"), ["sndbuf", "rcvbuf"]);
        assert_eq!(names("option probe"), ["keepalive"]);
        assert_eq!(names("option ttl=5"), ["ttl"]);
        let argument = |typed: &str| palette(typed).command().map(|command| command.argument);
        assert_eq!(argument("option tt"), Ok("ttl".into()));
        assert_eq!(argument(":option ttl = 5"), Ok("ttl = 5".into()));
        assert_eq!(argument("option zzz"), Ok("zzz".into()));
        let mut completed = palette("option tt");
        completed.complete();
        assert_eq!(completed.field.text(), "option ttl=");
        completed.complete();
        assert_eq!(completed.field.text(), "option ttl=");
    }

    #[test]
    fn completing_keeps_what_is_behind_the_name() {
        let check = |typed: &str, expected: &str| {
            let mut palette = palette(typed);
            palette.complete();
            assert_eq!(palette.field.text(), expected, "{typed}");
        };
        check("vie", "view ");
        check("view te", "view te");
        check("crlf", "eol crlf");
        check("half", "half-close");
    }
}
