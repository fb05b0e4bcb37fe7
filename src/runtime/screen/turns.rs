//! The loop: input first, frames second, news third. It waits for nothing but these, performs what the app asks for,
//! and knows neither threads nor descriptors, so that tests can put their own in.

mod effects;

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crossterm::event::Event as TerminalEvent;
use futures_util::{Stream, StreamExt as _};
use ratatui::layout::Size;
use tokio::sync::watch;

use super::exports::Exports;
use super::feed::Feed;
use super::views::Views;
use crate::app::{App, Context, Ending, Event, Layout, Report};
use crate::model::Timestamp;
use crate::runtime::canvas::{Canvas, Rows};
use crate::runtime::clipboard::{self, Between};
use crate::runtime::desk::Desk;
use crate::runtime::guard::{Mouse, enter_sequence};
use crate::runtime::keys;
use crate::runtime::pace::Pace;
use crate::runtime::signals::{Cause, Control};
use crate::runtime::writer::Display;
use crate::ui::{self, Theme};

/// Keys handled in a row while a frame is due; more would let a stuck key or a long paste hide its own effect.
const BURST: u32 = 64;

/// The least time between two questions to the kernel: a little less than a tick of the clock.
const ASKED: Duration = Duration::from_millis(950);

/// The process around the loop.
pub(super) trait Host {
    /// The time, from the clock that stamps the entries.
    fn now(&self) -> Timestamp;

    /// Waits until then. Cancelling this loses nothing.
    fn sleep_until(&self, at: Instant) -> impl Future<Output = ()>;

    /// The size of the window; the last one known if the terminal does not tell.
    fn size(&self) -> Size;

    /// Takes the terminal again after the program was stopped.
    fn retake(&mut self) -> io::Result<()>;

    /// Asks the process group to stop; a sentence that says why it cannot.
    fn suspend(&mut self) -> Result<(), String>;
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The user ended it, and decided about the recording.
    User(Ending),
    /// Something outside ended it.
    Outside(Cause),
}

/// What the loop talks to.
pub(super) struct Lines {
    pub(super) feed: Feed,
    pub(super) control: watch::Receiver<Control>,
    pub(super) desk: Desk,
}

/// Whether there will be news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Expected,
    Over,
}

/// The state of the loop.
pub(super) struct Turns<H, D> {
    app: App,
    host: H,
    display: D,
    lines: Lines,
    views: Views,
    exports: Exports,
    theme: Theme,
    canvas: Canvas,
    pace: Pace,
    size: Size,
    layout: Layout,
    news: News,
    between: Between,
    mouse: Mouse,
    title: Option<String>,
    /// What the next frame sets the title with; a newer title replaces it.
    titled: Option<String>,
    /// What the next frame puts on the clipboard; a newer copy replaces it.
    copied: Option<String>,
    resumes: u32,
    /// When the kernel was asked about the connection.
    asked: Option<Instant>,
    /// Input events handled since the last frame.
    burst: u32,
    ended: Option<Ended>,
}

impl<H: Host, D: Display> Turns<H, D> {
    pub(super) fn new(
        app: App,
        host: H,
        display: D,
        lines: Lines,
        views: Views,
        theme: Theme,
        mouse: Mouse,
    ) -> Turns<H, D> {
        let size = host.size();
        let mut canvas = Canvas::new();
        canvas.preface(&enter_sequence(mouse));
        Turns {
            layout: Layout::split(size.width, size.height, &app),
            exports: Exports::new(&app.settings),
            app,
            host,
            display,
            lines,
            views,
            theme,
            canvas,
            pace: Pace::new(),
            size,
            news: News::Expected,
            between: Between::detect(),
            mouse,
            title: None,
            titled: None,
            copied: None,
            resumes: 0,
            asked: None,
            burst: 0,
            ended: None,
        }
    }

    /// Runs until the user or the outside ends it; the end of the input is the end of the terminal.
    pub(super) async fn run(
        mut self,
        mut input: impl Stream<Item = io::Result<TerminalEvent>> + Unpin,
    ) -> (Ended, Turns<H, D>) {
        // A signal may have come before anybody listened.
        self.lines.control.mark_changed();
        self.pace.request(instant());
        self.feed(Event::Started);
        loop {
            if let Some(ended) = self.ended {
                return (ended, self);
            }
            let deadline = self.pace.deadline();
            let due = deadline.is_some_and(|at| at <= instant());
            // That a frame is written is of interest only to the next one.
            let held_up = due && !self.display.is_free();
            if self.burst >= BURST && due && !held_up {
                self.draw();
                continue;
            }
            // The next frame shows whatever the news are by then; only that the connection stands is not put off.
            let listens = self.news == News::Expected && (!self.pace.is_armed() || self.is_dialing());
            tokio::select! {
                biased;
                Ok(()) = self.lines.control.changed() => self.obey(),
                event = input.next() => self.accept(event),
                () = self.display.freed(), if held_up => {}
                () = sleep_until(&self.host, deadline), if !held_up => {
                    if self.display.is_free() {
                        self.draw();
                    }
                }
                answer = self.lines.desk.answer() => {
                    self.feed(answer);
                    // What was added to an entry may make it a hit, or none any more.
                    self.views.poke();
                }
                news = self.lines.feed.changed(), if listens => match news {
                    Ok(()) => self.catch_up(),
                    Err(_) => self.news = News::Over,
                },
                () = self.views.changed(), if !self.pace.is_armed() => self.scanned(),
                () = self.exports.changed(), if !self.pace.is_armed() => self.scanned(),
            }
        }
    }

