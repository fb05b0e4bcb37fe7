//! What may be written on the command line, declared once: parsing, help, completions and the man page follow it.

mod tls;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;

use sockscope::model::{Group, OptionInfo, SOCKET_OPTIONS, Setting};

pub(super) use self::tls::TlsArguments;
use super::value::{
    EolName, FormatName, InputName, OnFullName, StdinEofName, ViewName, bound, duration, files, group,
    number, read_size, setting,
};

const USAGE: &str = "sockscope [OPTIONS] [TARGET]\n       \
    sockscope listen [OPTIONS] ADDRESS\n       \
    sockscope tap [OPTIONS] ADDRESS TARGET\n       \
    sockscope demo [OPTIONS]\n       \
    sockscope open [OPTIONS] FILE...|-\n       \
    sockscope sessions [list|open|delete]\n       \
    sockscope ca\n       \
    sockscope completions SHELL\n       \
    sockscope man";

/// What to try first.
pub(super) const EXAMPLES: &str =
    "  sockscope demo                        look around: a built-in server and a connection to it
  sockscope localhost:6379 --eol crlf   talk to redis, each line ended with CR LF
  sockscope tls://example.org:https     speak TLS, and see the certificates
  sockscope --starttls smtp mail:25     begin in the clear, and go on in TLS
  sockscope                             choose from the targets used last
  sockscope listen :9000                be the server, and answer by hand
  sockscope listen tls://:8443          the same in TLS, with a certificate made on the spot
  sockscope tap :6380 localhost:6379    watch what redis-cli -p 6380 says to redis, and the answers
  sockscope tap :8443 tls://example.org:443 --tls-intercept
                                        read TLS between programs that trust sockscope ca
  sockscope open trace.pcapng           look at it again, or at what tcpdump or Wireshark captured
  sockscope open trace.pcapng --headless --format python > again.py
  sockscope [::1]:8080 -w trace.pcapng  keep the recording, for Wireshark too
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | sockscope --headless example.org:80
  sockscope --headless --send PING --eol crlf --count 1 --format raw localhost:6379";

const NOTES: &str = "\
Exit status: 0 ended normally; 1 the connection failed, was reset or timed out, or a file failed;
2 wrong usage. Recordings without -w are kept in $XDG_STATE_HOME/sockscope/sessions
(~/.local/state/sockscope/sessions).";

/// What to do with the certificate of the local authority.
pub(super) const CA_NOTES: &str = "\
Programs whose TLS is intercepted get to see certificates by this authority, and have to trust it:
  curl --cacert sockscope-ca.pem URL         one run of curl, with what was printed in that file
  SSL_CERT_FILE=sockscope-ca.pem PROGRAM     programs that use OpenSSL
  NODE_EXTRA_CA_CERTS=sockscope-ca.pem node  Node.js
  /usr/local/share/ca-certificates/sockscope.crt and update-ca-certificates  all of Debian, as root

Its key stays in $XDG_STATE_HOME/sockscope/ca.key, which only you can read: whoever has it can
pose as any server to those who trust it. It is valid for a year, and never overwritten.";

/// The socket options, a line or two each.
fn socket_options() -> String {
    let line = |info: &OptionInfo| format!("  {:<41} {}\n", info.usage(), info.help);
    SOCKET_OPTIONS.iter().map(line).collect()
}

/// An oscilloscope for sockets: watch every byte of a connection as it crosses, and type back
#[derive(Debug, Parser)]
#[command(
    name = "sockscope",
    version,
    override_usage = USAGE,
    after_help = format!("Socket options (-o):\n{}\nExamples:\n{EXAMPLES}\n\n{NOTES}", socket_options()),
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Arguments {
    /// Where to connect: HOST:PORT, [IPV6]:PORT, tls://HOST:PORT or udp://HOST:PORT, with a port number or a service
    /// name; `unix:/PATH` or `unix:@NAME` for a Unix socket, `unix-dgram:` and `unix-seqpacket:` for those that keep
    /// the boundaries of messages; without it, a dialog asks
    #[arg(value_name = "TARGET")]
    pub(super) target: Option<String>,

    #[command(subcommand)]
    pub(super) task: Option<Task>,

    #[command(flatten)]
    pub(super) options: Options,
}

