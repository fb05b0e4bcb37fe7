//! Typing and sending.

use crate::app::testing::Bench;
use crate::app::{Effect, Event, Overlay, Pending, Report, Typed};
use crate::model::{LinkState, NetCommand, NetEvent, Outgoing, Recording, Sends, Side};
use crate::text::InputType;

/// Keys on an open connection, and the text that is left with its cursor.
fn types(keys: &str, expected: &str) {
    let mut bench = Bench::open();
    bench.keys(keys);
    assert_eq!(bench.typed(), expected, "{keys}");
}

/// Keys on an open connection, and the bytes that they send.
fn sends(keys: &str, expected: &[&[u8]]) {
    let mut bench = Bench::open();
    bench.keys(keys);
    assert_eq!(sent(&bench.effects), expected, "{keys}: {}", bench.notice());
}

fn sent(effects: &[Effect]) -> Vec<&[u8]> {
    let bytes = |effect| {
        if let &Effect::Net(NetCommand::Send(Outgoing { ref bytes, .. })) = effect {
            return Some(bytes.as_slice());
        }
        None
    };
    effects.iter().filter_map(bytes).collect()
}

#[test]
fn readline_keys_edit() {
    types("hello", "hello|");
    types("ac<Left>b<Home>0<End>d", "0abcd|");
    types("one two<Alt-B>x<Ctrl-A>y<Ctrl-E>z", "yone xtwoz|");
    types("one two<Ctrl-W>", "one |");
    types("one two<Ctrl-W><Ctrl-W><Ctrl-Y>!", "one two!|");
    types("ab<Ctrl-U>cd<Ctrl-U><Ctrl-Y><Alt-Y>", "ab|");
    types("ab<Left><Ctrl-K><Ctrl-Y><Ctrl-Y>", "abb|");
    types("ab<Left><Ctrl-D>", "a|");
    types("abc<Left><Backspace><Delete>", "a|");
    types("one two<Home><Alt-D>", "| two");
    types("a<Alt-Enter>b<Ctrl-J>c<Up>x", "a\nbx|\nc");
    types("abc<Ctrl-C>x<Ctrl-Y>", "xabc|");
}

#[test]
fn datagrams_may_be_empty_and_have_no_fin() {
    let mut bench = Bench::new();
    bench.link(LinkState::Open, |link| {
        link.endpoint = "udp://host:1".parse().unwrap();
    });
    let send = |bench: &Bench| bench.app.hints()[0].label;
    bench.keys("<Enter>");
    assert_eq!(sent(&bench.effects), [b"\n"], "a line ending is something");
    assert_eq!(send(&bench), "send");
    bench.keys("<Ctrl-G>eol none<Enter>");
    assert_eq!(send(&bench), "send an empty message");
    bench.keys("<Enter>");
    assert_eq!(sent(&bench.effects), [b""]);
    bench.keys("<Alt-S>");
    assert_eq!(sent(&bench.effects), [b""]);
    bench.keys("<Ctrl-T><Ctrl-T><Enter>");
    assert_eq!(sent(&bench.effects), [b""], "hex is no different");
    bench.keys("<Ctrl-O>");
    assert_eq!(
        bench.notice(),
        "there is no byte to show: Enter sends an empty message"
    );
    bench.keys("<Ctrl-D>");
    assert_eq!(bench.notice(), "Ctrl-D again to end as soon as answers cease");
    bench.keys("<F1>");
    let Some(Overlay::Help(help)) = &bench.app.overlay else {
        panic!("help opens")
    };
    let text = format!("{:?}", help.text(&bench.layout()).lines);
    assert!(
        text.contains("an empty datagram") && !text.contains("FIN") && !text.contains("RST"),
        "{text}"
    );
    // A connection that keeps boundaries has both: empty messages, and an end.
    bench.keys("<Esc>");
    bench.link(LinkState::Open, |link| {
        link.endpoint = "unix-seqpacket:/a".parse().unwrap();
    });
    bench.keys("<Enter>");
    assert_eq!(sent(&bench.effects), [b""]);
    bench.keys("<Ctrl-D>");
    assert_eq!(bench.notice(), "Ctrl-D again to half-close (FIN)");
}

#[test]
fn enter_sends_with_the_line_ending() {
    sends("PING<Enter>", &[b"PING\n"]);
    sends("<Alt-L>PING<Enter>", &[b"PING\r\n"]);
    sends("<Alt-L>a<Ctrl-J>b<Enter>", &[b"a\r\nb\r\n"]);
    sends("<Alt-L>a<Ctrl-J>b<Alt-S>", &[b"a\r\nb"]);
    sends("<Enter>", &[b"\n"]);
    sends("<Alt-S>", &[]);
    sends("<Ctrl-T>\\x00a\\r<Enter>", &[b"\0a\r\n"]);
    sends("<Ctrl-T><Ctrl-T>0d 0a, 0xff<Enter>", &[b"\x0d\x0a\xff"]);
    sends("<Ctrl-T><Ctrl-T><Enter>", &[]);
    sends("<Ctrl-G>eol nul<Enter>x<Enter>", &[b"x\0"]);
    sends("<Ctrl-G>input hex<Enter>41<Enter>", &[b"A"]);
}

