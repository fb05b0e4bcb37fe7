//! The dialogues: what is said to what, however it is cut up.

use super::*;

/// A dialogue written down: `C` is what we say, `S` what the server does, and the last word is how it ends.
struct Talk {
    preset: Preset,
    fresh: bool,
    lines: &'static [(char, &'static [u8])],
}

fn start(fresh: bool) -> Start {
    Start {
        server: "example.org".into(),
        local: Some("192.0.2.1".parse().unwrap()),
        fresh,
    }
}

/// Plays the server's part, byte by byte; how it ends.
fn play(talk: &Talk) -> Step {
    let mut dialogue = dialogue(talk.preset, &start(talk.fresh)).unwrap();
    let mut step = dialogue.begin();
    for (who, bytes) in talk.lines {
        match who {
            'C' => {
                let expected = Step::Send(bytes.to_vec());
                assert_eq!(step, expected, "{:?}", String::from_utf8_lossy(bytes));
                step = Step::Wait;
            }
            _ => {
                for (at, byte) in bytes.iter().enumerate() {
                    assert_eq!(step, Step::Wait, "{} at {at}", talk.preset);
                    step = dialogue.hear(*byte);
                }
            }
        }
    }
    step
}

fn goes(preset: Preset, fresh: bool, lines: &'static [(char, &'static [u8])]) {
    assert_eq!(play(&Talk { preset, fresh, lines }), Step::go(), "{preset}");
}

fn refuses(preset: Preset, lines: &'static [(char, &'static [u8])], why: &str) {
    let refused = Step::Refused(why.to_owned());
    let fresh = true;
    assert_eq!(play(&Talk { preset, fresh, lines }), refused, "{preset}");
}

#[test]
fn smtp() {
    const EHLO: (char, &[u8]) = ('C', b"EHLO [192.0.2.1]\r\n");
    const START: (char, &[u8]) = ('C', b"STARTTLS\r\n");
    const CAN: (char, &[u8]) = (
        'S',
        b"250-mail.example\r\n250-PIPELINING\r\n250-starttls\r\n250 8BITMIME\r\n",
    );
    const GREETS: (char, &[u8]) = ('S', b"220-mail.example\r\n220 ESMTP\r\n");
    goes(
        Preset::Smtp,
        true,
        &[GREETS, EHLO, CAN, START, ('S', b"220 Ready to start TLS\r\n")],
    );
    goes(Preset::Smtp, false, &[EHLO, CAN, START, ('S', b"220\n")]);
    refuses(
        Preset::Smtp,
        &[
            GREETS,
            EHLO,
            CAN,
            START,
            ('S', b"454 4.7.0 TLS not available\r\n"),
        ],
        "refuses STARTTLS: \"454 4.7.0 TLS not available\"",
    );
    refuses(
        Preset::Smtp,
        &[GREETS, EHLO, ('S', b"250-mail.example\r\n250 STARTTLSX\r\n")],
        "does not offer STARTTLS in its answer to EHLO",
    );
    refuses(
        Preset::Smtp,
        &[GREETS, EHLO, ('S', b"502 no\r\n")],
        "refuses EHLO: \"502 no\"",
    );
    refuses(
        Preset::Smtp,
        &[('S', b"554 go away\r\n")],
        "does not greet as SMTP servers do: \"554 go away\"",
    );
    refuses(
        Preset::Smtp,
        &[('S', b"HTTP/1.1 400 Bad Request\r\n")],
        "says \"HTTP/1.1 400 Bad Request\", which is no reply with a number",
    );
}

#[test]
fn imap() {
    const ASK: (char, &[u8]) = ('C', b"tls1 CAPABILITY\r\n");
    const START: (char, &[u8]) = ('C', b"tls2 STARTTLS\r\n");
    const CAN: (char, &[u8]) = ('S', b"* CAPABILITY IMAP4rev1 STARTTLS ID\r\ntls1 OK done\r\n");
    const GREETS: (char, &[u8]) = ('S', b"* OK [CAPABILITY IMAP4rev1] ready\r\n");
    goes(
        Preset::Imap,
        true,
        &[GREETS, ASK, CAN, START, ('S', b"tls2 OK begin\r\n")],
    );
    goes(
        Preset::Imap,
        false,
        &[
            ASK,
            (
                'S',
                b"a7 OK NOOP\r\n* 3 EXISTS\r\n* capability STARTTLS\r\ntls1 ok\r\n",
            ),
            START,
            ('S', b"* OK soon\r\ntls2 OK\r\n"),
        ],
    );
    refuses(
        Preset::Imap,
        &[GREETS, ASK, CAN, START, ('S', b"tls2 BAD already\r\n")],
        "refuses STARTTLS: \"tls2 BAD already\"",
    );
    refuses(
        Preset::Imap,
        &[GREETS, ASK, ('S', b"* CAPABILITY IMAP4rev1\r\ntls1 OK\r\n")],
        "does not offer STARTTLS in its CAPABILITY",
    );
    refuses(
        Preset::Imap,
        &[GREETS, ASK, ('S', b"* BYE overloaded\r\n")],
        "ends the connection: \"* BYE overloaded\"",
    );
    refuses(
        Preset::Imap,
        &[('S', b"* PREAUTH ready\r\n")],
        "has authenticated the connection already, after which IMAP starts no TLS: \"* PREAUTH ready\"",
    );
    refuses(
        Preset::Imap,
        &[('S', b"+OK ready\r\n")],
        "does not greet as IMAP servers do: \"+OK ready\"",
    );
}

