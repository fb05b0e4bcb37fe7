//! Scans in their threads, over sessions that are being recorded.

use sockscope::capture::{
    Annotator, Connection, Filtered, Highlights, Recorder, Scan, ScanReport, ScanState, Sought,
    open_in_background,
};
use sockscope::model::{
    Annotation, Direction, EntryId, FileReport, FileState, Found as _, Query, Records, Reference, Timestamp,
};
use sockscope::text::Pattern;
use tempfile::TempDir;

use super::sample;

struct Recording {
    _folder: TempDir,
    recorder: Recorder,
    connection: Connection,
}

fn recording() -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let recorder = sample::create(&folder.path().join("a.pcapng"));
    let connection = sample::opened(&recorder);
    Recording {
        _folder: folder,
        recorder,
        connection,
    }
}

impl Recording {
    fn say(&self, text: &str) {
        self.connection
            .data(Timestamp(5), Direction::Received, text.as_bytes())
            .unwrap();
    }

    fn scan(&self, typed: &str) -> Scan {
        let pattern = Pattern::parse(typed).unwrap();
        Scan::start(self.recorder.reader(), Sought::Pattern(pattern))
    }
}

/// Marks an entry, or takes the mark away.
fn mark(recorder: &Recorder, number: u64, marked: bool) {
    let annotation = Annotation {
        marked,
        comment: None,
    };
    Annotator::of_recording(recorder.clone())
        .annotate(EntryId(number), annotation)
        .unwrap();
}

/// Waits until the scan says so.
fn reached(scan: &Scan, done: impl FnMut(&ScanReport) -> bool) -> ScanReport {
    let mut reports = scan.reports();
    block_on(async { reports.wait_for(done).await.unwrap().clone() })
}

