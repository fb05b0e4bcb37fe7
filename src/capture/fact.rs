//! Events of a connection as JSON: what stands in annotation blocks, and in our option of the packets that are
//! entries without bytes. Kinds, sides and ways to end have the names of the headless format `jsonl`; times and
//! results are kept as they are, where that format spells them out for its readers.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{
    Attempt, AttemptOutcome, Direction, End, EndHow, EntryKind, Family, Lookup, Side, TlsReport,
};

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Fact {
    Lookup {
        name: String,
        family: FamilyName,
        took: Duration,
        result: Result<Vec<SocketAddr>, String>,
    },
    Attempt {
        remote: SocketAddr,
        took: Duration,
        outcome: Outcome,
    },
    Tls(Box<TlsReport>),
    Open {
        local: SocketAddr,
        remote: SocketAddr,
    },
    HalfClose {
        by: SideName,
    },
    Close {
        by: SideName,
        how: HowName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
    Error {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
    Gap {
        dir: DirName,
        bytes: u64,
    },
    Note {
        text: String,
    },
}

/// Maps a value of the model to its name in the file, both ways, in one table each.
macro_rules! names {
    ($name:ident = $model:ident { $($variant:ident),+ }) => {
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum $name { $($variant),+ }

        impl From<$model> for $name {
            fn from(value: $model) -> $name {
                match value { $($model::$variant => $name::$variant),+ }
            }
        }

        impl From<$name> for $model {
            fn from(value: $name) -> $model {
                match value { $($name::$variant => $model::$variant),+ }
            }
        }
    };
}

names!(SideName = Side { Local, Peer });
names!(
    HowName = EndHow {
        Fin,
        Rst,
        Timeout,
        Truncated,
        Alert,
        Close,
        Tap,
        Os
    }
);
names!(DirName = Direction { Sent, Received });
names!(FamilyName = Family { V4, V6 });

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Started,
    Connected,
    Failed { errno: i32, text: String },
    TimedOut,
    Abandoned,
}

/// The JSON text of an event; `None` for data, which is bytes and not a fact.
pub(super) fn to_json(kind: &EntryKind) -> Option<Vec<u8>> {
    // Strings, numbers and addresses always have a JSON form.
    serde_json::to_vec(&fact(kind.clone())?).ok()
}

/// The event that a JSON text tells of.
pub(super) fn from_json(json: &[u8]) -> Result<EntryKind, &'static str> {
    serde_json::from_slice(json)
        .map(kind)
        .map_err(|_| "the annotation cannot be understood")
}

fn fact(kind: EntryKind) -> Option<Fact> {
    Some(match kind {
        EntryKind::Data { .. } => return None,
        EntryKind::Lookup(Lookup {
            name,
            family,
            took,
            result,
        }) => Fact::Lookup {
            name,
            family: family.into(),
            took,
            result,
        },
        EntryKind::Attempt(Attempt {
            remote,
            took,
            outcome,
        }) => Fact::Attempt {
            remote,
            took,
            outcome: match outcome {
                AttemptOutcome::Started => Outcome::Started,
                AttemptOutcome::Connected => Outcome::Connected,
                AttemptOutcome::Failed { errno, text } => Outcome::Failed { errno, text },
                AttemptOutcome::TimedOut => Outcome::TimedOut,
                AttemptOutcome::Abandoned => Outcome::Abandoned,
            },
        },
        EntryKind::Tls(report) => Fact::Tls(report),
        EntryKind::Open { local, remote } => Fact::Open { local, remote },
        EntryKind::HalfClose { by } => Fact::HalfClose { by: by.into() },
        EntryKind::Close(End { by, how, errno }) => Fact::Close {
            by: by.into(),
            how: how.into(),
            errno,
        },
        EntryKind::Error { text, errno } => Fact::Error { text, errno },
        EntryKind::Gap { direction, bytes } => Fact::Gap {
            dir: direction.into(),
            bytes,
        },
        EntryKind::Note { text } => Fact::Note { text },
    })
}

