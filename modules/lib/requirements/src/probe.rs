//! The pings between the vmknics of the hosts that carry vMotion or Fault Tolerance logging: which to send, and which hosts
//! reach each other.

use std::collections::HashMap;

use vsphere::Vmknic;

use crate::facts::{Facts, Host};
use crate::finding::Status;
use crate::path::{Answer, Path, Probe};
use crate::rating::Home;
use crate::vmknic::{FT_LOGGING, VMOTION, candidates, carriers};

/// The services whose vmknics are probed.
pub const SERVICES: [&str; 2] = [VMOTION, FT_LOGGING];
/// Most paths to probe. A pair of hosts has four, if one vmknic carries each service.
pub const MOST: usize = 64;
/// The MTU of a vmknic that reports none.
const MTU: u32 = 1500;

/// Chooses the paths to probe: at most [`MOST`], and all paths of a pair of hosts or none, because a pair is only known to work
/// if all its paths do. The pairs of the virtual machine's host come first. Of the others, the first ones have no host in
/// common, so that many hosts are probed.
pub fn plan(facts: &Facts) -> Probe {
    let hosts = hosts(facts);
    let count = hosts.len();
    let home = facts.home().map(|home| &home.subject.moid);
    let is_home = |host: &Host| Some(&host.subject.moid) == home;
    let of_home = hosts.iter().copied().filter(|host| is_home(host));
    let first = of_home.flat_map(|home| hosts.iter().filter(|host| !is_home(host)).map(move |host| (home, *host)));
    let hosts = &hosts;
    let every = (1..count).flat_map(|apart| {
        let starts = (0..count - apart).step_by(2).chain((1..count - apart).step_by(2));
        starts.map(move |at| (hosts[at], hosts[at + apart]))
    });
    let others = every.filter(|(one, other)| !is_home(one) && !is_home(other));
    let mut chosen = Vec::new();
    for (one, other) in first.chain(others) {
        let before = chosen.len();
        let ways = [(one, other), (other, one)].into_iter().filter(|(from, _)| can_ping(from));
        chosen.extend(ways.flat_map(|(from, to)| paths(from, to)));
        if chosen.len() > MOST {
            // Some paths of a single pair are better than none.
            chosen.truncate(if before == 0 { MOST } else { before });
            break;
        }
    }
    Probe { paths: chosen, refused: None }
}

/// Returns the hosts that have a vmknic to ping.
fn hosts(facts: &Facts) -> Vec<&Host> {
    facts.candidates().filter(|host| SERVICES.iter().any(|it| carries(host, it))).collect()
}

/// How the hosts reach each other, in pairs.
pub struct Outcome<'a> {
    /// Each pair with a known path, by managed object ids.
    pairs: HashMap<[&'a str; 2], Pair>,
    /// The number of all pairs.
    all: usize,
    /// The status of all other pairs.
    others: Status,
}

/// How two hosts reach each other.
struct Pair {
    status: Status,
    /// Small packets are lost too.
    cut_off: bool,
}

impl<'a> Outcome<'a> {
    /// Judges the pairs that could be a primary and its secondary. `None` if nothing was to be probed.
    pub fn of(facts: &'a Facts) -> Option<Self> {
        let probe = facts.probe.as_ref()?;
        let home = if let Home::At(home) = Home::of(facts) { Some(home.subject.moid.as_str()) } else { None };
        let count = hosts(facts).len();
        let mut pairs = HashMap::new();
        for path in probe.paths.iter().filter(|path| !matches!(path.large, Answer::Unknown(_))) {
            let key = key(&path.from, &path.to);
            if home.is_some_and(|home| !key.contains(&home)) {
                continue;
            }
            let pair = pairs.entry(key).or_insert_with(|| Pair { status: both_ways(probe, key), cut_off: false });
            pair.cut_off |= matches!(path.small, Answer::Lost(_));
        }
        let none_works = !pairs.is_empty() && pairs.values().all(|pair| pair.status == Status::Unmet);
        Some(Self {
            all: if home.is_some() { count.saturating_sub(1) } else { count * count.saturating_sub(1) / 2 },
            others: if none_works { Status::Unmet } else { Status::Unknown },
            pairs,
        })
    }

    /// Returns how two hosts reach each other. If every probed pair fails, the others are taken to fail too: there are too many
    /// to probe them all, and a dead network must not pass as unknown.
    pub fn together(&self, one: &Host, other: &Host) -> Status {
        let pair = self.pairs.get(&key(&one.subject.moid, &other.subject.moid));
        pair.map_or(self.others, |pair| pair.status)
    }

    /// Says how many pairs were probed to the end, such as `16 of 36 pairs of hosts`. `None` if it was all of them, or not one.
    pub fn part(&self) -> Option<String> {
        let probed = self.pairs.values().filter(|pair| pair.status != Status::Unknown).count();
        (1..self.all).contains(&probed).then(|| format!("{probed} of {} pairs of hosts", self.all))
    }

    /// True if some hosts may reach each other with small packets only.
    pub fn only_large_fail(&self) -> bool {
        self.pairs.values().any(|pair| pair.status == Status::Unmet && !pair.cut_off)
    }
}

/// Returns the two ids in one order, whichever host pings.
fn key<'a>(one: &'a str, other: &'a str) -> [&'a str; 2] {
    if one < other { [one, other] } else { [other, one] }
}

/// Returns how two hosts reach each other over both networks, in both directions.
fn both_ways(probe: &Probe, [one, other]: [&str; 2]) -> Status {
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