/// Waits until the scan has seen everything that was recorded.
fn caught_up(scan: &Scan, len: u64) -> ScanReport {
    reached(scan, |report| {
        report.state == ScanState::Waiting && report.scanned == len
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

#[test]
fn what_the_user_adds_is_a_hit_at_once_and_only_as_long_as_it_is_there() {
    let recording = recording();
    for text in ["one", "two", "+PO", "NG", "three", "+PONG"] {
        recording.say(text);
    }
    let query = |typed: &str| Sought::Query(Query::parse(typed, &Reference::default()).unwrap());
    let marked = Scan::start(recording.recorder.reader(), query("is:marked"));
    let both = Scan::start(recording.recorder.reader(), query("is:marked pong"));
    let neither = Scan::start(
        recording.recorder.reader(),
        query("dir:rx not (is:marked or pong)"),
    );
    let scans = [&marked, &both, &neither];
    for scan in scans {
        caught_up(scan, 7);
    }
    let changed = |number, marked, expected: [u64; 3]| {
        let before = scans.map(|scan| scan.report().renewals);
        mark(&recording.recorder, number, marked);
        for ((scan, before), hits) in scans.into_iter().zip(before).zip(expected) {
            scan.poke();
            let report = reached(scan, |report| report.renewals > before);
            assert_eq!((report.hits, report.scanned), (hits, 7), "{number} {marked}");
        }
    };
    changed(1, true, [1, 0, 3]);
    // A text that starts there and ends in the next entry.
    changed(3, true, [2, 1, 3]);
    changed(6, true, [3, 2, 3]);
    changed(1, false, [2, 2, 4]);
    changed(3, false, [1, 1, 4]);
    // What is marked before the scan comes to it, or is searched again later, is found as well.
    recording.say("last +PON");
    mark(&recording.recorder, 7, true);
    both.poke();
    assert_eq!(caught_up(&both, 8).hits, 1);
    recording.say("G");
    both.poke();
    assert_eq!(caught_up(&both, 9).hits, 2);
    let before = both.report().renewals;
    mark(&recording.recorder, 7, false);
    both.poke();
    assert_eq!(reached(&both, |report| report.renewals > before).hits, 1);
    recording.say("more");
    both.poke();
    assert_eq!(caught_up(&both, 10).hits, 1);
}

#[test]
fn a_scan_follows_a_log_that_grows() {
    let recording = recording();
    let scan = recording.scan("pong");
    assert_eq!(caught_up(&scan, 1).hits, 0);
    let hits = scan.hits();
    for round in 0..20 {
        recording.say("+PO");
        recording.say("NG\r\n");
        recording.say("+OK\r\n");
        scan.poke();
        let report = caught_up(&scan, 4 + 3 * round);
        assert_eq!((report.hits, report.of), (round + 1, 4 + 3 * round));
        assert_eq!(hits.nth(round), Some(EntryId(1 + 3 * round)));
        assert_eq!(hits.rank(EntryId(1 + 3 * round)), round);
    }
    assert_eq!(hits.next_after(EntryId(1)), Some(EntryId(4)));
}

#[test]
fn what_a_filter_hides_still_belongs_to_a_hit() {
    let recording = recording();
    for text in ["..NEE", "D", "LE and more"] {
        recording.say(text);
    }
    let query = Query::parse("size>1", &Reference::default()).unwrap();
    let scan = Scan::start(recording.recorder.reader(), Sought::Query(query));
    caught_up(&scan, recording.recorder.len());
    let shown = Filtered::new(recording.recorder.reader(), &scan);
    assert_eq!(shown.len(), 2);
    let pattern = Pattern::parse("NEEDLE").unwrap();
    let marked = |place| {
        let number = shown.number_of(EntryId(place)).unwrap();
        Highlights::new(&shown, &pattern).of(number).unwrap()
    };
    assert_eq!(marked(0), std::slice::from_ref(&(2..5)));
    assert_eq!(marked(1), std::slice::from_ref(&(0..2)));
}

#[test]
fn a_stopped_scan_keeps_what_it_found() {
    let recording = recording();
    recording.say("a");
    let scan = recording.scan("a");
    caught_up(&scan, 2);
    scan.stop();
    reached(&scan, |report| report.state == ScanState::Stopped);
    recording.say("a");
    scan.poke();
    assert_eq!(scan.hits().count(), 1);
    assert_eq!(scan.report().state, ScanState::Stopped);
}

#[test]
fn dropping_a_scan_ends_its_thread() {
    let recording = recording();
    for waits in [false, true] {
        for _ in 0..500 {
            recording.say("abc");
        }
        let scan = recording.scan("b");
        if waits {
            caught_up(&scan, recording.recorder.len());
        }
        let mut reports = scan.reports();
        drop(scan);
        // The thread has the only sender.
        block_on(async { while reports.changed().await.is_ok() {} });
    }
}

#[test]
fn a_file_that_cannot_be_read_ends_the_scan() {
    let recording = recording();
    for _ in 0..3 {
        recording.say("abc");
    }
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(recording.recorder.path());
    file.unwrap().set_len(100).unwrap();
    let scan = recording.scan("b");
    reached(&scan, |report| matches!(report.state, ScanState::Failed(_)));
}

#[test]
fn a_filter_knows_times_and_connections() {
    let recording = recording();
    let after = |seconds: u64| Timestamp(1_700_000_000_000_000_000 + seconds * 1_000_000_000);
    recording
        .connection
        .data(after(1), Direction::Received, b"abc")
        .unwrap();
    recording
        .connection
        .data(after(6), Direction::Sent, b"abcd")
        .unwrap();
    let check = |typed: &str, expected: &[u64]| {
        let query = Query::parse(typed, &Reference::default()).unwrap();
        let scan = Scan::start(recording.recorder.reader(), Sought::Query(query));
        caught_up(&scan, 3);
        let hits = scan.hits();
        let found: Vec<u64> = (0..3).filter(|id| hits.contains(EntryId(*id))).collect();
        assert_eq!(found, expected, "{typed}");
    };
    check("since<=1s", &[0, 1]);
    check("since>=5s", &[2]);
    check("gap>4s gap<6s", &[2]);
    check("dir:tx", &[2]);
    check("size>=3", &[1, 2]);
    check("not size>3 and kind:data,open", &[0, 1]);
    check("conn:0 re:ABC|c$", &[1]);
    check("conn:1", &[]);
    check("time<2023-11-14T22:13:22Z", &[0, 1]);
}

/// A capture of raw IP packets by another program (`LINKTYPE_RAW`).
fn foreign(packets: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, 101] {
        file.extend(word.to_le_bytes());
    }
    for (time, (protocol, seq, payload)) in (1u32..).zip(packets) {
        let builder = etherparse::PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 2], 64);
        let mut packet = Vec::new();
        match *protocol {
            "udp" => builder.udp(1000, 53).write(&mut packet, payload).unwrap(),
            _ => builder
                .tcp(1000, 80, *seq, 65_000)
                .ack(1)
                .write(&mut packet, payload)
                .unwrap(),
        }
        for word in [time, 0, packet.len() as u32, packet.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }
    file
}

#[test]
fn captures_of_other_programs_are_searched_and_datagrams_stand_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.pcap");
    let file = foreign(&[
        ("udp", 0, b"a nee"),
        ("udp", 0, b"dle"),
        ("tcp", 100, b"nee"),
        ("udp", 0, b"a needle"),
        ("tcp", 103, b"dle and"),
    ]);
    std::fs::write(&path, file).unwrap();
    let opening = open_in_background(&path).unwrap();
    let mut reports = opening.reports.clone();
    let whole = |report: &FileReport| !matches!(report.state, FileState::Indexing);
    let entries = block_on(async { reports.wait_for(whole).await.unwrap().entries });
    let session = opening.session.clone();
    let texts: Vec<Vec<u8>> = (0..entries)
        .map(|id| session.payload(EntryId(id), 0..100).unwrap())
        .collect();
    let pattern = Pattern::parse("needle").unwrap();
    for sought in [
        Sought::Pattern(pattern.clone()),
        Sought::Query(Query::parse("needle", &Reference::default()).unwrap()),
    ] {
        let scan = Scan::start(session.clone(), sought);
        caught_up(&scan, entries);
        let hits = scan.hits();
        let found: Vec<&[u8]> = (0..entries)
            .filter(|id| hits.contains(EntryId(*id)))
            .map(|id| texts[id as usize].as_slice())
            .collect();
        assert_eq!(found, [&b"nee"[..], b"a needle"]);
    }
    let lit = |text: &[u8]| {
        let id = texts.iter().position(|found| found == text).unwrap();
        Highlights::new(&session, &pattern)
            .of(EntryId(id as u64))
            .unwrap()
    };
    assert_eq!(lit(b"a nee"), []);
    assert_eq!(lit(b"nee"), Vec::from_iter(Some(0..3)));
    assert_eq!(lit(b"dle and"), Vec::from_iter(Some(0..3)));
    assert_eq!(lit(b"a needle"), Vec::from_iter(Some(2..8)));
}

