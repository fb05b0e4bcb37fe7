//! Copying an entry to the clipboard, in a size that terminals take.

use super::actions::CopyForm;
use super::{App, Context, Effect, Pane, Severity};
use crate::model::{EntryId, EntryKind, RecordsError};
use crate::text::{Source, copy, format};

/// Terminals drop OSC 52 strings above some length; 100,000 characters of Base64 is the least of the common limits,
/// and these are the bytes that fit into them.
const LIMIT: usize = 74_994;

/// A row of a copied hexdump at most: 16 bytes as digits, offset, and a gutter of up to three bytes a character.
const DUMP_ROW: usize = 62 + 16 * 3;

impl App {
    /// The entry that actions mean: the inspected one in the Inspector, else the current one of the Log.
    pub(super) fn target_entry(&self, context: &Context<'_>) -> Option<EntryId> {
        match &self.inspector {
            Some(inspector) if self.focus == Pane::Inspector => Some(inspector.entry),
            Some(_) | None => self.log.current(&self.sheet(context.records, context.layout)),
        }
    }

    pub(super) fn copy(&mut self, form: CopyForm, context: &Context<'_>, out: &mut Vec<Effect>) {
        let Some(id) = self.target_entry(context) else {
            return self.notify(Severity::Warning, "there is no entry to copy yet", context);
        };
        match self.copied(id, form, context) {
            Ok((text, taken, len)) => {
                out.push(Effect::Copy(text));
                let number = context.records.called(id);
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

    /// The text for the clipboard, how many bytes of the entry it stands for, and how many there are.
    fn copied(
        &self,
        id: EntryId,
        form: CopyForm,
        context: &Context<'_>,
    ) -> Result<(String, usize, usize), RecordsError> {
        let entry = context.records.entry(id)?;
        if !matches!(entry.kind, EntryKind::Data { .. }) {
            let text = super::sentence(&entry.kind, self.purpose());
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
        let payload = context.records.payload(id, 0..taken as u32)?;
        let around = context.records.surroundings(id)?;
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
