//! The pings between the vmknics of the hosts that carry vMotion or Fault Tolerance logging: which to send.

use vsphere::Vmknic;

use crate::context::Context;
use crate::facts::{Facts, Host};
use crate::finding::Status;
use crate::path::{Answer, Path, Probe};
use crate::vmknic::{FT_LOGGING, VMOTION, candidates, carriers};

/// The services whose vmknics are probed.
pub const SERVICES: [&str; 2] = [VMOTION, FT_LOGGING];
/// Most paths to probe. A cluster of six hosts has 60, if one vmknic carries each service.
pub const MOST: usize = 64;
/// The MTU of a vmknic that reports none.
const MTU: u32 = 1500;

/// Chooses the paths to probe: at most [`MOST`], those of the virtual machine's host first, then so that each host pings
/// another one before any host pings a second one.
pub fn plan(facts: &Facts) -> Probe {
    let hosts: Vec<&Host> = facts.candidates().filter(|host| SERVICES.iter().any(|it| carries(host, it))).collect();
    let count = hosts.len();
    let home = facts.home().map(|home| &home.subject.moid);
    let is_home = |host: &Host| Some(&host.subject.moid) == home;
    let pairs = |of_home: bool| {
        let hosts = &hosts;
        let all = (1..count).flat_map(move |apart| (0..count).map(move |at| (hosts[at], hosts[(at + apart) % count])));
        all.filter(move |(from, to)| (is_home(from) || is_home(to)) == of_home && can_ping(from))
    };
    let first = home.into_iter().flat_map(|_| pairs(true));
    let paths = first.chain(pairs(false)).flat_map(|(from, to)| paths(from, to)).take(MOST).collect();
    Probe { paths, refused: None }
}

/// Returns how two hosts reach each other; met if nothing was to be probed.
pub fn together(context: Context, one: &Host, other: &Host) -> Status {
    let Some(probe) = &context.facts.probe else { return Status::Met };
    let ways = SERVICES.into_iter().flat_map(|service| [(service, one, other), (service, other, one)]);
    let each = ways.map(|(service, from, to)| {
        probe.status(service, &from.subject.moid, &to.subject.moid).unwrap_or(Status::Unknown)
    });
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
