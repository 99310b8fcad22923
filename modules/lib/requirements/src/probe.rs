//! The pings between the vmknics of the hosts that carry vMotion or Fault Tolerance logging: which to send, and their results.

use vsphere::{PingReply, Vmknic};

use crate::context::Context;
use crate::facts::{Facts, Host};
use crate::finding::Status;
use crate::vmknic::{FT_LOGGING, VMOTION, candidates, carriers};

/// The services whose vmknics are probed.
pub const SERVICES: [&str; 2] = [VMOTION, FT_LOGGING];
/// Most paths to probe. A cluster of six hosts has 60, if one vmknic carries each service.
pub const MOST: usize = 64;
/// The headers of IP and ICMP, in bytes: the part of a packet that is not payload.
pub const HEADERS: u32 = 28;
/// The MTU of a vmknic that reports none.
const MTU: u32 = 1500;

/// The paths between hosts, each with the answers to its pings once they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// The probed paths.
    pub paths: Vec<Path>,
    /// Why nothing could be probed.
    pub refused: Option<String>,
}

/// A path from a vmknic of one host to a vmknic of another that carries the same service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The service, as the API names it.
    pub service: &'static str,
    /// Managed object id of the host that pings.
    pub from: String,
    /// Its vmknic.
    pub device: String,
    /// The TCP/IP stack of this vmknic.
    pub stack: Option<String>,
    /// The MTU of this vmknic, in bytes.
    pub mtu: u32,
    /// Managed object id of the host to ping.
    pub to: String,
    /// The IPv4 address of its vmknic.
    pub address: String,
    /// The answer to packets as large as the MTU.
    pub large: Answer,
    /// The answer to small packets, which are sent if the large ones are lost.
    pub small: Answer,
}

/// The answer to the pings of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// At least one packet was answered.
    Answered {
        /// Packets sent.
        sent: u32,
        /// Packets answered.
        received: u32,
    },
    /// No packet was answered, for this reason.
    Lost(String),
    /// The pings could not be sent, for this reason.
    Unknown(String),
}

impl Answer {
    /// Reads the result of pings.
    pub fn of(reply: PingReply) -> Self {
        match reply {
            PingReply::Counted { sent: 0, .. } => Self::Unknown("the host sent no packet".to_owned()),
            PingReply::Counted { sent, received: 0 } => Self::Lost(format!("0 of {sent} answered")),
            PingReply::Counted { sent, received } => Self::Answered { sent, received },
            // Too large for the path, no route, or no answer to ARP. Other errors are about the command.
            PingReply::Failed(text) if text.starts_with("sendto() failed") => Self::Lost(text),
            PingReply::Failed(text) => Self::Unknown(text),
        }
    }

    fn status(&self) -> Status {
        match self {
            Self::Answered { .. } => Status::Met,
            Self::Lost(_) => Status::Unmet,
            Self::Unknown(_) => Status::Unknown,
        }
    }
}

impl Path {
    /// The payload of a packet as large as the MTU.
    pub fn size(&self) -> u32 {
        self.mtu.saturating_sub(HEADERS)
    }

    /// Notes why the path was not probed to the end.
    pub fn give_up(&mut self, why: String) {
        // A loss that is known stays known.
        let open = if matches!(self.large, Answer::Lost(_)) { &mut self.small } else { &mut self.large };
        *open = Answer::Unknown(why);
    }
}

impl Probe {
    /// Chooses the paths to probe: at most [`MOST`], those of the virtual machine's host first, then so that each host pings
    /// another one before any host pings a second one.
    pub fn plan(facts: &Facts) -> Self {
        let hosts: Vec<&Host> = facts.candidates().filter(|host| SERVICES.iter().any(|it| carries(host, it))).collect();
        let count = hosts.len();
        let home = facts.home().map(|home| &home.subject.moid);
        let is_home = |host: &Host| Some(&host.subject.moid) == home;
        let pairs = |of_home: bool| {
            let hosts = &hosts;
            let all =
                (1..count).flat_map(move |apart| (0..count).map(move |at| (hosts[at], hosts[(at + apart) % count])));
            all.filter(move |(from, to)| (is_home(from) || is_home(to)) == of_home && can_ping(from))
        };
        let paths = pairs(true).chain(pairs(false)).flat_map(|(from, to)| paths(from, to)).take(MOST).collect();
        Self { paths, refused: None }
    }

    /// Returns how `from` reaches the vmknics of the service on `to`; `None` if that was not probed.
    pub fn status(&self, service: &str, from: &Host, to: &Host) -> Option<Status> {
        let paths = self.paths.iter().filter(|path| path.service == service);
        let paths = paths.filter(|path| path.from == from.subject.moid && path.to == to.subject.moid);
        paths.map(|path| path.large.status()).max()
    }
}

/// Returns how two hosts reach each other; met if nothing was to be probed.
pub fn together(context: Context, one: &Host, other: &Host) -> Status {
    let Some(probe) = &context.facts.probe else { return Status::Met };
    let ways = SERVICES.into_iter().flat_map(|service| [(service, one, other), (service, other, one)]);
    let each = ways.map(|(service, from, to)| probe.status(service, from, to).unwrap_or(Status::Unknown));
    each.max().unwrap_or(Status::Met)
}

/// True if the host has `esxcli` for ping: ESXi 5.0 and later.
pub fn can_ping(host: &Host) -> bool {
    host.version.known().is_some_and(|version| version.at_least(5, 0))
}

/// True if a vmknic of the host carries the service.
pub fn carries(host: &Host, service: &str) -> bool {
    !nics(host, service).is_empty()
}

/// Returns the vmknics of the host that carry the service.
fn nics<'a>(host: &'a Host, service: &str) -> Vec<&'a Vmknic> {
    let services = host.services.known().map(Vec::as_slice).unwrap_or_default();
    let selected = carriers(services, service).unwrap_or_default();
    candidates(services, service).iter().filter(|nic| selected.contains(&nic.device.as_str())).collect()
}

fn paths<'a>(from: &'a Host, to: &'a Host) -> impl Iterator<Item = Path> + 'a {
    SERVICES.into_iter().flat_map(move |service| {
        let ways =
            nics(from, service).into_iter().flat_map(move |nic| nics(to, service).into_iter().map(move |to| (nic, to)));
        ways.map(move |(nic, peer)| {
            let not_yet = || Answer::Unknown("not pinged".to_owned());
            let no_address = || Answer::Unknown(format!("{} of {} has no IPv4 address", peer.device, to.subject.name));
            Path {
                service,
                from: from.subject.moid.clone(),
                device: nic.device.clone(),
                stack: nic.stack.clone(),
                mtu: nic.mtu.unwrap_or(MTU),
                to: to.subject.moid.clone(),
                address: peer.ip.clone().unwrap_or_default(),
                large: if peer.ip.is_some() { not_yet() } else { no_address() },
                small: not_yet(),
            }
        })
    })
}
