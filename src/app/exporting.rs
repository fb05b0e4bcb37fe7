//! Exporting: what of the log, as what, under which name, and how far that is. The runtime writes.

use super::actions::Export;
use super::{App, Context, Effect, Menu, Overlay, Prompt, Severity, Wanted};
use crate::capture::{Existing, safe_name};
use crate::model::{EntryId, ExportFormat, ExportReport, ExportState, Portion};
use crate::text::format;

/// What of the log is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// What it shows: everything, or what the filter leaves.
    Shown,
    /// The entry of this number.
    Entry(EntryId),
    /// Of what it shows, the entries from the first of these numbers to the second.
    Range(EntryId, EntryId),
}

/// What the runtime is to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOrder {
    /// Which entries.
    pub portion: Portion,
    /// As what.
    pub format: ExportFormat,
    /// The path of the file, as typed.
    pub path: String,
    /// What becomes of a file that is there.
    pub existing: Existing,
}

/// An export that is under way, or that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exporting {
    /// What was asked for.
    pub order: ExportOrder,
    /// How far it is.
    pub report: ExportReport,
    extent: Extent,
}

impl App {
    pub(super) fn export(
        &mut self,
        export: Export,
        argument: &str,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        match export {
            Export::Shown => self.export_extent(Extent::Shown, argument, context, out),
            Export::Entry => match self.selected_extent(context) {
                Ok(extent) => self.export_extent(extent, argument, context, out),
                Err(why) => self.notify(Severity::Warning, why, context),
            },
            Export::Overwrite => self.overwrite(context, out),
            Export::Rename => self.rename(context),
            Export::Stop if self.is_exporting() => out.push(Effect::StopExport),
            Export::Stop => self.notify(Severity::Info, "nothing is being exported", context),
        }
    }

    /// The entry that actions mean, or the entries that are selected together.
    fn selected_extent(&self, context: &Context<'_>) -> Result<Extent, String> {
        match self
            .log
            .range_of_numbers(&self.sheet(context.records, context.layout))
        {
            Some(range) => Ok(Extent::Range(*range.start(), *range.end())),
            None => self.target(context).map(Extent::Entry),
        }
    }

    /// Whether an export is being written.
    pub fn is_exporting(&self) -> bool {
        self.exporting
            .as_ref()
            .is_some_and(|exporting| !exporting.report.state.is_last())
    }

    /// Asks as what, and then where to, unless the argument says it.
    fn export_extent(
        &mut self,
        extent: Extent,
        argument: &str,
        context: &Context<'_>,
        out: &mut Vec<Effect>,
    ) {
        if self.is_exporting() {
            let text = "an export is under way: wait for its end, or stop it with export-stop";
            return self.notify(Severity::Warning, text, context);
        }
        if context.records.is_empty() {
            return self.notify(Severity::Warning, self.nothing_to_export(), context);
        }
        if argument.is_empty() {
            let title = self.export_title(extent, context);
            self.overlay = Some(Overlay::Menu(Menu::export(title, extent)));
            return;
        }
        let (format, path) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
        match format.parse() {
            Ok(format) if path.is_empty() => self.ask_for_file(extent, format, context),
            Ok(format) => self.export_to(extent, format, path.trim(), Existing::Refuse, out),
            Err(error) => self.notify(Severity::Warning, error, context),
        }
    }

    fn nothing_to_export(&self) -> String {
        match &self.filter {
            Some(filter) => format!(
                "so far there is no entry to export for which {} holds",
                filter.query
            ),
            None => "there is no entry to export yet".to_owned(),
        }
    }

    fn export_title(&self, extent: Extent, context: &Context<'_>) -> String {
        let entries = match context.records.len() {
            1 => "1 entry".to_owned(),
            count => format!("{} entries", format::count(count)),
        };
        match (extent, &self.filter) {
            (Extent::Entry(id), _) => format!("Export entry {} as", format::count(id.0.saturating_add(1))),
            (Extent::Range(first, last), filter) => {
                let numbers = numbers(first, last);
                match filter {
                    Some(filter) => format!("Export what {} shows of {numbers} as", filter.query),
                    None => format!("Export {numbers} as"),
                }
            }
            (Extent::Shown, Some(filter)) => {
                let so_far = if filter.is_behind() { " found so far" } else { "" };
                format!(
                    "Export what the filter {} shows, {entries}{so_far}, as",
                    filter.query
                )
            }
            (Extent::Shown, None) if self.indexing() => {
                format!("Export what was found so far, {entries}, as")
            }
            (Extent::Shown, None) => format!("Export everything, {entries}, as"),
        }
    }

    /// Asks where to.
    pub(super) fn ask_for_file(&mut self, extent: Extent, format: ExportFormat, context: &Context<'_>) {
        let name = self.suggested_name(extent, format, context);
        self.overlay = Some(Overlay::Prompt(Prompt::new(
            Wanted::Export(extent, format),
            &name,
        )));
    }

