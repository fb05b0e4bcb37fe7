//! Socket options that are asked about or changed while the program runs: what is answered, with a connection and
//! without.

use socket2::SockRef;

use crate::model::{Answer, OptionRequest, SetWhen, Setting, SocketOption};

use super::shared::Shared;
use super::{sockopt, words};

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Adjusted {
    /// What is answered: one sentence.
    pub(super) text: String,
    /// Whether anything was changed on the socket.
    pub(super) changed: bool,
    /// Whether it could not be done.
    pub(super) refused: bool,
}

impl Shared {
    /// Answers a request where no connection is open: what is set counts from the next one on.
    pub(super) fn adjust_later(&self, request: OptionRequest) {
        let option = request.option();
        if let OptionRequest::Set(setting) = request {
            self.keep(setting);
        }
        let text = match self.sockets().of(option) {
            Some(setting) => format!("no connection is open; {setting} is set on the next one"),
            None => format!("no connection is open; the system's {option} counts for the next one"),
        };
        self.answer(text, false);
    }

    /// Tells whoever asked.
    pub(super) fn answer(&self, text: String, refused: bool) {
        self.publish(|news| {
            let number = news.answer.as_ref().map_or(0, |answer| answer.number) + 1;
            news.answer = Some(Answer {
                number,
                text,
                refused,
            });
        });
    }
}

/// Does what is asked to an open socket, and says what the kernel has then.
pub(super) fn adjust(shared: &Shared, request: &OptionRequest, socket: &SockRef<'_>) -> Adjusted {
    let option = request.option();
    let refused = |text: String| Adjusted {
        text,
        changed: false,
        refused: true,
    };
    let setting = match request {
        OptionRequest::Show(_) => None,
        OptionRequest::Set(setting) if option.info().when == SetWhen::Dialing => {
            shared.keep(setting.clone());
            return refused(format!(
                "{option} counts only while a connection is made: {setting} is set on the next one"
            ));
        }
        OptionRequest::Set(setting) => Some(setting),
    };
    let before = sockopt::get(option, socket).ok();
    if let Some(setting) = setting {
        if let Err(error) = sockopt::set(setting, socket) {
            return refused(words::option(setting, &error));
        }
        shared.keep(setting.clone());
    }
    match (sockopt::get(option, socket), setting) {
        (Ok(now), asked) => Adjusted {
            text: told(option, &now, asked, before.as_ref()),
            changed: asked.is_some(),
            refused: false,
        },
        (Err(_), Some(setting)) => Adjusted {
            text: format!("{setting} was set, and cannot be read back"),
            changed: true,
            refused: false,
        },
        (Err(error), None) => refused(format!("{option} cannot be read: {}", words::plain(&error))),
    }
}

/// What the kernel has now, and had before if that was something else.
fn told(option: SocketOption, now: &Setting, asked: Option<&Setting>, before: Option<&Setting>) -> String {
    let now_is = now.shown();
    let Some(asked) = asked else {
        return format!("{option} is {now_is}");
    };
    let mut text = format!("{option} is {now_is} now");
    if asked.shown() != now_is {
        text = format!("{text}, {} was asked for", asked.shown());
    }
    match before {
        Some(before) if before.shown() != now_is => format!("{text}; it was {}", before.shown()),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_the_kernel_has() {
        let setting = |text: &str| text.parse::<Setting>().unwrap();
        let check = |now: &str, asked: Option<&str>, before: &str, expected: &str| {
            let (now, asked) = (setting(now), asked.map(setting));
            let text = told(now.option, &now, asked.as_ref(), Some(&setting(before)));
            assert_eq!(text, expected);
        };
        check("ttl=64", None, "ttl=64", "ttl is 64");
        check("ttl=5", Some("ttl=5"), "ttl=64", "ttl is 5 now; it was 64");
        check("ttl=5", Some("ttl=5"), "ttl=5", "ttl is 5 now");
        check(
            "sndbuf=128K",
            Some("sndbuf=64K"),
            "sndbuf=2565K",
            "sndbuf is 128K now, 64K was asked for; it was 2565K",
        );
    }
}
