//! The widths that the encoder assumes, measured in a real terminal: every code point that may be shown as it is is
//! printed in tmux, and the cursor is asked where it stands (DSR 6, ECMA-48 §8.3.35).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use sockscope::text::{Glyph, Policy, Source};

/// Where the probe that runs inside tmux writes its findings.
const REPORT: &str = "SOCKSCOPE_WIDTH_REPORT";

/// Cursor reports asked for at a time: few enough for the terminal's input queue of 4 KiB.
const BATCH: usize = 200;

/// The text of every cluster that may be shown as it is, with its cells: each scalar alone, or on a base.
fn clusters() -> Vec<(String, u16)> {
    let plain = |text: String| {
        let mut units = Source::new(
            text.as_bytes(),
            Policy {
                rtl: true,
                ascii: false,
            },
        )
        .units();
        match (units.next().map(|unit| unit.glyph), units.next()) {
            (Some(Glyph::Plain(cluster)), None) => Some((text.clone(), cluster.cells())),
            _ => None,
        }
    };
    ('\0'..=char::MAX)
        .filter_map(|c| plain(c.to_string()).or_else(|| plain(format!("a{c}"))))
        .collect()
}

/// Runs inside tmux: prints, asks, compares.
fn probe(report: &Path) {
    let mut output = OpenOptions::new().write(true).open("/dev/tty").unwrap();
    let mut input = File::open("/dev/tty").unwrap();
    crossterm::terminal::enable_raw_mode().unwrap();
    let clusters = clusters();
    let mut wrong = Vec::new();
    for batch in clusters.chunks(BATCH) {
        let mut questions = String::new();
        for (text, _) in batch {
            write!(questions, "\r\x1b[K{text}\x1b[6n").unwrap();
        }
        output.write_all(questions.as_bytes()).unwrap();
        for (text, cells) in batch {
            let column = answer(&mut input);
            if column != cells + 1 {
                let scalars: Vec<String> = text.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
                wrong.push(format!(
                    "{}: {} cells, not {cells}",
                    scalars.join(" "),
                    i32::from(column) - 1
                ));
            }
        }
    }
    crossterm::terminal::disable_raw_mode().unwrap();
    // Written whole under another name first: its presence says that the probe is through.
    let draft = report.with_extension("draft");
    std::fs::write(&draft, format!("{}\n{}", clusters.len(), wrong.join("\n"))).unwrap();
    std::fs::rename(draft, report).unwrap();
}

/// Reads one cursor position report and gives its column.
fn answer(input: &mut File) -> u16 {
    let mut report = Vec::new();
    let mut byte = [0];
    while byte[0] != b'R' {
        input.read_exact(&mut byte).unwrap();
        report.push(byte[0]);
    }
    let text = String::from_utf8(report).unwrap();
    text.trim_end_matches('R')
        .rsplit_once(';')
        .unwrap()
        .1
        .parse()
        .unwrap()
}

#[test]
fn tmux_agrees_on_every_width() {
    if let Some(report) = std::env::var_os(REPORT) {
        return probe(Path::new(&report));
    }
    if Command::new("tmux").arg("-V").output().is_err() {
        assert!(
            std::env::var_os("SOCKSCOPE_REQUIRE_PEERS").is_none(),
            "tmux is not installed"
        );
        println!("skipped: tmux is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (socket, report) = (folder.path().join("tmux"), folder.path().join("report"));
    let binary = std::env::current_exe().unwrap();
    let inside = format!(
        "{REPORT}={} {} --exact tmux_agrees_on_every_width --nocapture; tmux wait-for -S probed",
        report.display(),
        binary.display()
    );
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new("tmux");
        command
            .arg("-S")
            .arg(&socket)
            .args(["-f", "/dev/null", "-u"])
            .args(arguments);
        command
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .status()
            .unwrap()
    };
    assert!(tmux(&["new-session", "-d", "-x", "80", "-y", "24", &inside]).success());
    tmux(&["wait-for", "probed"]);
    tmux(&["kill-server"]);
    let found = std::fs::read_to_string(&report).unwrap_or_else(|e| panic!("the probe broke off: {e}"));
    let (count, wrong) = found.split_once('\n').unwrap();
    println!("{count} clusters measured");
    assert!(count.parse::<usize>().unwrap() > 100_000, "{count}");
    assert!(
        wrong.is_empty(),
        "{} of {count} disagree:\n{wrong}",
        wrong.lines().count()
    );
}
