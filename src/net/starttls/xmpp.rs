//! XMPP (RFC 6120 §5): a stream, its features, and `<starttls/>` if it is among them.
//!
//! Only tags are looked at, by their names without prefix; that is enough of XML to follow the few elements that may
//! come here.

use super::{Dialogue, Start, Step};

/// The most bytes that are listened to.
const LONGEST: usize = 64 << 10;

const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Features,
    Proceed,
}

/// The dialogue.
#[derive(Debug)]
pub(super) struct Xmpp {
    stage: Stage,
    open: Option<String>,
    /// What was heard in this stage.
    heard: Vec<u8>,
    /// Whether the features have it.
    offered: bool,
}

/// The start or the end of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag<'a> {
    /// Its name without its prefix.
    name: &'a str,
    /// Whether the element ends with it.
    ends: bool,
}

impl Xmpp {
    pub(super) fn new(start: &Start) -> Xmpp {
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{}' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            start.server
        );
        Xmpp {
            stage: if start.fresh {
                Stage::Features
            } else {
                Stage::Proceed
            },
            open: start.fresh.then_some(open),
            heard: Vec::new(),
            offered: false,
        }
    }

    fn answer(&mut self, tag: Tag<'_>, all: &str) -> Step {
        match (self.stage, tag.name, tag.ends) {
            (_, "error", true) => Step::Refused(format!("ends the stream: {all:?}")),
            (_, "stream", true) => Step::Refused("ends the stream".into()),
            (Stage::Features, "starttls", _) => {
                self.offered = true;
                Step::Wait
            }
            (Stage::Features, "features", true) if self.offered => {
                self.stage = Stage::Proceed;
                self.heard.clear();
                Step::say(STARTTLS)
            }
            (Stage::Features, "features", true) => {
                Step::Refused("does not offer STARTTLS among the features of its stream".into())
            }
            (Stage::Proceed, "proceed", true) => Step::go(),
            (Stage::Proceed, "failure", true) => Step::Refused(format!("refuses STARTTLS: {all:?}")),
            (Stage::Features | Stage::Proceed, _, _) => Step::Wait,
        }
    }
}

impl Dialogue for Xmpp {
    fn begin(&mut self) -> Step {
        match self.open.take() {
            Some(open) => Step::say(open),
            // The stream is open already.
            None => Step::say(STARTTLS),
        }
    }

    fn hear(&mut self, byte: u8) -> Step {
        self.heard.push(byte);
        let first = self.heard.iter().find(|byte| !byte.is_ascii_whitespace());
        if first.is_some_and(|first| *first != b'<') && self.stage == Stage::Features {
            let start = String::from_utf8_lossy(&self.heard).into_owned();
            return Step::Refused(format!("does not speak XMPP: it says {start:?}"));
        }
        if self.heard.len() > LONGEST {
            return Step::Refused(format!("says more than {LONGEST} bytes without an end"));
        }
        if byte != b'>' {
            return Step::Wait;
        }
        let all = String::from_utf8_lossy(&self.heard).into_owned();
        match last_tag(&all) {
            Some(tag) => self.answer(tag, &all),
            None => Step::Wait,
        }
    }
}

/// The tag that a text ends with.
fn last_tag(text: &str) -> Option<Tag<'_>> {
    let inner = text.get(text.rfind('<')? + 1..)?.strip_suffix('>')?;
    let closing = inner.strip_prefix('/');
    let name = closing.unwrap_or(inner).trim_end_matches('/');
    let name = name.split_whitespace().next()?;
    let name = name.rsplit(':').next()?;
    Some(Tag {
        name,
        ends: closing.is_some() || inner.ends_with('/'),
    })
}
