//! Marks and comments.

use crate::app::testing::Bench;
use crate::app::{Effect, Event, Keeping, Overlay, Scanned};
use crate::model::{Annotation, Direction, EntryId};

fn bench() -> Bench {
    let mut bench = Bench::open();
    for number in 0..50 {
        bench
            .memory
            .data(Direction::Received, format!("entry {number}").as_bytes());
    }
    bench.keys("<Esc>g");
    bench
}

/// Does what the app asks for, as the runtime does.
fn keep(bench: &mut Bench) {
    let effects = std::mem::take(&mut bench.effects);
    for effect in effects {
        let Effect::Annotate(number, annotation) = effect else {
            panic!("{effect:?}")
        };
        if annotation.is_empty() {
            bench.memory.annotations.remove(&number.0);
        } else {
            bench.memory.annotations.insert(number.0, annotation.clone());
        }
        bench.event(Event::Annotated {
            number,
            annotation,
            result: Ok(Keeping::ForGood),
        });
    }
}

/// Does not do it, for this reason.
fn refuse(bench: &mut Bench, why: &str) {
    let Some(Effect::Annotate(number, annotation)) = bench.effects.pop() else {
        panic!("{:?}", bench.effects)
    };
    bench.event(Event::Annotated {
        number,
        annotation,
        result: Err(why.to_owned()),
    });
}

/// A filter by marks was asked for, and has seen the whole log.
fn filter_marks(bench: &mut Bench) {
    bench.keys("fis:marked<Enter>");
    assert!(matches!(bench.effects.pop(), Some(Effect::Filter(Some(_)))));
    show_marks(bench, Event::Refiltered);
}

/// The filter shows what is marked by now.
fn show_marks(bench: &mut Bench, event: Event) {
    let marked = bench
        .memory
        .annotations
        .iter()
        .filter(|(_, annotation)| annotation.marked);
    bench.memory.shown = Some(marked.map(|(number, _)| *number).collect());
    bench.event(event);
    let found = bench.memory.shown.as_ref().map_or(0, |shown| shown.len() as u64);
    bench.event(Event::Filtered(Scanned {
        found,
        scanned: 51,
        of: 51,
    }));
}

/// What stands in the prompt, and what is wrong with it.
fn prompt(bench: &Bench) -> Option<(&str, Option<&str>)> {
    match &bench.app.overlay {
        Some(Overlay::Prompt(prompt)) => {
            let error = prompt.error.as_ref().map(|error| error.message.as_str());
            Some((prompt.field.text(), error))
        }
        Some(_) | None => None,
    }
}

fn selected(bench: &Bench) -> Option<u64> {
    bench.app.log.selected.map(|id| id.0)
}

#[test]
fn a_mark_is_set_and_taken_away() {
    let mut bench = bench();
    bench.keys("jjm");
    let marked = Annotation {
        marked: true,
        comment: None,
    };
    let number = selected(&bench).unwrap();
    assert_eq!(bench.effects, [Effect::Annotate(EntryId(number), marked.clone())]);
    // Before it is kept, the key already means the other thing.
    let kept = std::mem::take(&mut bench.effects);
    bench.keys("m");
    assert_eq!(
        bench.effects,
        [Effect::Annotate(EntryId(number), Annotation::default())]
    );
    bench.effects.splice(0..0, kept);
    keep(&mut bench);
    assert!(bench.memory.annotations.is_empty());
}

#[test]
fn a_comment_is_written_changed_and_taken_away() {
    let mut bench = bench();
    let rows = |bench: &Bench| bench.app.log_rows(&bench.memory, &bench.layout()).len();
    bench.keys("j;");
    assert!(matches!(&bench.app.overlay, Some(Overlay::Prompt(prompt)) if prompt.field.is_empty()));
    let before = rows(&bench);
    bench.keys("slow here<Enter>");
    keep(&mut bench);
    let number = selected(&bench).unwrap();
    let comment = bench.memory.annotations[&number].comment.clone();
    assert_eq!(comment.as_deref(), Some("slow here"));
    assert_eq!(rows(&bench), before, "the page is full with the comment too");
    bench.keys("m");
    keep(&mut bench);
    assert!(bench.memory.annotations[&number].marked);
    assert!(bench.memory.annotations[&number].comment.is_some());
    bench.keys(";<Ctrl-U><Enter>");
    keep(&mut bench);
    assert_eq!(bench.memory.annotations[&number].comment, None);
}

#[test]
fn marks_are_found_again() {
    let mut bench = bench();
    bench.keys(":10<Enter>m:30<Enter>m:20<Enter>");
    keep(&mut bench);
    bench.keys("u");
    assert_eq!(selected(&bench), Some(29));
    bench.keys("U");
    assert_eq!(selected(&bench), Some(9));
    bench.keys("U");
    assert_eq!(selected(&bench), Some(9));
    assert!(bench.notice().starts_with("there is no mark further on"));
    bench.keys("'j<Enter>");
    assert_eq!(selected(&bench), Some(29));
    // One that a filter hides is passed over.
    bench.memory.shown = Some((0..25).collect());
    bench.event(Event::Refiltered);
    bench.keys("gu");
    assert_eq!(selected(&bench), Some(9));
    bench.keys("u");
    assert!(bench.notice().starts_with("there is no mark further on"));
}

