//! What was left out of a foreign capture or repaired in it, in sentences.

use super::import::Counts;
use crate::model::EntryKind;

impl Counts {
    /// Counts an event that tells of missing bytes.
    pub(super) fn count(&mut self, kind: &EntryKind) {
        match kind {
            EntryKind::Gap { bytes, .. } => {
                self.gaps.0 += 1;
                self.gaps.1 = self.gaps.1.saturating_add(*bytes);
            }
            EntryKind::Data { .. }
            | EntryKind::Lookup(_)
            | EntryKind::Attempt(_)
            | EntryKind::Tls(_)
            | EntryKind::Open { .. }
            | EntryKind::HalfClose { .. }
            | EntryKind::Close(_)
            | EntryKind::Error { .. }
            | EntryKind::Note { .. } => {}
        }
    }
}

/// One sentence each for what there is to say.
pub(super) fn of(counts: &Counts, fragments: u64, forgotten: u64) -> Vec<String> {
    let (gaps, bytes) = counts.gaps;
    let missing = number(bytes, "byte is", "bytes are");
    let gaps = number(gaps, "gap", "gaps");
    let sentences = [
        (bytes, format!("{missing} missing in {gaps}")),
        sentence(
            counts.cut,
            ["packet was", "packets were"],
            "cut by the capture's snap length; what is missing is shown as gaps",
        ),
        sentence(
            counts.repeated,
            ["segment came", "segments came"],
            "again; the first copy is shown",
        ),
        sentence(
            fragments,
            ["IP fragment could", "IP fragments could"],
            "not be put together",
        ),
        sentence(
            counts.other,
            ["packet is", "packets are"],
            "no TCP or UDP over IP and not shown",
        ),
        sentence(
            forgotten,
            ["connection was", "connections were"],
            "forgotten while open, because too many were; what they went on with is listed as another",
        ),
    ];
    let links = counts.links.iter().map(|(link, count)| {
        let rest = format!("of {link}, which is not read");
        sentence(*count, ["packet is", "packets are"], &rest)
    });
    sentences
        .into_iter()
        .chain(links)
        .filter_map(|(count, sentence)| (count > 0).then_some(sentence))
        .collect()
}

/// How often it happened, and the sentence that says so.
fn sentence(count: u64, [one, many]: [&str; 2], rest: &str) -> (u64, String) {
    (count, format!("{} {rest}", number(count, one, many)))
}

fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::foreign::link::Link;

    #[test]
    fn only_what_happened_is_told() {
        assert_eq!(of(&Counts::default(), 0, 0), Vec::<String>::new());
        let counts = Counts {
            other: 1,
            links: [(Link::new(147), 2)].into(),
            cut: 3,
            repeated: 1,
            gaps: (1, 4),
        };
        assert_eq!(
            of(&counts, 5, 1),
            [
                "4 bytes are missing in 1 gap",
                "3 packets were cut by the capture's snap length; what is missing is shown as gaps",
                "1 segment came again; the first copy is shown",
                "5 IP fragments could not be put together",
                "1 packet is no TCP or UDP over IP and not shown",
                "1 connection was forgotten while open, because too many were; what they went on with is listed \
                 as another",
                "2 packets are of link type 147, which is not read",
            ]
        );
    }
}
