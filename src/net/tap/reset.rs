//! Passing on a reset: behind everything that came before it, which a reset throws away as long as it is on its way.

use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::time::Instant;

use super::pair::Pair;
use crate::model::{End, Side};
use crate::net::kernel;

/// How often it is looked whether everything has arrived: no event of the socket says so.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// After so many looks, which is a second, it is said what is waited for.
const PATIENCE: u32 = 50;

/// A side is gone, and the other is to be told.
pub(super) struct Resetting {
    /// What is told.
    end: End,
    reason: String,
    looks: u32,
}

impl Pair<'_> {
    /// Begins to tell the other side that this one is gone.
    pub(super) fn reset_other(&mut self, end: End, reason: String) {
        self.resetting = Some(Resetting {
            end,
            reason,
            looks: 0,
        });
        self.flush(end.by.other());
    }

    /// Looks again whether a side has everything.
    pub(super) fn look(&mut self) {
        self.look_at = None;
        match &self.resetting {
            Some(resetting) => {
                let side = resetting.end.by.other();
                self.flush(side);
            }
            None => self.leave_when_taken(),
        }
    }

    /// Everything is written to a side: it is reset if the other one is gone. Whether it is to be.
    pub(super) fn pass_on_reset(&mut self, side: Side) -> bool {
        let Some(resetting) = self.resetting.as_mut().filter(|found| found.end.by != side) else {
            return false;
        };
        let to = &self.ends[super::pair::place(side)];
        if is_on_its_way(to) {
            self.look_at = Some(Instant::now() + LOOK);
            resetting.looks += 1;
            if resetting.looks == PATIENCE {
                let text = format!(
                    "{}; {} has not taken yet what came before, and is reset then",
                    resetting.reason, to.name
                );
                self.note(text);
            }
        } else {
            self.reset_now();
        }
        true
    }

    /// Passes a reset on as things are; whether there was one to be passed on.
    pub(super) fn reset_now(&mut self) -> bool {
        let Some(Resetting { end, reason, .. }) = self.resetting.take() else {
            return false;
        };
        self.end(end.by.other()).channel.reset();
        self.conclude(end, Some(reason));
        true
    }
}

/// Whether something that was written to it has not arrived there.
pub(super) fn is_on_its_way(to: &super::pair::End) -> bool {
    #[cfg(target_os = "linux")]
    return kernel::is_unacknowledged(to.channel.options().as_fd());
    #[cfg(not(target_os = "linux"))]
    {
        let _ = to;
        false
    }
}
