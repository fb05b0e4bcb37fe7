//! A terminal's screen becomes a picture, cell by cell.

use std::num::NonZeroU16;

use crate::svg::Picture;

fn picture(bytes: &[u8]) -> String {
    let size = |cells| NonZeroU16::new(cells).unwrap();
    let mut parser = vt100::Parser::new(size(2), size(10), 0);
    parser.process(bytes);
    Picture::from(parser.screen()).to_svg("a <title>")
}

#[test]
fn cells_keep_their_place_and_style() {
    let svg = picture("\x1b[?25l a\x1b[1;31mb&c\x1b[0m漢x\r\n\x1b[7m<\x1b[0m─␍".as_bytes());
    let check = |part: &str| assert!(svg.contains(part), "{part} is not in\n{svg}");
    check("a\u{a0}&lt;title&gt;");
    check(r##"fill="#d7dae0">a</text>"##);
    check(r##"fill="#ef6b73" font-weight="bold">b&amp;c</text>"##);
    // Five cells of one column stand before the wide character, and two columns later comes what follows it.
    check(r#"<text x="56.0""#);
    check(r#"<text x="72.8""#);
    check("fill=\"#16181d\">&lt;</text>");
    check(r#"<path transform="translate(22.4 52.0)" d="M0 9H8.4""#);
    check(">C</text>");
}

#[test]
fn the_cursor_is_a_block() {
    let hidden = picture(b"\x1b[?25l");
    let shown = picture(b"ab");
    let blocks = |svg: &str| svg.matches(r##"height="18.0" fill="#d7dae0""##).count();
    assert_eq!((blocks(&hidden), blocks(&shown)), (0, 1));
}
