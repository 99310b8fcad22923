//! What is required of each host.

use serde_json::json;
use vsphere_module::{Remedy, RemedyHosts};

use super::reason::{HARDWARE, host_requirement, meaning};
use super::{Context, nic};
use crate::check::{Check, Id, Status, Verdict};
use crate::facts::{Fact, Host, Place, Support};

pub fn judge(context: Context, host: &Host) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |id, required: &str, verdict| checks.push(Check::new(id, required, &host.object, verdict));
    add(Id::HostConnected, "The host is on and connected.", connected(host));
    add(Id::HostMaintenance, "The host is not in maintenance mode.", maintenance(host));
    let support = if context.is_legacy() { &host.capability.legacy } else { &host.capability.smp };
    // An agent runs only where vSphere HA is on, and that it is off is said of the cluster.
    let no_agent = matches!(&context.facts.place, Place::Cluster(cluster) if cluster.ha == Fact::Known(false));
    if !no_agent {
        add(Id::HaAgent, "The host's agent of vSphere HA is healthy.", agent(host, support));
    }
    let vmotion = Service { name: nic::VMOTION, title: "vMotion", enabled: &host.vmotion, issue: "missingVMotionNic" };
    add(Id::VmotionNic, "A vmknic of the host carries vMotion.", vmotion.judge(host, support));
    let logging = Service {
        name: nic::FT_LOGGING,
        title: "Fault Tolerance logging",
        enabled: &host.ft_logging,
        issue: "missingFTLoggingNic",
    };
    add(Id::FtLoggingNic, "A vmknic of the host carries Fault Tolerance logging.", logging.judge(host, support));
    let bypassed = bypasses(context, host);
    let (flag, list) = if context.is_legacy() {
        ("capability.ftSupported", "ftCompatibilityIssues")
    } else {
        ("capability.smpFtSupported", "smpFtCompatibilityIssues")
    };
    let elsewhere = |reason: &str| match host_requirement(reason) {
        Some(Id::HaAgent) if no_agent => true,
        Some(Id::HaEnabled) => no_agent,
        // Of an agent that settles, the host says that there is an issue.
        Some(Id::HaAgent) => checks.iter().any(|check| check.id == Id::HaAgent && check.status != Status::Met),
        Some(id) => checks.iter().any(|check: &Check| check.id == id && check.status == Status::Unmet),
        None => false,
    };
    let verdict = capability(support, flag, list, bypassed, elsewhere);
    checks.push(Check::new(Id::HostCapability, "The host can do Fault Tolerance.", &host.object, verdict));
    if context.is_legacy() {
        let replay = &host.capability.replay;
        let verdict =
            capability(replay, "capability.recordReplaySupported", "replayCompatibilityIssues", bypassed, |_| false);
        checks.push(Check::new(Id::HostReplay, "The host can record and replay.", &host.object, verdict));
    }
    if host.out_of_service().is_some() {
        checks.iter_mut().for_each(only_advise);
    }
    checks
}

/// No module can do anything about a host that is out of service.
fn only_advise(check: &mut Check) {
    if let Some(remedy) = check.remedy.take_if(|remedy| remedy.module.is_some()) {
        check.remedy = Some(Remedy::advice(format!("When it is back in service: {}", remedy.text)));
    }
}

/// The virtual machine has the options by which a nested host may record and replay although its hardware does not allow it.
fn bypasses(context: Context, host: &Host) -> bool {
    let options = |vm: &crate::facts::Vm| {
        super::vm::REPLAY_OPTIONS
            .iter()
            .all(|key| vm.option(key).is_some_and(|value| value.eq_ignore_ascii_case("true")))
    };
    context.is_legacy() && host.nested && context.facts.vm.as_ref().is_some_and(options)
}

fn connected(host: &Host) -> Verdict {
    host.connection.judge("runtime.connectionState", |state| match (state.as_str(), host.off()) {
        ("connected", Some(off)) => Verdict::unmet(off, "it is not on").by_hand("Power the host on."),
        ("connected", None) => Verdict::met("connected"),
        (other, _) => Verdict::unmet(other, "the server does not reach it").by_hand("Reconnect the host."),
    })
}

fn maintenance(host: &Host) -> Verdict {
    host.maintenance.judge("runtime.inMaintenanceMode", |on| {
        if *on {
            Verdict::unmet("in maintenance mode", "it runs no virtual machine")
                .by_hand("Have the host leave maintenance mode.")
        } else {
            Verdict::met("not in maintenance mode")
        }
    })
}

/// States of an agent that do not pass by themselves (`ClusterDasFdmAvailabilityState`).
const BAD_AGENT: [&str; 6] = [
    "networkPartitionedFromMaster",
    "networkIsolated",
    "hostDown",
    "initializationError",
    "uninitializationError",
    "fdmUnreachable",
];

