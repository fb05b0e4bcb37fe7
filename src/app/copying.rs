//! Copying an entry to the clipboard, in a size that terminals take.

use std::ops::RangeInclusive;

use super::actions::CopyForm;
use super::{App, Context, Effect, Severity};
use crate::model::{EntryId, EntryKind, Records, RecordsError, Sides, reading};
use crate::text::{Source, copy, format};

/// Terminals drop OSC 52 strings above some length; 100,000 characters of Base64 is the least of the common limits,
/// and these are the bytes that fit into them.
const LIMIT: usize = 74_994;

/// The most entries that are looked at for a copy, so that it is done within a frame.
const MOST_COPIED: usize = 2_000;

/// A row of a copied hexdump at most: 16 bytes as digits, offset, and a gutter of up to three bytes a character.
const DUMP_ROW: usize = 62 + 16 * 3;

impl App {
    pub(super) fn copy(&mut self, form: CopyForm, context: &Context<'_>, out: &mut Vec<Effect>) {
        if let Some(range) = self
            .target_range(context)
            .filter(|range| range.start() < range.end())
        {
            return self.copy_range(&range, form, context, out);
        }
        let number = match self.target(context) {
            Ok(number) => number,
            Err(why) => return self.notify(Severity::Warning, why, context),
        };
        let (records, place) = reading(context.records, number);
        match self.copied(records, place, form) {
            Ok((text, taken, len)) => {
                out.push(Effect::Copy(text));
                let number = number.0.saturating_add(1);
                let text = if taken < len {
                    let (taken, len) = (format::size(taken as u64), format::size(len as u64));
                    format!(
                        "copied the first {taken} of {len} of entry {number}: a clipboard takes no more this way"
                    )
                } else if len == 0 {
                    format!("copied what entry {number} says")
                } else {
                    format!("copied entry {number} as {form} ({})", format::size(len as u64))
                };
                self.notify(Severity::Info, text, context);
            }
            Err(error) => self.notify(Severity::Error, format!("cannot copy: {error}"), context),
        }
    }

    /// Copies entries one after the other, as many as a clipboard takes whole.
    fn copy_range(
        &mut self,
        range: &RangeInclusive<EntryId>,
        form: CopyForm,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        let (first, last) = (range.start().0, range.end().0);
        let mut text = String::new();
        let mut copied = 0;
        for place in (first..=last).take(MOST_COPIED) {
            match self.copied(context.records, EntryId(place), form) {
                Ok((entry, taken, len)) if taken == len && text.len() + entry.len() < LIMIT => {
                    text.push_str(&entry);
                    if !entry.ends_with('\n') {
                        text.push('\n');
                    }
                    copied += 1;
                }
                Ok(_) => break,
                Err(error) => {
                    return self.notify(Severity::Error, format!("cannot copy: {error}"), context);
                }
            }
        }
        let all = last - first + 1;
        let notice = match (copied, copied < all) {
            (0, _) => {
                return self.notify(
                    Severity::Warning,
                    "the first entry is too long for a clipboard: press w to write the entries to a file",
                    context,
                );
            }
            (_, true) => format!(
                "copied the first {} of {} entries: a clipboard takes no more this way; w writes all to a file",
                format::count(copied),
                format::count(all)
            ),
            (_, false) => format!("copied {} entries as {form}", format::count(all)),
        };
        out.push(Effect::Copy(text));
        self.notify(Severity::Info, notice, context);
    }

    /// The text for the clipboard, how many bytes of the entry it stands for, and how many there are.
    fn copied(
        &self,
        records: &dyn Records,
        id: EntryId,
        form: CopyForm,
    ) -> Result<(String, usize, usize), RecordsError> {
        let entry = records.entry(id)?;
        if !matches!(entry.kind, EntryKind::Data { .. }) {
            let text = super::sentence(
                &entry.kind,
                Sides::of(self.purpose(), records.role(entry.connection)),
            );
            let text = copy::text(Source::new(text.as_bytes(), self.settings.policy));
            return Ok((text, 0, 0));
        }
        let len = entry.len as usize;
        let mut taken = match form {
            // A character and its escape may both be long; what is too long is cut below.
            CopyForm::Text => len.min(LIMIT),
            CopyForm::Hex => len.min(LIMIT / 3),
            CopyForm::Hexdump => len.min(LIMIT / DUMP_ROW * 16),
        };
        let payload = records.payload(id, 0..taken as u32)?;
        let around = records.surroundings(id)?;
        loop {
            let source = Source {
                before: around.before.as_slice(),
                bytes: payload.get(..taken).unwrap_or(&payload),
                after: if taken == len {
                    around.after.as_slice()
                } else {
                    &[]
                },
                policy: self.settings.policy,
            };
            let text = match form {
                CopyForm::Text => copy::text(source),
                CopyForm::Hex => copy::hex(source.bytes),
                CopyForm::Hexdump => copy::hexdump(source),
            };
            if text.len() <= LIMIT {
                return Ok((text, taken, len));
            }
            // At least a quarter less each time: escapes make a byte at most four or so.
            taken = (taken * LIMIT / text.len()).min(taken * 3 / 4);
        }
    }
}
