//! What is required of the cluster as a whole.

use serde_json::json;
use vsphere::FtEngine;
use vsphere_module::{Remedy, RemedyHosts};

use super::{Context, limit};
use crate::check::{Check, Id, Verdict, all};
use crate::facts::{Cluster, Fact, Facts, Host, Place};

pub fn judge(context: Context) -> Vec<Check> {
    let facts = context.facts;
    let mut checks = Vec::new();
    if let Some(vm) = &facts.vm {
        let verdict = match &facts.place {
            Place::Cluster(cluster) => Verdict::met(format!("in {}", cluster.object.title())),
            Place::Standalone => Verdict::unmet("on a host of its own", "its host belongs to no cluster")
                .by_hand("Move the host, or the virtual machine, into a cluster."),
            Place::Hidden(why) => Verdict::unknown("not readable", why.clone()),
        };
        checks.push(Check::new(Id::Cluster, "The virtual machine is in a cluster.", &vm.object, verdict));
    }
    let Place::Cluster(cluster) = &facts.place else { return checks };
    let mut add = |id, required: &str, verdict| checks.push(Check::new(id, required, &cluster.object, verdict));
    add(Id::HaEnabled, "vSphere HA of the cluster is on.", ha(facts, cluster));
    add(Id::HostMonitoring, "Host monitoring of vSphere HA is on.", host_monitoring(facts, cluster));
    let required = "At least two hosts are connected, on and not in maintenance mode.";
    add(Id::UsableHosts, required, usable_hosts(&facts.hosts));
    let hosts: Vec<&Host> = facts.candidates().collect();
    let (name, versions) = about(context.engine);
    let required = format!("The hosts have {name}: {versions}.");
    add(Id::Engine, &required, engine(context.engine, &hosts));
    let required = format!("The vCenter Server can turn {name} on.");
    add(Id::VcenterVersion, &required, vcenter_version(context));
    add(Id::FtVersion, "The hosts have the same version of Fault Tolerance.", ft_version(&hosts));
    let required = "Two hosts may run another virtual machine with Fault Tolerance.";
    add(Id::FtVmLimit, required, limit::judge(context, cluster));
    checks
}

/// A call of `cluster_ha`, with host monitoring or as that is.
fn cluster_ha(facts: &Facts, cluster: &Cluster, text: &str, monitored: bool) -> Remedy {
    let hosts = RemedyHosts::Cluster { name: cluster.object.name.clone(), datacenter: facts.datacenter.clone() };
    let mut args = hosts.args();
    args.insert("state".to_owned(), json!("enabled"));
    if monitored {
        args.insert("host_monitoring".to_owned(), json!(true));
    }
    Remedy::call(text, "cluster_ha", Some(args))
}

fn ha(facts: &Facts, cluster: &Cluster) -> Verdict {
    let remedy = || {
        let text = format!("Turn vSphere HA of {} on.", cluster.object.title());
        cluster_ha(facts, cluster, &text, false)
    };
    cluster.ha.judge("dasConfig.enabled", |on| {
        if *on {
            Verdict::met("on")
        } else {
            Verdict::unmet("off", "vSphere turns Fault Tolerance on only in a cluster with vSphere HA").remedy(remedy())
        }
    })
}

fn host_monitoring(facts: &Facts, cluster: &Cluster) -> Verdict {
    cluster.host_monitoring.judge("dasConfig.hostMonitoring", |state| match state.as_str() {
        "enabled" => Verdict::met("on"),
        "disabled" => {
            let text = format!("Turn host monitoring of {} on.", cluster.object.title());
            Verdict::unmet("off", "without it vSphere HA restarts no virtual machine after a host fails")
                .remedy(cluster_ha(facts, cluster, &text, true))
        }
        other => Verdict::unknown(other, "this state is not known to this program"),
    })
}

fn usable_hosts(hosts: &[Host]) -> Verdict {
    let usable = hosts.iter().filter(|host| host.is_in_service()).count();
    let untold = hosts.iter().filter(|host| host.out_of_service().is_none()).count() - usable;
    let observed = format!("{usable} of {} hosts", hosts.len());
    if usable >= 2 {
        Verdict::met(observed)
    } else if usable + untold >= 2 {
        Verdict::unknown(observed, format!("of {untold} hosts it is not told whether they can be used"))
    } else {
        Verdict::unmet(observed, "primary and secondary run on different hosts")
            .by_hand("Add hosts to the cluster, or take hosts back into service.")
    }
}

