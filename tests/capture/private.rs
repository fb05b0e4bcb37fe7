//! P17: recordings are private, whatever the umask, and nobody can make us write elsewhere.

use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{Mode, umask};
use sockscope::capture::{CaptureError, Create, Existing, Recorder, Sessions};
use sockscope::model::Timestamp;

use super::sample;

const DIRECTORY: &str = "SOCKSCOPE_TEST_UMASK";
const NOON: Timestamp = Timestamp(1_795_435_200_123_456_789);

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn sessions(home: &Path) -> Result<Sessions, CaptureError> {
    let state = OsString::from(home);
    Sessions::open(move |name| (name == "XDG_STATE_HOME").then(|| state.clone()))
}

#[test]
fn modes_hold_under_any_umask() {
    for mask in ["000", "022", "077", "277", "777"] {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "private::masked_child",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(DIRECTORY, folder.path())
            .env("SOCKSCOPE_TEST_MASK", mask)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && text.contains("all held"),
            "umask {mask}: {text}\n{errors}"
        );
    }
}

/// Not a test by itself: the umask is the whole process's.
#[test]
fn masked_child() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let mask = std::env::var("SOCKSCOPE_TEST_MASK").unwrap();
    umask(Mode::from_bits_truncate(u32::from_str_radix(&mask, 8).unwrap()));
    let sessions = sessions(&directory).unwrap();
    let recorder = sessions.create(NOON, None, None).unwrap();
    assert_eq!(mode(sessions.path()), 0o700);
    assert_eq!(mode(sessions.path().parent().unwrap()), 0o700);
    assert_eq!(mode(recorder.path()), 0o600);
    let named = directory.join("named.pcapng");
    for existing in [Existing::Refuse, Existing::Replace] {
        drop(
            Recorder::create(&Create {
                path: named.clone(),
                existing,
                max_size: None,
            })
            .unwrap(),
        );
        assert_eq!(mode(&named), 0o600);
    }
    println!("all held");
}

/// Each attack prepares a state directory before the first start, and returns the words of the refusal.
#[test]
fn a_prepared_directory_is_refused() {
    type Attack = fn(&Path);
    let attacks: [(Attack, &str); 4] = [
        (
            |home| symlink(elsewhere(home), home.join("sockscope")).unwrap(),
            "sockscope: it is a symbolic link",
        ),
        (
            |home| {
                std::fs::create_dir(home.join("sockscope")).unwrap();
                symlink(elsewhere(home), home.join("sockscope/sessions")).unwrap();
            },
            "sessions: it is a symbolic link",
        ),
        (
            |home| symlink(home.join("nowhere"), home.join("sockscope")).unwrap(),
            "sockscope: it is a symbolic link",
        ),
        (
            |home| std::fs::write(home.join("sockscope"), "x").unwrap(),
            "sockscope: it is not a directory",
        ),
    ];
    for (attack, expected) in attacks {
        let folder = tempfile::tempdir().unwrap();
        attack(folder.path());
        let error = sessions(folder.path()).unwrap_err().to_string();
        assert!(
            error.starts_with("refusing to write ") && error.ends_with(expected),
            "{error}"
        );
        let target = folder.path().join("elsewhere");
        assert!(
            !target.exists() || target.read_dir().unwrap().next().is_none(),
            "something was written"
        );
    }
}

fn elsewhere(home: &Path) -> PathBuf {
    let path = home.join("elsewhere");
    std::fs::create_dir(&path).unwrap();
    path
}

