//! Judges whether hosts reach each other's vmknics for vMotion and Fault Tolerance logging, as pings show it. Judged only if the
//! network was probed.

use std::collections::HashMap;

use vsphere_module::Remedy;

use crate::check::Check;
use crate::context::Context;
use crate::facts::Host;
use crate::finding::{Finding, all};
use crate::path::{Answer, Path, Probe};
use crate::probe::{MOST, SERVICES, can_ping, carries};
use crate::requirement::Requirement;
use crate::vmknic::VMOTION;

pub const ALL: &[Requirement] = &[VMOTION_PATH, FT_LOGGING_PATH];

pub const VMOTION_PATH: Requirement = Requirement::of_hosts(
    "vmotion-path",
    "The host reaches the vMotion vmknics of the other hosts with packets as large as the MTU.",
);

pub const FT_LOGGING_PATH: Requirement = Requirement::of_hosts(
    "ft-logging-path",
    "The host reaches the Fault Tolerance logging vmknics of the other hosts with packets as large as the MTU.",
);

/// Judges the paths that start at each host. These checks are not among those of a host: a path fails because of either end.
pub fn judge(context: Context) -> Vec<Check> {
    let Some(probe) = &context.facts.probe else { return Vec::new() };
    let hosts: HashMap<&str, &Host> = context.facts.hosts.iter().map(|it| (it.subject.moid.as_str(), it)).collect();
    let mut checks = Vec::new();
    // Without a vmknic there is no path. Other requirements report that.
    let peers = SERVICES.map(|service| {
        let carriers = context.facts.candidates().filter(|host| carries(host, service)).count();
        (service, carriers.saturating_sub(1))
    });
    for host in context.facts.candidates() {
        for (service, peers) in peers.iter().filter(|(service, peers)| *peers > 0 && carries(host, service)) {
            let id = if *service == VMOTION { VMOTION_PATH } else { FT_LOGGING_PATH };
            checks.push(Check::new(id, &host.subject, of_host(probe, &hosts, host, service, *peers)));
        }
    }
    checks
}

fn of_host(probe: &Probe, hosts: &HashMap<&str, &Host>, host: &Host, service: &str, peers: usize) -> Finding {
    if let Some(why) = &probe.refused {
        return Finding::unknown("not probed", why);
    }
    if !can_ping(host) {
        let version =
            host.version.known().map_or_else(|| "ESXi of unknown version".to_owned(), |it| format!("ESXi {it}"));
        return Finding::unknown(version, "only ESXi 5.0 and later can ping through the API");
    }
    let own = || probe.paths.iter().filter(|path| path.from == host.subject.moid && path.service == service);
    let mut probed: Vec<&str> = own().map(|path| path.to.as_str()).collect();
    probed.sort_unstable();
    probed.dedup();
    if probed.is_empty() {
        return Finding::unknown("not probed", format!("a run probes at most {MOST} paths"));
    }
    let mut fine = format!("{} of {peers} hosts answer", probed.len());
    for path in own() {
        if let Answer::Answered { sent, received } = path.large
            && received < sent
        {
            fine = format!("{fine}; {}: {received} of {sent} answered", title(hosts, path));
        }
    }
    if probed.len() < peers {
        fine = format!("{fine}, the others were not probed: a run probes at most {MOST} paths");
    }
    all(&fine, own().map(|path| of_path(hosts, path)))
}

fn title(hosts: &HashMap<&str, &Host>, path: &Path) -> String {
    let peer = hosts.get(path.to.as_str()).map_or(path.to.as_str(), |host| &host.subject.name);
    format!("{} to {} of {peer}", path.device, path.address)
}

fn of_path(hosts: &HashMap<&str, &Host>, path: &Path) -> Finding {
    let title = title(hosts, path);
    let nested = [&path.from, &path.to].iter().any(|moid| hosts.get(moid.as_str()).is_some_and(|host| host.nested));
    let size = format!("packets of {} bytes (payload {})", path.mtu, path.size());
    match (&path.large, &path.small) {
        (Answer::Answered { .. }, _) => Finding::met(title),
        (Answer::Unknown(why), _) => Finding::unknown(format!("{title}: not pinged"), why),
        (Answer::Lost(why), Answer::Answered { .. }) => Finding::unmet(
            format!("{title}: {size} are lost ({why}), small ones are answered"),
            "the other vmknic, or a switch between the two, has a smaller MTU",
        )
        .remedy(larger_mtu(path.mtu, nested)),
        (Answer::Lost(why), Answer::Lost(_)) => Finding::unmet(
            format!("{title}: {size} are lost ({why}), and small ones too"),
            if nested {
                "no packet gets through; in a nested lab, an outer port group drops packets for MAC addresses that it does not know"
            } else {
                "no packet gets through"
            },
        )
        .remedy(open_network(nested)),
        (Answer::Lost(why), Answer::Unknown(unknown)) => Finding::unmet(
            format!("{title}: {size} are lost ({why}); small ones were not sent: {unknown}"),
            "packets as large as the MTU do not get through",
        )
        .remedy(open_network(nested)),
    }
}

fn larger_mtu(mtu: u32, nested: bool) -> Remedy {
    let switches =
        if nested { "switch between the vmknics (inner, outer and physical)" } else { "switch between the vmknics" };
    Remedy::advice(format!("Set the MTU of every {switches} to at least {mtu}, or lower the MTU of the vmknics."))
}

/// The settings of the outer port group for each kind of switch, as playbooks/nested.md explains them.
fn open_network(nested: bool) -> Remedy {
    Remedy::advice(if nested {
        "Let the outer port group of the nested hosts accept their MAC addresses: on a standard switch, or a distributed one \
         before 6.6.0, accept promiscuous mode and forged transmits; on a distributed switch of version 6.6.0 or later, \
         enable MAC learning and accept forged transmits. Then check its VLAN and MTU."
    } else {
        "Check the subnets and VLANs of the vmknics, and the switches between the hosts."
    })
}