#[test]
fn whoever_goes_from_hit_to_hit_passes_over_what_a_filter_hides() {
    let recording = recording();
    for number in 0..1000 {
        recording.say(if number == 700 { "needle long" } else { "needle" });
    }
    let len = recording.recorder.len();
    let mut search = recording.scan("needle");
    let query = Query::parse("size>6", &Reference::default()).unwrap();
    let filter = Scan::start(recording.recorder.reader(), Sought::Query(query));
    caught_up(&search, len);
    caught_up(&filter, len);
    assert_eq!(search.next(EntryId(0)), Some(EntryId(1)));
    search.keep_to(Some(&filter));
    assert_eq!(
        (search.scanned(), search.entries(), search.count()),
        (len, len, 1000)
    );
    let only = Some(EntryId(701));
    assert_eq!((search.next(EntryId(0)), search.next(EntryId(702))), (only, None));
    assert_eq!(search.previous(EntryId(u64::MAX)), only);
    // What the filter has not seen may be shown or not; what it will never see is not.
    recording.say("needle");
    search.poke();
    caught_up(&search, len + 1);
    assert_eq!((search.scanned(), search.entries()), (len, len + 1));
    filter.stop();
    reached(&filter, |report| report.state == ScanState::Stopped);
    assert_eq!((search.scanned(), search.next(EntryId(702))), (len + 1, None));
    search.keep_to(None);
    assert_eq!(search.next(EntryId(702)), Some(EntryId(702)));
}

#[test]
fn an_entry_keeps_its_number_when_an_earlier_one_joins_or_leaves_what_is_shown() {
    let recording = recording();
    for text in ["say PO", "PONG", "fine", "PONG"] {
        recording.say(text);
    }
    let len = recording.recorder.len();
    let query = |typed: &str| Sought::Query(Query::parse(typed, &Reference::default()).unwrap());
    let check = |typed: &str, number: u64, before: Option<u64>, after: Option<u64>| {
        let scan = Scan::start(recording.recorder.reader(), query(typed));
        let shown = Filtered::new(recording.recorder.reader(), &scan);
        let place = || shown.place_exactly(EntryId(number)).map(|place| place.0);
        caught_up(&scan, recording.recorder.len());
        assert_eq!(place(), before, "{typed}");
        if let Some(place) = place() {
            assert_eq!(shown.number_of(EntryId(place)), Some(EntryId(number)));
            assert_eq!(shown.entry(EntryId(place)).unwrap().id, EntryId(number));
        }
        (scan, after)
    };
    // The last read ends in the middle of what both filters look for.
    recording.say("say PO");
    let joins = check("\"say PONG\"", 5, None, Some(0));
    let leaves = check("not \"say PONG\" and dir:rx", 5, Some(4), None);
    recording.say("NG");
    for (scan, after) in [joins, leaves] {
        scan.poke();
        caught_up(&scan, len + 2);
        let shown = Filtered::new(recording.recorder.reader(), &scan);
        assert_eq!(shown.place_exactly(EntryId(5)).map(|place| place.0), after);
    }
}