/// Since 5.0 the state of the agent is told; a host that can do Fault Tolerance has no issue with it either.
fn agent(host: &Host, support: &Support) -> Verdict {
    const REMEDY: &str = "Reconfigure the host for vSphere HA.";
    let reported = support.issues().iter().any(|issue| issue == "haAgentIssue");
    let by_issues = || {
        if reported {
            Verdict::unmet("haAgentIssue", meaning("haAgentIssue")).by_hand(REMEDY)
        } else if support.supported == Fact::Known(true) {
            Verdict::met("the host reports no issue with it")
        } else {
            Verdict::unknown("not told", "the server does not tell runtime.dasHostState.state")
        }
    };
    if let Some(state) = host.out_of_service() {
        let observed = host.agent.known().map_or("not told", String::as_str);
        return Verdict::unmet(observed, format!("the host is {state}, and its agent takes no part until it is back"));
    }
    host.agent.judge_or("runtime.dasHostState.state", by_issues, |state| match state.as_str() {
        "master" | "connectedToMaster" => Verdict::met(state.as_str()),
        // All of these pass by themselves, or end in an error.
        "uninitialized" | "election" | "retry" => Verdict::unknown(
            state.as_str(),
            "its agent is being set up or takes part in an election: look again in a minute",
        ),
        other if reported || BAD_AGENT.contains(&other) => {
            Verdict::unmet(other, "its agent neither is the master nor is connected to it").by_hand(REMEDY)
        }
        other => Verdict::unknown(other, "this state is not known to this program"),
    })
}

/// A service that some vmknic has to carry.
struct Service<'a> {
    name: &'static str,
    title: &'static str,
    /// What the host's summary says.
    enabled: &'a Fact<bool>,
    /// What the host calls the lack of it.
    issue: &'static str,
}

impl Service<'_> {
    fn judge(&self, host: &Host, support: &Support) -> Verdict {
        let reported = support.issues().iter().any(|issue| issue == self.issue);
        let carriers = host.services.known().and_then(|services| nic::carriers(services, self.name));
        let carried = carriers.as_ref().map(|carriers| !carriers.is_empty());
        match carried.or(self.enabled.known().copied()) {
            Some(true) if reported => Verdict::unmet(
                format!("{} carries it, and the host reports {}", carriers.unwrap_or_default().join(", "), self.issue),
                meaning(self.issue),
            ),
            Some(true) => Verdict::met(carriers.map_or("on".to_owned(), |carriers| carriers.join(", "))),
            Some(false) => {
                Verdict::unmet("none", format!("no vmknic carries {}", self.title)).remedy(self.remedy(host))
            }
            None if reported => Verdict::unmet(self.issue, meaning(self.issue)).remedy(self.remedy(host)),
            None => host.services.judge("config.virtualNicManagerInfo", |_| {
                Verdict::unknown("not told", format!("the host does not tell which vmknics carry {}", self.title))
            }),
        }
    }

    fn remedy(&self, host: &Host) -> Remedy {
        let services = host.services.known().map(Vec::as_slice).unwrap_or_default();
        if let Some(device) = nic::choice(services, self.name) {
            let mut args = RemedyHosts::Names(vec![host.object.name.clone()]).args();
            args.insert("device".to_owned(), json!(device));
            args.insert("services".to_owned(), json!([self.name]));
            args.insert("state".to_owned(), json!("present"));
            return Remedy::call(format!("Have {device} carry {}.", self.title), "vmkernel_service", Some(args));
        }
        match nic::candidates(services, self.name) {
            [] => Remedy::advice(format!("Give the host a vmknic, and have it carry {}.", self.title)),
            several => {
                let text = format!("Have one of these vmknics carry {}: {}.", self.title, nic::list(several));
                Remedy::call(text, "vmkernel_service", None)
            }
        }
    }
}

/// A capability, whose issues may be the fact of another check (`elsewhere`).
fn capability(support: &Support, flag: &str, list: &str, bypassed: bool, elsewhere: impl Fn(&str) -> bool) -> Verdict {
    let (known, rest): (Vec<&str>, Vec<&str>) =
        support.issues().iter().map(String::as_str).partition(|reason| elsewhere(reason));
    if !rest.is_empty() {
        let observed = rest.join(", ");
        let why = rest.iter().map(|reason| meaning(reason)).collect::<Vec<_>>().join("; ");
        if bypassed && rest.iter().all(|reason| HARDWARE.contains(reason)) {
            let why = format!(
                "{why}; the options of the virtual machine ask for Fault Tolerance all the same, and whether that works shows \
                 when it is turned on"
            );
            return Verdict::unknown(observed, why);
        }
        return Verdict::unmet(observed, why);
    }
    if let Fact::Hidden(why) = &support.issues {
        return Verdict::unknown("not readable", format!("capability.{list} cannot be read: {why}"));
    }
    support.supported.judge(flag, |supported| match (supported, known.is_empty()) {
        (true, _) => Verdict::met("it can"),
        (false, false) => Verdict::met(format!("nothing but {}, which is another check's", known.join(", "))),
        (false, true) if bypassed => Verdict::unknown(
            format!("{flag} is false"),
            "the options of the virtual machine ask for it all the same, and whether that works shows when it is turned on",
        ),
        (false, true) => Verdict::unmet(format!("{flag} is false"), "the host says that it cannot, and not why"),
    })
}
