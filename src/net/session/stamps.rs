//! The kernel's time stamps of what crosses: asked for at the user's command, and written down when they are known.

use tokio::time::Instant;

use crate::model::{EntryId, KernelReport, Timestamp, Timestamping};

use super::Session;
use crate::net::channel::Channel;

impl Session<'_> {
    /// Asks the kernel for time stamps from now on, or for no more.
    pub(super) fn set_timestamps(&mut self, on: bool) {
        self.shared.timestamps.set(on);
        let clock = self.shared.clock;
        let asked = self
            .channel
            .as_mut()
            .map_or(Ok(()), |channel| channel.stamp(on, clock));
        if !on {
            self.write_stamps(None);
        }
        let state = match asked {
            Ok(()) if on => Timestamping::On,
            Ok(()) => Timestamping::Off,
            Err(refused) => Timestamping::Refused(refused.to_string()),
        };
        self.report(|link| link.timestamping = state);
    }

    /// An entry was received.
    pub(super) fn stamp_received(&mut self, entry: Option<EntryId>, at: Timestamp) {
        if let Some(channel) = &mut self.channel {
            channel.stamp_received(entry, at);
        }
    }

    /// Takes in what the kernel has told.
    pub(super) fn gather_stamps(&mut self) {
        if let Some(channel) = &mut self.channel {
            channel.gather_stamps();
        }
    }

    /// Takes in and writes down all that the kernel tells before the socket is gone; and what it says of the whole
    /// connection.
    pub(super) fn last_words(&mut self) {
        let Some(stamping) = self.channel.as_mut().and_then(Channel::stamping) else {
            return;
        };
        let is_asked = stamping.is_active();
        self.gather_stamps();
        self.write_stamps(None);
        let asked_about = Some(self.journal.connection());
        if let KernelReport::Tcp(_, info) = self.shared.kernel.ask(asked_about)
            && is_asked
        {
            self.note(info.summary());
        }
    }

    /// Writes down what is due, and says when there is more.
    pub(super) fn write_due_stamps(&mut self) -> Option<Instant> {
        let clock = self.shared.clock;
        let due = self.channel.as_mut().and_then(Channel::stamping)?.due()?;
        let now = clock.now();
        if due > now {
            return Some(clock.instant(due).into());
        }
        self.write_stamps(Some(now));
        let due = self.channel.as_mut().and_then(Channel::stamping)?.due()?;
        Some(clock.instant(due).into())
    }

    /// Writes down what is to be by `now`, or all that is known.
    pub(super) fn write_stamps(&mut self, now: Option<Timestamp>) {
        if let Some(stamping) = self.channel.as_mut().and_then(Channel::stamping) {
            let stamped = stamping.take(now);
            self.journal.stamp(stamped);
        }
    }
}
