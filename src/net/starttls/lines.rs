//! What arrives as lines of text, and replies of several lines with a number in front, as FTP and SMTP have them
//! (RFC 959 §4.2, RFC 5321 §4.2).

/// The longest line that is listened to; those of the protocols are a tenth of it at most.
const LONGEST: usize = 8 << 10;

/// The most lines of one reply.
const MOST: usize = 200;

/// The line that is arriving.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes in a byte; a line without its end, once it is whole, or why none will come.
    pub(super) fn take(&mut self, byte: u8) -> Result<Option<String>, String> {
        if byte == b'\n' {
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            return Ok(Some(String::from_utf8_lossy(line).into_owned()));
        }
        self.line.push(byte);
        if self.line.len() > LONGEST {
            return Err(format!("says a line of more than {LONGEST} bytes"));
        }
        Ok(None)
    }
}

/// A reply: its number, and its lines as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The number that all its lines begin with.
    pub(super) code: u16,
    /// The lines.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// The last line, which says what to think of it.
    pub(super) fn last(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// The first words of the lines, behind the number.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let texts = self.lines.iter().filter_map(|line| line.get(4..));
        texts.filter_map(|text| text.split_whitespace().next())
    }
}

/// The reply that is arriving.
#[derive(Debug, Default)]
pub(super) struct Replies {
    lines: Lines,
    so_far: Vec<String>,
}

impl Replies {
    /// Takes in a byte; a reply, once it is whole, or why what arrives is none.
    pub(super) fn take(&mut self, byte: u8) -> Result<Option<Reply>, String> {
        let Some(line) = self.lines.take(byte)? else {
            return Ok(None);
        };
        let number = line
            .get(..3)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let first = self.so_far.first().and_then(|first| first.get(..3));
        // FTP's lines between the first and the last one may be anything.
        let goes_on = match line.as_bytes().get(3) {
            _ if first.is_some() && number != first => true,
            Some(b'-') => true,
            Some(b' ') | None => false,
            Some(_) => first.is_some(),
        };
        if first.is_none() && (number.is_none() || line.as_bytes().get(3).is_some_and(|b| !b" -".contains(b)))
        {
            return Err(format!("says {line:?}, which is no reply with a number"));
        }
        self.so_far.push(line);
        if self.so_far.len() > MOST {
            return Err(format!("says a reply of more than {MOST} lines"));
        }
        if goes_on {
            return Ok(None);
        }
        let lines = std::mem::take(&mut self.so_far);
        let code = lines.first().and_then(|line| line.get(..3)?.parse().ok());
        Ok(code.map(|code| Reply { code, lines }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(text: &str) -> Vec<Result<Reply, String>> {
        let mut replies = Replies::default();
        let heard = text.bytes().map(|byte| replies.take(byte));
        heard.filter_map(Result::transpose).collect()
    }

    #[test]
    fn replies_have_one_line_or_many() {
        let check = |text: &str, code: u16, lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(replies(text), [Ok(Reply { code, lines })], "{text:?}");
        };
        check("220 ready\r\n", 220, &["220 ready"]);
        check("220\r\n", 220, &["220"]);
        check("250-a\r\n250-b\r\n250 c\r\n", 250, &["250-a", "250-b", "250 c"]);
        check(
            "220-Welcome\n  to this\n230 is not the end\n220 now\n",
            220,
            &["220-Welcome", "  to this", "230 is not the end", "220 now"],
        );
    }

    #[test]
    fn anything_else_is_no_reply() {
        let check = |text: &str| {
            assert!(matches!(replies(text).as_slice(), [Err(_), ..]), "{text:?}");
        };
        check("HTTP/1.1 400 Bad Request\r\n");
        check("* OK ready\r\n");
        check("\r\n");
        check("22\r\n");
        check("2200 x\r\n");
        check("äö\r\n");
        check(&"x".repeat(LONGEST + 2));
        check(&format!("250-{}\r\n", "\r\n250-").repeat(MOST + 1));
    }
}
