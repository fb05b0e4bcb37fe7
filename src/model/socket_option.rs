//! Options of sockets: which there are, what they take and what they mean. Setting and reading them is the network's.

mod table;
mod value;

use std::fmt;
use std::str::FromStr;

use super::Endpoint;

pub use table::SOCKET_OPTIONS;
use value::ValueKind;
pub use value::{KeepAlive, SocketValue};

/// An option of a socket (socket(7), ip(7), ipv6(7), tcp(7), udp(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketOption {
    /// Small writes are sent at once.
    NoDelay,
    /// Full segments only.
    Cork,
    /// Acknowledgements are not delayed.
    QuickAck,
    /// Silent peers are probed.
    KeepAlive,
    /// How long unacknowledged bytes may stay so.
    UserTimeout,
    /// What closing does with what was not delivered.
    Linger,
    /// The most payload of a segment.
    Mss,
    /// The congestion control.
    Congestion,
    /// How much may wait to be sent before the socket counts as full.
    NotSentLowat,
    /// How many routers a packet may cross.
    Ttl,
    /// The type of service, as the whole byte.
    Tos,
    /// The type of service, as differentiated services.
    Dscp,
    /// The interface.
    Device,
    /// The mark of packets.
    Mark,
    /// The priority of packets.
    Priority,
    /// Foreign local addresses.
    FreeBind,
    /// Local addresses that are still in use.
    ReuseAddr,
    /// Local addresses that other sockets use too.
    ReusePort,
    /// The send buffer.
    SendBuffer,
    /// The receive buffer.
    ReceiveBuffer,
    /// Datagrams to everybody.
    Broadcast,
    /// Whether programs on this machine get what is sent to a group.
    MulticastLoop,
    /// The interface for what is sent to groups.
    MulticastInterface,
}

/// What kind of socket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    /// TCP, with or without TLS on it.
    Tcp,
    /// UDP.
    Udp,
    /// A Unix socket.
    Unix,
}

impl fmt::Display for SocketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SocketKind::Tcp => "TCP",
            SocketKind::Udp => "UDP",
            SocketKind::Unix => "Unix",
        })
    }
}

impl Endpoint {
    /// What kind of socket reaches it.
    pub fn socket_kind(&self) -> SocketKind {
        match self {
            Endpoint::Tcp(_) | Endpoint::Tls(_) => SocketKind::Tcp,
            Endpoint::Udp(_) => SocketKind::Udp,
            Endpoint::Unix(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => SocketKind::Unix,
        }
    }
}

/// When an option can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetWhen {
    /// At any time.
    Always,
    /// Only before a connection is made.
    Dialing,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionInfo {
    /// The option.
    pub option: SocketOption,
    /// How it is written.
    pub name: &'static str,
    /// What it takes.
    kind: ValueKind,
    /// The sockets for which it means something.
    pub sockets: &'static [SocketKind],
    /// When it can be set.
    pub when: SetWhen,
    /// The constant of the kernel's interface.
    pub constant: &'static str,
    /// What it does, in a few words.
    pub help: &'static str,
}

impl OptionInfo {
    /// How it is written with a value, as in `ttl=1..255`.
    pub fn usage(&self) -> String {
        if self.kind == ValueKind::Switch {
            format!("{}[={}]", self.name, self.kind)
        } else {
            format!("{}={}", self.name, self.kind)
        }
    }

    /// The same with an example.
    fn instruction(&self) -> String {
        let usage = format!("{}={}", self.name, self.kind);
        match self.kind {
            ValueKind::Switch | ValueKind::Number(..) => usage,
            ValueKind::KeepAlive
            | ValueKind::Seconds
            | ValueKind::Milliseconds
            | ValueKind::Byte
            | ValueKind::CodePoint
            | ValueKind::Size
            | ValueKind::Name(..) => format!("{usage}, as in {}={}", self.name, self.kind.example()),
        }
    }
}

impl SocketOption {
    /// Its row of the table.
    pub fn info(self) -> &'static OptionInfo {
        // A test proves that every option has its row.
        let found = SOCKET_OPTIONS.iter().find(|info| info.option == self);
        found.unwrap_or(&SOCKET_OPTIONS[0])
    }

    /// The option of that name.
    pub fn named(name: &str) -> Result<SocketOption, OptionError> {
        let found = SOCKET_OPTIONS.iter().find(|info| info.name == name);
        found
            .map(|info| info.option)
            .ok_or_else(|| OptionError::Unknown(super::endpoint::short(name)))
    }

