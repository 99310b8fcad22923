//! The state of a host.

use vsphere_module::Remedy;

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Place, Support};
use crate::finding::Finding;
use crate::reason::meaning;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[HOST_CONNECTED, HOST_MAINTENANCE, HA_AGENT];

/// Judges these requirements.
pub fn judge(context: Context, host: &Host) -> Vec<Check> {
    let mut checks = vec![
        Check::new(HOST_CONNECTED, &host.subject, connected(host)),
        Check::new(HOST_MAINTENANCE, &host.subject, maintenance(host)),
    ];
    if has_agent(context) {
        checks.push(Check::new(HA_AGENT, &host.subject, agent(host, host.capability.of(context.engine))));
    }
    checks
}

/// True unless vSphere HA is off, as the requirement `ha-enabled` then reports: without it, hosts run no agent.
pub fn has_agent(context: Context) -> bool {
    !matches!(&context.facts.place, Place::Cluster(cluster) if cluster.ha == Fact::Known(false))
}

pub const HOST_CONNECTED: Requirement = Requirement::of_hosts("host-connected", "The host is on and connected.");

fn connected(host: &Host) -> Finding {
    host.connection.judge("runtime.connectionState", |state| match (state.as_str(), host.off()) {
        ("connected", Some(off)) => Finding::unmet(off, "the host is not powered on").by_hand("Power the host on."),
        ("connected", None) => Finding::met("connected"),
        (other, _) => Finding::unmet(other, "the server cannot reach it").by_hand("Reconnect the host."),
    })
}

pub const HOST_MAINTENANCE: Requirement =
    Requirement::of_hosts("host-maintenance", "The host is not in maintenance mode.");

fn maintenance(host: &Host) -> Finding {
    host.maintenance.judge("runtime.inMaintenanceMode", |on| {
        if *on {
            Finding::unmet("in maintenance mode", "a host in maintenance mode runs no virtual machine")
                .by_hand("Take the host out of maintenance mode.")
        } else {
            Finding::met("not in maintenance mode")
        }
    })
}

/// Returns the remedy that brings the host back into service; `None` if it is not out of service.
pub fn bring_back(host: &Host) -> Option<Remedy> {
    host.out_of_service()?;
    [connected(host), maintenance(host)].into_iter().find_map(|finding| finding.remedy)
}

pub const HA_AGENT: Requirement = Requirement::of_hosts("ha-agent", "The host's agent of vSphere HA is healthy.");

/// The states of an agent that do not pass without help (`ClusterDasFdmAvailabilityState`).
const BAD_AGENT: [&str; 6] = [
    "networkPartitionedFromMaster",
    "networkIsolated",
    "hostDown",
    "initializationError",
    "uninitializationError",
    "fdmUnreachable",
];

/// Since 5.0 the server reports the agent's state. Before that, a host that can do Fault Tolerance has a healthy agent.
fn agent(host: &Host, support: &Support) -> Finding {
    const REMEDY: &str = "Reconfigure the host for vSphere HA.";
    let reported = support.issues().iter().any(|issue| issue == "haAgentIssue");
    let by_issues = || {
        if reported {
            Finding::unmet("haAgentIssue", meaning("haAgentIssue")).by_hand(REMEDY)
        } else if support.supported == Fact::Known(true) {
            Finding::met("the host reports no issue with it")
        } else {
            Finding::unknown("not reported", "the server does not report runtime.dasHostState.state")
        }
    };
    if let Some(state) = host.out_of_service() {
        let observed = host.agent.known().map_or("not reported", String::as_str);
        let why = format!("the host is {state}; its agent does not take part until the host is back in service");
        return Finding { remedy: bring_back(host), ..Finding::unmet(observed, why) };
    }
    host.agent.judge_or("runtime.dasHostState.state", by_issues, |state| match state.as_str() {
        "master" | "connectedToMaster" => Finding::met(state.as_str()),
        // All of these pass without help, or end in an error.
        "uninitialized" | "election" | "retry" => Finding::unknown(
            state.as_str(),
            "its agent is being set up or takes part in an election; check again in a minute",
        ),
        other if reported || BAD_AGENT.contains(&other) => {
            Finding::unmet(other, "its agent is neither the master nor connected to the master").by_hand(REMEDY)
        }
        other => Finding::unknown(other, "this program does not know this state"),
    })
}