    /// The target or the file that is read, and the time: a name that is new and sorts well.
    fn suggested_name(&self, extent: Extent, format: ExportFormat, context: &Context<'_>) -> String {
        let stem = match (&self.link, &self.file) {
            (Some(link), _) => link.endpoint.brief(),
            (None, Some(_)) => {
                let path = self.settings.session.path();
                let name = path.rsplit('/').next().unwrap_or(path);
                name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
            }
            (None, None) => String::new(),
        };
        let stem = match safe_name(&stem) {
            empty if empty.is_empty() => "sockscope".to_owned(),
            stem => stem,
        };
        let time = format::date_time(context.now.0, self.settings.zone.offset());
        // To the second, without what shells or other systems take for something else.
        let time: String = time
            .chars()
            .take(19)
            .filter_map(|c| match c {
                ':' => None,
                ' ' => Some('T'),
                c => Some(c),
            })
            .collect();
        let entry = match extent {
            Extent::Shown => String::new(),
            Extent::Entry(id) => format!("-entry{}", id.0.saturating_add(1)),
            Extent::Range(first, last) => {
                format!(
                    "-entries{}-{}",
                    first.0.saturating_add(1),
                    last.0.saturating_add(1)
                )
            }
        };
        format!("{stem}-{time}{entry}{}", format.extension())
    }

    /// Starts an export.
    pub(super) fn export_to(
        &mut self,
        extent: Extent,
        format: ExportFormat,
        path: &str,
        existing: Existing,
        out: &mut Vec<Effect>,
    ) {
        let range = |first: EntryId, last: EntryId| first.0..last.0.saturating_add(1);
        let portion = match (extent, &self.filter) {
            (Extent::Entry(id), _) => Portion::Entries(range(id, id)),
            (Extent::Range(first, last), Some(filter)) => {
                Portion::Within(range(first, last), filter.query.clone())
            }
            (Extent::Range(first, last), None) => Portion::Entries(range(first, last)),
            (Extent::Shown, Some(filter)) => Portion::Query(filter.query.clone()),
            (Extent::Shown, None) => Portion::All,
        };
        let order = ExportOrder {
            portion,
            format,
            path: path.to_owned(),
            existing,
        };
        // Its progress stands where the news of the last one may still be.
        self.notice = None;
        out.push(Effect::Export(order.clone()));
        self.exporting = Some(Exporting {
            order,
            report: ExportReport::default(),
            extent,
        });
    }

    /// The export got on, or ended.
    pub(super) fn exported(&mut self, report: ExportReport, context: &Context<'_>) {
        let Some(exporting) = &mut self.exporting else {
            return;
        };
        let state = report.state.clone();
        exporting.report = report;
        let (severity, text) = match state {
            ExportState::Finding | ExportState::Writing => return,
            ExportState::Exists(path) => return self.ask_to_overwrite(&path, context),
            ExportState::Done(files) => (Severity::Info, done(exporting, &files)),
            ExportState::Failed(why) => (Severity::Error, why),
            ExportState::Nothing(why) => {
                let path = &exporting.order.path;
                (Severity::Warning, format!("{path} was not written: {why}"))
            }
            ExportState::Stopped | ExportState::Closed => {
                let path = &exporting.order.path;
                (
                    Severity::Warning,
                    format!("the export was stopped; {path} was not written"),
                )
            }
        };
        self.exporting = None;
        self.notify(severity, text, context);
    }

    fn ask_to_overwrite(&mut self, path: &str, context: &Context<'_>) {
        let title = format!("{path} exists already.");
        if self.overlay.is_none() {
            self.overlay = Some(Overlay::Menu(Menu::overwrite(title)));
        } else {
            // What the user does now is not interrupted.
            let text = format!("not exported: {title} export-rename asks for another name");
            self.notify(Severity::Warning, text, context);
        }
    }

    /// The export that found another file in its place.
    fn refused_export(&mut self, context: &Context<'_>) -> Option<Exporting> {
        let refused = self
            .exporting
            .take_if(|exporting| matches!(exporting.report.state, ExportState::Exists(_)));
        if refused.is_none() {
            self.notify(Severity::Info, "no export waits for an answer", context);
        }
        refused
    }

    fn overwrite(&mut self, context: &Context<'_>, out: &mut Vec<Effect>) {
        if let Some(mut exporting) = self.refused_export(context) {
            exporting.order.existing = Existing::Replace;
            exporting.report = ExportReport::default();
            out.push(Effect::Export(exporting.order.clone()));
            self.exporting = Some(exporting);
        }
    }

    fn rename(&mut self, context: &Context<'_>) {
        if let Some(Exporting { order, extent, .. }) = self.refused_export(context) {
            let wanted = Wanted::Export(extent, order.format);
            self.overlay = Some(Overlay::Prompt(Prompt::new(wanted, &order.path)));
        }
    }
}

fn numbers(first: EntryId, last: EntryId) -> String {
    let number = |id: EntryId| format::count(id.0.saturating_add(1));
    format!("entries {} to {}", number(first), number(last))
}

/// What was exported where to.
fn done(exporting: &Exporting, files: &[String]) -> String {
    let ExportReport { entries, bytes, .. } = exporting.report;
    let entries = match entries {
        1 => "1 entry".to_owned(),
        count => format!("{} entries", format::count(count)),
    };
    format!(
        "exported {entries} to {} ({})",
        files.join(" and "),
        format::size(bytes)
    )
}