    /// Whether it means something for such a socket.
    pub fn suits(self, kind: SocketKind) -> bool {
        self.info().sockets.contains(&kind)
    }
}

impl fmt::Display for SocketOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().name)
    }
}

/// An option and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The option.
    pub option: SocketOption,
    /// What it is set to, or is.
    pub value: SocketValue,
}

impl Setting {
    /// The value alone, as it would be written.
    pub fn shown(&self) -> String {
        self.option.info().kind.written(&self.value)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.option, self.shown())
    }
}

impl FromStr for Setting {
    type Err = OptionError;

    /// Reads `NAME=VALUE`, or a name alone that stands for `on`.
    fn from_str(text: &str) -> Result<Setting, OptionError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        let option = SocketOption::named(name)?;
        let info = option.info();
        let value = match value {
            Some(value) => info.kind.parse(value).ok_or_else(|| OptionError::Value {
                name: info.name,
                value: super::endpoint::short(value),
                write: info.instruction(),
            })?,
            None => info.kind.switched_on().ok_or_else(|| OptionError::NoValue {
                name: info.name,
                write: info.instruction(),
            })?,
        };
        Ok(Setting { option, value })
    }
}

/// Why a text is no option, or not here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// No option has that name.
    #[error("there is no socket option {0:?}: write one of {list}", list = names())]
    Unknown(String),
    /// It needs a value.
    #[error("{name} needs a value: write {write}")]
    NoValue {
        /// The option.
        name: &'static str,
        /// What to write.
        write: String,
    },
    /// It does not take that value.
    #[error("{name} does not take {value:?}: write {write}")]
    Value {
        /// The option.
        name: &'static str,
        /// What was written.
        value: String,
        /// What to write.
        write: String,
    },
}

fn names() -> String {
    let names: Vec<&str> = SOCKET_OPTIONS.iter().map(|info| info.name).collect();
    names.join(", ")
}

/// What options are to be set on a socket, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    settings: Vec<Setting>,
}

impl SocketOptions {
    /// Adds a setting, in place of an earlier one of the same option.
    pub fn set(&mut self, setting: Setting) {
        self.settings.retain(|other| other.option != setting.option);
        self.settings.push(setting);
    }

    /// The settings that mean something for such a socket, in the order in which they were written.
    pub fn suiting(&self, kind: SocketKind) -> impl Iterator<Item = &Setting> {
        self.settings
            .iter()
            .filter(move |setting| setting.option.suits(kind))
    }

    /// The first one that means nothing for such a socket.
    pub fn unsuiting(&self, kind: SocketKind) -> Option<&Setting> {
        self.settings.iter().find(|setting| !setting.option.suits(kind))
    }

    /// What an option is to be set to, if it is.
    pub fn of(&self, option: SocketOption) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.option == option)
    }
}

impl FromIterator<Setting> for SocketOptions {
    fn from_iter<I: IntoIterator<Item = Setting>>(settings: I) -> SocketOptions {
        let mut options = SocketOptions::default();
        settings.into_iter().for_each(|setting| options.set(setting));
        options
    }
}

/// What is asked of an option of an open connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionRequest {
    /// What is it?
    Show(SocketOption),
    /// Set it.
    Set(Setting),
}

impl OptionRequest {
    /// The option that it is about.
    pub fn option(&self) -> SocketOption {
        match self {
            OptionRequest::Show(option) => *option,
            OptionRequest::Set(setting) => setting.option,
        }
    }
}

impl FromStr for OptionRequest {
    type Err = OptionError;

