//! Marks and comments: in a recording, and beside a file that is only read.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use sockscope::capture::{Annotator, Session, sidecar_path};
use sockscope::model::{Annotation, Direction, EntryId, Records as _, Timestamp};

use super::sample;

fn comment(text: &str) -> Annotation {
    Annotation {
        marked: true,
        comment: Some(text.to_owned()),
    }
}

/// A recording of a few entries, which is over.
fn record(path: &Path, at: u64) {
    let recorder = sample::create(path);
    let connection = sample::opened(&recorder);
    for _ in 0..10 {
        connection.data(Timestamp(at), Direction::Received, b"x").unwrap();
    }
}

/// What is known of an entry after the file was opened again.
fn reopened(path: &Path, number: u64) -> Result<Option<Annotation>, String> {
    let session = Session::open(path).unwrap();
    let mut annotator = Annotator::of_file(session.clone());
    annotator.load().map_err(|error| error.to_string())?;
    Ok(session.annotation(EntryId(number)))
}

#[test]
fn a_recording_holds_its_annotations_and_its_entries_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let recorder = sample::create(&path);
    let connection = sample::opened(&recorder);
    let say = |text: &str| {
        connection
            .data(Timestamp(5), Direction::Sent, text.as_bytes())
            .unwrap()
    };
    say("one");
    let mut annotator = Annotator::of_recording(recorder.clone());
    let first = EntryId(0);
    annotator.annotate(first, comment("a \u{1b}[2J \"b\"")).unwrap();
    say("two");
    annotator.annotate(EntryId(1), comment("gone")).unwrap();
    annotator.annotate(EntryId(1), Annotation::default()).unwrap();
    assert!(annotator.annotate(EntryId(99), comment("x")).is_err());
    let live = recorder.reader();
    assert_eq!(live.annotation(first), Some(comment("a \u{1b}[2J \"b\"")));
    let read = Session::open(&path).unwrap();
    assert_eq!(read.annotation(first), Some(comment("a \u{1b}[2J \"b\"")));
    assert_eq!((read.len(), read.annotations()), (live.len(), 1));
    assert_eq!(read.cut(), 0);
    let last = EntryId(read.len() - 1);
    assert_eq!(read.payload(last, 0..9).unwrap(), b"two");
}

#[test]
fn a_file_that_is_only_read_gets_a_sidecar_and_is_never_modified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    record(&path, 7);
    let before = fs::read(&path).unwrap();
    assert_eq!(reopened(&path, 3), Ok(None));
    let mut annotator = Annotator::of_file(Session::open(&path).unwrap());
    annotator.annotate(EntryId(3), comment("first")).unwrap();
    annotator.annotate(EntryId(3), comment("second")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    let sidecar = sidecar_path(&path);
    assert_eq!(
        fs::metadata(&sidecar).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(reopened(&path, 3), Ok(Some(comment("second"))));
    // A later run goes on with the same file.
    let mut annotator = Annotator::of_file(Session::open(&path).unwrap());
    annotator.load().unwrap();
    annotator.annotate(EntryId(3), Annotation::default()).unwrap();
    annotator.annotate(EntryId(4), comment("third")).unwrap();
    assert_eq!(reopened(&path, 3), Ok(None));
    assert_eq!(reopened(&path, 4), Ok(Some(comment("third"))));
}

#[test]
fn two_programs_annotate_one_capture_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    record(&path, 7);
    let mut one = Annotator::of_file(Session::open(&path).unwrap());
    let mut other = Annotator::of_file(Session::open(&path).unwrap());
    one.annotate(EntryId(1), comment("of one")).unwrap();
    other
        .annotate(EntryId(2), comment("a long comment of the other"))
        .unwrap();
    one.annotate(EntryId(3), comment("of one again")).unwrap();
    assert_eq!(reopened(&path, 1), Ok(Some(comment("of one"))));
    assert_eq!(
        reopened(&path, 2),
        Ok(Some(comment("a long comment of the other")))
    );
    assert_eq!(reopened(&path, 3), Ok(Some(comment("of one again"))));
}

#[test]
fn a_torn_line_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    record(&path, 7);
    let mut annotator = Annotator::of_file(Session::open(&path).unwrap());
    annotator.annotate(EntryId(1), comment("whole")).unwrap();
    let mut sidecar = OpenOptions::new().append(true).open(sidecar_path(&path)).unwrap();
    sidecar.write_all(b"{\"entry\":2,\"comm").unwrap();
    let mut annotator = Annotator::of_file(Session::open(&path).unwrap());
    annotator.annotate(EntryId(3), comment("after")).unwrap();
    assert_eq!(reopened(&path, 1), Ok(Some(comment("whole"))));
    assert_eq!(reopened(&path, 2), Ok(None));
    assert_eq!(reopened(&path, 3), Ok(Some(comment("after"))));
}

#[test]
fn what_lies_there_and_is_not_its_sidecar_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    record(&path, 7);
    let sidecar = sidecar_path(&path);
    let refuses = |why: &str| {
        let mut annotator = Annotator::of_file(Session::open(&path).unwrap());
        let error = annotator
            .annotate(EntryId(1), comment("x"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    };
    fs::write(&sidecar, "my notes\n").unwrap();
    refuses("it holds no annotations");
    assert!(
        reopened(&path, 1)
            .unwrap_err()
            .contains("it holds no annotations")
    );
    fs::write(&sidecar, "{\"sockscope_annotations\":1,\"first\":1}\n").unwrap();
    refuses("belong to another capture");
    fs::write(&sidecar, "{\"sockscope_annotations\":2,\"first\":1}\n").unwrap();
    refuses("another version");
    fs::write(&sidecar, "").unwrap();
    refuses("it holds no annotations");
    fs::remove_file(&sidecar).unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "").unwrap();
    symlink(&victim, &sidecar).unwrap();
    refuses("symbolic link");
    assert_eq!(fs::read(&victim).unwrap(), b"");
}

#[test]
fn a_sidecar_that_was_deleted_meanwhile_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    record(&path, 5);
    let mut annotator = Annotator::of_file(Session::open(&path).unwrap());
    annotator.annotate(EntryId(1), comment("one")).unwrap();
    fs::remove_file(sidecar_path(&path)).unwrap();
    annotator.annotate(EntryId(2), comment("two")).unwrap();
    assert_eq!(reopened(&path, 1), Ok(Some(comment("one"))));
    assert_eq!(reopened(&path, 2), Ok(Some(comment("two"))));
}
