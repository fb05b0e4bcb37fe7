//! The command line: what can be written there, its help, completions and man page, and its translation into plain
//! options of the library. Performs nothing.

mod arguments;
mod man;
mod plan;
mod value;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, SessionsTask, Task};
use sockscope::app::Zone;
use sockscope::runtime::{Housekeeping, Plan};

/// What the command line asks for.
pub(crate) enum Request {
    /// Run the program.
    Run(Box<Plan>),
    /// List or delete recordings.
    KeepHouse(Housekeeping, Zone),
    /// Print this on standard output, and nothing else.
    Print(Vec<u8>),
}

/// A command line that cannot be followed: what is wrong and what to write instead, on one line, not yet encoded.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

/// Reads the command line.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Usage> {
    let written: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&written) {
        Ok(arguments) => arguments,
        Err(error) => return host_and_port(&error, &written).map_or_else(|| help_or_usage(&error), Err),
    };
    match arguments.task {
        None => arguments.options.plan(arguments.target.as_deref()),
        Some(Task::Demo) if arguments.target.is_some() => Err(Usage(
            "demo brings its own server: leave the target out, or leave demo out".into(),
        )),
        Some(Task::Demo) => arguments.options.plan_demo(),
        Some(Task::Listen { .. } | Task::Tap { .. }) if arguments.target.is_some() => Err(Usage(
            "listen and tap say themselves what is connected: leave the target before them out".into(),
        )),
        Some(Task::Listen { address }) => arguments.options.plan_listen(&address),
        Some(Task::Tap { address, target }) => arguments.options.plan_tap(&address, &target),
        Some(Task::Open { .. }) if arguments.target.is_some() => {
            Err(Usage("open reads a capture: leave the target out".into()))
        }
        Some(Task::Open { files }) => arguments.options.plan_open(files),
        Some(Task::Sessions { .. }) if arguments.target.is_some() => {
            Err(Usage("sessions is about recordings: leave the target out".into()))
        }
        Some(Task::Sessions { task }) => {
            let task = match task {
                None | Some(SessionsTask::List) => Housekeeping::List,
                Some(SessionsTask::Delete { names }) => Housekeeping::Delete(names),
                Some(SessionsTask::Open { name }) => {
                    let plan = arguments.options.plan_kept(name)?;
                    return Ok(Request::Run(Box::new(plan)));
                }
            };
            return Ok(Request::KeepHouse(task, arguments.options.zone()));
        }
        Some(Task::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "sockscope", &mut text);
            return Ok(Request::Print(text));
        }
        Some(Task::Man) => {
            let page = man::page().map_err(|error| Usage(format!("cannot make the man page: {error}")))?;
            return Ok(Request::Print(page));
        }
    }
    .map(|plan| Request::Run(Box::new(plan)))
}

/// Help and version are what was asked for; everything else is a mistake.
fn help_or_usage(error: &clap::Error) -> Result<Request, Usage> {
    let text = error.render();
    if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Err(Usage(on_one_line(&text.to_string())));
    }
    let plain =
        !io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let text = if plain {
        text.to_string()
    } else {
        text.ansi().to_string()
    };
    Ok(Request::Print(text.into_bytes()))
}

/// Other programs take host and port as two words.
fn host_and_port(error: &clap::Error, written: &[OsString]) -> Option<Usage> {
    let surplus = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(surplus)) if error.kind() == ErrorKind::UnknownArgument => surplus,
        Some(_) | None => return None,
    };
    let at = written.iter().position(|word| word == surplus.as_str())?;
    let host = written.get(at.checked_sub(1)?)?.to_str()?;
    surplus.parse::<u16>().ok()?;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Some(Usage(format!(
        "host and port are one word: write {host}:{surplus}"
    )))
}

/// clap writes a mistake in several paragraphs: what is wrong, tips, the usage, where help is. The first two say
/// what to do.
fn on_one_line(message: &str) -> String {
    let mut parts: Vec<String> = message
        .split("\n\n")
        .take_while(|part| !part.starts_with("Usage:") && !part.starts_with("For more information"))
        // The tip how to pass an option as a value is of no use where a target is meant.
        .filter(|part| !part.contains("as a value, use"))
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    parts.push("try --help".into());
    let text = parts.join("; ");
    text.strip_prefix("error: ").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_is_sound() {
        Arguments::command().debug_assert();
    }
}