fn kind(fact: Fact) -> EntryKind {
    match fact {
        Fact::Lookup {
            name,
            family,
            took,
            result,
        } => EntryKind::Lookup(Lookup {
            name,
            family: family.into(),
            took,
            result,
        }),
        Fact::Attempt {
            remote,
            took,
            outcome,
        } => EntryKind::Attempt(Attempt {
            remote,
            took,
            outcome: match outcome {
                Outcome::Started => AttemptOutcome::Started,
                Outcome::Connected => AttemptOutcome::Connected,
                Outcome::Failed { errno, text } => AttemptOutcome::Failed { errno, text },
                Outcome::TimedOut => AttemptOutcome::TimedOut,
                Outcome::Abandoned => AttemptOutcome::Abandoned,
            },
        }),
        Fact::Tls(report) => EntryKind::Tls(report),
        Fact::Open { local, remote } => EntryKind::Open { local, remote },
        Fact::HalfClose { by } => EntryKind::HalfClose { by: by.into() },
        Fact::Close { by, how, errno } => EntryKind::Close(End {
            by: by.into(),
            how: how.into(),
            errno,
        }),
        Fact::Error { text, errno } => EntryKind::Error { text, errno },
        Fact::Gap { dir, bytes } => EntryKind::Gap {
            direction: dir.into(),
            bytes,
        },
        Fact::Note { text } => EntryKind::Note { text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &EntryKind, expected: &str) {
        let json = to_json(kind).unwrap();
        assert_eq!(String::from_utf8(json.clone()).unwrap(), expected);
        assert_eq!(&from_json(&json).unwrap(), kind);
    }

    #[test]
    fn facts_are_written_and_read() {
        check(
            &EntryKind::Open {
                local: "[fe80::1%3]:1".parse().unwrap(),
                remote: "[fe80::2%3]:2".parse().unwrap(),
            },
            r#"{"kind":"open","local":"[fe80::1%3]:1","remote":"[fe80::2%3]:2"}"#,
        );
        check(
            &EntryKind::HalfClose { by: Side::Peer },
            r#"{"kind":"half-close","by":"peer"}"#,
        );
        check(
            &EntryKind::Close(End {
                by: Side::Local,
                how: EndHow::Rst,
                errno: Some(104),
            }),
            r#"{"kind":"close","by":"local","how":"rst","errno":104}"#,
        );
        check(
            &EntryKind::Gap {
                direction: Direction::Sent,
                bytes: 7,
            },
            r#"{"kind":"gap","dir":"sent","bytes":7}"#,
        );
        check(
            &EntryKind::Note {
                text: "a\u{1b}\"b".into(),
            },
            r#"{"kind":"note","text":"a\u001b\"b"}"#,
        );
    }

    #[test]
    fn dialing_is_written_and_read() {
        check(
            &EntryKind::Lookup(Lookup {
                name: "localhost".into(),
                family: Family::V6,
                took: Duration::new(1, 5),
                result: Ok(vec!["[::1]:80".parse().unwrap()]),
            }),
            r#"{"kind":"lookup","name":"localhost","family":"v6","took":{"secs":1,"nanos":5},"result":{"Ok":["[::1]:80"]}}"#,
        );
        check(
            &EntryKind::Attempt(Attempt {
                remote: "127.0.0.1:80".parse().unwrap(),
                took: Duration::ZERO,
                outcome: AttemptOutcome::Failed {
                    errno: 111,
                    text: "Connection refused".into(),
                },
            }),
            r#"{"kind":"attempt","remote":"127.0.0.1:80","took":{"secs":0,"nanos":0},"outcome":{"failed":{"errno":111,"text":"Connection refused"}}}"#,
        );
        check(
            &EntryKind::Attempt(Attempt {
                remote: "127.0.0.1:80".parse().unwrap(),
                took: Duration::ZERO,
                outcome: AttemptOutcome::TimedOut,
            }),
            r#"{"kind":"attempt","remote":"127.0.0.1:80","took":{"secs":0,"nanos":0},"outcome":"timed-out"}"#,
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "{", "[]", "{\"kind\":\"data\"}", "{\"kind\":\"note\"}"] {
            assert!(from_json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
