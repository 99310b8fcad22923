//! The cluster as a whole.

use serde_json::json;
use vsphere_module::{Remedy, RemedyHosts};

use crate::check::Check;
use crate::context::Context;
use crate::facts::{Cluster, Facts, Host, Place};
use crate::finding::Finding;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[CLUSTER, HA_ENABLED, HOST_MONITORING, USABLE_HOSTS];

/// Judges these requirements.
pub fn judge(context: Context) -> Vec<Check> {
    let facts = context.facts;
    let mut checks = Vec::new();
    if let Some(vm) = &facts.vm {
        checks.push(Check::new(CLUSTER, &vm.subject, in_cluster(&facts.place)));
    }
    if let Place::Cluster(cluster) = &facts.place {
        checks.extend([
            Check::new(HA_ENABLED, &cluster.subject, ha_enabled(facts, cluster)),
            Check::new(HOST_MONITORING, &cluster.subject, host_monitoring(facts, cluster)),
            Check::new(USABLE_HOSTS, &cluster.subject, usable_hosts(&facts.hosts)),
        ]);
    }
    checks
}

pub const CLUSTER: Requirement = Requirement::decisive("cluster", "The virtual machine is in a cluster.");

fn in_cluster(place: &Place) -> Finding {
    match place {
        Place::Cluster(cluster) => Finding::met(format!("in {}", cluster.subject.title())),
        Place::Standalone => Finding::unmet("on a standalone host", "its host is in no cluster")
            .by_hand("Move the host, or the virtual machine, into a cluster."),
        Place::Hidden(why) => Finding::unknown("not readable", why.clone()),
    }
}

pub const HA_ENABLED: Requirement = Requirement::decisive("ha-enabled", "vSphere HA of the cluster is on.");

fn ha_enabled(facts: &Facts, cluster: &Cluster) -> Finding {
    let remedy = || {
        let text = format!("Turn vSphere HA of {} on.", cluster.subject.title());
        cluster_ha(facts, cluster, &text, false)
    };
    cluster.ha.judge("dasConfig.enabled", |on| {
        if *on {
            Finding::met("on")
        } else {
            Finding::unmet("off", "vSphere turns Fault Tolerance on only in a cluster with vSphere HA").remedy(remedy())
        }
    })
}

pub const HOST_MONITORING: Requirement =
    Requirement::advisory("host-monitoring", "Host monitoring of vSphere HA is on.");

fn host_monitoring(facts: &Facts, cluster: &Cluster) -> Finding {
    cluster.host_monitoring.judge("dasConfig.hostMonitoring", |state| match state.as_str() {
        "enabled" => Finding::met("on"),
        "disabled" => {
            let text = format!("Turn host monitoring of {} on.", cluster.subject.title());
            Finding::unmet("off", "without it, vSphere HA restarts no virtual machine after a host failure")
                .remedy(cluster_ha(facts, cluster, &text, true))
        }
        other => Finding::unknown(other, "this program does not know this state"),
    })
}

/// Returns a call of `cluster_ha`; `monitored` turns on host monitoring too.
fn cluster_ha(facts: &Facts, cluster: &Cluster, text: &str, monitored: bool) -> Remedy {
    let hosts = RemedyHosts::Cluster { name: cluster.subject.name.clone(), datacenter: facts.datacenter.clone() };
    let mut args = hosts.args();
    args.insert("state".to_owned(), json!("enabled"));
    if monitored {
        args.insert("host_monitoring".to_owned(), json!(true));
    }
    Remedy::call(text, "cluster_ha", Some(args))
}

pub const USABLE_HOSTS: Requirement =
    Requirement::decisive("usable-hosts", "At least two hosts are connected, powered on and not in maintenance mode.");

fn usable_hosts(hosts: &[Host]) -> Finding {
    let usable = hosts.iter().filter(|host| host.is_in_service()).count();
    let unknown = hosts.iter().filter(|host| host.out_of_service().is_none()).count() - usable;
    let observed = format!("{usable} of {} hosts", hosts.len());
    if usable >= 2 {
        Finding::met(observed)
    } else if usable + unknown >= 2 {
        let why = match unknown {
            1 => "1 host does not report whether it is in service".to_owned(),
            more => format!("{more} hosts do not report whether they are in service"),
        };
        Finding::unknown(observed, why)
    } else {
        Finding::unmet(observed, "the primary and the secondary run on different hosts")
            .by_hand("Add hosts to the cluster, or put hosts back into service.")
    }
}
