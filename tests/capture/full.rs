//! P16, the recorder's side: when the file takes no more, it ends at a whole block, the error says why, and the
//! same call succeeds once there is room.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sockscope::capture::{CaptureError, Connection, Create, Existing, Recorder, Session};
use sockscope::model::{Direction, EntryKind, Records, Timestamp};

use super::sample;

const DIRECTORY: &str = "SOCKSCOPE_TEST_FULL";

/// Records 4,000 bytes at a time until it fails.
fn fill(connection: &Connection) -> CaptureError {
    loop {
        if let Err(error) = connection.data(Timestamp(1), Direction::Received, &[7; 4000]) {
            return error;
        }
    }
}

/// That the file is whole: it ends where the recorder says, and opens without a cut.
fn assert_whole(recorder: &Recorder) {
    let session = Session::open(recorder.path()).unwrap();
    assert_eq!((session.cut(), session.len()), (0, recorder.len()));
    assert_eq!(recorder.path().metadata().unwrap().len(), recorder.size());
    assert_eq!(sample::read_all(&session), sample::read_all(&recorder.reader()));
}

#[test]
fn a_bound_is_kept_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let create = Create {
        path: path.clone(),
        existing: Existing::Refuse,
        max_size: Some(20_000),
    };
    let recorder = Recorder::create(&create).unwrap();
    let connection = sample::opened(&recorder);
    let error = fill(&connection);
    let expected = format!(
        "the recording has reached its --max-size of 20000 bytes; start again with a larger one: {}",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    assert_whole(&recorder);
    connection
        .event(
            Timestamp(2),
            &EntryKind::Note {
                text: "this still fits".into(),
            },
        )
        .unwrap();
    assert!(recorder.size() <= 20_000);
    assert_whole(&recorder);
}

#[test]
fn a_bound_too_small_for_anything_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcapng");
    let create = Create {
        path: path.clone(),
        existing: Existing::Refuse,
        max_size: Some(10),
    };
    assert!(matches!(
        Recorder::create(&create),
        Err(CaptureError::MaxSize { .. })
    ));
    assert!(!path.exists());
}

/// Runs the test `name` of this file again under a shell script that ends with `exec "$@"`.
fn again(name: &str, directory: &Path, program: &[&str], script: &str) -> Output {
    let (first, rest) = program.split_first().unwrap();
    Command::new(first)
        .args(rest)
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .output()
        .unwrap()
}

fn assert_ran(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("all held"),
        "{text}\n{errors}"
    );
}

#[test]
fn a_file_size_limit_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    // In units of 512 bytes; the signal is ignored as the program itself does.
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$@\"";
    assert_ran(&again("full::limited_child", folder.path(), &["sh"], script));
}

/// Not a test by itself: runs under a file size limit.
#[test]
fn limited_child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let recorder = sample::create(&directory.join("a.pcapng"));
    let connection = sample::opened(&recorder);
    for _ in 0..3 {
        let error = fill(&connection);
        assert!(matches!(error, CaptureError::Limit(_)), "{error}");
        assert_whole(&recorder);
    }
    connection
        .data(Timestamp(2), Direction::Sent, b"this still fits")
        .unwrap();
    assert_whole(&recorder);
    println!("all held");
}

#[test]
fn a_full_disk_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        "mount -t tmpfs -o size=1m none \"$SOCKSCOPE_TEST_FULL\" || { echo no mount; exit 0; }; exec \"$@\"";
    if !Path::new("/usr/bin/unshare").exists() {
        println!("skipped: unshare is not installed");
        return;
    }
    let output = again(
        "full::full_child",
        folder.path(),
        &["unshare", "--mount", "sh"],
        script,
    );
    let refused = String::from_utf8_lossy(&output.stderr).contains("Operation not permitted");
    if refused || output.stdout.starts_with(b"no mount") {
        println!("skipped: a file system can be mounted only by root");
        return;
    }
    assert_ran(&output);
}

/// Not a test by itself: runs on a file system of 1 MiB.
#[test]
fn full_child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let ballast = directory.join("ballast");
    std::fs::write(&ballast, vec![0; 500_000]).unwrap();
    let recorder = sample::create(&directory.join("a.pcapng"));
    let connection = sample::opened(&recorder);
    let error = fill(&connection);
    assert!(matches!(error, CaptureError::Full { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("No space left on device: free some space, and recording goes on")
    );
    assert_whole(&recorder);
    let entries = recorder.len();
    assert!(
        connection
            .data(Timestamp(1), Direction::Received, &vec![7; 60_000])
            .is_err()
    );
    std::fs::remove_file(&ballast).unwrap();
    connection
        .data(Timestamp(1), Direction::Received, &vec![7; 60_000])
        .unwrap();
    assert_eq!(recorder.len(), entries + 1);
    assert_whole(&recorder);
    println!("all held");
}
