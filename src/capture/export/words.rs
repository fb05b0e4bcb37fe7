//! What is exported, in words, and why that may be nothing.

use std::ops::Range;

use crate::capture::Session;
use crate::model::{Portion, Records as _};

/// What is exported, in words.
pub(super) fn description(session: &Session, portion: &Portion) -> String {
    let name = session.path().display();
    match portion {
        Portion::All => format!("exported from {name}"),
        Portion::Query(query) => format!("exported from {name}: the entries for which {query} holds"),
        Portion::Entries(range) if portion.is_one() => {
            format!("exported from {name}: entry {}", range.start.saturating_add(1))
        }
        Portion::Entries(range) => format!("exported from {name}: {}", numbers(range)),
        Portion::Within(range, query) => {
            format!(
                "exported from {name}: of {} those for which {query} holds",
                numbers(range)
            )
        }
    }
}

fn numbers(range: &Range<u64>) -> String {
    format!("entries {} to {}", range.start.saturating_add(1), range.end)
}

/// Why there was nothing to export.
pub(super) fn nothing(session: &Session, portion: &Portion) -> String {
    let (range, query) = match portion {
        Portion::All => return "there is no entry".to_owned(),
        Portion::Query(query) => return format!("there is no entry for which {query} holds"),
        Portion::Entries(range) => (range, None),
        Portion::Within(range, query) => (range, Some(query)),
    };
    let is_one = range.end.saturating_sub(range.start) == 1;
    let called = if is_one {
        format!("entry {}", range.start.saturating_add(1))
    } else {
        numbers(range)
    };
    match query {
        _ if range.end <= session.first().0 && is_one => {
            format!("{called} is no longer kept: its ring file was removed")
        }
        _ if range.end <= session.first().0 => {
            format!("{called} are no longer kept: their ring files were removed")
        }
        Some(query) if range.start < session.len() => {
            format!("of {called} there is none for which {query} holds")
        }
        Some(_) | None if is_one => format!("there is no {called}"),
        Some(_) | None => format!("there are no {called}"),
    }
}