#[test]
fn what_could_not_be_kept_is_said_and_not_shown() {
    let mut bench = bench();
    bench.keys("jm");
    refuse(&mut bench, "no space");
    assert_eq!(bench.notice(), "no space");
    bench.keys("m");
    assert!(matches!(&bench.effects[..], [Effect::Annotate(_, annotation)] if annotation.marked));
}

#[test]
fn a_comment_that_could_not_be_kept_is_back_in_its_prompt() {
    let mut bench = bench();
    bench.keys("j;slow here<Enter>");
    // What is typed at once means the log again.
    assert_eq!(prompt(&bench), None);
    refuse(&mut bench, "no space");
    assert_eq!(prompt(&bench), Some(("slow here", Some("no space"))));
    // Enter tries again, as it is and changed.
    bench.keys("<Enter>");
    refuse(&mut bench, "still no space");
    assert_eq!(prompt(&bench), Some(("slow here", Some("still no space"))));
    bench.keys("!");
    assert_eq!(prompt(&bench), Some(("slow here!", None)));
    bench.keys("<Enter>");
    keep(&mut bench);
    assert_eq!(prompt(&bench), None);
    // What is kept already asks for nothing.
    bench.keys(";<Enter>");
    assert_eq!((prompt(&bench), bench.effects.len()), (None, 0));
}

#[test]
fn a_comment_that_was_left_unkept_comes_back() {
    let mut bench = bench();
    bench.keys("j;slow<Enter>");
    refuse(&mut bench, "no space");
    bench.keys("<Esc>");
    assert_eq!(prompt(&bench), None);
    bench.keys(";");
    assert_eq!(prompt(&bench), Some(("slow", None)));
    bench.keys("<Enter>/");
    // Another prompt does not give way.
    refuse(&mut bench, "no space");
    assert_eq!((prompt(&bench), bench.notice()), (Some(("", None)), "no space"));
    bench.keys("<Esc>;");
    assert_eq!(prompt(&bench), Some(("slow", None)));
    // Neither does the answer to a mark that was set before take it away.
    bench.keys("<Esc>m;<Ctrl-U>slow<Enter>");
    let comment = bench.effects.pop();
    keep(&mut bench);
    bench.effects.extend(comment);
    refuse(&mut bench, "no space");
    assert_eq!(prompt(&bench), Some(("slow", Some("no space"))));
    // From the palette it has no prompt yet.
    bench.keys("<Esc>:comment other<Enter>");
    refuse(&mut bench, "no space");
    assert_eq!(prompt(&bench), Some(("other", Some("no space"))));
}

#[test]
fn the_next_mark_that_is_shown_is_found_behind_any_number_that_are_not() {
    let mut bench = bench();
    for number in 0..20_000 {
        bench.memory.data(Direction::Received, b"x");
        let marked = true;
        bench.memory.annotations.insert(
            number,
            Annotation {
                marked,
                comment: None,
            },
        );
    }
    bench.memory.annotations.insert(
        20_040,
        Annotation {
            marked: true,
            comment: None,
        },
    );
    bench.keys("fsize>1<Enter>");
    bench.memory.shown = Some(vec![0, 20_040, 20_041]);
    bench.event(Event::Refiltered);
    bench.event(Event::Filtered(Scanned {
        found: 3,
        scanned: 20_051,
        of: 20_051,
    }));
    bench.keys("gu");
    assert_eq!(selected(&bench), Some(20_040));
    bench.keys("u");
    assert_eq!(
        bench.notice(),
        "the filter shows no mark further on: ' lists all of them"
    );
    bench.keys("U");
    assert_eq!(selected(&bench), Some(0));
}

#[test]
fn what_is_no_mark_any_more_leaves_the_filter_and_the_rest_stays() {
    let mut bench = bench();
    bench.keys(":10<Enter>m:20<Enter>m:30<Enter>m");
    keep(&mut bench);
    filter_marks(&mut bench);
    let shown = |bench: &Bench| bench.app.log_rows(&bench.memory, &bench.layout()).len();
    let all = shown(&bench);
    assert!(all > 0);
    bench.keys("gj");
    assert_eq!(selected(&bench), Some(19));
    bench.keys("m");
    keep(&mut bench);
    show_marks(&mut bench, Event::Tick);
    assert_eq!(bench.notice(), "the filter no longer shows entry 20");
    assert_eq!(
        (bench.memory.shown.clone(), shown(&bench)),
        (Some(vec![9, 29]), all * 2 / 3)
    );
    // What was selected is gone: keys mean what is at the top.
    assert_eq!(selected(&bench), None);
    bench.keys("m");
    keep(&mut bench);
    show_marks(&mut bench, Event::Tick);
    bench.keys("m");
    keep(&mut bench);
    show_marks(&mut bench, Event::Tick);
    assert_eq!((bench.memory.shown.clone(), shown(&bench)), (Some(vec![]), 0));
    bench.keys("m");
    assert_eq!(bench.notice(), "there is no entry yet");
}