/// What there is to do besides connecting to a target.
#[expect(clippy::doc_markdown, reason = "these comments are the help text")]
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Wait for connections, be the server, answer by hand; :9000 means the loopback addresses only
    Listen {
        /// Where: :9000, 0.0.0.0:9000, [::]:9000, tls://:8443, udp://:53, unix:/PATH
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Relay between an application that connects to ADDRESS and its server, and watch both directions
    Tap {
        /// Where the application connects to: :9000, 0.0.0.0:9000, tls://:8443, udp://:53, unix:/PATH
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// The server
        #[arg(value_name = "TARGET")]
        target: String,
    },
    /// Start a chatty server inside sockscope and connect to it
    Demo,
    /// Read a recording, or any pcap or pcapng file, gzipped or not; - is standard input
    Open {
        /// The file; several that sockscope recorded, such as those of a ring, are one log
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// List the recordings that were kept, open one, or delete some
    #[command(help_template = "{about}\n\n{usage-heading} {usage}\n\nCommands:\n{subcommands}\n")]
    Sessions {
        #[command(subcommand)]
        task: Option<SessionsTask>,
    },
    /// Print the certificate (PEM) of the local authority, which is made on first use
    #[command(
        help_template = "{about}\n\n{usage-heading} {usage}{after-help}\n",
        after_help = CA_NOTES
    )]
    Ca,
    /// Print shell completions on standard output
    #[command(help_template = "{about}\n\n{usage-heading} {usage}\n\nArguments:\n{positionals}\n")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page (roff) on standard output
    #[command(help_template = "{about}\n\n{usage-heading} {usage}\n")]
    Man,
}

