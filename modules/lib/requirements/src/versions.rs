//! The versions of the vCenter Server and the hosts.

use vsphere::FtEngine;

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Place};
use crate::finding::{Finding, all};
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[ENGINE, VCENTER_VERSION, FT_VERSION];

/// Judges these requirements.
pub fn judge(context: Context) -> Vec<Check> {
    let Place::Cluster(cluster) = &context.facts.place else { return Vec::new() };
    let hosts: Vec<&Host> = context.facts.candidates().collect();
    let (name, versions) = about(context.engine);
    let engine_text = format!("The hosts support {name}: {versions}.");
    let vcenter_text = format!("The vCenter Server can turn {name} on.");
    vec![
        Check::worded(ENGINE, engine_text, &cluster.subject, engine(context.engine, &hosts)),
        Check::worded(VCENTER_VERSION, vcenter_text, &cluster.subject, vcenter_version(context)),
        Check::new(FT_VERSION, &cluster.subject, ft_version(&hosts)),
    ]
}

/// Returns the engine's name and the versions of ESXi that have it.
fn about(engine: FtEngine) -> (&'static str, &'static str) {
    match engine {
        FtEngine::Legacy => ("record/replay Fault Tolerance", "ESX or ESXi 4.0 to 6.0"),
        FtEngine::Smp => ("SMP-FT", "ESXi 6.0 or later"),
    }
}

pub const ENGINE: Requirement = Requirement::of_hosts("engine", "The hosts have the engine.");

fn engine(engine: FtEngine, hosts: &[&Host]) -> Finding {
    if hosts.is_empty() {
        return Finding::unknown("not reported", "no host is in service");
    }
    all(&format!("all {} hosts", hosts.len()), hosts.iter().map(|host| has_engine(engine, host)))
}

/// Judges whether the version of a host has the engine.
pub fn has_engine(engine: FtEngine, host: &Host) -> Finding {
    host.version.judge("summary.config.product.version", |version| {
        let can = match engine {
            FtEngine::Legacy => version.at_least(4, 0) && !version.at_least(6, 5),
            FtEngine::Smp => version.at_least(6, 0),
        };
        let observed = format!("{} ({version})", host.subject.name);
        if can {
            Finding::met(observed)
        } else {
            let name = about(engine).0;
            Finding::unmet(observed, format!("ESXi {version} does not support {name}"))
                .by_hand("Choose the other engine, or use hosts with another version.")
        }
    })
}

pub const VCENTER_VERSION: Requirement =
    Requirement::decisive("vcenter-version", "The vCenter Server can turn on Fault Tolerance of this engine.");

/// vCenter Server 6.5 and later manage existing pairs of record/replay Fault Tolerance but create none, whatever the host
/// (vSphere Availability 6.5, "Differences Between Legacy FT and vSphere FT").
fn vcenter_version(context: Context) -> Finding {
    let server = &context.facts.server;
    let observed = format!("vCenter Server {server}");
    let smp = server.at_least(6, 0);
    let configured = context.facts.vm.as_ref().is_some_and(|vm| vm.has_ft_of(context.engine));
    match context.engine {
        FtEngine::Smp if !smp => Finding::unmet(observed, "SMP-FT needs vCenter Server 6.0 or later")
            .by_hand("Upgrade the vCenter Server and the hosts to 6.0 or later, or choose the other engine."),
        FtEngine::Legacy if server.at_least(6, 5) && !configured => {
            let why = "since 6.5, vCenter Server turns record/replay Fault Tolerance on for no other virtual machine";
            Finding::unmet(observed, why).by_hand(
                "Use SMP-FT, on hosts of ESXi 6.0 or later and without vm.useLegacyFt, or manage the hosts with a \
                 vCenter Server of 6.0.",
            )
        }
        _ => Finding::met(observed),
    }
}

pub const FT_VERSION: Requirement =
    Requirement::of_hosts("ft-version", "The hosts have the same version of Fault Tolerance.");

/// Since 4.1 a host reports the version of the feature. Before that, the builds have to be the same.
pub fn ft_version(hosts: &[&Host]) -> Finding {
    let reported = |fact: fn(&Host) -> &Fact<String>| -> Option<Vec<(&str, &str)>> {
        hosts.iter().map(|host| Some((host.subject.name.as_str(), fact(host).known()?.as_str()))).collect()
    };
    let versions = reported(|host| &host.ft_version);
    let builds = reported(|host| &host.build);
    let same = |reported: &[(&str, &str)]| reported.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let by_host = |reported: &[(&str, &str)]| {
        reported.iter().map(|(host, what)| format!("{host}: {what}")).collect::<Vec<_>>().join(", ")
    };
    let unmet = |reported: &[(&str, &str)], what: &str| {
        Finding::unmet(by_host(reported), format!("the hosts differ in {what}"))
            .by_hand("Install the same version of ESXi on the hosts.")
    };
    match (versions.as_deref(), builds.as_deref()) {
        (Some([]), _) | (None, None) => Finding::unknown("not reported", "the hosts do not report their versions"),
        (Some(versions), _) if same(versions) => Finding::met(versions[0].1),
        (Some(versions), _) => unmet(versions, "their version of Fault Tolerance"),
        (None, Some(builds)) if same(builds) => {
            Finding::met(builds.first().map_or(String::new(), |(_, build)| format!("build {build}")))
        }
        (None, Some(builds)) if hosts.iter().all(|host| needs_same_build(host)) => unmet(builds, "their build"),
        (None, Some(builds)) => {
            Finding::unknown(by_host(builds), "the hosts do not report their version of Fault Tolerance")
        }
    }
}

/// True for ESX and ESXi 4.0.
fn needs_same_build(host: &Host) -> bool {
    host.version.known().is_some_and(|version| !version.at_least(4, 1))
}
