//! The man page: what the declaration of the command line says, and the sections that it cannot know.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_mangen::Man;

use sockscope::model::SOCKET_OPTIONS;

use super::arguments::{Arguments, EXAMPLES};

/// Sections in roff, whose paragraphs are tagged with what stands before the tab.
const SECTIONS: &[(&str, &[&str])] = &[
    (
        "COMMANDS",
        &[
            "listen ADDRESS\tWait for connections and be the server. :9000 means the loopback addresses of both families; the whole \
             network has to be asked for, as 0.0.0.0:9000 or [::]:9000. Many peers are served at once.",
            "tap ADDRESS TARGET\tRelay between an application that connects to ADDRESS and the server TARGET, and record both \
             directions. tls:// at either end ends or begins TLS on the way; --tls-intercept reads the TLS of two programs \
             that trust the local authority (see ca).",
            "demo\tStart a chatty server inside sockscope and connect to it.",
            "open FILE\tRead a recording, or any pcap or pcapng file, gzipped or not; - is standard input. With --headless its \
             entries are printed as --format says, or exported to a file with -w, all of them or those that --filter \
             lets through. A stream is followed to its end.",
            "sessions [list]\tList the recordings that were kept.",
            "sessions open [NAME]\tRead a recording, by its name in the list or a part of it; without one, the newest.",
            "sessions delete NAME...\tDelete recordings, by the names of the list.",
            "ca\tPrint the certificate (PEM) of the local authority on standard output; it is made on first use. Programs whose \
             TLS is intercepted have to trust it, as with curl --cacert FILE, or on Debian as \
             /usr/local/share/ca-certificates/sockscope.crt with update-ca-certificates.",
            "completions SHELL\tPrint completions for bash, elvish, fish, powershell or zsh on standard output.",
            "man\tPrint this page (roff) on standard output.",
        ],
    ),
    (
        "EXIT STATUS",
        &[
            "0\tNormal end: the peer ended with FIN, a limit was reached, or the user quit.",
            "1\tThe connection failed, was reset or timed out, or a file failed.",
            "2\tWrong usage, or no terminal and no --headless.",
            "101\tInternal error.",
            "128+N\tEnded by signal N, after everything was restored and recorded.",
        ],
    ),
    (
        "FILES",
        &[
            "$XDG_STATE_HOME/sockscope/sessions\tRecordings without -w, in pcapng; removed only if they hold no byte \
             or the user says so. XDG_STATE_HOME is ~/.local/state where it is not set.",
            "$XDG_STATE_HOME/sockscope/ca.key\tThe local authority, key and certificate, valid for a year. Whoever has \
             it can pose as any server to those who trust it. It is never overwritten.",
            "$XDG_STATE_HOME/sockscope/history\tWhat was typed, a file for each target.",
            "$XDG_STATE_HOME/sockscope/targets\tThe targets used last.",
        ],
    ),
    ("ENVIRONMENT", &["NO_COLOR\tNo colours, if it is not empty."]),
];

/// The page.
pub(super) fn page() -> io::Result<Vec<u8>> {
    let man = Man::new(Arguments::command());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for (title, paragraphs) in SECTIONS {
        writeln!(page, ".SH {title}")?;
        for paragraph in *paragraphs {
            let (tag, text) = paragraph.split_once('\t').unwrap_or(("", paragraph));
            writeln!(page, ".TP\n\\fB{}\\fR\n{}", escaped(tag), escaped(text))?;
        }
    }
    writeln!(
        page,
        ".SH SOCKET OPTIONS\nWhat \\fB\\-o\\fR sets, with the names that socket(7), ip(7) and tcp(7) have for it:"
    )?;
    for info in SOCKET_OPTIONS {
        let text = format!("{} ({})", info.help, info.constant);
        writeln!(
            page,
            ".TP\n\\fB{}\\fR\n{}",
            escaped(&info.usage()),
            escaped(&text)
        )?;
    }
    writeln!(page, ".SH EXAMPLES\n.nf")?;
    for line in EXAMPLES.lines() {
        writeln!(page, "{}", escaped(line))?;
    }
    writeln!(page, ".fi")?;
    Ok(page)
}

/// Text as roff takes it; no line here begins with a dot or an apostrophe.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
