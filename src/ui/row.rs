//! One row of an entry: its head with times, arrow and size, or bytes as hex, or as text.

use std::ops::Range;

use ratatui::style::Style;

use super::canvas::Canvas;
use super::scene::Scene;
use crate::app::{
    Area, COMMENT_SIGN, Head, HeadColumns, HexRow, INDENT, RowKind, TEXT_COLUMN, TextUnits, TimeColumn,
    VisibleRow,
};
use crate::model::{EntryKind, reading};
use crate::text::{ByteClass, Glyph, GutterCell, Shown, Source, TextRows, format};

/// Draws a row at `y` of the area.
pub(super) fn render(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, y: u16, row: &VisibleRow) {
    let indented = Area::new(
        area.x + INDENT.min(area.width),
        y,
        area.width.saturating_sub(INDENT),
        1,
    );
    let special = scene.theme().special();
    match &row.kind {
        RowKind::Head(head) => render_head(
            scene,
            canvas,
            Area::new(area.x, y, area.width, 1),
            head,
            &row.hits,
        ),
        RowKind::Sentence(shown) => {
            let digits = scene.app.connection_digits(scene.records);
            let x = HeadColumns::fitting(area.width, scene.app.log.time, digits).width() + 2;
            let room = area.width.saturating_sub(x);
            canvas.shown(
                (area.x + x.min(area.width), y),
                room,
                shown,
                sentence_style(scene, row),
                special,
            );
        }
        RowKind::Detail(shown) => {
            canvas.shown((indented.x, y), indented.width, shown, Style::new(), special);
        }
        RowKind::Hex(hex) => {
            render_hex(scene, canvas, indented, hex);
            mark_hex(scene, canvas, indented, hex, &row.hits);
        }
        RowKind::Text(text) => render_text(scene, canvas, indented, text, &row.hits),
        RowKind::Comment(shown) => {
            let style = scene.theme().comment();
            let sign = scene.pen.text("; ", style);
            let used = canvas.line((indented.x, y), indented.width.min(COMMENT_SIGN), &sign);
            let room = indented.width.saturating_sub(used);
            canvas.shown((indented.x + used, y), room, shown, style, special);
        }
        RowKind::Unreadable(why) => {
            canvas.line(
                (area.x, y),
                area.width,
                &scene.line().shown(why.clone(), scene.theme().error()),
            );
        }
    }
}

/// Errors are red to their last row.
fn sentence_style(scene: &Scene<'_>, row: &VisibleRow) -> Style {
    let (records, place) = reading(scene.records, row.number);
    let entry = records.entry(place);
    entry.map_or(Style::new(), |entry| words_style(scene, &entry.kind))
}

fn words_style(scene: &Scene<'_>, kind: &EntryKind) -> Style {
    if let EntryKind::Error { .. } | EntryKind::Gap { .. } = kind {
        scene.theme().event(kind)
    } else {
        Style::new()
    }
}

fn render_head(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, head: &Head, hits: &[Range<u32>]) {
    let theme = scene.theme();
    let pen = &scene.pen;
    let x = area.x + columns(scene, canvas, area, head);
    let kind = &head.entry.kind;
    let style = theme.event(kind);
    let line = pen.line().text(pen.symbols.mark(kind), style).gap(1);
    let line = if let EntryKind::Data { .. } = kind {
        line.text(&format::size(u64::from(head.entry.len)), style)
    } else {
        line.shown(head.sentence.clone(), words_style(scene, kind))
    };
    let room = (area.x + area.width).saturating_sub(x);
    let used = canvas.line((x, area.y), room, &line);
    let number = pen.text(&format!("#{}", head.entry.id.0 + 1), theme.secondary());
    let number = if head.marked {
        pen.text(pen.symbols.marked, theme.comment())
            .gap(1)
            .append(number)
    } else {
        number
    };
    if let Some(text) = &head.text {
        let x = x + TEXT_COLUMN;
        let room = (area.x + area.width).saturating_sub(x);
        render_text(scene, canvas, Area::new(x, area.y, room, 1), text, hits);
    }
    if used + 2 + number.cells() <= room {
        canvas.line((x + room - number.cells(), area.y), number.cells(), &number);
    }
}

