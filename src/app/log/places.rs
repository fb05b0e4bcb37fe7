//! Steps from row to row, across entries. Each looks at no more entries than it steps over rows.

use super::Place;
use crate::app::rows::Sheet;
use crate::model::EntryId;

/// The top of the window that ends with the last row of the log.
pub(super) fn last_page(sheet: &Sheet<'_>, height: u16) -> Place {
    let Some(last) = sheet.last() else {
        return (sheet.first, 0);
    };
    let end = (last, sheet.count(last, u32::MAX) - 1);
    retreat(sheet, end, u32::from(height.max(1)) - 1)
}

/// The place so many rows further down, or the last row.
pub(super) fn advance(sheet: &Sheet<'_>, from: Place, rows: u32) -> Place {
    let len = sheet.len;
    let (mut id, row) = from;
    // The row wanted, counted from the head of entry `id`.
    let mut wanted = row.saturating_add(rows);
    loop {
        let here = sheet.count(id, wanted.saturating_add(1));
        if wanted < here {
            return (id, wanted);
        }
        if id.0 + 1 >= len {
            return (id, here - 1);
        }
        wanted -= here;
        id.0 += 1;
    }
}

/// The place so many rows further up, or the first row.
pub(super) fn retreat(sheet: &Sheet<'_>, from: Place, rows: u32) -> Place {
    let (mut id, mut row) = from;
    let mut left = rows;
    loop {
        if left <= row {
            return (id, row - left);
        }
        if id <= sheet.first {
            return (sheet.first, 0);
        }
        left -= row + 1;
        id = EntryId(id.0 - 1);
        row = sheet.count(id, u32::MAX) - 1;
    }
}
