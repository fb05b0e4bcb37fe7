//! `sockscope ca`: the certificate of the local authority, for those who are to trust it.

use std::io::{self, IsTerminal as _};

use super::launch::RunError;
use super::store::state_directory;
use super::tell::tell;
use crate::net::tls::LocalAuthority;
use crate::text::format;

/// The text to print: the certificate in PEM. The authority is made if there is none yet. Whoever sits at the terminal
/// is told on standard error what to do with it.
pub fn print_authority() -> Result<String, RunError> {
    let authority = LocalAuthority::open(&state_directory()?)?;
    if io::stderr().is_terminal() {
        let until = format::date(authority.certificate().not_after);
        tell(&format!(
            "this certificate is valid until {until}; its key is in {}, and whoever has that can pose as any server \
             to those who trust it",
            authority.path().display()
        ));
        tell("sockscope ca --help says where to trust it");
    }
    Ok(authority.pem().to_owned())
}
