//! The loop with stopped time, injected input and a display that only counts.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use futures_util::stream;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::app::{SessionFile, Settings, TimeColumn, View, Zone};
use tokio::sync::mpsc;

use crate::capture::{Annotator, Create, Existing, Recorder, Session};
use crate::model::{ConnectionId, Goal, Link, LinkState, NetCommand, NetEvent, Tally};
use crate::net::Kernel;
use crate::runtime::history::History;
use crate::text::{InputType, LineEnding, Policy};

/// Frames in the order in which they were shown, and when.
type Frames = Rc<RefCell<Vec<(Instant, Vec<u8>)>>>;

/// A display that takes every frame, and then is busy for a while.
struct Counter {
    frames: Frames,
    takes: Duration,
    busy_until: Option<Instant>,
}

impl Display for Counter {
    fn is_free(&mut self) -> bool {
        self.busy_until.is_none_or(|until| until <= Instant::now())
    }

    async fn freed(&mut self) {
        if let Some(until) = self.busy_until {
            tokio::time::sleep_until(until).await;
            self.busy_until = None;
        }
    }

    fn buffer(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn show(&mut self, frame: Vec<u8>) {
        assert!(self.is_free(), "two frames at once");
        if !frame.is_empty() {
            self.frames.borrow_mut().push((Instant::now(), frame));
            self.busy_until = (!self.takes.is_zero()).then(|| Instant::now() + self.takes);
        }
    }
}

struct FakeHost {
    start: Instant,
    retaken: Rc<RefCell<u32>>,
}

impl Host for FakeHost {
    fn now(&self) -> Timestamp {
        Timestamp(0) + self.start.elapsed()
    }

    async fn sleep_until(&self, at: std::time::Instant) {
        tokio::time::sleep_until(at.into()).await;
    }

    fn size(&self) -> Size {
        Size {
            width: 80,
            height: 24,
        }
    }

    fn retake(&mut self) -> io::Result<()> {
        *self.retaken.borrow_mut() += 1;
        Ok(())
    }

