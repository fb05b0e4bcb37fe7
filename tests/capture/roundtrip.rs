//! P19: writing and then opening is the identity, of any session: bytes, directions, times, kinds.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sockscope::capture::Session;
use sockscope::model::{ConnectionId, FileState, Records as _};

use super::{sample, wire};

/// Records `sessions` random sessions of at most `most` calls of the recorder, and opens each in every way there is.
pub(crate) fn write_then_open(sessions: u32, most: usize) {
    let config = Config {
        cases: sessions,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&sample::steps(most), |steps| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.pcapng");
            let recorder = sample::create(&path);
            let lines = sample::record(&recorder, &steps);
            let total: usize = lines.iter().map(|line| line.bytes.len()).sum();
            prop_assert_eq!(recorder.payload_bytes(), total as u64);
            prop_assert_eq!(recorder.size(), path.metadata().unwrap().len());
            let reader = recorder.reader();
            sample::assert_is(&reader, &lines);

            let opened = Session::open(&path).unwrap();
            prop_assert_eq!(opened.cut(), 0);
            sample::assert_is(&opened, &lines);
            prop_assert_eq!(opened.connections(), reader.connections());
            for number in 0..opened.connections() {
                let id = ConnectionId(number as u32);
                prop_assert_eq!(opened.role(id), sample::role(number));
                prop_assert_eq!(reader.role(id), sample::role(number));
            }
            for number in 0..=opened.connections() as u32 {
                let id = ConnectionId(number);
                prop_assert_eq!(opened.started(id), reader.started(id));
            }

            let opening = sockscope::capture::open_in_background(&path).unwrap();
            let report = wire::wait(&opening, |report| {
                report.state != FileState::Indexing && report.indexed == recorder.size()
            });
            prop_assert_eq!(report.entries, lines.len() as u64);
            sample::assert_is(&opening.session, &lines);
            Ok(())
        })
        .unwrap();
}

#[test]
fn write_then_open_is_the_identity() {
    write_then_open(1000, 40);
}
