//! A terminal's screen as an SVG picture: cells of one width, the sixteen colours, bold, dim, italic, underlined and
//! reversed, in a rounded window frame. Takes a vt100 screen or a ratatui buffer; knows nothing of the program.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// Width and height of a cell, in pixels; the ratio is that of common terminal fonts.
const CELL: (f32, f32) = (8.4, 18.0);

/// Pixels around the screen, and the height of the bar above it.
const MARGIN: f32 = 14.0;
const BAR: f32 = 34.0;

/// Monospaced fonts of common systems; cells keep their places in all of them.
const FONTS: &str = "JetBrains Mono, DejaVu Sans Mono, Menlo, Consolas, monospace";

const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d7dae0";
const EDGE: &str = "#3a3f4b";

/// The sixteen colours of the picture, in the order of SGR 30 to 37 and 90 to 97.
const PALETTE: [&str; 16] = [
    "#2b2f37", "#ef6b73", "#8fc97a", "#e3bd6a", "#6cb0f5", "#d08ae6", "#56c2cf", "#c9cdd6", "#6b7280",
    "#ff8a91", "#a9e394", "#f7d58a", "#8cc4ff", "#e3a8f5", "#7fdde8", "#ffffff",
];

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// What it shows; empty for the second half of a wide character.
    pub(crate) text: String,
    /// Whether it takes two columns.
    pub(crate) wide: bool,
    /// The colour of the text, as in CSS; none for the default.
    pub(crate) fg: Option<String>,
    /// The colour behind it; none for the default.
    pub(crate) bg: Option<String>,
    /// Bold, dim, italic, underlined, reversed.
    pub(crate) modifier: Modifier,
}

/// A screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Columns.
    pub(crate) width: u16,
    /// The cells, row by row.
    pub(crate) cells: Vec<Cell>,
    /// Where the cursor stands, if it is to be seen.
    pub(crate) cursor: Option<(u16, u16)>,
}

impl From<&vt100::Screen> for Picture {
    fn from(screen: &vt100::Screen) -> Picture {
        let (rows, columns) = screen.size();
        let (rows, columns) = (rows.get(), columns.get());
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let (row, column) = screen.cursor_position();
        Picture {
            width: columns,
            cells: places
                .map(|(row, column)| screen.cell(row, column).map(Cell::from).unwrap_or_default())
                .collect(),
            cursor: (!screen.hide_cursor()).then_some((column, row)),
        }
    }
}

impl From<&vt100::Cell> for Cell {
    fn from(cell: &vt100::Cell) -> Cell {
        let colour = |colour| match colour {
            vt100::Color::Default => None,
            vt100::Color::Idx(index) => Some(indexed(index)),
            vt100::Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        };
        let modifiers = [
            (cell.bold(), Modifier::BOLD),
            (cell.dim(), Modifier::DIM),
            (cell.italic(), Modifier::ITALIC),
            (cell.underline(), Modifier::UNDERLINED),
            (cell.inverse(), Modifier::REVERSED),
        ];
        Cell {
            text: if cell.is_wide_continuation() {
                String::new()
            } else {
                cell.contents().to_owned()
            },
            wide: cell.is_wide(),
            fg: colour(cell.fgcolor()),
            bg: colour(cell.bgcolor()),
            modifier: modifiers
                .into_iter()
                .filter(|(on, _)| *on)
                .map(|(_, modifier)| modifier)
                .collect(),
        }
    }
}

impl From<&Buffer> for Picture {
    fn from(buffer: &Buffer) -> Picture {
        let mut cells: Vec<Cell> = Vec::with_capacity(buffer.content.len());
        for (index, cell) in buffer.content.iter().enumerate() {
            let starts_row = index % usize::from(buffer.area.width.max(1)) == 0;
            let covered = !starts_row && cells.last().is_some_and(|before| before.wide);
            cells.push(Cell {
                text: if covered {
                    String::new()
                } else {
                    cell.symbol().to_owned()
                },
                wide: !covered && unicode_width::UnicodeWidthStr::width(cell.symbol()) == 2,
                fg: named(cell.fg),
                bg: named(cell.bg),
                modifier: cell.modifier,
            });
        }
        Picture {
            width: buffer.area.width,
            cells,
            cursor: None,
        }
    }
}

