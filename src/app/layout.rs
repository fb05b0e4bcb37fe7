//! Where the panes stand in a window of a given size. One value, used for paging, for the mouse and for drawing.

use super::{App, Pane, Purpose};

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// The leftmost column.
    pub x: u16,
    /// The topmost row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    /// A rectangle.
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Area {
        Area { x, y, width, height }
    }

    /// Whether it has no cell.
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Whether the cell lies in it.
    pub fn contains(self, x: u16, y: u16) -> bool {
        let column = x.checked_sub(self.x).is_some_and(|dx| dx < self.width);
        column && y.checked_sub(self.y).is_some_and(|dy| dy < self.height)
    }

    /// The same area without `columns` at either side.
    fn inset(self, columns: u16) -> Area {
        Area {
            x: self.x + columns.min(self.width / 2),
            width: self.width.saturating_sub(2 * columns),
            ..self
        }
    }

    /// The first `height` rows, and the rest below them.
    fn cut_top(self, height: u16) -> (Area, Area) {
        let height = height.min(self.height);
        let rest = Area {
            y: self.y + height,
            height: self.height - height,
            ..self
        };
        (Area { height, ..self }, rest)
    }

    /// The rest above, and the last `height` rows.
    fn cut_bottom(self, height: u16) -> (Area, Area) {
        let (rest, last) = self.cut_top(self.height - height.min(self.height));
        (rest, last)
    }
}

/// How much of the frame is drawn; the window's size decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frame {
    /// Smaller than 20×5: only a sentence that says so.
    TooSmall,
    /// One row of Status, the Log and Input; no lines at all.
    Bare,
    /// Horizontal lines with the panes' titles, no borders at the sides, one row of Status.
    Lines,
    /// Borders all round, two rows of Status.
    Full,
}

/// Where the Inspector stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrangement {
    /// Beside the Log where both find room for a hexdump of 16 bytes a row, below it otherwise.
    #[default]
    ByWidth,
    /// To the right of the Log.
    Beside,
    /// Below the Log.
    Below,
}

/// From this width on, Log and Inspector each have the 80 columns that a hexdump with times and 16 bytes a row takes.
const WIDE: u16 = 160;

/// What a Log beside an Inspector needs at least, for both to show 8 bytes a row without the offset.
const BESIDE_AT_LEAST: u16 = 60;

/// Narrower windows are covered by a pop-up from side to side.
const NARROW: u16 = 60;

/// Where everything stands. Areas that are not shown are empty. Title rows span the whole width of their pane,
/// borders included; the areas of the panes are what is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The window.
    pub screen: Area,
    /// How much frame there is.
    pub frame: Frame,
    /// The top border with the program's name, the target and the state.
    pub title: Area,
    /// The rows of Status.
    pub status: Area,
    /// The line above the Log.
    pub log_title: Area,
    /// The rows of the Log.
    pub log: Area,
    /// The line above the Inspector; beside the Log it continues the Log's line.
    pub inspector_title: Area,
    /// The column between the Log and an Inspector beside it.
    pub divider: Area,
    /// The rows of the Inspector.
    pub inspector: Area,
    /// The line above Input.
    pub input_title: Area,
    /// The rows of Input, its prompt included.
    pub input: Area,
    /// The bottom border with hints and notices.
    pub footer: Area,
}

impl Layout {
    /// The layout of a window of `width` × `height` cells.
    pub fn split(width: u16, height: u16, app: &App) -> Layout {
        let mut layout = Layout::nothing(width, height);
        layout.frame = frame_for(width, height);
        let zoomed = app.zoomed;
        let (status_rows, margin) = match layout.frame {
            Frame::TooSmall => return layout,
            Frame::Bare => (0, 0),
            Frame::Lines => (1, 0),
            Frame::Full => (2, 2),
        };
        let (title, rest) = layout.screen.cut_top(1);
        layout.title = title;
        let mut rest = rest;
        if layout.frame != Frame::Bare {
            (rest, layout.footer) = rest.cut_bottom(1);
        }
        if app.purpose() == Purpose::Live {
            let (upper, input) = rest.cut_bottom(input_rows(app, height));
            layout.input = input.inset(margin);
            rest = upper;
            if layout.frame != Frame::Bare {
                (rest, layout.input_title) = rest.cut_bottom(1);
            }
        }
        match zoomed {
            Some(Pane::Status) => {
                layout.status = rest.inset(margin);
                return layout;
            }
            Some(Pane::Log | Pane::Inspector) => {}
            Some(Pane::Input) | None => {
                let (status, lower) = rest.cut_top(status_rows);
                layout.status = status.inset(margin);
                rest = lower;
            }
        }
        layout.place_log(rest, margin, app);
        layout
    }

