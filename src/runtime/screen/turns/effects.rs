//! Doing what the app asks for.

use super::{Ended, Host, Turns};
use crate::app::{Effect, Event, Report};
use crate::model::Query;
use crate::runtime::clipboard;
use crate::runtime::desk::Job;
use crate::runtime::guard::{Mouse, mouse_sequence};
use crate::runtime::writer::Display;

use super::instant;

impl<H: Host, D: Display> Turns<H, D> {
    /// Does it, and says what came of it where that is worth an event.
    pub(super) fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Net(command) => self.lines.feed.command(command).map(Event::Report),
            Effect::Copy(text) => {
                self.copied = Some(clipboard::copy(&text, self.between));
                self.pace.request(instant());
                None
            }
            Effect::Remember { endpoint, line } => self.lines.desk.ask(Job::Remember { endpoint, line }),
            Effect::Recall(endpoint) => self.lines.desk.ask(Job::Recall(endpoint)),
            Effect::RememberTarget(endpoint) => self.lines.desk.ask(Job::Visit(endpoint)),
            Effect::Suspend => self.host.suspend().err().map(failed),
            Effect::Filter(query) => Some(self.filter(query)),
            Effect::StopFilter => {
                self.views.stop_filter();
                None
            }
            Effect::Search(pattern) => {
                self.views.search(pattern);
                None
            }
            Effect::Annotate(number, annotation) => self.lines.desk.ask(Job::Annotate(number, annotation)),
            Effect::RecallAnnotations => self.lines.desk.ask(Job::RecallAnnotations),
            Effect::Export(order) => {
                self.exports.start(self.views.session(), order);
                None
            }
            Effect::StopExport => {
                self.exports.stop();
                None
            }
            Effect::StopIndexing => {
                self.lines.feed.stop_indexing();
                None
            }
            Effect::Title(title) => {
                self.titled = Some(clipboard::title(&title));
                self.title = Some(title);
                self.pace.request(instant());
                None
            }
            Effect::Redraw => {
                self.repaint();
                None
            }
            Effect::Mouse(on) => {
                self.mouse = if on { Mouse::On } else { Mouse::Off };
                self.canvas.preface(mouse_sequence(self.mouse));
                self.pace.request(instant());
                None
            }
            Effect::Quit(ending) => {
                self.ended = Some(Ended::User(ending));
                None
            }
        }
    }

    /// Shows something else, and says so at once, before anything is drawn.
    fn filter(&mut self, query: Option<Query>) -> Event {
        self.views.filter(query);
        Event::Refiltered
    }
}

fn failed(why: String) -> Event {
    Event::Report(Report::Failed(why))
}
