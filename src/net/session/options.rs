//! The options of the connection's socket: told of at the opening, shown and changed later.

use std::sync::Arc;

use crate::model::{OptionRequest, Setting};
use crate::net::adjust::adjust;
use crate::net::sockopt;

use super::Session;

impl Session<'_> {
    /// The options as the kernel has them.
    pub(super) fn options(&self) -> Arc<[Setting]> {
        let channel = self.channel.as_ref();
        let all = channel.map(|channel| sockopt::all(&channel.options()));
        all.unwrap_or_default().into()
    }

    /// Records those that were asked for, as the kernel has them.
    pub(super) fn tell_options(&mut self, now: &[Setting]) {
        let wanted = self.shared.sockets();
        let told: Vec<String> = now
            .iter()
            .filter_map(|now| {
                let asked = wanted.of(now.option)?;
                Some(if asked == now {
                    now.to_string()
                } else {
                    format!("{now} ({} was asked for)", asked.shown())
                })
            })
            .collect();
        if !told.is_empty() {
            self.note(format!("socket options: {}", told.join(", ")));
        }
    }

    /// Shows or changes one.
    pub(super) fn adjust(&mut self, request: OptionRequest) {
        let Some(channel) = &self.channel else {
            return self.shared.adjust_later(request);
        };
        let done = adjust(self.shared, &request, &channel.options());
        if done.changed {
            self.note(done.text.clone());
        }
        let now = self.options();
        self.report(|link| link.options = now);
        self.shared.answer(done.text, done.refused);
    }
}
