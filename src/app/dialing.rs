//! What is done to connections: dialing, ending, and what the worker is asked about them.

use super::actions::Dial;
use super::{App, Context, Effect, Pane, Severity};
use crate::model::{Endpoint, Link, LinkState, NetCommand, PeerCommand};

/// Targets that are remembered.
const RECENTS: usize = 50;

impl App {
    pub(super) fn dial(&mut self, dial: Dial, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        let state = self.state();
        let fin_sent = self.only_receives();
        if self.listening.is_some() {
            return self.dial_peers(dial, argument, context, out);
        }
        let command = match dial {
            Dial::Connect => return self.connect_to(argument, context, out),
            Dial::Option => return self.socket_option(argument, context, out),
            Dial::Reconnect if self.link.is_none() => return self.open_connect(""),
            Dial::Reconnect => NetCommand::Reconnect,
            Dial::Cancel if state.is_dialing() || state == LinkState::Waiting => NetCommand::Cancel,
            Dial::Cancel => return self.notify(Severity::Warning, "nothing is being dialed", context),
            Dial::StartTls => return self.start_tls(argument, context, out),
            Dial::Timestamps if !state.is_live() && !state.is_dialing() => {
                let text = "no connection is open; --timestamps asks for them from the start";
                return self.notify(Severity::Warning, text, context);
            }
            Dial::Timestamps => match self.stamps_wanted(argument) {
                Some(on) => NetCommand::Timestamps(on),
                None => {
                    let text = format!("{argument:?} is neither on nor off");
                    return self.notify(Severity::Warning, text, context);
                }
            },
            Dial::HalfClose | Dial::Close | Dial::Reset if !state.is_live() => {
                return self.notify(Severity::Warning, "no connection is open", context);
            }
            Dial::HalfClose if fin_sent => {
                return self.notify(
                    Severity::Warning,
                    "FIN was sent already; the peer may still send",
                    context,
                );
            }
            Dial::HalfClose => NetCommand::HalfClose,
            Dial::Close => NetCommand::Close,
            Dial::Reset => NetCommand::Reset,
        };
        out.push(Effect::Net(command));
    }

    /// The same where connections are waited for: what is done to one is done to whoever is in front.
    fn dial_peers(&mut self, dial: Dial, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        let Some(listening) = &self.listening else { return };
        let is_tap = listening.target.is_some();
        let listens = listening.state == LinkState::Listening;
        let is_idle = matches!(listening.state, LinkState::Closed | LinkState::Failed);
        let none_open = !self
            .peers
            .live()
            .any(|link| self.chosen.is_none_or(|chosen| chosen == link.id));
        let command = match dial {
            Dial::Option => return self.socket_option(argument, context, out),
            Dial::Connect => {
                let text = "this run waits for connections; start sockscope once more to connect somewhere";
                return self.notify(Severity::Warning, text, context);
            }
            Dial::Reconnect => match self.settings.goal.clone().filter(|_| is_idle) {
                Some(goal) => goal.command(),
                None => return self.notify(Severity::Info, "it is listening already", context),
            },
            Dial::StartTls => {
                let text = "TLS can be started on connections that this program dialed";
                return self.notify(Severity::Warning, text, context);
            }
            Dial::Timestamps if is_tap => {
                let text = "a tap has two sockets, of which no time stamps are kept";
                return self.notify(Severity::Warning, text, context);
            }
            Dial::Timestamps => match self.stamps_wanted(argument) {
                Some(on) => NetCommand::Timestamps(on),
                None => {
                    let text = format!("{argument:?} is neither on nor off");
                    return self.notify(Severity::Warning, text, context);
                }
            },
            Dial::Cancel if listens => NetCommand::Cancel,
            Dial::Cancel => return self.notify(Severity::Warning, "it is not listening", context),
            Dial::HalfClose | Dial::Close | Dial::Reset if none_open => {
                return self.notify(Severity::Warning, "no connection is open", context);
            }
            Dial::HalfClose if is_tap => {
                let text = "a tap passes on the ends of others: close or reset both sides instead";
                return self.notify(Severity::Warning, text, context);
            }
            Dial::HalfClose => self.to_peers(PeerCommand::HalfClose),
            Dial::Close => self.to_peers(PeerCommand::Close),
            Dial::Reset => self.to_peers(PeerCommand::Reset),
        };
        out.push(Effect::Net(command));
    }

    /// What can be known here is said where the user looks; what the worker finds out is said in the log.
    fn start_tls(&mut self, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        let link = self.link.as_ref().filter(|link| link.state.is_live());
        let is_tls = |link: &Link| link.tls.as_ref().is_some_and(|report| report.agreed.is_some());
        let preset = Some(argument).filter(|argument| !argument.is_empty());
        let refused = match (
            link.map(|link| &link.endpoint),
            preset.map(str::parse).transpose(),
        ) {
            (None, _) => "no connection is open: --starttls on the command line starts TLS with it".into(),
            (Some(_), _) if self.listening.is_some() => {
                "whoever connects here starts TLS: listen tls://ADDRESS speaks it from the first byte on"
                    .into()
            }
            (Some(Endpoint::Tls(_)), _) => "the connection speaks TLS already".into(),
            (Some(Endpoint::Tcp(_) | Endpoint::Unix(_)), _) if link.is_some_and(is_tls) => {
                "the connection speaks TLS already".into()
            }
            (Some(Endpoint::Udp(_) | Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_)), _) => {
                "datagrams carry no TLS".into()
            }
            (Some(_), Err(error)) => error,
            (Some(_), Ok(preset)) => return out.push(Effect::Net(NetCommand::StartTls(preset))),
        };
        self.notify(Severity::Warning, refused, context);
    }

    /// Dials a target, and makes its history the one of Input.
    pub(super) fn connect(&mut self, endpoint: Endpoint, context: &Context<'_>, out: &mut Vec<Effect>) {
        self.recents.retain(|recent| *recent != endpoint);
        self.recents.insert(0, endpoint.clone());
        self.recents.truncate(RECENTS);
        out.push(Effect::RememberTarget(endpoint.clone()));
        self.recall(&endpoint, out);
        out.push(Effect::Net(NetCommand::Connect(endpoint)));
        self.focus(Pane::Input, context);
    }

    /// Asks for the history of a target, if it is not the present one.
    pub(super) fn recall(&mut self, endpoint: &Endpoint, out: &mut Vec<Effect>) {
        if self.composer.history.endpoint() != Some(endpoint) {
            self.composer.history.switch(endpoint.clone());
            out.push(Effect::Recall(endpoint.clone()));
        }
    }

    fn connect_to(&mut self, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        match argument.parse() {
            Ok(endpoint) => self.connect(endpoint, context, out),
            Err(_) => self.open_connect(argument),
        }
    }
}