    /// Reads `NAME=VALUE`, or a name alone, which asks.
    fn from_str(text: &str) -> Result<OptionRequest, OptionError> {
        if text.contains('=') {
            text.parse().map(OptionRequest::Set)
        } else {
            SocketOption::named(text.trim()).map(OptionRequest::Show)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn prints(text: &str, expected: &str) {
        let setting: Setting = text.parse().unwrap();
        assert_eq!(setting.to_string(), expected, "{text}");
        assert_eq!(
            expected.parse::<Setting>().unwrap(),
            setting,
            "printing is reversible"
        );
    }

    fn fails(text: &str, expected: &str) {
        assert_eq!(
            text.parse::<Setting>().unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn options_are_read_and_printed() {
        prints("nodelay", "nodelay=on");
        prints("nodelay=0", "nodelay=off");
        prints("cork = no", "cork=off");
        prints("keepalive", "keepalive=on");
        prints("keepalive=off", "keepalive=off");
        prints("keepalive=10s", "keepalive=10s");
        prints("keepalive=2m:5s", "keepalive=2m:5s");
        prints("keepalive=90s:5s:3", "keepalive=90s:5s:3");
        prints("user-timeout=1500ms", "user-timeout=1500ms");
        prints("linger=0s", "linger=0s");
        prints("linger=off", "linger=off");
        prints("ttl=255", "ttl=255");
        prints("tos=16", "tos=0x10");
        prints("tos=0xb8", "tos=0xb8");
        prints("dscp=EF", "dscp=ef");
        prints("dscp=46", "dscp=ef");
        prints("dscp=5", "dscp=5");
        prints("mark=0x2a", "mark=42");
        prints("sndbuf=65536", "sndbuf=64K");
        prints("rcvbuf=2MiB", "rcvbuf=2M");
        prints("rcvbuf=4097", "rcvbuf=4097");
        prints("device=eth0", "device=eth0");
        prints("congestion=bbr", "congestion=bbr");
    }

    #[test]
    fn a_wrong_option_says_what_to_write() {
        assert!("nodely".parse::<Setting>().unwrap_err().to_string().starts_with(
            "there is no socket option \"nodely\": write one of nodelay, cork, quickack, keepalive, "
        ));
        fails("ttl", "ttl needs a value: write ttl=1..255");
        fails("ttl=0", "ttl does not take \"0\": write ttl=1..255");
        fails("ttl=256", "ttl does not take \"256\": write ttl=1..255");
        fails(
            "keepalive=soon",
            "keepalive does not take \"soon\": write keepalive=on|off|IDLE[:INTERVAL[:COUNT]], as in keepalive=10s:2s:5",
        );
        fails(
            "nodelay=maybe",
            "nodelay does not take \"maybe\": write nodelay=on|off",
        );
        for wrong in [
            "",
            "=",
            "=1",
            "ttl=",
            "ttl=-1",
            "ttl=x",
            "dscp=64",
            "dscp=zz",
            "tos=0x100",
            "linger=500ms",
            "linger=x",
            "keepalive=10ms",
            "keepalive=0s",
            "keepalive=1s:2s:3:4",
            "keepalive=1s:2s:0",
            "keepalive=1s::3",
            "keepalive=40000s",
            "user-timeout=1us",
            "sndbuf=lots",
            "sndbuf=3G",
            "device=",
            "device=a/b",
            "device=sixteen-letters0",
            "mss=10",
            "mark=0x1ffffffff",
            "congestion=a b",
        ] {
            assert!(wrong.parse::<Setting>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_option_has_one_row() {
        let names: HashSet<&str> = SOCKET_OPTIONS.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), SOCKET_OPTIONS.len());
        for info in SOCKET_OPTIONS {
            assert_eq!(info.option.info(), info, "{}", info.name);
            assert!(!info.sockets.is_empty(), "{}", info.name);
            let example = format!("{}={}", info.name, info.kind.example());
            assert_eq!(example.parse::<Setting>().unwrap().to_string(), example);
            assert!(info.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        }
        // The compiler finds a new option here; then it belongs into the table, too.
        let listed = |option: SocketOption| SOCKET_OPTIONS.iter().any(|info| info.option == option);
        assert!(listed(SocketOption::MulticastInterface) && SOCKET_OPTIONS.len() == 23);
    }

    #[test]
    fn the_last_setting_of_an_option_counts() {
        let parse = |text: &str| text.parse::<Setting>().unwrap();
        let options: SocketOptions = ["ttl=4", "nodelay", "ttl=5"].map(parse).into_iter().collect();
        let all: Vec<String> = options.suiting(SocketKind::Tcp).map(Setting::to_string).collect();
        assert_eq!(all, ["nodelay=on", "ttl=5"]);
        assert_eq!(options.suiting(SocketKind::Udp).count(), 1);
        assert_eq!(options.unsuiting(SocketKind::Udp), Some(&parse("nodelay")));
        assert_eq!(options.unsuiting(SocketKind::Tcp), None);
    }

    #[test]
    fn a_name_alone_asks() {
        assert_eq!("ttl".parse(), Ok(OptionRequest::Show(SocketOption::Ttl)));
        assert_eq!("ttl=5".parse(), Ok(OptionRequest::Set("ttl=5".parse().unwrap())));
    }
}
