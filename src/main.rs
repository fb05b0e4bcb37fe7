//! The binary: parses the command line and maps errors to exit status; everything else is in the library.

mod cli;

use std::io::{self, Write as _};
use std::process::ExitCode;

use sockscope::runtime::{self, RunError};

use cli::{Request, Usage};

/// Wrong usage, as everywhere.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Request::Run(plan)) => {
            runtime::run(&plan).map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
        }
        Ok(Request::KeepHouse(task, zone)) => {
            runtime::keep_house(&task, zone).map_or_else(|error| fail(&error), |text| print(text.as_bytes()))
        }
        Ok(Request::PrintAuthority) => {
            runtime::print_authority().map_or_else(|error| fail(&error), |text| print(text.as_bytes()))
        }
        Ok(Request::Print(text)) => print(&text),
        Err(Usage(message)) => {
            runtime::tell(&message);
            USAGE.into()
        }
    }
}

fn fail(error: &RunError) -> ExitCode {
    runtime::tell(&error.to_string());
    error.status()
}

/// Prints on standard output; a reader that goes away early is no failure.
fn print(text: &[u8]) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            runtime::tell(&format!("cannot write to standard output: {error}"));
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