/// Draws the times and the number of the connection, and returns how many cells they have.
fn columns(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, head: &Head) -> u16 {
    let (theme, pen, at) = (scene.theme(), &scene.pen, head.entry.at);
    let delta = format::delta(at.since(head.previous.unwrap_or(at)));
    let mut x = area.x;
    if head.columns.time > 0 {
        let cells = head.columns.time - 2;
        let time = match scene.app.log.time {
            TimeColumn::Absolute => {
                let time = format::time_of_day(at.0, scene.app.settings.zone.offset());
                shortened(time, cells)
            }
            TimeColumn::SinceStart | TimeColumn::Delta => {
                shortened(format::delta(at.since(head.started.unwrap_or(at))), cells)
            }
            TimeColumn::Kernel => stamped(scene, head),
        };
        canvas.line((x, area.y), cells, &pen.text(&time, theme.secondary()));
        x += head.columns.time;
    }
    if head.columns.delta > 0 {
        let delta = shortened(delta, head.columns.delta - 2);
        canvas.line(
            (x, area.y),
            head.columns.delta - 2,
            &pen.text(&delta, theme.secondary()),
        );
        x += head.columns.delta;
    }
    if head.columns.connection > 0 {
        let cells = head.columns.connection - 2;
        let number = format!("{:>1$}", head.entry.connection.0, usize::from(cells));
        canvas.line((x, area.y), cells, &pen.text(&number, Style::new()));
        x += head.columns.connection;
    }
    x - area.x
}

/// How long a sent entry took to be acknowledged, or at least to be on the wire, or how long a received one lay unread.
fn stamped(scene: &Scene<'_>, head: &Head) -> String {
    let Some(stamps) = &head.stamps else {
        return String::new();
    };
    let at = head.entry.at;
    let queued = stamps.queued.unwrap_or(at);
    let (what, took) = match (stamps.acknowledged, stamps.on_wire, stamps.arrived) {
        (Some(acknowledged), _, _) => ("ack", acknowledged.since(queued)),
        (None, Some(sent), _) => ("wire", sent.since(queued)),
        (None, None, Some(arrived)) => ("lag", at.since(arrived)),
        (None, None, None) => return String::new(),
    };
    format!("{what} +{}", scene.measured(took))
}

/// A number of seconds that must fit: decimals are cut off, nothing else.
fn shortened(mut text: String, cells: u16) -> String {
    if text.contains('.') && !text.contains(':') {
        let whole = text.find('.').unwrap_or(text.len());
        text.truncate(usize::from(cells).max(whole));
        text.truncate(text.trim_end_matches('.').len());
    }
    text
}

/// Draws a row of a hexdump.
pub(super) fn render_hex(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, row: &HexRow) {
    let theme = scene.theme();
    let pen = &scene.pen;
    let right = area.x + area.width;
    let digits = usize::from(row.layout.digits);
    let offset = format!("{:0digits$x}", row.offset);
    canvas.line(
        (area.x, area.y),
        row.layout.digits.min(area.width),
        &pen.text(&offset, theme.secondary()),
    );
    for (index, byte) in (0u16..).zip(&row.bytes) {
        let x = area.x.saturating_add(row.layout.column(index));
        let style = theme.byte(ByteClass::of(*byte));
        canvas.byte(x, area.y, right.saturating_sub(x), *byte, style);
    }
    if row.layout.gutter {
        render_gutter(scene, canvas, area, row);
    }
}