/// What there is to do with recordings.
#[derive(Debug, Subcommand)]
pub(super) enum SessionsTask {
    /// List them, the newest last
    #[command(help_template = "{about}\n\n{usage-heading} {usage}\n")]
    List,
    /// Open one, the newest if none is named; a ring is one log
    #[command(help_template = "{about}\n\n{usage-heading} {usage}\n\nArguments:\n{positionals}\n")]
    Open {
        /// Its name as the list shows it, or a part that no other has
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Delete these
    #[command(help_template = "{about}\n\n{usage-heading} {usage}\n\nArguments:\n{positionals}\n")]
    Delete {
        /// Names as the list shows them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// The options; each stands before or after the target.
#[expect(
    clippy::struct_excessive_bools,
    clippy::doc_markdown,
    reason = "flags are flags, and these comments are the help text; `plan` makes enums of them"
)]
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Use IPv4 only
    #[arg(
        short = '4',
        global = true,
        conflicts_with = "ipv6",
        help_heading = "Connection"
    )]
    pub(super) ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', global = true, help_heading = "Connection")]
    pub(super) ipv6: bool,

    /// Connect from this local address, port, or both: 192.0.2.1, :5000, 192.0.2.1:5000, [::1]:5000
    #[arg(long, value_name = "ADDR", global = true, help_heading = "Connection")]
    pub(super) bind: Option<String>,

    /// Give up connecting, and handshakes of TLS, after this time [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration, global = true, help_heading = "Connection")]
    pub(super) connect_timeout: Option<Duration>,

    /// End the connection when nothing crossed it for this time [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration, global = true, help_heading = "Connection")]
    pub(super) idle_timeout: Option<Duration>,

    /// The most bytes that one read returns, 1 to 65495 [default: 65495]
    #[arg(
        long, value_name = "N", value_parser = read_size,
        global = true, help_heading = "Connection"
    )]
    pub(super) read_size: Option<usize>,

    /// Connect again, waiting longer each time, when the connection ends
    #[arg(long, global = true, help_heading = "Connection")]
    pub(super) reconnect: bool,

    /// Set an option of the socket, as in -o ttl=5 or -o keepalive=10s:2s:5; the list is below; may be repeated
    #[arg(
        short = 'o', value_name = "NAME=VALUE", value_parser = setting, action = ArgAction::Append,
        global = true, help_heading = "Connection"
    )]
    pub(super) option: Vec<Setting>,

    /// Join this multicast group, on the interface after a percent sign if there is one, as in 239.1.2.3%eth0 or
    /// ff02::fb%eth0, and receive what is sent to it on the target's port, or that of --bind; may be repeated
    #[arg(
        long, value_name = "GROUP", value_parser = group, action = ArgAction::Append,
        global = true, help_heading = "Connection"
    )]
    pub(super) join: Vec<Group>,

    /// Ask the kernel when what is sent was on the wire and was acknowledged, and when what is received arrived, and
    /// keep it with each entry (TCP, TLS, UDP; Linux). What --headless prints comes before the kernel tells: open FILE
    /// --headless prints the stamps
    #[arg(long, global = true, help_heading = "Connection")]
    pub(super) timestamps: bool,

    #[command(flatten)]
    pub(super) tls: TlsArguments,

    /// How typed input is read [default: text]
    #[arg(long, value_name = "TYPE", global = true, help_heading = "Input")]
    pub(super) input: Option<InputName>,

    /// What ends a line that is sent [default: lf]
    #[arg(long, value_name = "ENDING", global = true, help_heading = "Input")]
    pub(super) eol: Option<EolName>,

    /// Read and keep no history of what is typed and of targets
    #[arg(long, global = true, help_heading = "Input")]
    pub(super) no_history: bool,

    /// Record the session in FILE (pcapng) instead of the folder of sessions; - copies the recording to standard
    /// output as it grows, without a screen. With open and --headless: export to FILE, as --format says (pcapng
    /// without it); raw makes FILE.sent and FILE.received
    #[arg(
        short = 'w',
        long = "write",
        value_name = "FILE",
        global = true,
        help_heading = "Recording"
    )]
    pub(super) write: Option<PathBuf>,

    /// Overwrite FILE if it exists
    #[arg(long, global = true, requires = "write", help_heading = "Recording")]
    pub(super) force: bool,

    /// What happens when the recording cannot grow [default: pause]
    #[arg(long, value_name = "WHAT", global = true, help_heading = "Recording")]
    pub(super) on_full: Option<OnFullName>,

    /// Record in files of --max-size each and keep the newest N: the oldest one is deleted when another is begun. They
    /// are called FILE_00001_20261123120431.pcapng and so on
    #[arg(long, value_name = "N", value_parser = files, global = true, help_heading = "Recording")]
    pub(super) ring: Option<u32>,

    /// The most bytes that the recording may have, or each file of a ring: 4096, 64K, 1GiB [default: no bound]
    #[arg(long, value_name = "SIZE", value_parser = bound, global = true, help_heading = "Recording")]
    pub(super) max_size: Option<u64>,

    /// How bytes are shown at first [default: both]
    #[arg(long, value_name = "VIEW", global = true, help_heading = "Display")]
    pub(super) view: Option<ViewName>,

    /// Show times in UTC instead of local time
    #[arg(long, global = true, help_heading = "Display")]
    pub(super) utc: bool,

    /// Show right-to-left letters as they are, for terminals that do not reorder them
    #[arg(long, global = true, help_heading = "Display")]
    pub(super) rtl: bool,

    /// Show seven-bit characters only
    #[arg(long, global = true, help_heading = "Display")]
    pub(super) ascii: bool,

    /// Leave the mouse to the terminal
    #[arg(long, global = true, help_heading = "Display")]
    pub(super) no_mouse: bool,

    /// No screen: send standard input, print the log on standard output, end when the peer ends; with open, print the
    /// capture
    ///
    /// Input is sent byte for byte, or line by line if --input or --eol is given; /dev/null is no input. Its end
    /// half-closes the connection. If the peer ends first, what input has to give is still sent: a terminal is not
    /// waited for, a pipe until it pauses for half a second. With --reconnect the run ends once all input was sent
    /// and the peer has ended.
    #[arg(long, global = true, help_heading = "Scripts and pipes")]
    pub(super) headless: bool,

    /// What is printed [default: text]
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        help_heading = "Scripts and pipes"
    )]
    pub(super) format: Option<FormatName>,

    /// Print or export only the entries of a capture for which this holds, as in 'dir:rx and size>100'
    #[arg(long, value_name = "QUERY", global = true, help_heading = "Scripts and pipes")]
    pub(super) filter: Option<String>,

    /// Send this before standard input, on every connection, read as --input says and ended as --eol says; may be
    /// repeated
    #[arg(
        long, value_name = "TEXT", action = ArgAction::Append, allow_hyphen_values = true,
        global = true, help_heading = "Scripts and pipes"
    )]
    pub(super) send: Vec<String>,

    /// What the end of standard input does; some servers drop their answer when the client half-closes early
    /// [default: half-close]
    #[arg(long, value_name = "WHAT", global = true, help_heading = "Scripts and pipes")]
    pub(super) stdin_eof: Option<StdinEofName>,

    /// End after this many received entries
    #[arg(
        long, value_name = "N", value_parser = number,
        global = true, help_heading = "Scripts and pipes"
    )]
    pub(super) count: Option<u64>,

    /// End after this time, counted from the start
    #[arg(long, value_name = "DURATION", value_parser = duration, global = true, help_heading = "Scripts and pipes")]
    pub(super) duration: Option<Duration>,

    /// End when nothing crossed the connection for this time
    #[arg(long, value_name = "DURATION", value_parser = duration, global = true, help_heading = "Scripts and pipes")]
    pub(super) quit_after_idle: Option<Duration>,
}
