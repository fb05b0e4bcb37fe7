//! The words and numbers that options take. Each names what is meant instead of what was written.

use std::time::Duration;

use clap::ValueEnum;

use sockscope::app::View;
use sockscope::capture::MAX_PAYLOAD;
use sockscope::model::{ExportFormat, Group, GroupError, OptionError, Preset, Setting};
use sockscope::net::{OnFull, TlsVersion};
use sockscope::runtime::headless::{Format, StdinEof};
use sockscope::text::{InputType, LineEnding, parse};

/// `--view`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ViewName {
    /// Offsets and hex digits
    Hex,
    /// Decoded text
    Text,
    /// Both side by side
    Both,
}

/// `--input`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum InputName {
    /// As it is, in UTF-8
    Text,
    /// With \r \n \t \0 \\ \xNN \u{...}
    Escaped,
    /// Hexadecimal digits in pairs
    Hex,
}

/// `--eol`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum EolName {
    /// Nothing
    None,
    /// 0a
    Lf,
    /// 0d 0a
    Crlf,
    /// 0d
    Cr,
    /// 00
    Nul,
}

/// `--format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatName {
    /// One line an entry
    Text,
    /// A hexdump of each entry
    #[value(alias = "hexdump")]
    Hex,
    /// One JSON object an entry
    Jsonl,
    /// The received bytes, unchanged
    Raw,
    /// Nothing
    None,
    /// Of a capture: a capture of our own, for Wireshark too
    Pcapng,
    /// Of a capture: a Python script that repeats the client's part
    Python,
}

impl FormatName {
    /// What a connection is printed as, if it can be.
    pub(crate) fn live(self) -> Option<Format> {
        match self {
            FormatName::Text => Some(Format::Text),
            FormatName::Hex => Some(Format::Hex),
            FormatName::Jsonl => Some(Format::Jsonl),
            FormatName::Raw => Some(Format::Raw),
            FormatName::None => Some(Format::None),
            FormatName::Pcapng | FormatName::Python => None,
        }
    }

    /// What a capture is printed as, if at all.
    pub(crate) fn reading(self) -> Option<ExportFormat> {
        match self {
            FormatName::Text => Some(ExportFormat::Text),
            FormatName::Hex => Some(ExportFormat::Hexdump),
            FormatName::Jsonl => Some(ExportFormat::Jsonl),
            FormatName::Raw => Some(ExportFormat::Raw),
            FormatName::None => None,
            FormatName::Pcapng => Some(ExportFormat::Pcapng),
            FormatName::Python => Some(ExportFormat::Python),
        }
    }
}

/// `--tls-min`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TlsMinName {
    /// RFC 5246
    #[value(name = "1.2")]
    V1_2,
    /// RFC 8446
    #[value(name = "1.3")]
    V1_3,
}

impl From<TlsMinName> for TlsVersion {
    fn from(name: TlsMinName) -> TlsVersion {
        match name {
            TlsMinName::V1_2 => TlsVersion::V1_2,
            TlsMinName::V1_3 => TlsVersion::V1_3,
        }
    }
}

/// `--starttls`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PresetName {
    /// STARTTLS (RFC 3207)
    Smtp,
    /// STARTTLS (RFC 9051)
    Imap,
    /// STLS (RFC 2595)
    Pop3,
    /// AUTH TLS (RFC 4217)
    Ftp,
    /// STARTTLS (RFC 6120)
    Xmpp,
    /// The extended request of RFC 4511
    Ldap,
    /// The request before anything else
    #[value(alias = "postgres")]
    Postgresql,
    /// The packet that answers the greeting
    #[value(alias = "mariadb")]
    Mysql,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Preset {
        match name {
            PresetName::Smtp => Preset::Smtp,
            PresetName::Imap => Preset::Imap,
            PresetName::Pop3 => Preset::Pop3,
            PresetName::Ftp => Preset::Ftp,
            PresetName::Xmpp => Preset::Xmpp,
            PresetName::Ldap => Preset::Ldap,
            PresetName::Postgresql => Preset::Postgresql,
            PresetName::Mysql => Preset::Mysql,
        }
    }
}

/// `--stdin-eof`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum StdinEofName {
    /// Send FIN, and go on receiving
    HalfClose,
    /// Nothing: the connection stays open both ways
    Ignore,
}

/// `--on-full`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnFullName {
    /// Stop reading until there is space
    Pause,
    /// Go on, and record what is missing
    Continue,
    /// End the connection
    Stop,
}

impl From<ViewName> for View {
    fn from(name: ViewName) -> View {
        match name {
            ViewName::Hex => View::Hex,
            ViewName::Text => View::Text,
            ViewName::Both => View::Both,
        }
    }
}

impl From<InputName> for InputType {
    fn from(name: InputName) -> InputType {
        match name {
            InputName::Text => InputType::Text,
            InputName::Escaped => InputType::Escaped,
            InputName::Hex => InputType::Hex,
        }
    }
}

impl From<EolName> for LineEnding {
    fn from(name: EolName) -> LineEnding {
        match name {
            EolName::None => LineEnding::None,
            EolName::Lf => LineEnding::Lf,
            EolName::Crlf => LineEnding::CrLf,
            EolName::Cr => LineEnding::Cr,
            EolName::Nul => LineEnding::Nul,
        }
    }
}

impl From<StdinEofName> for StdinEof {
    fn from(name: StdinEofName) -> StdinEof {
        match name {
            StdinEofName::HalfClose => StdinEof::HalfClose,
            StdinEofName::Ignore => StdinEof::Ignore,
        }
    }
}

impl From<OnFullName> for OnFull {
    fn from(name: OnFullName) -> OnFull {
        match name {
            OnFullName::Pause => OnFull::Pause,
            OnFullName::Continue => OnFull::Continue,
            OnFullName::Stop => OnFull::Stop,
        }
    }
}

/// A duration that is not zero, such as `5s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match parse::duration(text)? {
        Duration::ZERO => Err("it must be more than zero".into()),
        duration => Ok(duration),
    }
}

/// A whole number from 1 on.
pub(crate) fn number(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("it must be more than zero".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("write a whole number, as in 10".into()),
    }
}

/// How many files a ring keeps.
pub(crate) fn files(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(files @ 2..=100_000) => Ok(files),
        // One would be empty after each seam.
        Ok(_) | Err(_) => Err("write how many files are kept, from 2 to 100000".into()),
    }
}

/// How many bytes one read may return.
pub(crate) fn read_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(size @ 1..=MAX_PAYLOAD) => Ok(size),
        Ok(_) | Err(_) => Err(format!("write a whole number from 1 to {MAX_PAYLOAD}")),
    }
}

/// An option of the socket such as `ttl=5`.
pub(crate) fn setting(text: &str) -> Result<Setting, String> {
    text.parse().map_err(|error: OptionError| error.to_string())
}

/// A multicast group such as `239.1.2.3%eth0`.
pub(crate) fn group(text: &str) -> Result<Group, String> {
    text.parse().map_err(|error: GroupError| error.to_string())
}

/// The most bytes that a recording may have.
pub(crate) fn bound(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err("nothing fits into 0 bytes: write the most that the recording may have, as in 64K or 1GiB, or leave \
                  --max-size out for no bound"
            .to_owned()),
        bytes => Ok(bytes),
    }
}

/// A number of bytes such as `64K`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    parse::size(text)
}
