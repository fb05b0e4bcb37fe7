//! The protocols of which is known how TLS is asked for on a connection that began in the clear.

use std::fmt;
use std::str::FromStr;

/// A protocol with words of its own for the start of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// STARTTLS of RFC 3207.
    Smtp,
    /// STARTTLS of RFC 9051 §6.2.1.
    Imap,
    /// STLS of RFC 2595 §4.
    Pop3,
    /// AUTH TLS of RFC 4217.
    Ftp,
    /// RFC 6120 §5.
    Xmpp,
    /// `StartTLS` of RFC 4511 §4.14.
    Ldap,
    /// `SSLRequest` of the message protocol, before anything else.
    Postgresql,
    /// The SSL request packet, as the answer to the server's greeting.
    Mysql,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 8] = [
        Preset::Smtp,
        Preset::Imap,
        Preset::Pop3,
        Preset::Ftp,
        Preset::Xmpp,
        Preset::Ldap,
        Preset::Postgresql,
        Preset::Mysql,
    ];
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Preset::Smtp => "smtp",
            Preset::Imap => "imap",
            Preset::Pop3 => "pop3",
            Preset::Ftp => "ftp",
            Preset::Xmpp => "xmpp",
            Preset::Ldap => "ldap",
            Preset::Postgresql => "postgresql",
            Preset::Mysql => "mysql",
        })
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Preset, String> {
        let found = Preset::ALL.into_iter().find(|preset| preset.to_string() == text);
        found.ok_or_else(|| {
            let names: Vec<String> = Preset::ALL.iter().map(Preset::to_string).collect();
            format!(
                "{text:?} is no protocol of which is known how it starts TLS: write {}",
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_printed() {
        for preset in Preset::ALL {
            assert_eq!(preset.to_string().parse(), Ok(preset));
        }
        assert_eq!(
            "smpt".parse::<Preset>(),
            Err(
                "\"smpt\" is no protocol of which is known how it starts TLS: write smtp, imap, pop3, ftp, xmpp, \
                 ldap, postgresql, mysql"
                    .into()
            )
        );
    }
}
