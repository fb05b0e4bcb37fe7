//! Socket options, shown and changed while the program runs: what is asked of the worker, and what it answers.

use super::actions::{Action, Dial};
use super::{App, Context, Editor, Effect, Overlay, Palette, Severity};
use crate::model::{Answer, NetCommand, OptionError, OptionRequest, PeerCommand, SocketKind};

impl App {
    /// Asks for an option, or changes it; without one, the palette lists them.
    pub(super) fn socket_option(&mut self, argument: &str, context: &Context<'_>, out: &mut Vec<Effect>) {
        if argument.is_empty() {
            let name = Action::Dial(Dial::Option).name();
            let mut palette = self.palette();
            palette.field = Editor::new(format!("{name} "));
            self.overlay = Some(Overlay::Palette(palette));
            return;
        }
        let request = match argument.parse::<OptionRequest>() {
            Ok(request) => request,
            Err(error) => return self.notify(Severity::Warning, explain(&error), context),
        };
        if let Some(kind) = self.socket_kind().filter(|kind| !request.option().suits(*kind)) {
            let text = format!("{} means nothing for {kind} sockets", request.option());
            return self.notify(Severity::Warning, text, context);
        }
        let nobody = self.peers.live().next().is_none();
        out.push(Effect::Net(if self.listening.is_none() || nobody {
            NetCommand::Option(request)
        } else {
            self.to_peers(PeerCommand::Option(request))
        }));
    }

    /// The palette as it opens.
    pub(super) fn palette(&self) -> Palette {
        Palette::new(self.purpose(), self.socket_kind())
    }

    fn socket_kind(&self) -> Option<SocketKind> {
        self.link.as_ref().map(|link| link.endpoint.socket_kind())
    }

    /// Says what came of a request, once.
    pub(super) fn answered(&mut self, answer: Option<Answer>, context: &Context<'_>) {
        let Some(answer) = answer.filter(|answer| answer.number > self.answers) else {
            return;
        };
        self.answers = answer.number;
        let severity = if answer.refused {
            Severity::Error
        } else {
            Severity::Info
        };
        self.notify(severity, answer.text, context);
    }
}

/// What is wrong; the palette lists the names already.
fn explain(error: &OptionError) -> String {
    match error {
        OptionError::Unknown(name) => format!("there is no socket option {name:?}: Ctrl-G option lists them"),
        OptionError::NoValue { .. } | OptionError::Value { .. } => error.to_string(),
    }
}