impl Picture {
    /// The picture as SVG, with a title in the window's bar.
    pub(crate) fn to_svg(&self, title: &str) -> String {
        let columns = usize::from(self.width.max(1));
        let rows = self.cells.len() / columns;
        let width = columns as f32 * CELL.0 + 2.0 * MARGIN;
        let height = rows as f32 * CELL.1 + BAR + MARGIN;
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1}" height="{height:.1}" viewBox="0 0 {width:.1} {height:.1}" font-family="{FONTS}" font-size="14">
<rect x="0.5" y="0.5" width="{:.1}" height="{:.1}" rx="10" fill="{BACKGROUND}" stroke="{EDGE}"/>
"#,
            width - 1.0,
            height - 1.0
        );
        for (index, colour) in ["#ff5f57", "#febc2e", "#28c840"].into_iter().enumerate() {
            let x = MARGIN + 6.0 + index as f32 * 20.0;
            writeln!(svg, r#"<circle cx="{x:.1}" cy="18" r="6" fill="{colour}"/>"#).unwrap();
        }
        writeln!(
            svg,
            r##"<text x="{:.1}" y="23" text-anchor="middle" fill="#9aa1ad">{}</text>"##,
            width / 2.0,
            escaped(title)
        )
        .unwrap();
        for row in 0..rows {
            self.write_row(&mut svg, row, columns);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn write_row(&self, svg: &mut String, row: usize, columns: usize) {
        let y = BAR + row as f32 * CELL.1;
        let cells = &self.cells[row * columns..(row + 1) * columns];
        let style = |column: usize| self.style(&cells[column], (column, row));
        let mut start = 0;
        while start < columns {
            let here = style(start);
            // A run of one-byte cells of one style is one element; everything else stands alone, so that columns
            // stay true whatever the font.
            let plain = |column: usize| cells[column].text.len() <= 1 && !cells[column].wide;
            let mut end = start + 1;
            while plain(start) && end < columns && plain(end) && style(end) == here {
                end += 1;
            }
            if cells[start].wide {
                end = (start + 2).min(columns);
            }
            let x = MARGIN + start as f32 * CELL.0;
            if let Some(bg) = &here.bg {
                let width = (end - start) as f32 * CELL.0;
                writeln!(
                    svg,
                    r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}" fill="{bg}"/>"#,
                    CELL.1
                )
                .unwrap();
            }
            let blank = |cell: &&Cell| cell.text.trim().is_empty();
            let leading = cells[start..end].iter().take_while(blank).count();
            let text: String = cells[start + leading..end]
                .iter()
                .map(|cell| {
                    if cell.text.is_empty() && !cells[start].wide {
                        " "
                    } else {
                        &cell.text
                    }
                })
                .collect();
            write_text(svg, (x + leading as f32 * CELL.0, y), text.trim_end(), &here);
            start = end;
        }
    }

    fn style(&self, cell: &Cell, (column, row): (usize, usize)) -> Style {
        let cursor = self.cursor == Some((column as u16, row as u16));
        let fg = cell.fg.clone().unwrap_or_else(|| FOREGROUND.into());
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let (fg, bg) = if reversed ^ cursor {
            (cell.bg.clone().unwrap_or_else(|| BACKGROUND.into()), Some(fg))
        } else {
            (fg, cell.bg.clone())
        };
        Style {
            fg,
            bg,
            modifier: cell.modifier,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Style {
    fg: String,
    bg: Option<String>,
    modifier: Modifier,
}

impl Style {
    fn attributes(&self) -> String {
        let mut out = format!(r#" fill="{}""#, self.fg);
        let flags = [
            (Modifier::BOLD, r#" font-weight="bold""#),
            (Modifier::DIM, r#" fill-opacity="0.6""#),
            (Modifier::ITALIC, r#" font-style="italic""#),
            (Modifier::UNDERLINED, r#" text-decoration="underline""#),
        ];
        for (_, attribute) in flags
            .into_iter()
            .filter(|(modifier, _)| self.modifier.contains(*modifier))
        {
            out.push_str(attribute);
        }
        out
    }
}

/// Text at the top left of its first cell. Lines and blocks are drawn, so that they join in every font.
fn write_text(svg: &mut String, (x, y): (f32, f32), text: &str, style: &Style) {
    if text.is_empty() {
        return;
    }
    let attributes = style.attributes();
    if let Some(path) = drawn(text) {
        let opacity = if style.modifier.contains(Modifier::DIM) {
            r#" opacity="0.6""#
        } else {
            ""
        };
        let fill = if path.filled { style.fg.as_str() } else { "none" };
        let (stroke, width) = if path.filled {
            ("none", 0.0)
        } else {
            (style.fg.as_str(), path.width)
        };
        writeln!(
            svg,
            r#"<path transform="translate({x:.1} {y:.1})" d="{}" fill="{fill}" stroke="{stroke}" stroke-width="{width:.1}"{opacity}/>"#,
            path.d
        )
        .unwrap();
        return;
    }
    if let Some(name) = text.chars().next().and_then(control_name)
        && text.chars().count() == 1
    {
        return write_control(svg, (x, y), name, &attributes);
    }
    let cells = text.chars().count();
    // One sign is not stretched; more are, so that a wider font cannot move what follows.
    let length = if cells > 1 {
        format!(
            r#" textLength="{:.1}" lengthAdjust="spacingAndGlyphs""#,
            cells as f32 * CELL.0
        )
    } else {
        String::new()
    };
    writeln!(
        svg,
        r#"<text x="{x:.1}" y="{:.1}"{length}{attributes}>{}</text>"#,
        y + 13.5,
        escaped(text)
    )
    .unwrap();
}

/// The abbreviation that a control picture (U+2400 to U+2421) consists of; few fonts have the pictures.
fn control_name(picture: char) -> Option<&'static str> {
    const NAMES: [&str; 34] = [
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO",
        "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS",
        "RS", "US", "SP", "DEL",
    ];
    let index = u32::from(picture).checked_sub(0x2400)?;
    NAMES.get(index as usize).copied()
}

/// Small letters from the top left to the bottom right of the cell.
fn write_control(svg: &mut String, (x, y): (f32, f32), name: &str, attributes: &str) {
    let steps = (name.len() - 1).max(1) as f32;
    let size = if name.len() > 2 { 6.0 } else { 7.5 };
    for (index, letter) in name.chars().enumerate() {
        let at = index as f32 / steps;
        let (dx, dy) = (0.2 + at * (CELL.0 - 0.6 * size - 0.4), 8.0 + at * 6.0);
        writeln!(
            svg,
            r#"<text x="{:.1}" y="{:.1}" font-size="{size}"{attributes}>{letter}</text>"#,
            x + dx,
            y + dy
        )
        .unwrap();
    }
}

#[derive(Debug)]
struct Drawn {
    d: String,
    filled: bool,
    width: f32,
}

/// Box drawing and block elements as paths within a cell.
fn drawn(text: &str) -> Option<Drawn> {
    let (w, h) = CELL;
    let (cx, cy) = (w / 2.0, h / 2.0);
    let line = |d: String| {
        Some(Drawn {
            d,
            filled: false,
            width: 1.2,
        })
    };
    let block = |top: f32, width: f32| {
        let d = format!("M0 {top:.1}H{width:.1}V{h:.1}H0Z");
        Some(Drawn {
            d,
            filled: true,
            width: 0.0,
        })
    };
    let r = cx.min(cy);
    match text {
        "─" => line(format!("M0 {cy}H{w}")),
        "│" => line(format!("M{cx} 0V{h}")),
        "├" => line(format!("M{cx} 0V{h}M{cx} {cy}H{w}")),
        "┤" => line(format!("M{cx} 0V{h}M{cx} {cy}H0")),
        "┬" => line(format!("M0 {cy}H{w}M{cx} {cy}V{h}")),
        "┴" => line(format!("M0 {cy}H{w}M{cx} {cy}V0")),
        "╭" => line(format!("M{cx} {h}V{}Q{cx} {cy} {w} {cy}", cy + r)),
        "╮" => line(format!("M{cx} {h}V{}Q{cx} {cy} 0 {cy}", cy + r)),
        "╰" => line(format!("M{cx} 0V{}Q{cx} {cy} {w} {cy}", cy - r)),
        "╯" => line(format!("M{cx} 0V{}Q{cx} {cy} 0 {cy}", cy - r)),
        "┃" => Some(Drawn {
            d: format!("M{cx} 0V{h}"),
            filled: false,
            width: 3.2,
        }),
        "▌" => block(0.0, cx),
        _ => {
            let eighths = "▁▂▃▄▅▆▇█".chars().position(|level| text.chars().eq([level]))? + 1;
            block(h - h * eighths as f32 / 8.0, w)
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace(' ', "\u{a0}")
}

fn named(colour: Color) -> Option<String> {
    Some(match colour {
        Color::Reset => return None,
        Color::Black => indexed(0),
        Color::Red => indexed(1),
        Color::Green => indexed(2),
        Color::Yellow => indexed(3),
        Color::Blue => indexed(4),
        Color::Magenta => indexed(5),
        Color::Cyan => indexed(6),
        Color::Gray => indexed(7),
        Color::DarkGray => indexed(8),
        Color::LightRed => indexed(9),
        Color::LightGreen => indexed(10),
        Color::LightYellow => indexed(11),
        Color::LightBlue => indexed(12),
        Color::LightMagenta => indexed(13),
        Color::LightCyan => indexed(14),
        Color::White => indexed(15),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(index) => indexed(index),
    })
}

/// The colour of an index: the palette, the cube of 216, the 24 greys (as xterm has them).
fn indexed(index: u8) -> String {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..=15 => PALETTE[usize::from(index)].to_owned(),
        16..=231 => {
            let at = usize::from(index - 16);
            let (r, g, b) = (STEPS[at / 36], STEPS[at / 6 % 6], STEPS[at % 6]);
            format!("#{r:02x}{g:02x}{b:02x}")
        }
        232..=255 => {
            let grey = 8 + (index - 232) * 10;
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}