fn render_gutter(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, row: &HexRow) {
    let pen = &scene.pen;
    let special = scene.theme().special();
    let right = area.x + area.width;
    let first = area.x.saturating_add(row.layout.gutter_column());
    for (index, cell) in (0u16..).zip(&row.gutter) {
        let x = first.saturating_add(index);
        let room = right.saturating_sub(x);
        match cell {
            GutterCell::Plain(cluster) => canvas.cluster(x, area.y, room, cluster, Style::new()),
            GutterCell::Control(picture) => {
                let shown = Shown::of(picture.encode_utf8(&mut [0; 4]), pen.policy);
                canvas.shown((x, area.y), room.min(1), &shown, special, special);
            }
            GutterCell::Dot if room > 0 => canvas.symbol(x, area.y, pen.symbols.dot, special),
            GutterCell::Dot | GutterCell::Covered | GutterCell::Rest => {}
        }
    }
}

/// Marks the bytes that are searched for, as digits and in the gutter.
fn mark_hex(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, row: &HexRow, hits: &[Range<u32>]) {
    let style = scene.theme().hit();
    let is_hit = |index: u16| {
        is_in(
            hits,
            row.offset + u32::from(index)..row.offset + u32::from(index) + 1,
        )
    };
    for index in (0..row.bytes.len() as u16).filter(|index| is_hit(*index)) {
        let cell = |column: u16, width: u16| {
            let width = width.min(area.width.saturating_sub(column));
            Area::new(area.x.saturating_add(column), area.y, width, 1)
        };
        let column = row.layout.column(index);
        // The blank between two bytes of one hit belongs to it.
        let joined = index + 1 < row.bytes.len() as u16 && is_hit(index + 1);
        let next = if joined {
            row.layout.column(index + 1) - column
        } else {
            2
        };
        canvas.restyle(cell(column, next), style);
        if row.layout.gutter {
            canvas.restyle(cell(row.layout.gutter_column() + index, 1), style);
        }
    }
}

/// Whether any of these bytes is among the hits.
fn is_in(hits: &[Range<u32>], bytes: Range<u32>) -> bool {
    hits.iter()
        .any(|hit| hit.start < bytes.end && bytes.start < hit.end)
}

fn render_text(scene: &Scene<'_>, canvas: &mut Canvas<'_>, area: Area, row: &TextUnits, hits: &[Range<u32>]) {
    let pen = &scene.pen;
    let width = row.width.min(area.width);
    let source = Source::new(&[], pen.policy);
    let mut column = 0u16;
    for unit in &row.units {
        if column >= width {
            break;
        }
        let at = (area.x + column, area.y);
        render_glyph(scene, canvas, at, width - column, &unit.glyph);
        let cells = TextRows::cells(&source, &unit.glyph, column, row.width).min(width - column);
        let bytes = unit.start as u32..(unit.start + unit.len) as u32;
        if is_in(hits, bytes) {
            canvas.restyle(Area::new(at.0, at.1, cells, 1), scene.theme().hit());
        }
        column = column.saturating_add(cells);
    }
}

fn render_glyph(scene: &Scene<'_>, canvas: &mut Canvas<'_>, (x, y): (u16, u16), room: u16, glyph: &Glyph) {
    let theme = scene.theme();
    let special = match glyph {
        Glyph::Plain(cluster) => return canvas.cluster(x, y, room, cluster, Style::new()),
        Glyph::Carried => theme.secondary(),
        Glyph::LineFeed
        | Glyph::Tab
        | Glyph::Control(_)
        | Glyph::Escape(_)
        | Glyph::Invalid(_)
        | Glyph::Marks { .. } => theme.special(),
    };
    let mut shown = Shown::default();
    shown.push(glyph, scene.pen.policy);
    canvas.shown((x, y), room, &shown, Style::new(), special);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decimals_are_cut_from_times() {
        let check = |text: &str, cells, expected: &str| assert_eq!(shortened(text.into(), cells), expected);
        check("+0.000071", 10, "+0.000071");
        check("+12345.000071", 10, "+12345.000");
        check("+12345678901.000071", 10, "+12345678901");
        check("+123456789.000071", 11, "+123456789");
        check("12:04:31.120331", 10, "12:04:31.120331");
    }
}
