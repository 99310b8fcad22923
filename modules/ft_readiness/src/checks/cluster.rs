//! What is required of the cluster as a whole.

use serde_json::json;
use target::{Remedy, RemedyHosts};
use vsphere::{FtEngine, Version};

use super::Context;
use crate::check::{Check, Id, Verdict};
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
    add(Id::UsableHosts, "At least two hosts are connected and not in maintenance mode.", usable_hosts(&facts.hosts));
    let (name, required) = match context.engine {
        FtEngine::Legacy => ("record/replay", "The hosts have record/replay Fault Tolerance: ESX or ESXi 4.0 to 6.0."),
        FtEngine::Smp => ("SMP-FT", "The hosts have SMP-FT: ESXi 6.0 or later."),
    };
    add(Id::Engine, required, engine(context.engine, name, &facts.hosts));
    add(Id::FtVersion, "The hosts have the same version of Fault Tolerance.", ft_version(&facts.hosts));
    add(Id::FtVmLimit, "The hosts may run another virtual machine with Fault Tolerance.", limit(context, cluster));
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
    let untold = hosts.iter().filter(|host| {
        let connected = host.connection.known().is_none_or(|state| state == "connected");
        connected && host.maintenance != Fact::Known(true) && !host.is_in_service()
    });
    let untold = untold.count();
    let observed = format!("{usable} of {} hosts", hosts.len());
    if usable >= 2 {
        Verdict::met(observed)
    } else if usable + untold >= 2 {
        Verdict::unknown(observed, format!("of {untold} hosts it is not told whether they can be used"))
    } else {
        Verdict::unmet(observed, "primary and secondary run on different hosts")
            .by_hand("Add hosts to the cluster, or take hosts out of maintenance mode.")
    }
}

fn engine(engine: FtEngine, name: &str, hosts: &[Host]) -> Verdict {
    let can = |version: &Version| match engine {
        FtEngine::Legacy => version.at_least(4, 0) && !version.at_least(6, 5),
        FtEngine::Smp => version.at_least(6, 0),
    };
    let without: Vec<String> = hosts
        .iter()
        .filter_map(|host| {
            let version = host.version.known().filter(|version| !can(version))?;
            Some(format!("{} ({version})", host.object.name))
        })
        .collect();
    if !without.is_empty() {
        let why = format!("their version of ESXi has no {name} Fault Tolerance");
        return Verdict::unmet(without.join(", "), why)
            .by_hand("Choose the other engine, or hosts of another version.");
    }
    let hidden = hosts.iter().filter(|host| host.version.known().is_none()).count();
    if hidden > 0 || hosts.is_empty() {
        return Verdict::unknown("not told", format!("the version of {hidden} hosts is not known"));
    }
    Verdict::met(format!("all {} hosts", hosts.len()))
}

/// Since 4.1 a host tells the version of the feature; before that, the build is what counts.
fn ft_version(hosts: &[Host]) -> Verdict {
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
        (None, Some(builds)) if hosts.iter().all(needs_same_build) => unmet(builds, "their build"),
        (None, Some(builds)) => {
            Verdict::unknown(by_host(builds), "the hosts do not tell their version of Fault Tolerance")
        }
    }
}

/// ESX and ESXi 4.0.
fn needs_same_build(host: &Host) -> bool {
    host.version.known().is_some_and(|version| !version.at_least(4, 1))
}

fn limit(context: Context, cluster: &Cluster) -> Verdict {
    let key = "das.maxftvmsperhost";
    let options = cluster.options.known().map(Vec::as_slice).unwrap_or_default();
    let set = options.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.trim());
    match set {
        Some("0") => Verdict::met(format!("no limit: {key} is 0")),
        _ if context.facts.vm.as_ref().is_some_and(super::super::facts::Vm::has_ft) => {
            Verdict::met("Fault Tolerance of this virtual machine is configured already")
        }
        set => Verdict::unknown(
            format!("{key} is {}", set.unwrap_or("not set, which is 4")),
            "the virtual machines with Fault Tolerance on each host are not counted",
        ),
    }
}