    /// What is left when the loop has ended.
    pub(super) fn dissolve(self) -> (H, Lines, Exports) {
        (self.host, self.lines, self.exports)
    }

    fn obey(&mut self) {
        let control = *self.lines.control.borrow_and_update();
        if let Some(cause) = control.ending {
            self.ended = Some(Ended::Outside(cause));
        } else if control.resumes != self.resumes {
            self.resumes = control.resumes;
            self.resume();
        }
    }

    fn resume(&mut self) {
        if let Err(error) = self.host.retake() {
            let text = format!("cannot take the terminal again: {error}");
            self.feed(Event::Report(Report::Failed(text)));
        }
        self.canvas.preface(&enter_sequence(self.mouse));
        if let Some(title) = &self.title {
            self.titled = Some(clipboard::title(title));
        }
        self.repaint();
        self.resize();
        self.feed(Event::Resumed);
    }

    fn accept(&mut self, event: Option<io::Result<TerminalEvent>>) {
        self.burst += 1;
        match event {
            Some(Ok(TerminalEvent::Resize(..))) => self.resize(),
            Some(Ok(event)) => {
                if let Some(event) = keys::convert(event) {
                    // A key means what the newest state says it means, also while news wait for a frame.
                    if self.lines.feed.has_news() {
                        self.catch_up();
                    }
                    self.feed(event);
                    self.pace.answer(instant());
                }
            }
            // Without keys nobody could end the program.
            Some(Err(_)) | None => self.ended = Some(Ended::Outside(Cause::TerminalGone)),
        }
    }

    /// Asks for the size instead of believing the event: of many resizes only the last one counts.
    fn resize(&mut self) {
        self.size = self.host.size();
        self.layout = Layout::split(self.size.width, self.size.height, &self.app);
        self.feed(Event::Resized);
        self.pace.request(instant());
    }

    fn repaint(&mut self) {
        self.canvas.forget();
        self.pace.request(instant());
    }

    fn catch_up(&mut self) {
        let news = self.lines.feed.take();
        let dialing = self.is_dialing();
        self.views.poke();
        self.feed(news);
        if dialing && !self.is_dialing() {
            // This is what the user waits for.
            self.pace.answer(instant());
        }
    }

    /// Whether no byte can have crossed yet, so that news are few.
    fn is_dialing(&self) -> bool {
        self.app.link.as_ref().is_none_or(|link| link.state.is_dialing())
    }

    fn scanned(&mut self) {
        for event in self.views.take() {
            self.feed(event);
        }
        if let Some(event) = self.exports.take() {
            self.feed(event);
        }
    }

    /// Gives the event to the app and does what it asks for, and what follows from that.
    fn feed(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let context = Context {
                now: self.host.now(),
                records: self.views.records(),
                layout: &self.layout,
                hits: self.views.hits(),
            };
            let reaction = self.app.update(event, &context);
            if reaction.redraw {
                self.pace.request(instant());
            }
            for effect in reaction.effects {
                events.extend(self.perform(effect));
            }
        }
    }

    /// Asks the kernel about the connection, with the clock and no more often.
    fn ask_kernel(&mut self) {
        let now = instant();
        if self
            .asked
            .is_none_or(|before| now.duration_since(before) >= ASKED)
        {
            self.asked = Some(now);
            if let Some(event) = self.lines.feed.ask_kernel(self.app.asked_about()) {
                self.feed(event);
            }
        }
    }

    /// Draws the newest state. Only called while the display is free.
    fn draw(&mut self) {
        if self.lines.feed.has_news() {
            self.catch_up();
        }
        self.scanned();
        let now = self.host.now();
        if self.app.next_change().is_some_and(|at| at <= now) {
            self.feed(Event::Tick);
        }
        self.ask_kernel();
        self.burst = 0;
        self.layout = Layout::split(self.size.width, self.size.height, &self.app);
        for sequence in [self.titled.take(), self.copied.take()].into_iter().flatten() {
            self.canvas.preface(sequence.as_bytes());
        }
        let frame = ui::Frame {
            now,
            records: self.views.records(),
            layout: &self.layout,
            theme: self.theme,
        };
        let app = &self.app;
        let rows = if self.pace.is_by_itself() {
            Rows::Top(ui::moving_rows(&self.layout))
        } else {
            Rows::All
        };
        let mut bytes = self.display.buffer();
        self.canvas.frame(self.size, rows, &mut bytes, |window, buf| {
            ui::render(app, &frame, window, buf)
        });
        self.display.show(bytes);
        let drawn = instant();
        let next = [self.app.next_change(), ui::next_change(&self.app, now)];
        let next = next.into_iter().flatten().min().map(|at| drawn + at.since(now));
        self.pace.drawn(drawn, next);
    }
}

/// The time for deadlines; tests stop it.
fn instant() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(host: &impl Host, deadline: Option<Instant>) {
    match deadline {
        Some(at) => host.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