#[test]
fn the_next_key_is_inserted_as_its_byte() {
    types("a<Ctrl-V><Esc>b", "a\x1bb|");
    types("<Ctrl-V><Tab><Ctrl-V><Ctrl-A>", "\t\x01|");
    types("<Ctrl-T><Ctrl-V><Esc>", "\\x1b|");
    types("<Ctrl-T><Ctrl-T><Ctrl-V>A<Ctrl-V><Enter>", "41 0d |");
    types("<Ctrl-V><Up>a", "a|");
    sends("<Ctrl-V><Ctrl-C><Enter>", &[b"\x03\n"]);
}

#[test]
fn a_mistake_is_pointed_at_and_the_text_stays() {
    let mut bench = Bench::open();
    bench.keys("<Ctrl-T>ab\\q<Enter>");
    assert_eq!(
        (sent(&bench.effects).len(), bench.typed().as_str()),
        (0, "ab\\q|")
    );
    assert_eq!(
        bench.app.composer.error.as_ref().map(|error| error.at.clone()),
        Some(2..4)
    );
    bench.keys("x");
    assert_eq!(bench.app.composer.error, None, "an edit clears the mark");
}

#[test]
fn what_cannot_be_sent_stays() {
    for (state, fin, unsent, word) in [
        (LinkState::Connecting, None, 0, "still connecting"),
        (LinkState::Closed, None, 0, "is closed"),
        (LinkState::HalfClosed, Some(Side::Local), 0, "FIN"),
        (LinkState::Open, None, 64 << 20, "64.0 MiB"),
    ] {
        let mut bench = Bench::new();
        bench.link(state, |link| {
            link.first_fin = fin;
            link.unsent = unsent;
        });
        bench.keys("hi<Enter>");
        assert_eq!((sent(&bench.effects).len(), bench.typed().as_str()), (0, "hi|"));
        assert!(bench.notice().contains(word), "{}", bench.notice());
    }
}

#[test]
fn behind_a_half_close_of_datagrams_nothing_is_said_of_fin() {
    let mut bench = Bench::new();
    bench.link(LinkState::HalfClosed, |link| {
        link.endpoint = "udp://localhost:53".parse().unwrap();
        link.first_fin = Some(Side::Local);
    });
    bench.keys("hi<Enter>");
    assert_eq!(
        bench.notice(),
        "not sent: you have ended it, so it only receives, until answers cease"
    );
}

#[test]
fn after_the_peers_fin_we_may_still_send() {
    let mut bench = Bench::new();
    bench.link(LinkState::HalfClosed, |link| link.first_fin = Some(Side::Peer));
    bench.keys("hi<Enter>");
    assert_eq!(sent(&bench.effects), [b"hi\n"]);
}

#[test]
fn a_full_queue_gives_the_text_back() {
    let mut bench = Bench::open();
    bench.keys("hi<Enter>");
    let Effect::Net(command) = bench.effects[0].clone() else {
        panic!("{:?}", bench.effects)
    };
    assert_eq!(bench.typed(), "|");
    bench.event(Event::Report(Report::Busy(command)));
    assert_eq!(bench.typed(), "hi|");
    assert!(bench.notice().starts_with("not sent"));
}

#[test]
fn a_text_that_came_too_late_comes_back() {
    let mut bench = Bench::open();
    let link = bench.app.link.clone();
    let news = |bench: &mut Bench, handled, refused| {
        bench.event(Event::Net(NetEvent {
            link: link.clone(),
            sends: Sends { handled, refused },
            ..NetEvent::default()
        }));
        (bench.typed(), bench.notice().to_owned())
    };
    bench.keys("one<Enter>");
    assert_eq!(news(&mut bench, 1, 0).0, "|", "it was sent");
    bench.keys("two<Enter>");
    assert_eq!(news(&mut bench, 1, 0).0, "|", "nobody has looked at it yet");
    let (typed, notice) = news(&mut bench, 2, 1);
    assert_eq!(typed, "two|");
    assert!(
        notice.starts_with("not sent: the connection had ended"),
        "{notice}"
    );
    bench.keys("<Enter>");
    assert_eq!(news(&mut bench, 3, 1).0, "|", "the next one found a connection");
}