    /// How wide the content of a pop-up may be: `wanted`, with some of the window beside its border where there is
    /// enough of it.
    pub fn popup_columns(&self, wanted: u16) -> u16 {
        let beside = if self.screen.width < NARROW { 0 } else { 4 };
        wanted.min(self.screen.width.saturating_sub(4 + beside))
    }

    /// How many rows a pop-up that pages has inside its border: all but one above and one below it, which a low
    /// window cannot spare.
    pub fn popup_rows(&self) -> u16 {
        let outside = if self.frame == Frame::Full { 4 } else { 2 };
        self.screen.height.saturating_sub(outside).max(1)
    }

    /// The pane under a cell.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        let panes = [
            (Pane::Status, [self.title, self.status]),
            (Pane::Inspector, [self.inspector_title, self.inspector]),
            (Pane::Log, [self.log_title, self.log]),
            (Pane::Input, [self.input_title, self.input]),
        ];
        let hit = panes
            .into_iter()
            .find(|(_, areas)| areas.iter().any(|area| area.contains(x, y)));
        hit.map(|(pane, _)| pane)
    }

    /// The rows of a pane.
    pub fn area(&self, pane: Pane) -> Area {
        match pane {
            Pane::Status => self.status,
            Pane::Log => self.log,
            Pane::Inspector => self.inspector,
            Pane::Input => self.input,
        }
    }

    fn nothing(width: u16, height: u16) -> Layout {
        Layout {
            screen: Area::new(0, 0, width, height),
            frame: Frame::TooSmall,
            title: Area::default(),
            status: Area::default(),
            log_title: Area::default(),
            log: Area::default(),
            inspector_title: Area::default(),
            divider: Area::default(),
            inspector: Area::default(),
            input_title: Area::default(),
            input: Area::default(),
            footer: Area::default(),
        }
    }

    fn place_log(&mut self, rest: Area, margin: u16, app: &App) {
        let shown = app.inspector.is_some();
        let log_only = app.zoomed == Some(Pane::Log) || !shown;
        if log_only {
            (self.log_title, self.log) = self.titled(rest, margin);
        } else if app.zoomed == Some(Pane::Inspector) {
            (self.inspector_title, self.inspector) = self.titled(rest, margin);
        } else if beside(app.arrangement, rest.width) {
            self.place_beside(rest, margin);
        } else {
            // The Log keeps the larger half: it moves, the Inspector stands still.
            let (upper, lower) = rest.cut_bottom(rest.height / 2);
            (self.log_title, self.log) = self.titled(upper, margin);
            (self.inspector_title, self.inspector) = self.titled(lower, margin);
        }
    }

    fn place_beside(&mut self, rest: Area, margin: u16) {
        let left = rest.width / 2;
        let log = Area { width: left, ..rest };
        let inspector = Area {
            x: rest.x + left,
            width: rest.width - left,
            ..rest
        };
        let (log_title, log) = self.titled(log, 0);
        let (inspector_title, inspector) = self.titled(inspector, 0);
        self.log_title = log_title;
        self.inspector_title = inspector_title;
        self.divider = Area {
            width: 1,
            ..inspector
        };
        self.log = Area {
            x: log.x + margin,
            width: log.width.saturating_sub(margin + 1),
            ..log
        };
        self.inspector = Area {
            x: inspector.x + 2,
            width: inspector.width.saturating_sub(margin + 2),
            ..inspector
        };
    }

    fn titled(&self, area: Area, margin: u16) -> (Area, Area) {
        match self.frame {
            Frame::TooSmall | Frame::Bare => (Area::default(), area.inset(margin)),
            Frame::Lines | Frame::Full => {
                let (title, rows) = area.cut_top(1);
                (title, rows.inset(margin))
            }
        }
    }
}

fn frame_for(width: u16, height: u16) -> Frame {
    if width < 20 || height < 5 {
        Frame::TooSmall
    } else if height < 8 {
        Frame::Bare
    } else if width < 50 || height < 12 {
        // Borders and margins would take a tenth of the columns, or the second row of Status a third of the Log.
        Frame::Lines
    } else {
        Frame::Full
    }
}

/// Input grows with its lines up to a third of the window; zoomed, it leaves the Log three rows.
fn input_rows(app: &App, height: u16) -> u16 {
    let third = (height / 3).max(1);
    if app.zoomed == Some(Pane::Input) {
        // The other nine: title, Status, three lines between panes, footer, and the Log.
        return height.saturating_sub(9).max(third);
    }
    u16::try_from(app.composer.lines())
        .unwrap_or(u16::MAX)
        .clamp(1, third)
}

fn beside(arrangement: Arrangement, width: u16) -> bool {
    match arrangement {
        Arrangement::ByWidth => width >= WIDE,
        Arrangement::Beside => width >= BESIDE_AT_LEAST,
        Arrangement::Below => false,
    }
}