#[test]
fn pop3() {
    const START: (char, &[u8]) = ('C', b"STLS\r\n");
    goes(
        Preset::Pop3,
        true,
        &[('S', b"+OK ready\r\n"), START, ('S', b"+OK Begin TLS\r\n")],
    );
    goes(Preset::Pop3, false, &[START, ('S', b"+OK\r\n")]);
    refuses(
        Preset::Pop3,
        &[
            ('S', b"+OK ready\r\n"),
            START,
            ('S', b"-ERR Command not permitted\r\n"),
        ],
        "refuses STLS: \"-ERR Command not permitted\"",
    );
    refuses(
        Preset::Pop3,
        &[('S', b"* OK ready\r\n")],
        "does not greet as POP3 servers do: \"* OK ready\"",
    );
}

#[test]
fn ftp() {
    const START: (char, &[u8]) = ('C', b"AUTH TLS\r\n");
    goes(
        Preset::Ftp,
        true,
        &[
            ('S', b"120 soon\r\n220-Welcome\r\n to us\r\n220 ready\r\n"),
            START,
            ('S', b"234 Proceed\r\n"),
        ],
    );
    goes(Preset::Ftp, false, &[START, ('S', b"234 Proceed\r\n")]);
    refuses(
        Preset::Ftp,
        &[
            ('S', b"220 ready\r\n"),
            START,
            ('S', b"530 Please login with USER and PASS.\r\n"),
        ],
        "refuses AUTH TLS: \"530 Please login with USER and PASS.\"",
    );
    refuses(
        Preset::Ftp,
        &[('S', b"421 too many\r\n")],
        "does not greet as FTP servers do: \"421 too many\"",
    );
}

