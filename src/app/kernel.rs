//! The kernel's view of the connection, with its last minute.

use std::collections::VecDeque;

use crate::model::{ConnectionId, KernelReport, Link, TcpInfo};

/// How many reports are remembered; there is one a second.
const KEPT: usize = 60;

/// What the kernel said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    connection: Option<ConnectionId>,
    /// The newest last.
    reports: VecDeque<TcpInfo>,
    /// Whether the system does not tell.
    silent: bool,
}

impl Kernel {
    /// Takes in what it says now.
    pub(super) fn update(&mut self, report: KernelReport) {
        match report {
            // What it said last stays readable when the connection is over.
            KernelReport::Nothing => {}
            KernelReport::NotOffered => self.silent = true,
            KernelReport::Tcp(connection, info) => {
                if self.connection.replace(connection) != Some(connection) {
                    self.reports.clear();
                }
                if self.reports.len() >= KEPT {
                    self.reports.pop_front();
                }
                self.reports.push_back(info);
            }
        }
    }

    /// Whether the system does not tell.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// What it said last of this connection.
    pub fn latest(&self, link: &Link) -> Option<&TcpInfo> {
        self.reports.back().filter(|_| self.connection == Some(link.id))
    }

    /// Something of the last `count` reports, the newest last, with zeros before the first.
    pub fn history(&self, count: usize, of: impl Fn(&TcpInfo) -> u64) -> Vec<u64> {
        let missing = count.saturating_sub(self.reports.len());
        let told = self.reports.len().saturating_sub(count);
        let told = self.reports.iter().skip(told).map(of);
        std::iter::repeat_n(0, missing).chain(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_minute_of_one_connection_is_kept() {
        let info = |congestion_window| TcpInfo {
            congestion_window,
            ..TcpInfo::default()
        };
        let link = |id| Link::new(ConnectionId(id), "host:1".parse().unwrap(), Timestamp(0));
        let mut kernel = Kernel::default();
        for number in 1..=100 {
            kernel.update(KernelReport::Tcp(ConnectionId(3), info(number)));
        }
        kernel.update(KernelReport::Nothing);
        assert_eq!(kernel.latest(&link(3)), Some(&info(100)));
        assert_eq!(kernel.latest(&link(2)), None);
        let windows =
            |kernel: &Kernel, count| kernel.history(count, |info| u64::from(info.congestion_window));
        assert_eq!(windows(&kernel, 2), [99, 100]);
        assert_eq!(windows(&kernel, 61)[..2], [0, 41]);
        kernel.update(KernelReport::Tcp(ConnectionId(4), info(7)));
        assert_eq!(windows(&kernel, 2), [0, 7]);
        assert_eq!((kernel.latest(&link(3)), kernel.is_silent()), (None, false));
        kernel.update(KernelReport::NotOffered);
        assert!(kernel.is_silent());
    }
}
