//! Options of the two sockets of a relay: shown and changed together.

use super::pair::{Pair, place};
use crate::model::{OptionRequest, Side};
use crate::net::adjust::adjust;
use crate::net::sockopt;

impl Pair<'_> {
    /// Shows or changes one on both sockets, where it means something.
    pub(super) fn adjust(&mut self, request: &OptionRequest) {
        let mut told = Vec::new();
        let mut refused = false;
        for side in [Side::Local, Side::Peer] {
            let end = &self.ends[place(side)];
            let (name, socket) = (end.name.clone(), end.channel.options());
            if !sockopt::suits(request.option(), &socket) {
                continue;
            }
            let done = adjust(self.shared, request, &socket);
            let text = format!("to {name} {}", done.text);
            if done.changed {
                self.note(text.clone());
            }
            refused |= done.refused;
            told.push(text);
        }
        let server = self.end(Side::Peer);
        let now = sockopt::all(&server.channel.options()).into();
        self.report(|link| link.options = now);
        self.shared.answer(told.join("; "), refused);
    }
}