#[test]
fn xmpp() {
    const OPEN: (char, &[u8]) = (
        'C',
        b"<?xml version='1.0'?><stream:stream to='example.org' xmlns='jabber:client' \
          xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
    );
    const START: (char, &[u8]) = ('C', b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    const STREAM: (char, &[u8]) = (
        'S',
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1'>",
    );
    const CAN: (char, &[u8]) = (
        'S',
        b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
    );
    const PROCEED: (char, &[u8]) = ('S', b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    goes(Preset::Xmpp, true, &[OPEN, STREAM, CAN, START, PROCEED]);
    goes(
        Preset::Xmpp,
        false,
        &[START, ('S', b"<proceed xmlns='x'></proceed>")],
    );
    refuses(
        Preset::Xmpp,
        &[
            OPEN,
            STREAM,
            ('S', b"<stream:features><mechanisms/></stream:features>"),
        ],
        "does not offer STARTTLS among the features of its stream",
    );
    refuses(
        Preset::Xmpp,
        &[OPEN, STREAM, ('S', b"<features/>")],
        "does not offer STARTTLS among the features of its stream",
    );
    refuses(
        Preset::Xmpp,
        &[OPEN, STREAM, CAN, START, ('S', b"<failure xmlns='x'/>")],
        "refuses STARTTLS: \"<failure xmlns='x'/>\"",
    );
    refuses(
        Preset::Xmpp,
        &[OPEN, ('S', b"<s:error><host-unknown/></s:error>")],
        "ends the stream: \"<s:error><host-unknown/></s:error>\"",
    );
    refuses(
        Preset::Xmpp,
        &[OPEN, ('S', b"H")],
        "does not speak XMPP: it says \"H\"",
    );
}

#[test]
fn ldap() {
    const ASK: (char, &[u8]) = ('C', b"0\x1e\x02\x02NEw\x18\x80\x161.3.6.1.4.1.1466.20037");
    goes(
        Preset::Ldap,
        true,
        &[ASK, ('S', b"0\x0d\x02\x02NEx\x07\x0a\x01\0\x04\0\x04\0")],
    );
    goes(
        Preset::Ldap,
        false,
        // The answer to something that was asked before, and lengths in the long form.
        &[
            ASK,
            ('S', b"0\x0c\x02\x01\x01a\x07\x0a\x01\0\x04\0\x04\0"),
            ('S', b"0\x84\0\0\0\x0d\x02\x02NEx\x07\x0a\x01\0\x04\0\x04\0"),
        ],
    );
    refuses(
        Preset::Ldap,
        &[ASK, ('S', b"0\x10\x02\x02NEx\x0a\x0a\x01\x34\x04\0\x04\x03no!")],
        "refuses StartTLS: unavailable (52), \"no!\"",
    );
    refuses(
        Preset::Ldap,
        &[ASK, ('S', b"0\x0c\x02\x01\0x\x07\x0a\x01\x02\x04\0\x04\0")],
        "ends the connection: protocolError (2)",
    );
    refuses(
        Preset::Ldap,
        &[ASK, ('S', b"H")],
        "does not speak LDAP: its answer begins with 48",
    );
    refuses(
        Preset::Ldap,
        &[ASK, ('S', b"0\x02\x04\0")],
        "answers with a message that is no LDAP",
    );
}

#[test]
fn postgresql() {
    const ASK: (char, &[u8]) = ('C', &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
    goes(Preset::Postgresql, true, &[ASK, ('S', b"S")]);
    refuses(
        Preset::Postgresql,
        &[ASK, ('S', b"N")],
        "does not speak TLS: it answers N to SSLRequest (ssl is off in postgresql.conf)",
    );
    refuses(
        Preset::Postgresql,
        &[ASK, ('S', b"E\0\0\0\x1cSFATAL\0Mtoo many users\0\0")],
        "refuses SSLRequest: \"too many users\"",
    );
    refuses(
        Preset::Postgresql,
        &[ASK, ('S', b"H")],
        "does not speak PostgreSQL: it answers 'H' to SSLRequest",
    );
}

/// A greeting of the server with these lower capabilities.
fn mysql_greets(capabilities: u16) -> Vec<u8> {
    let mut payload = b"\x0a8.0.1\0\x07\0\0\0challeng\0".to_vec();
    payload.extend(capabilities.to_le_bytes());
    payload.extend(b"\x2d\x02\0\xff\xc7\x15");
    let mut packet = vec![payload.len() as u8, 0, 0, 0];
    packet.extend(payload);
    packet
}

fn mysql_hears(bytes: &[u8]) -> Step {
    let mut dialogue = dialogue(Preset::Mysql, &start(true)).unwrap();
    assert_eq!(dialogue.begin(), Step::Wait);
    let (last, before) = bytes.split_last().unwrap();
    for byte in before {
        assert_eq!(dialogue.hear(*byte), Step::Wait);
    }
    dialogue.hear(*last)
}

#[test]
fn mysql() {
    let Step::Go(request) = mysql_hears(&mysql_greets(0xffff)) else {
        panic!("it can");
    };
    assert_eq!(request.len(), 36);
    assert_eq!(request[..4], [32, 0, 0, 1], "the packet after the greeting");
    assert_eq!(
        u32::from_le_bytes(request[4..8].try_into().unwrap()) & 0x0800,
        0x0800
    );
    let check = |bytes: &[u8], why: &str| assert_eq!(mysql_hears(bytes), Step::Refused(why.into()));
    check(
        &mysql_greets(0xf7ff),
        "does not offer TLS in its greeting (CLIENT_SSL)",
    );
    check(
        b"\x17\0\0\0\xff\x10\x04#08004Too many users",
        "refuses the connection: \"Too many users\"",
    );
    check(
        b"220 ",
        "does not greet as MySQL servers do: it begins with \"220 \"",
    );
    check(b"\x01\0\0\0\x09", "does not greet as MySQL servers do");
    check(b"\x03\0\0\0\x0a8\0", "greets without its capabilities");
}

#[test]
fn some_start_tls_only_first() {
    for preset in Preset::ALL {
        let only_first = matches!(preset, Preset::Postgresql | Preset::Mysql);
        assert_eq!(dialogue(preset, &start(false)).is_err(), only_first, "{preset}");
    }
}

/// Whatever a server says, a dialogue ends or waits, and never grows without bound.
#[test]
fn noise_is_harmless() {
    for preset in Preset::ALL {
        for seed in 0..200_u32 {
            let Ok(mut dialogue) = dialogue(preset, &start(true)) else {
                continue;
            };
            let mut state = seed.wrapping_mul(2_654_435_761) | 1;
            let mut step = dialogue.begin();
            for _ in 0..2_000 {
                if let Step::Go(_) | Step::Refused(_) = step {
                    break;
                }
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let byte = (state >> 24) as u8;
                // Half of it is what the protocols are made of.
                let byte = if state & 0x100 == 0 {
                    byte
                } else {
                    b"0 <>\r\n2*+-"[usize::from(byte) % 10]
                };
                step = dialogue.hear(byte);
            }
        }
    }
}