/// vCenter Server 6.5 and later manage the pairs of record/replay that there are, and make no more of them, on whatever host
/// (vSphere Availability 6.5, "Differences Between Legacy FT and vSphere FT").
fn vcenter_version(context: Context) -> Verdict {
    let server = &context.facts.server;
    let observed = format!("vCenter Server {server}");
    let smp = server.at_least(6, 0);
    let configured = context.facts.vm.as_ref().is_some_and(|vm| vm.has_ft_of(context.engine));
    match context.engine {
        FtEngine::Smp if !smp => Verdict::unmet(observed, "it knows no SMP-FT, which came with 6.0")
            .by_hand("Upgrade the vCenter Server and the hosts to 6.0 or later, or choose the other engine."),
        FtEngine::Legacy if server.at_least(6, 5) && !configured => {
            let why = "since 6.5 it turns record/replay Fault Tolerance on for no other virtual machine";
            Verdict::unmet(observed, why).by_hand(
                "Use SMP-FT, on hosts of ESXi 6.0 or later and without vm.useLegacyFt, or manage the hosts by a vCenter \
                 Server of 6.0.",
            )
        }
        _ => Verdict::met(observed),
    }
}

/// What the engine is called, and which versions of ESXi have it.
fn about(engine: FtEngine) -> (&'static str, &'static str) {
    match engine {
        FtEngine::Legacy => ("record/replay Fault Tolerance", "ESX or ESXi 4.0 to 6.0"),
        FtEngine::Smp => ("SMP-FT", "ESXi 6.0 or later"),
    }
}

/// Whether the version of a host has the engine.
pub fn has_engine(engine: FtEngine, host: &Host) -> Verdict {
    host.version.judge("summary.config.product.version", |version| {
        let can = match engine {
            FtEngine::Legacy => version.at_least(4, 0) && !version.at_least(6, 5),
            FtEngine::Smp => version.at_least(6, 0),
        };
        let observed = format!("{} ({version})", host.object.name);
        if can {
            Verdict::met(observed)
        } else {
            let name = about(engine).0;
            Verdict::unmet(observed, format!("ESXi {version} has no {name}"))
                .by_hand("Choose the other engine, or hosts of another version.")
        }
    })
}

fn engine(engine: FtEngine, hosts: &[&Host]) -> Verdict {
    if hosts.is_empty() {
        return Verdict::unknown("not told", "no host is in service");
    }
    all(&format!("all {} hosts", hosts.len()), hosts.iter().map(|host| has_engine(engine, host)))
}

/// Since 4.1 a host tells the version of the feature; before that, the build is what counts.
pub fn ft_version(hosts: &[&Host]) -> Verdict {
    let told = |fact: fn(&Host) -> &Fact<String>| -> Option<Vec<(&str, &str)>> {
        hosts.iter().map(|host| Some((host.object.name.as_str(), fact(host).known()?.as_str()))).collect()
    };
    let versions = told(|host| &host.ft_version);
    let builds = told(|host| &host.build);
    let same = |told: &[(&str, &str)]| told.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let by_host = |told: &[(&str, &str)]| {
        told.iter().map(|(host, what)| format!("{host}: {what}")).collect::<Vec<_>>().join(", ")
    };
    let unmet = |told: &[(&str, &str)], what: &str| {
        Verdict::unmet(by_host(told), format!("the hosts differ in {what}"))
            .by_hand("Bring the hosts to the same version of ESXi.")
    };
    match (versions.as_deref(), builds.as_deref()) {
        (Some([]), _) | (None, None) => Verdict::unknown("not told", "the hosts do not tell their versions"),
        (Some(versions), _) if same(versions) => Verdict::met(versions[0].1),
        (Some(versions), _) => unmet(versions, "their version of Fault Tolerance"),
        (None, Some(builds)) if same(builds) => {
            Verdict::met(builds.first().map_or(String::new(), |(_, build)| format!("build {build}")))
        }
        (None, Some(builds)) if hosts.iter().all(|host| needs_same_build(host)) => unmet(builds, "their build"),
        (None, Some(builds)) => {
            Verdict::unknown(by_host(builds), "the hosts do not tell their version of Fault Tolerance")
        }
    }
}

/// ESX and ESXi 4.0.
fn needs_same_build(host: &Host) -> bool {
    host.version.known().is_some_and(|version| !version.at_least(4, 1))
}
