//! Waiting for connections, to serve them or to relay them.

use sockscope::model::{Address, Endpoint, EndpointError, Goal};
use sockscope::runtime::{Peer, Plan};

use crate::cli::Usage;
use crate::cli::arguments::Options;
use crate::cli::value::OnFullName;

impl Options {
    /// What to do with an address to listen at.
    pub(in crate::cli) fn plan_listen(self, address: &str) -> Result<Plan, Usage> {
        let address = parsed(address)?;
        let is_tls = matches!(address.endpoint(), Endpoint::Tls(_));
        let dialing = [
            ("--bind", self.bind.is_some()),
            // It bounds the handshake too.
            ("--connect-timeout", self.connect_timeout.is_some() && !is_tls),
        ];
        if let Some((name, _)) = dialing.iter().find(|(_, given)| *given) {
            return Err(Usage(format!(
                "{name} is about connecting, and listen waits for others: leave it out"
            )));
        }
        self.tls.check_listen(&address)?;
        self.check_options(&[address.endpoint()])?;
        self.waits(Goal::Listen(address))
    }

    /// What to do with an address to listen at and a target.
    pub(in crate::cli) fn plan_tap(mut self, address: &str, target: &str) -> Result<Plan, Usage> {
        let address = parsed(address)?;
        let target: Endpoint = target
            .parse()
            .map_err(|error: EndpointError| Usage(error.to_string()))?;
        let given = [
            ("--send", !self.send.is_empty()),
            ("--stdin-eof", self.stdin_eof.is_some()),
        ];
        if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
            return Err(Usage(format!(
                "{name} is for what sockscope sends, and a tap only passes on: leave it out"
            )));
        }
        if let Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) = target {
            return Err(Usage(format!(
                "{target} can be connected to and not relayed to: write unix:/PATH"
            )));
        }
        self.tls.check_tap(&address, &target)?;
        self.check_options(&[address.endpoint(), &target])?;
        // What stands between two programs must not hold them up because its own disk is full.
        self.on_full.get_or_insert(OnFullName::Continue);
        self.waits(Goal::Tap(address, target))
    }

    fn waits(self, goal: Goal) -> Result<Plan, Usage> {
        self.check_join(None)?;
        if self.reconnect {
            return Err(Usage(
                "--reconnect is about connecting, and this waits for others: leave it out".into(),
            ));
        }
        self.towards(Peer::Goal(goal))
    }
}

fn parsed(address: &str) -> Result<Address, Usage> {
    let address: Address = address
        .parse()
        .map_err(|error: EndpointError| Usage(error.to_string()))?;
    match address.endpoint() {
        Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Udp(_) | Endpoint::Unix(_) => Ok(address),
        Endpoint::UnixDatagram(_) | Endpoint::UnixSeqpacket(_) => Err(Usage(format!(
            "{address} can be connected to and not listened at: write unix:/PATH"
        ))),
    }
}
