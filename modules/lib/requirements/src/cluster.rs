//! The cluster as a whole.

use serde_json::{Map, Value, json};
use vsphere_module::{Remedy, RemedyHosts};

use crate::check::Check;
use crate::context::Context;
use crate::facts::{Cluster, Facts, Place, Vm};
use crate::finding::{Finding, Status};
use crate::host;
use crate::rating::{RatedHost, describe};
use crate::requirement::Requirement;

pub const ALL: &[Requirement] =
    &[CLUSTER, HA_ENABLED, HOST_MONITORING, USABLE_HOSTS, THIRD_HOST, DRS_PLACEMENT, HA_OVERRIDE];

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
            Check::new(USABLE_HOSTS, &cluster.subject, usable_hosts(context)),
            Check::new(THIRD_HOST, &cluster.subject, third_host(context)),
            Check::new(DRS_PLACEMENT, &cluster.subject, drs_placement(cluster, facts.vm.as_ref())),
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
        cluster_ha(facts, cluster, &text, None)
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
                .remedy(cluster_ha(facts, cluster, &text, Some(("host_monitoring", json!(true)))))
        }
        other => Finding::unknown(other, "this program does not know this state"),
    })
}

/// Returns a call of `cluster_ha` that turns vSphere HA on, with one more argument.
fn cluster_ha(facts: &Facts, cluster: &Cluster, text: &str, more: Option<(&str, Value)>) -> Remedy {
    let hosts = RemedyHosts::Cluster { name: cluster.subject.name.clone(), datacenter: facts.datacenter.clone() };
    let mut args = hosts.args();
    args.insert("state".to_owned(), json!("enabled"));
    if let Some((name, value)) = more {
        args.insert(name.to_owned(), value);
    }
    Remedy::call(text, "cluster_ha", Some(args))
}

pub const USABLE_HOSTS: Requirement =
    Requirement::decisive("usable-hosts", "At least two hosts are connected, powered on and not in maintenance mode.");

fn usable_hosts(context: Context) -> Finding {
    in_service(context, 2, "the primary and the secondary run on different hosts", "Add hosts to the cluster.")
}

/// vSphere Availability names three hosts as the smallest cluster for Fault Tolerance.
pub const THIRD_HOST: Requirement =
    Requirement::advisory("third-host", "At least three hosts are connected, powered on and not in maintenance mode.");

fn third_host(context: Context) -> Finding {
    let why = "after the failure of one of two hosts, no other host can take the new secondary";
    in_service(context, 3, why, "Add a third host to the cluster.")
}

/// Judges whether at least this number of hosts is in service. If certainly fewer are, `why` says what for, and `more` is the
/// remedy if the cluster does not have as many.
fn in_service(context: Context, least: usize, why: &str, more: &str) -> Finding {
    let hosts = &context.facts.hosts;
    let rated: Vec<RatedHost> = hosts.iter().map(|host| RatedHost::new(host, Vec::new)).collect();
    let count = |status| rated.iter().filter(|rated| rated.status == status).count();
    let (usable, unknown) = (count(Status::Met), count(Status::Unknown));
    let observed = describe(context, &rated);
    if usable >= least {
        Finding::met(observed)
    } else if usable + unknown >= least {
        let why = match unknown {
            1 => "1 host does not report whether it is in service".to_owned(),
            more => format!("{more} hosts do not report whether they are in service"),
        };
        Finding::unknown(observed, why)
    } else {
        let back = hosts.iter().find_map(host::bring_back).filter(|_| hosts.len() >= least);
        Finding::unmet(observed, why).remedy(back.unwrap_or_else(|| Remedy::advice(more)))
    }
}

/// The secondary of a running virtual machine stays off until somebody applies the recommendation of DRS, unless that is automatic
/// (`CreateSecondaryVM_Task`). Only manual DRS leaves the placement at power-on to people (`DrsBehavior`). A secondary has the
/// level of its primary; without EVC, vSphere places it itself (vSphere Availability, "Using Fault Tolerance with DRS").
pub const DRS_PLACEMENT: Requirement =
    Requirement::advisory("drs-placement", "DRS places a secondary without asking a person.");

fn drs_placement(cluster: &Cluster, vm: Option<&Vm>) -> Finding {
    cluster.drs.judge("configurationEx.drsConfig", |drs| {
        if !drs.on {
            return Finding::met("DRS is off");
        }
        let own = vm.and_then(|vm| drs.overrides.iter().find(|(moid, _)| *moid == vm.subject.moid));
        let level = match own {
            Some((_, None)) => return Finding::met("DRS is off for the virtual machine"),
            Some((_, level)) => level,
            None => &drs.level,
        };
        match level.as_deref() {
            Some(level @ ("fullyAutomated" | "partiallyAutomated")) => Finding::met(level),
            Some("manual") => {
                let unset = || Finding::met("manual, but without EVC vSphere places secondaries itself");
                cluster
                    .evc
                    .judge_or("summary.currentEVCModeKey", unset, |()| manual(cluster, vm.filter(|_| own.is_some())))
            }
            Some(other) => Finding::unknown(other, "this program does not know this automation level"),
            None => Finding::unknown("not reported", "the server does not report the automation level of DRS"),
        }
    })
}

/// Judges manual DRS: of the cluster, or by an override of the virtual machine.
fn manual(cluster: &Cluster, vm: Option<&Vm>) -> Finding {
    let of = vm.map_or(cluster.subject.title(), |vm| vm.subject.title());
    let why = "if Fault Tolerance is turned on for a running virtual machine, its secondary stays off until somebody \
               applies the recommendation of DRS";
    Finding::unmet("manual", why).by_hand(format!(
        "Set the automation level of DRS for {of} to fully automated, or apply the recommendation after Fault \
         Tolerance is turned on."
    ))
}

/// vSphere Availability, "Prepare Your Cluster and Hosts for Fault Tolerance": an override must not turn vSphere HA off.
pub const HA_OVERRIDE: Requirement =
    Requirement::decisive("ha-override", "No override of the cluster turns vSphere HA off for the virtual machine.");

/// Judges the requirement of the virtual machine.
pub fn of_vm(context: Context, vm: &Vm) -> Option<Check> {
    let Place::Cluster(cluster) = &context.facts.place else { return None };
    let finding = cluster.ha_off.judge("configurationEx.dasVmConfig", |off| {
        if !off.contains(&vm.subject.moid) {
            return Finding::met("none");
        }
        let text = format!("Remove the override that turns vSphere HA off for {}.", vm.subject.name);
        let mut priorities = Map::new();
        priorities.insert(vm.subject.moid.clone(), json!("cluster"));
        let more = ("vm_restart_priority", Value::from(priorities));
        Finding::unmet("restart priority disabled", "vSphere HA does not restart the virtual machine")
            .remedy(cluster_ha(context.facts, cluster, &text, Some(more)))
    });
    Some(Check::new(HA_OVERRIDE, &vm.subject, finding))
}
