//! `MySQL` and `MariaDB` (`Protocol::SSLRequest`): the answer to the server's greeting is a packet that says that TLS
//! follows, and the server says nothing to it.

use super::{Dialogue, Step};

/// What a greeting begins with: version 10 of the protocol.
const VERSION: u8 = 10;
/// What an error begins with.
const ERROR: u8 = 0xff;

/// `CLIENT_SSL`: the server can.
const SSL: u16 = 0x0800;

/// `CLIENT_LONG_PASSWORD`, `CLIENT_PROTOCOL_41`, `CLIENT_SSL`, `CLIENT_TRANSACTIONS`, `CLIENT_SECURE_CONNECTION`,
/// `CLIENT_PLUGIN_AUTH`: what clients of today say.
const CAPABILITIES: u32 = 0x0008_aa01;
/// The largest packet: 16 MiB.
const LARGEST: u32 = 1 << 24;
/// `utf8mb4_general_ci`.
const CHARACTER_SET: u8 = 45;

/// The longest greeting that is listened to.
const LONGEST: usize = 4 << 10;

/// The dialogue.
#[derive(Debug, Default)]
pub(super) struct Mysql {
    heard: Vec<u8>,
}

impl Dialogue for Mysql {
    fn begin(&mut self) -> Step {
        Step::Wait
    }

    fn hear(&mut self, byte: u8) -> Step {
        self.heard.push(byte);
        let Some((head, payload)) = self.heard.split_first_chunk::<4>() else {
            return Step::Wait;
        };
        let len = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
        if len > LONGEST || head[3] > 1 {
            let start = String::from_utf8_lossy(head).into_owned();
            return Step::Refused(format!(
                "does not greet as MySQL servers do: it begins with {start:?}"
            ));
        }
        if payload.len() < len {
            return Step::Wait;
        }
        match payload.first() {
            Some(&VERSION) => answer(payload, head[3]),
            Some(&ERROR) => Step::Refused(format!("refuses the connection: {:?}", error(payload))),
            Some(_) | None => Step::Refused("does not greet as MySQL servers do".into()),
        }
    }
}

/// The answer to a greeting (`Protocol::HandshakeV10`) with this number.
fn answer(greeting: &[u8], number: u8) -> Step {
    let Some(end) = greeting.iter().position(|byte| *byte == 0) else {
        return Step::Refused("greets without an end of its version".into());
    };
    // Behind the version: the thread's number, 8 bytes of the challenge, a zero, and the lower capabilities.
    let at = end + 1 + 4 + 8 + 1;
    let capabilities = greeting.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
    let Some(capabilities) = capabilities.map(u16::from_le_bytes) else {
        return Step::Refused("greets without its capabilities".into());
    };
    if capabilities & SSL == 0 {
        return Step::Refused("does not offer TLS in its greeting (CLIENT_SSL)".into());
    }
    let mut request = vec![32, 0, 0, number + 1];
    request.extend(CAPABILITIES.to_le_bytes());
    request.extend(LARGEST.to_le_bytes());
    request.push(CHARACTER_SET);
    request.extend([0; 23]);
    Step::Go(request)
}

/// What an error says, behind its number and its state.
fn error(payload: &[u8]) -> String {
    let text = payload.get(3..).unwrap_or_default();
    let text = match text.first() {
        Some(b'#') => text.get(6..).unwrap_or_default(),
        Some(_) | None => text,
    };
    String::from_utf8_lossy(text).into_owned()
}