/// Two more: the name of a recording is a link, to a file or to nothing, and overwriting was asked for.
#[test]
fn a_prepared_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    for target in [precious.clone(), folder.path().join("nowhere")] {
        let path = folder.path().join("named.pcapng");
        symlink(&target, &path).unwrap();
        for existing in [Existing::Refuse, Existing::Replace] {
            let create = Create {
                path: path.clone(),
                existing,
                max_size: None,
            };
            let error = Recorder::create(&create).unwrap_err();
            assert!(
                matches!(
                    error,
                    CaptureError::Unsafe {
                        why: "it is a symbolic link",
                        ..
                    }
                ),
                "{error}"
            );
        }
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    assert!(!folder.path().join("nowhere").exists());
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let other = Some(nix::unistd::Uid::from_raw(65_534));
    let directory = folder.path().join("sockscope");
    std::fs::create_dir(&directory).unwrap();
    nix::unistd::chown(&directory, other, None).unwrap();
    let error = sessions(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("it belongs to another user"), "{error}");
    let path = folder.path().join("named.pcapng");
    std::fs::write(&path, "theirs").unwrap();
    nix::unistd::chown(&path, other, None).unwrap();
    let create = Create {
        path: path.clone(),
        existing: Existing::Replace,
        max_size: None,
    };
    let error = Recorder::create(&create).unwrap_err().to_string();
    assert!(error.ends_with("it belongs to another user"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
}

#[test]
fn an_open_directory_of_ours_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sockscope/sessions");
    std::fs::create_dir_all(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(mode(sessions(folder.path()).unwrap().path()), 0o700);
}

#[test]
fn the_directory_is_where_the_environment_says() {
    let folder = tempfile::tempdir().unwrap();
    let home = OsString::from(folder.path());
    let open = |state: Option<&str>| {
        let (state, home) = (state.map(OsString::from), home.clone());
        Sessions::open(move |name| match name {
            "XDG_STATE_HOME" => state.clone(),
            "HOME" => Some(home.clone()),
            _ => None,
        })
    };
    let fallback = folder.path().join(".local/state/sockscope/sessions");
    assert_eq!(open(None).unwrap().path(), fallback);
    assert_eq!(open(Some("")).unwrap().path(), fallback);
    assert_eq!(open(Some("relative")).unwrap().path(), fallback);
    assert!(matches!(Sessions::open(|_| None), Err(CaptureError::NoDirectory)));
}

#[test]
fn names_tell_when_and_what_and_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions(folder.path()).unwrap();
    let create = |target: Option<&str>| {
        let endpoint = target.map(|target| target.parse().unwrap());
        let recorder = sessions.create(NOON, endpoint.as_ref(), None).unwrap();
        let name = recorder.path().file_name().unwrap().to_str().unwrap().to_owned();
        (recorder, name)
    };
    let (_first, name) = create(Some("localhost:6379"));
    assert_eq!(name, "2026-11-23T12-00-00.123456Z-localhost_6379.pcapng");
    let (_second, name) = create(Some("localhost:6379"));
    assert_eq!(name, "2026-11-23T12-00-00.123456Z-localhost_6379-2.pcapng");
    let (_third, name) = create(Some("[fe80::1%eth0]:https"));
    assert_eq!(name, "2026-11-23T12-00-00.123456Z-fe80__1_eth0_https.pcapng");
    let (_fourth, name) = create(None);
    assert_eq!(name, "2026-11-23T12-00-00.123456Z.pcapng");
}

#[test]
fn kept_recordings_are_listed_and_removed_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = sessions(folder.path()).unwrap();
    assert_eq!(sessions.kept().unwrap(), []);
    for hour in 0..3u64 {
        let recorder = sessions
            .create(Timestamp(hour * 3_600_000_000_000), None, None)
            .unwrap();
        sample::opened(&recorder);
    }
    let live = sessions.create(NOON, None, None).unwrap();
    std::fs::write(sessions.path().join("notes.txt"), "not a recording").unwrap();
    symlink("/etc/passwd", sessions.path().join("link.pcapng")).unwrap();
    let kept = sessions.kept().unwrap();
    assert_eq!(
        kept.iter().map(|one| one.live).collect::<Vec<_>>(),
        [false, false, false, true]
    );
    assert!(kept.is_sorted_by_key(|one| one.modified));

    let size = kept[0].size;
    assert_eq!(Sessions::excess(&kept, u64::MAX), Vec::<&_>::new());
    assert_eq!(Sessions::excess(&kept, 2 * size + live.size()), [&kept[0]]);
    assert_eq!(Sessions::excess(&kept, 0).len(), 3, "what is being written stays");

    sessions.remove(&kept[0]).unwrap();
    assert!(!kept[0].path.exists());
    assert!(matches!(sessions.remove(&kept[3]), Err(CaptureError::Busy(_))));
    let mut outside = kept[1].clone();
    outside.path = folder.path().join("elsewhere.pcapng");
    assert!(matches!(
        sessions.remove(&outside),
        Err(CaptureError::Unsafe { .. })
    ));
}
