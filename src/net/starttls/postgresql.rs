//! `PostgreSQL` (its manual, "SSL Session Encryption" in "Message Flow"): `SSLRequest`, and one byte in answer.

use super::{Dialogue, Step};

/// `SSLRequest`: its length, and 80877103 where a version would stand.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The longest error that is listened to.
const LONGEST: usize = 16 << 10;

/// The dialogue.
#[derive(Debug, Default)]
pub(super) struct Postgresql {
    /// An `ErrorResponse`, as far as it has come.
    error: Vec<u8>,
}

impl Dialogue for Postgresql {
    fn begin(&mut self) -> Step {
        Step::Send(REQUEST.to_vec())
    }

    fn hear(&mut self, byte: u8) -> Step {
        match (self.error.first(), byte) {
            (None, b'S') => Step::go(),
            (None, b'N') => Step::Refused(
                "does not speak TLS: it answers N to SSLRequest (ssl is off in postgresql.conf)".into(),
            ),
            (None, b'E') | (Some(_), _) => {
                self.error.push(byte);
                match message(&self.error) {
                    Some(text) => Step::Refused(format!("refuses SSLRequest: {text:?}")),
                    None if self.error.len() > LONGEST => {
                        Step::Refused(format!("answers with an error of more than {LONGEST} bytes"))
                    }
                    None => Step::Wait,
                }
            }
            (None, other) => Step::Refused(format!(
                "does not speak PostgreSQL: it answers {:?} to SSLRequest",
                char::from(other)
            )),
        }
    }
}

/// The text of an `ErrorResponse` (field `M`), once it is whole. Servers of before 1996 have a text alone.
fn message(error: &[u8]) -> Option<String> {
    let len = error.get(1..5)?;
    let len = u32::from_be_bytes(len.try_into().ok()?) as usize;
    let body = error.get(5..1_usize.checked_add(len)?)?;
    let mut fields = body.split(|byte| *byte == 0);
    let text = fields.find_map(|field| field.strip_prefix(b"M"));
    Some(String::from_utf8_lossy(text.unwrap_or(body)).into_owned())
}
