//! The picture in the README, made from the real program's screen:
//! `SOCKSCOPE_PICTURE=assets/screen.svg cargo test --test picture`. Without the variable the picture is made and
//! checked, and nothing is written.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/pty.rs"]
mod pty;
#[path = "support/svg.rs"]
mod svg;

use pty::{Pty, Reading};
use svg::Picture;

/// The window of the picture: wide enough for the offset, sixteen bytes and their text.
const COLUMNS: u16 = 96;
/// High enough for the answer of `utf8`.
const ROWS: u16 = 26;

#[test]
fn the_screen_of_the_demo_makes_a_picture() {
    let home = tempfile::tempdir().unwrap();
    let mut command = pty::command(env!("CARGO_BIN_EXE_sockscope"), home.path());
    command.args(["demo", "--utc"]);
    let mut pty = Pty::spawn(command, COLUMNS, ROWS, Reading::Always);
    pty.wait_text("welcome to the s");
    pty.send("PING\r");
    pty.wait_text("← 5 B");
    pty.send("utf8\r");
    pty.wait_text("hostile: ␛[31mre");
    pty.wait_for("a rate", |seen| !seen.text().contains(" 0 B/s"));
    let svg = pty.look(|seen| Picture::from(seen.screen.screen()).to_svg("sockscope demo"));
    assert!(svg.contains("漢"), "{svg}");
    if let Some(path) = std::env::var_os("SOCKSCOPE_PICTURE") {
        std::fs::write(path, svg).unwrap();
    }
    pty.send("\tQ");
    pty.wait_exit();
}
