//! From what was written to what is done: combinations that make no sense are refused here, each with what to write
//! instead.

mod reading;
mod serving;
mod tls;

use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use sockscope::app::{View, Zone};
use sockscope::capture::{Existing, Ring};
use sockscope::model::{Endpoint, EndpointError, Family, Goal, Setting, SocketKind};
use sockscope::net;
use sockscope::runtime::headless::{self, Feed, Format, Headless, Limits};
use sockscope::runtime::{Bound, Front, Memory, Peer, Place, Plan, ScreenPlan};
use sockscope::text::{InputType, LineEnding, Policy, encode_input, quote};

use super::Usage;
use super::arguments::Options;
use super::value::FormatName;

/// The least size of the files of a ring: twice what the largest entry takes.
const LEAST_RING: u64 = 128 << 10;

impl Options {
    /// What to do with a target, or without one.
    pub(super) fn plan(self, target: Option<&str>) -> Result<Plan, Usage> {
        let peer = match target {
            Some(text) => {
                let target: Endpoint = text
                    .parse()
                    .map_err(|error: EndpointError| Usage(error.to_string()))?;
                self.tls
                    .check(&target, self.headless || self.writes_to_stdout())?;
                self.check_options(&[&target])?;
                self.check_join(Some(&target))?;
                Peer::Goal(Goal::Connect(target))
            }
            None if self.tls.of_server().is_some() => {
                let name = self.tls.of_server().unwrap_or_default();
                return Err(Usage(format!(
                    "{name} is about being the server: write sockscope listen tls://:PORT, or leave it out"
                )));
            }
            None if self.headless || self.writes_to_stdout() => {
                return Err(Usage(
                    "--headless needs a target: write HOST:PORT, as in localhost:6379, or demo".into(),
                ));
            }
            None => Peer::Ask,
        };
        self.towards(peer)
    }

    /// What to do with the demo server.
    pub(super) fn plan_demo(self) -> Result<Plan, Usage> {
        if self.ipv6 {
            return Err(Usage("the demo server is on 127.0.0.1: leave -6 out".into()));
        }
        if let Some(name) = self.tls.given() {
            return Err(Usage(format!("the demo server speaks no TLS: leave {name} out")));
        }
        if let Some(setting) = self
            .option
            .iter()
            .find(|setting| !setting.option.suits(SocketKind::Tcp))
        {
            return Err(Usage(format!(
                "the demo server speaks TCP, for which -o {} means nothing: leave it out",
                setting.option
            )));
        }
        self.check_join(None)?;
        self.towards(Peer::Demo)
    }