    fn suspend(&mut self) -> Result<(), String> {
        Err("cannot suspend in a test".to_owned())
    }
}

/// A session without an entry; its file is gone at once.
fn nothing() -> Session {
    let folder = tempfile::tempdir().unwrap();
    let create = Create {
        path: folder.path().join("empty.pcapng"),
        existing: Existing::Refuse,
        max_size: None,
    };
    Recorder::create(&create).unwrap().reader()
}

/// A loop, and everything that a test does to it and sees of it.
struct Bench {
    turns: Turns<FakeHost, Counter>,
    frames: Frames,
    retaken: Rc<RefCell<u32>>,
    news: watch::Sender<NetEvent>,
    control: watch::Sender<Control>,
    _commands: mpsc::Receiver<NetCommand>,
}

fn bench(takes: Duration) -> Bench {
    let frames = Frames::default();
    let retaken = Rc::default();
    let news = watch::Sender::new(NetEvent::default());
    let control = watch::Sender::new(Control::default());
    let (commands, receiver) = mpsc::channel(1);
    let settings = Settings {
        goal: Some(Goal::Connect("localhost:1".parse().unwrap())),
        view: View::default(),
        time: TimeColumn::default(),
        input: InputType::Text,
        eol: LineEnding::Lf,
        policy: Policy::default(),
        zone: Zone::Utc,
        session: SessionFile::Temporary("/x".to_owned()),
        recents: Vec::new(),
        mouse: false,
        greetings: Vec::new(),
    };
    let turns = Turns::new(
        App::new(settings),
        FakeHost {
            start: Instant::now(),
            retaken: Rc::clone(&retaken),
        },
        Counter {
            frames: Rc::clone(&frames),
            takes,
            busy_until: None,
        },
        Lines {
            feed: Feed::Worker {
                commands,
                news: news.subscribe(),
                kernel: Kernel::default(),
            },
            control: control.subscribe(),
            desk: Desk::start(History::none(), Annotator::of_stream(nothing())).unwrap(),
        },
        Views::new(nothing()),
        Theme::default(),
        Mouse::Off,
    );
    Bench {
        turns,
        frames,
        retaken,
        news,
        control,
        _commands: receiver,
    }
}

fn link(state: LinkState, received: u64, at: Timestamp) -> NetEvent {
    let mut link = Link::new(ConnectionId(0), "localhost:1".parse().unwrap(), Timestamp(0));
    link.state = state;
    link.opened = Some(Timestamp(0));
    link.received = Tally {
        bytes: received,
        messages: received,
        first: Some(at),
        last: Some(at),
    };
    NetEvent {
        link: Some(link),
        ..NetEvent::default()
    }
}

fn key(c: char) -> TerminalEvent {
    TerminalEvent::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_is_one_frame() {
    let bench = bench(Duration::ZERO);
    // Dialing is reported once and never ends: nothing on the screen moves.
    let _ = timeout(Duration::from_hours(1), bench.turns.run(stream::pending())).await;
    assert_eq!(bench.frames.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_open_connection_ticks_once_a_second() {
    let bench = bench(Duration::ZERO);
    bench.news.send_replace(link(LinkState::Open, 1, Timestamp(0)));
    let _ = timeout(Duration::from_mins(1), bench.turns.run(stream::pending())).await;
    let frames = bench.frames.borrow().len();
    assert!((60..=62).contains(&frames), "{frames}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_messages_a_second_are_sixty_frames() {
    let bench = bench(Duration::ZERO);
    let news = bench.news.clone();
    let start = Instant::now();
    let flood = async move {
        for millisecond in 0..1000 {
            for message in 0..10 {
                let at = Timestamp(0) + start.elapsed();
                news.send_replace(link(LinkState::Open, millisecond * 10 + message + 1, at));
            }
            sleep(Duration::from_millis(1)).await;
        }
        pending::<()>().await;
    };
    let run = timeout(Duration::from_millis(999), bench.turns.run(stream::pending()));
    tokio::select! {
        _ = run => {}
        () = flood => {}
    }
    let frames = bench.frames.borrow().len();
    assert!((50..=61).contains(&frames), "{frames}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_terminal_gets_the_newest_state_and_no_queue() {
    let bench = bench(Duration::from_secs(10));
    let news = bench.news.clone();
    let traffic = async move {
        for count in 1..=1500 {
            sleep(Duration::from_millis(10)).await;
            news.send_replace(link(LinkState::Open, count, Timestamp(0)));
        }
        pending::<()>().await;
    };
    let run = timeout(Duration::from_secs(25), bench.turns.run(stream::pending()));
    tokio::select! {
        _ = run => {}
        () = traffic => {}
    }
    // At 0, 10 and 20 seconds.
    assert_eq!(bench.frames.borrow().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn keys_come_first_but_do_not_hide_the_picture() {
    let bench = bench(Duration::ZERO);
    // Every key is ready at once; with the last one the terminal ends.
    let keys = stream::iter((0..10_000).map(|_| Ok(key('x'))));
    let (ended, _) = bench.turns.run(keys).await;
    assert_eq!(ended, Ended::Outside(Cause::TerminalGone));
    assert!(!bench.frames.borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_loop_even_if_it_came_first() {
    let bench = bench(Duration::from_hours(1));
    bench
        .control
        .send_modify(|control| control.ending = Some(Cause::Signal(15)));
    let (ended, _) = bench.turns.run(stream::pending()).await;
    assert_eq!(ended, Ended::Outside(Cause::Signal(15)));
}

#[tokio::test(start_paused = true)]
async fn going_on_takes_the_terminal_and_paints_everything() {
    let bench = bench(Duration::ZERO);
    let control = bench.control.clone();
    let resume = async move {
        sleep(Duration::from_secs(5)).await;
        control.send_modify(|control| control.resumes += 1);
        pending::<()>().await;
    };
    let run = timeout(Duration::from_secs(9), bench.turns.run(stream::pending()));
    tokio::select! {
        _ = run => {}
        () = resume => {}
    }
    assert_eq!(*bench.retaken.borrow(), 1);
    let frames = bench.frames.borrow();
    assert_eq!(frames.len(), 2);
    let enter = enter_sequence(Mouse::Off);
    assert!(frames[1].1.starts_with(&enter));
    assert!(frames[1].1.windows(4).any(|window| window == b"\x1b[2J"));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_reported_and_not_waited_for() {
    let bench = bench(Duration::ZERO);
    assert_eq!(bench.turns.lines.feed.command(NetCommand::Close), None);
    let busy = Report::Busy(NetCommand::Reset);
    assert_eq!(bench.turns.lines.feed.command(NetCommand::Reset), Some(busy));
}