#[test]
fn history_walks_remembers_and_searches() {
    let mut bench = Bench::open();
    let endpoint = bench.app.link.clone().unwrap().endpoint;
    bench.event(Event::History {
        endpoint: endpoint.clone(),
        lines: vec![
            Typed::new("get a", InputType::Text),
            Typed::new("PING", InputType::Escaped),
        ],
    });
    bench.keys("SET<Enter>");
    let line = Typed::new("SET", InputType::Text);
    assert!(bench.effects.contains(&Effect::Remember { endpoint, line }));
    bench.keys("draft<Up>");
    assert_eq!(bench.typed(), "SET|");
    bench.keys("<Ctrl-P><Up>");
    assert_eq!(bench.typed(), "get a|");
    bench.keys("<Down>");
    assert_eq!(bench.typed(), "PING|");
    assert_eq!(bench.app.composer.input, InputType::Escaped, "as it was sent");
    bench.keys("<Ctrl-N><Down>");
    assert_eq!(bench.typed(), "draft|");
    assert_eq!(bench.app.composer.input, InputType::Text);
    bench.keys("<Ctrl-R>g");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Search(search)) if search.found == Some(1)));
    bench.keys("<Ctrl-R>");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Search(search)) if search.found == Some(0)));
    bench.keys("<Esc>");
    assert_eq!(bench.typed(), "draft|", "a cancelled search changes nothing");
    bench.keys("<Ctrl-R>et a<Enter>");
    assert_eq!((bench.typed().as_str(), &bench.app.overlay), ("get a|", &None));
    bench.keys("<Ctrl-R>pin<Home>x");
    assert_eq!(bench.typed(), "x|PING", "any other key takes it and goes on");
}

#[test]
fn a_paste_is_never_sent_by_itself() {
    let mut bench = Bench::open();
    bench.keys("<Esc>");
    bench.event(Event::Paste("a\r\nq\rb\n".into()));
    assert_eq!((bench.typed().as_str(), bench.effects.len()), ("a\nq\nb\n|", 0));
    assert_eq!(bench.app.focus, crate::app::Pane::Input);
}

#[test]
fn a_paste_into_the_connect_dialog_is_a_target() {
    let mut bench = Bench::open();
    bench.keys("<Esc>c");
    bench.event(Event::Paste("other:80\n".into()));
    bench.keys("<Enter>");
    assert!(
        bench
            .effects
            .contains(&Effect::Net(NetCommand::Connect("other:80".parse().unwrap())))
    );
}

#[test]
fn a_secret_is_kept_nowhere() {
    let mut bench = Bench::open();
    bench.keys("draft<Ctrl-G>secret mask<Enter>pass<Ctrl-W>word<Enter>");
    let masked = Outgoing {
        bytes: b"word\n".to_vec(),
        recording: Recording::Masked,
    };
    assert_eq!(bench.effects, [Effect::Net(NetCommand::Send(masked))]);
    assert_eq!(
        (bench.typed().as_str(), &bench.app.composer.secret),
        ("draft|", &None)
    );
    bench.keys("<Ctrl-C><Ctrl-Y><Alt-Y><Up>");
    assert_eq!(bench.typed(), "draft|", "neither kill ring nor history has it");
    bench.keys("<Ctrl-G>secret<Enter>pw<Esc>");
    assert_eq!(bench.typed(), "draft|");
    assert_eq!(
        bench.app.focus,
        crate::app::Pane::Input,
        "Esc only cancels the hidden input"
    );
}

#[test]
fn ctrl_d_half_closes_when_pressed_twice_on_an_empty_line() {
    let half_close = [Effect::Net(NetCommand::HalfClose)];
    let check = |keys: &str, expected: &[Effect]| {
        let mut bench = Bench::open();
        bench.keys(keys);
        assert_eq!(bench.effects, expected, "{keys}");
    };
    check("<Ctrl-D>", &[]);
    check("<Ctrl-D><Ctrl-D>", &half_close);
    check("<Ctrl-D>a<Backspace><Ctrl-D>", &[]);
    check("<Ctrl-D><Alt-L><Ctrl-D>", &[]);
    check("a<Home><Ctrl-D><Ctrl-D><Ctrl-D>", &half_close);
    let mut bench = Bench::open();
    bench.keys("<Ctrl-D>");
    assert_eq!(
        (bench.notice(), bench.app.composer.pending),
        ("Ctrl-D again to half-close (FIN)", Pending::HalfClose)
    );
}

#[test]
fn the_exact_bytes_are_shown_without_sending() {
    let mut bench = Bench::open();
    bench.keys("<Alt-L>hi<Ctrl-O>");
    let Some(Overlay::Preview(preview)) = &bench.app.overlay else {
        panic!()
    };
    assert_eq!(
        (preview.bytes.as_slice(), bench.effects.len()),
        (b"hi\r\n".as_slice(), 0)
    );
    bench.keys("<Esc>");
    assert_eq!(bench.typed(), "hi|");
}
