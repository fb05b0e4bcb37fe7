//! What to do with a capture: show it, or without a screen print it or write it to a file.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use sockscope::model::{ExportFormat, Query, Reference};
use sockscope::runtime::headless::Reading;
use sockscope::runtime::{Front, Peer, Place, Plan};
use sockscope::text::quote_around;

use super::super::Usage;
use super::super::arguments::Options;
use super::super::value::FormatName;

impl Options {
    /// What to do with a capture, or with several as one.
    pub(in crate::cli) fn plan_open(self, files: Vec<PathBuf>) -> Result<Plan, Usage> {
        if files.len() > 1 && files.iter().any(|file| file == Path::new("-")) {
            return Err(Usage(
                "- is standard input, which is opened by itself: leave it out, or the files".into(),
            ));
        }
        self.plan_reading(Peer::Capture(files))
    }

    /// What to do with a recording that was kept.
    pub(in crate::cli) fn plan_kept(self, name: Option<String>) -> Result<Plan, Usage> {
        self.plan_reading(Peer::Kept(name))
    }

    fn plan_reading(self, peer: Peer) -> Result<Plan, Usage> {
        let without_use = [
            ("-4", self.ipv4),
            ("-6", self.ipv6),
            ("--bind", self.bind.is_some()),
            ("--connect-timeout", self.connect_timeout.is_some()),
            ("--idle-timeout", self.idle_timeout.is_some()),
            ("--read-size", self.read_size.is_some()),
            ("--reconnect", self.reconnect),
            ("-o", !self.option.is_empty()),
            ("--join", !self.join.is_empty()),
            ("--timestamps", self.timestamps),
            ("--input", self.input.is_some()),
            ("--eol", self.eol.is_some()),
            ("--on-full", self.on_full.is_some()),
            ("--max-size", self.max_size.is_some()),
            ("--ring", self.ring.is_some()),
            ("--send", !self.send.is_empty()),
            ("--stdin-eof", self.stdin_eof.is_some()),
            ("--count", self.count.is_some()),
            ("--duration", self.duration.is_some()),
            ("--quit-after-idle", self.quit_after_idle.is_some()),
        ];
        let without_use = without_use.iter().find(|(_, given)| *given);
        let without_use = without_use.map(|(name, _)| *name).or_else(|| self.tls.given());
        if let Some(name) = without_use {
            return Err(Usage(format!(
                "{name} is about connections: leave it out with open"
            )));
        }
        let scripts = [
            ("--format", self.format.is_some()),
            ("--filter", self.filter.is_some()),
            ("--write", self.write.is_some()),
        ];
        if self.headless || self.writes_to_stdout() {
            let reading = self.reading()?;
            return self.fronted(peer, Front::Reading(reading));
        }
        if let Some((name, _)) = scripts.iter().find(|(_, given)| *given) {
            return Err(Usage(format!(
                "{name} with open is for scripts and pipes: add --headless; on the screen E exports and f filters"
            )));
        }
        let screen = Front::Screen(self.screen());
        self.fronted(peer, screen)
    }

    fn reading(&self) -> Result<Reading, Usage> {
        let format = match self.format {
            Some(name) => name.reading(),
            // -w is a recording everywhere else, so it is one here.
            None if self.write.is_some() => Some(ExportFormat::Pcapng),
            None => FormatName::Text.reading(),
        };
        if let Some(filter) = &self.filter {
            // What a time refers to does not make it right or wrong.
            Query::parse(filter, &Reference::default()).map_err(|error| {
                let filter = quote_around(filter, error.at);
                Usage(format!("--filter {filter} cannot be read: {}", error.message))
            })?;
        }
        let file = match self.place()? {
            Place::Folder => None,
            Place::File { path, existing } => Some((path, existing)),
        };
        match (format, &file) {
            (Some(ExportFormat::Raw | ExportFormat::Pcapng), None) if io::stdout().is_terminal() => {
                return Err(Usage(
                    "--format raw and pcapng would write bytes to the terminal as they are: send them to a pipe, or to a \
                     file with -w FILE"
                        .into(),
                ));
            }
            (None, Some(_)) => {
                return Err(Usage(
                    "--format none writes nothing: leave --write out, or name another format".into(),
                ));
            }
            (Some(_), Some(_)) | (_, None) => {}
        }
        Ok(Reading {
            format,
            filter: self.filter.clone(),
            file,
        })
    }
}