    /// Only what connects over UDP joins groups.
    fn check_join(&self, target: Option<&Endpoint>) -> Result<(), Usage> {
        let is_udp = target.is_some_and(|target| target.socket_kind() == SocketKind::Udp);
        match self.join.first() {
            Some(group) if !is_udp => Err(Usage(format!(
                "--join {group} is about UDP: write udp://{}:PORT as the target, or leave it out",
                if group.ip.is_ipv6() {
                    format!("[{group}]")
                } else {
                    group.ip.to_string()
                }
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// What means nothing for the sockets that are dialed or waited at is a mistake.
    fn check_options(&self, endpoints: &[&Endpoint]) -> Result<(), Usage> {
        let of_ip = [
            ("-4", self.ipv4),
            ("-6", self.ipv6),
            ("--bind", self.bind.is_some()),
        ];
        let over_ip = endpoints.iter().any(|endpoint| endpoint.is_over_ip());
        let of_ip = of_ip.iter().find(|(_, given)| *given && !over_ip);
        if let (Some((name, _)), Some(endpoint)) = (of_ip, endpoints.first()) {
            return Err(Usage(format!(
                "{name} is about IP, and {endpoint} is a Unix socket: leave it out"
            )));
        }
        let suits = |setting: &Setting| {
            let mut kinds = endpoints.iter().map(|endpoint| endpoint.socket_kind());
            kinds.any(|kind| setting.option.suits(kind))
        };
        let unsuiting = self.option.iter().find(|setting| !suits(setting));
        match (unsuiting, endpoints.first()) {
            (Some(setting), Some(endpoint)) => Err(Usage(format!(
                "-o {} means nothing for {} sockets, and {endpoint} needs one: leave it out",
                setting.option,
                endpoint.socket_kind()
            ))),
            (Some(_) | None, _) => Ok(()),
        }
    }

    fn towards(self, peer: Peer) -> Result<Plan, Usage> {
        if self.filter.is_some() {
            return Err(Usage(
                "--filter is about captures: write sockscope open FILE --headless --filter, or type f on the screen"
                    .into(),
            ));
        }
        let front = if self.headless || self.writes_to_stdout() {
            Front::Headless(self.headless()?)
        } else {
            Front::Screen(self.screen())
        };
        self.fronted(peer, front)
    }

    /// The plan, with what the user sees.
    fn fronted(self, peer: Peer, front: Front) -> Result<Plan, Usage> {
        self.check_combinations()?;
        Ok(Plan {
            peer,
            net: self.net()?,
            intercept: self.tls.tls_intercept,
            place: self.place()?,
            bound: self.bound()?,
            policy: Policy {
                rtl: self.rtl,
                ascii: self.ascii,
            },
            zone: self.zone(),
            front,
        })
    }

    /// Whether the recording goes to standard output.
    fn writes_to_stdout(&self) -> bool {
        self.write.as_deref() == Some(Path::new("-"))
    }

    /// Options that would be without effect are mistakes, not decoration.
    fn check_combinations(&self) -> Result<(), Usage> {
        let scripts = [
            ("--format", self.format.is_some()),
            ("--send", !self.send.is_empty()),
            ("--stdin-eof", self.stdin_eof.is_some()),
            ("--count", self.count.is_some()),
            ("--duration", self.duration.is_some()),
            ("--quit-after-idle", self.quit_after_idle.is_some()),
        ];
        let headless = self.headless || self.writes_to_stdout();
        if self.writes_to_stdout() && self.format.is_some() {
            return Err(Usage(
                "--write - puts the recording on standard output, where nothing else can be printed: leave --format out"
                    .into(),
            ));
        }
        if self.writes_to_stdout() && io::stdout().is_terminal() {
            return Err(Usage(
                "--write - would write the recording to the terminal: send it to a file or a pipe, as in sockscope \
                 HOST:PORT -w - | wireshark -k -i -"
                    .into(),
            ));
        }
        if let Some((name, _)) = scripts.iter().find(|(_, given)| *given && !headless) {
            return Err(Usage(format!(
                "{name} is for scripts and pipes: add --headless, or leave it out"
            )));
        }
        if headless && self.view.is_some() {
            return Err(Usage(
                "--view is for the screen: with --headless write --format text or --format hex".into(),
            ));
        }
        Ok(())
    }

    fn net(&self) -> Result<net::Options, Usage> {
        let defaults = net::Options::default();
        Ok(net::Options {
            family: match (self.ipv4, self.ipv6) {
                (true, _) => Some(Family::V4),
                (false, true) => Some(Family::V6),
                (false, false) => None,
            },
            bind: self.bind.as_deref().map(bind).transpose()?,
            connect_timeout: self.connect_timeout.unwrap_or(defaults.connect_timeout),
            idle_timeout: self.idle_timeout,
            read_size: self.read_size.unwrap_or(defaults.read_size),
            reconnect: self.reconnect,
            on_full: self.on_full.map_or(defaults.on_full, Into::into),
            timestamps: self.timestamps,
            tls: self.tls.options()?,
            starttls: self.tls.starttls.map(Into::into),
            sockets: self.option.iter().cloned().collect(),
            join: self.join.clone(),
        })
    }

    /// How long the recording may become.
    fn bound(&self) -> Result<Bound, Usage> {
        match (self.ring, self.max_size) {
            (None, None) => Ok(Bound::None),
            (None, Some(most)) => Ok(Bound::File(most)),
            (Some(_), _) if self.writes_to_stdout() => Err(Usage(
                "--ring keeps files, and --write - is a stream, from which nothing can be deleted: leave one of them out"
                    .into(),
            )),
            (Some(_), None) => Err(Usage(
                "--ring needs the size of its files: add --max-size, as in --ring 10 --max-size 100M".into(),
            )),
            (Some(_), Some(each)) if each < LEAST_RING => Err(Usage(format!(
                "--max-size {each} is too small for the files of a ring, which have to hold any read: write at least \
                 128K"
            ))),
            (Some(files), Some(each)) => Ok(Bound::Ring(Ring {
                files,
                each,
                offset: self.zone().offset(),
            })),
        }
    }

    fn place(&self) -> Result<Place, Usage> {
        let Some(path) = &self.write else {
            return Ok(Place::Folder);
        };
        if self.writes_to_stdout() {
            return Ok(Place::Folder);
        }
        if path.as_os_str().is_empty() {
            return Err(Usage(
                "--write needs the name of a file, as in -w trace.pcapng".into(),
            ));
        }
        Ok(Place::File {
            path: PathBuf::from(path),
            existing: if self.force {
                Existing::Replace
            } else {
                Existing::Refuse
            },
        })
    }

    /// The zone of times of day.
    pub(super) fn zone(&self) -> Zone {
        if self.utc {
            Zone::Utc
        } else {
            let offset = chrono::Local::now().offset().local_minus_utc();
            Zone::Local { offset }
        }
    }

    fn screen(&self) -> ScreenPlan {
        ScreenPlan {
            view: self.view.map_or_else(View::default, Into::into),
            input: self.input.map_or_else(InputType::default, Into::into),
            eol: self.eol.map_or_else(LineEnding::default, Into::into),
            mouse: !self.no_mouse,
            memory: if self.no_history {
                Memory::Off
            } else {
                Memory::Kept
            },
        }
    }

    fn headless(&self) -> Result<Headless, Usage> {
        let input = self.input.map(InputType::from);
        let ending = self.eol.map(LineEnding::from);
        let format = if self.writes_to_stdout() {
            Format::Capture
        } else {
            let format = self.format.map_or(Some(Format::default()), FormatName::live);
            format.ok_or_else(|| {
                Usage(
                    "--format pcapng and python are about captures: record first, as with -w FILE, and then write \
                     sockscope open FILE --headless --format; or copy the recording as it grows with -w -"
                        .into(),
                )
            })?
        };
        if format == Format::Raw && io::stdout().is_terminal() {
            return Err(Usage(
                "--format raw would write what the peer sends to the terminal as it is: send it to a file or a pipe, \
                 or use --format text"
                    .into(),
            ));
        }
        let send = self.send.iter().map(|text| {
            let ending = ending.unwrap_or_default();
            encode_input(text, input.unwrap_or_default(), ending).map_err(|error| {
                Usage(format!(
                    "cannot send {}: {}",
                    quote(text),
                    headless::explain(text, &error)
                ))
            })
        });
        Ok(Headless {
            format,
            feed: match (input, ending) {
                (None, None) => Feed::Bytes,
                (input, ending) => Feed::Lines {
                    input: input.unwrap_or_default(),
                    ending: ending.unwrap_or_default(),
                },
            },
            stdin_eof: self.stdin_eof.map_or_else(Default::default, Into::into),
            send: send.collect::<Result<_, _>>()?,
            limits: Limits {
                count: self.count,
                duration: self.duration,
                idle: self.quit_after_idle,
            },
        })
    }
}

/// A local address, a port, or both.
fn bind(text: &str) -> Result<net::Bind, Usage> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(ip) = inner.unwrap_or(text).parse::<IpAddr>() {
        return Ok(net::Bind {
            ip: Some(ip),
            port: 0,
        });
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(net::Bind {
            ip: Some(address.ip()),
            port: address.port(),
        });
    }
    if let Some(Ok(port)) = text.strip_prefix(':').map(str::parse) {
        return Ok(net::Bind { ip: None, port });
    }
    Err(Usage(format!(
        "{text:?} is not a local address: write it as in 192.0.2.1, :5000, 192.0.2.1:5000 or [::1]:5000"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_read_in_every_form() {
        let check = |text: &str, ip: Option<&str>, port: u16| {
            let ip = ip.map(|ip| ip.parse().unwrap());
            assert_eq!(bind(text).unwrap(), net::Bind { ip, port }, "{text}");
        };
        check("127.0.0.1", Some("127.0.0.1"), 0);
        check("127.0.0.1:5000", Some("127.0.0.1"), 5000);
        check(":5000", None, 5000);
        check("::1", Some("::1"), 0);
        check("[::1]", Some("::1"), 0);
        check("[::1]:5000", Some("::1"), 5000);
        for wrong in ["", "eth0", ":", "1.2.3.4:", "5000", ":70000"] {
            assert!(bind(wrong).is_err(), "{wrong}");
        }
    }
}
