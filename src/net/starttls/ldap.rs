//! LDAP (RFC 4511 §4.14): the extended request `StartTLS`, and its response, in BER (X.690).

use super::{Dialogue, Step};

/// The number of our message: one that no other request has, whatever was asked before.
const MESSAGE_ID: [u8; 2] = [0x4e, 0x45];

/// `LDAPMessage { messageID, extendedReq { requestName 1.3.6.1.4.1.1466.20037 } }`.
const HEAD: [u8; 10] = [
    0x30,
    0x1e,
    0x02,
    0x02,
    MESSAGE_ID[0],
    MESSAGE_ID[1],
    0x77,
    0x18,
    0x80,
    0x16,
];
const NAME: &[u8; 22] = b"1.3.6.1.4.1.1466.20037";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const ENUMERATED: u8 = 0x0a;
const EXTENDED_RESPONSE: u8 = 0x78;

/// The longest message that is listened to.
const LONGEST: usize = 64 << 10;

/// The dialogue.
#[derive(Debug, Default)]
pub(super) struct Ldap {
    heard: Vec<u8>,
}

impl Ldap {
    fn answer(message: &[u8]) -> Step {
        let broken = || Step::Refused("answers with a message that is no LDAP".into());
        let Some((INTEGER, id, rest)) = element(message) else {
            return broken();
        };
        let Some((kind, response, _)) = element(rest) else {
            return broken();
        };
        // RFC 4511 §4.4.1: the notice of disconnection has the number 0.
        if kind != EXTENDED_RESPONSE || (id != MESSAGE_ID && id != [0]) {
            return Step::Wait;
        }
        let Some((ENUMERATED, code, rest)) = element(response) else {
            return broken();
        };
        let diagnostic = element(rest).and_then(|(_, _, rest)| element(rest));
        let said = diagnostic.map_or(String::new(), |(_, text, _)| {
            String::from_utf8_lossy(text).into_owned()
        });
        match (id == MESSAGE_ID, code) {
            (true, [0]) => Step::go(),
            (true, code) => Step::Refused(format!("refuses StartTLS: {}{}", result(code), quoted(&said))),
            (false, code) => Step::Refused(format!("ends the connection: {}{}", result(code), quoted(&said))),
        }
    }
}

impl Dialogue for Ldap {
    fn begin(&mut self) -> Step {
        Step::Send([&HEAD[..], NAME].concat())
    }

    fn hear(&mut self, byte: u8) -> Step {
        self.heard.push(byte);
        if self.heard.first() != Some(&SEQUENCE) {
            let first = self.heard.first().copied().unwrap_or_default();
            return Step::Refused(format!("does not speak LDAP: its answer begins with {first:02x}"));
        }
        if self.heard.len() > LONGEST {
            return Step::Refused(format!("answers with a message of more than {LONGEST} bytes"));
        }
        let Some((_, message, _)) = element(&self.heard) else {
            return Step::Wait;
        };
        let step = Ldap::answer(message);
        self.heard.clear();
        step
    }
}

/// The first element of `bytes` as its tag and its content, and what stands behind it; `None` if it is not whole.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let len = digits
                .iter()
                .fold(0_usize, |len, digit| len << 8 | usize::from(*digit));
            (len, rest)
        }
        // Nothing that LDAP has (RFC 4511 §5.1); it becomes too long some time.
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(len)?;
    Some((*tag, content, behind))
}

/// A result code in words, for those that may come here (RFC 4511 §4.1.9, §4.14.2).
fn result(code: &[u8]) -> String {
    let name = match code {
        [1] => "operationsError",
        [2] => "protocolError",
        [8] => "strongerAuthRequired",
        [10] => "referral",
        [12] => "unavailableCriticalExtension",
        [50] => "insufficientAccessRights",
        [51] => "busy",
        [52] => "unavailable",
        [53] => "unwillingToPerform",
        [80] => "other",
        _ => return format!("result code {}", hex::encode(code)),
    };
    let number = code.first().copied().unwrap_or_default();
    format!("{name} ({number})")
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(", {text:?}")
    }
}
