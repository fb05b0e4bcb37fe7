//! Where to wait for connections, as in `:9000` or `tls://0.0.0.0:8443`: parsing and printing.

use std::fmt;
use std::str::FromStr;

use super::authority::Authority;
use super::endpoint::{Endpoint, EndpointError};

/// Where to wait for connections. Without a host it is `localhost`, which stands for the loopback addresses of both
/// families, never for the whole network; port 0 lets the system choose one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address(Endpoint);

impl Address {
    /// The same as what one would connect to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Address {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Address, EndpointError> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (
                scheme.to_ascii_lowercase(),
                rest.strip_suffix('/').unwrap_or(rest),
            ),
            None if text.starts_with(':') || text.ends_with(":0") || digits(text) => ("tcp".to_owned(), text),
            None => return text.parse().map(Address),
        };
        let authority = || {
            Authority::to_listen_at(
                rest.strip_prefix(':')
                    .filter(|rest| !rest.is_empty())
                    .unwrap_or(rest),
            )
        };
        match scheme.as_str() {
            "tcp" => authority().map(Endpoint::Tcp),
            "tls" => authority().map(Endpoint::Tls),
            "udp" => authority().map(Endpoint::Udp),
            _ => text.parse(),
        }
        .map(Address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed() {
        let check = |text: &str, expected: &str| {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), expected);
            assert_eq!(expected.parse::<Address>().unwrap(), address);
        };
        check(":9000", "tcp://localhost:9000");
        check("9000", "tcp://localhost:9000");
        check("0.0.0.0:9000", "tcp://0.0.0.0:9000");
        check("[::]:http", "tcp://[::]:http");
        check("localhost:0", "tcp://localhost:0");
        check("tls://:8443", "tls://localhost:8443");
        check("TLS://127.0.0.1:0/", "tls://127.0.0.1:0");
        check("udp://:53", "udp://localhost:53");
        check("unix:/run/a.sock", "unix:/run/a.sock");
        check("unix:@name", "unix:@name");
    }

    #[test]
    fn a_wrong_address_says_what_to_write() {
        for text in [
            "",
            ":",
            "host",
            "::1:80",
            "ssh://:22",
            "tcp://",
            ":70000",
            "unix:",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("write"), "{text}: {error}");
        }
    }
}
