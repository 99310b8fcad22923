//! The decision about vSphere HA of a cluster.

use contract::{Error, Kind, Plan};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use vsphere::{HaConfig, Moref};
use vsphere_module::Named;

use crate::args::{State, Wish};

/// The state read from the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub moref: Moref,
    pub name: String,
    pub config: HaConfig,
    /// The hosts' agents, by the names of the hosts.
    pub agents: Vec<Agent>,
    /// The virtual machines that are protected by Fault Tolerance now; read only when vSphere HA may be turned off.
    pub protected: Vec<String>,
}

impl Named for Observed {
    const UNREAD: &'static str = "the cluster";

    fn label(&self) -> String {
        format!("cluster {}", self.name)
    }
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        let HaConfig { enabled, host_monitoring, admission_control } = self.config;
        json!({ "enabled": enabled, "admission_control": admission_control, "host_monitoring": host_monitoring })
    }
}

/// The agent of vSphere HA on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Agent {
    /// Name of the host.
    pub host: String,
    /// Its state as vSphere names it, such as V(master), V(connectedToMaster), V(election) or V(initializationError); null
    /// if vSphere tells none, as before vSphere 5.0 or while vSphere HA is off.
    pub state: Option<String>,
    /// Whether it takes part: V(master) or V(connectedToMaster); null if its state is not told.
    pub healthy: Option<bool>,
    /// The host is connected, powered on and not in maintenance mode, so that an agent should run.
    #[serde(skip)]
    pub expected: bool,
}

impl Agent {
    pub fn new(host: String, state: Option<String>, expected: bool) -> Self {
        let healthy = state.as_deref().map(|state| ["master", "connectedToMaster"].contains(&state));
        Self { host, state, healthy, expected }
    }
}

/// The settings to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub config: HaConfig,
    /// The server does not say how any of them is now.
    pub untold: bool,
    /// vSphere HA is on already, and agents are on their way: they are waited for.
    pub settling: bool,
}

impl Change {
    /// Agents are waited for after something else is written: only then is it known which are ready.
    pub fn tells_later(&self) -> bool {
        self.settling && !self.config.is_empty()
    }
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.config.is_empty()
    }
    fn waits(&self) -> bool {
        self.settling
    }
    fn is_tentative(&self) -> bool {
        self.untold
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let (is, to) = (observed.config, self.config);
        let config = HaConfig {
            enabled: to.enabled.or(is.enabled),
            host_monitoring: to.host_monitoring.or(is.host_monitoring),
            admission_control: to.admission_control.or(is.admission_control),
        };
        Observed { config, ..observed.clone() }
    }
}

/// The states of an agent that is being set up (`ClusterDasFdmAvailabilityState`).
const COMING: [&str; 3] = ["uninitialized", "election", "retry"];
/// The states that an agent cannot leave without help.
const FAILED: [&str; 2] = ["initializationError", "uninitializationError"];

/// Decides.
pub fn plan(wish: &Wish, observed: &Observed) -> Plan<Change> {
    let is = observed.config;
    let on = wish.state == State::Enabled;
    // A value that the server omits does not count as on.
    let enabled = if is.enabled.unwrap_or(false) == on { None } else { Some(on) };
    let differs = |wanted: Option<bool>, is: Option<bool>| wanted.filter(|wanted| is != Some(*wanted));
    let config = HaConfig {
        enabled,
        host_monitoring: differs(wish.host_monitoring, is.host_monitoring),
        admission_control: differs(wish.admission_control, is.admission_control),
    };
    let written = settings(config, is).into_iter().filter(|(_, to, _)| to.is_some());
    let (untold, told): (Vec<_>, Vec<_>) = written.partition(|(_, _, is)| is.is_none());
    let settling = on && enabled.is_none() && coming(observed);
    let mut plan = Plan::from(Change { config, untold: !untold.is_empty() && told.is_empty(), settling });
    let name = &observed.name;
    if is.enabled.is_none() {
        plan.warnings.push(format!(
            "the server does not report whether vSphere HA is on for the cluster {name}; assuming it is off"
        ));
    }
    for (setting, ..) in untold.iter().filter(|(setting, ..)| *setting != "enabled") {
        plan.warnings.push(format!(
            "the server does not report dasConfig.{setting} of the cluster {name}: it is set, and counts as changed only if the value read back differs"
        ));
    }
    if enabled == Some(false) && !observed.protected.is_empty() {
        plan.warnings.push(format!(
            "Fault Tolerance protects {}: without vSphere HA, running pairs keep running, but a lost secondary is not replaced, and Fault Tolerance can neither be turned on nor failed over manually",
            observed.protected.join(", ")
        ));
    }
    if on && enabled.is_none() && !plan.change.tells_later() {
        plan.warnings.extend(not_ready(observed));
    }
    plan
}

/// Every setting by its name in the API: what it is to be, and what it is.
fn settings(to: HaConfig, is: HaConfig) -> [(&'static str, Option<bool>, Option<bool>); 3] {
    [
        ("enabled", to.enabled, is.enabled),
        ("hostMonitoring", to.host_monitoring, is.host_monitoring),
        ("admissionControlEnabled", to.admission_control, is.admission_control),
    ]
}

/// Returns the settings of the change that did not take effect, as far as the server reports them.
pub fn missing(observed: &Observed, change: &Change) -> Vec<&'static str> {
    let settings = settings(change.config, observed.config);
    let ignored = settings.iter().filter(|(_, to, is)| to.is_some() && is.is_some() && to != is);
    ignored.map(|(name, ..)| *name).collect()
}

/// Returns the failure when the server accepted everything and `ignored` did not take effect.
pub fn ignored(observed: &Observed, ignored: &[&str]) -> Error {
    let text = format!(
        "the server accepted the change, but the cluster {} did not apply dasConfig.{}",
        observed.name,
        ignored.join(", dasConfig.")
    );
    Error::new(Kind::Fault, text)
}

/// The time since this run turned vSphere HA on, as far as it decides what to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// A moment ago: even a server that reports states may not report them yet.
    Moments,
    /// Not long ago: an agent that failed may be tried again, and one that reports nothing may report soon.
    NotLong,
    /// Long enough for what is final to be final.
    Long,
}

/// True if agents that should run may still get ready, now that vSphere HA was turned on.
pub fn settling(observed: &Observed, since: Since) -> bool {
    let told = told(observed);
    expected(observed).any(|agent| match (agent.healthy, agent.state.as_deref()) {
        (Some(healthy), Some(state)) => !healthy && (since != Since::Long || !FAILED.contains(&state)),
        _ => since == Since::Moments || (since == Since::NotLong && told),
    })
}

/// True if agents are on their way although this run turned nothing on, as after a run that did not wait to the end. Any
/// other state may have been there for days, and so may an agent that tells none.
pub fn coming(observed: &Observed) -> bool {
    expected(observed).any(|agent| agent.state.as_deref().is_some_and(|state| COMING.contains(&state)))
}

/// The agents that should run.
fn expected(observed: &Observed) -> impl Iterator<Item = &Agent> {
    observed.agents.iter().filter(|agent| agent.expected)
}

/// True if any of them reports its state: on servers that report none there is nothing to wait for.
fn told(observed: &Observed) -> bool {
    expected(observed).any(|agent| agent.state.is_some())
}

/// Returns warnings about hosts whose agent should run and does not, or reports nothing where others do.
pub fn not_ready(observed: &Observed) -> Vec<String> {
    let name = &observed.name;
    let mut unhealthy = Vec::new();
    let mut untold = Vec::new();
    for agent in expected(observed) {
        match (&agent.state, agent.healthy) {
            (Some(state), Some(false)) => unhealthy.push(format!("{} ({state})", agent.host)),
            (None, _) => untold.push(agent.host.as_str()),
            _ => {}
        }
    }
    let mut warnings = Vec::new();
    if !unhealthy.is_empty() {
        warnings.push(format!(
            "vSphere HA is on for the cluster {name}, but its agent is not ready on {}: Fault Tolerance cannot use these hosts",
            unhealthy.join(", ")
        ));
    }
    if !untold.is_empty() && told(observed) {
        warnings.push(format!(
            "vSphere HA is on for the cluster {name}, but its agent reports no state on {}, although it does on other hosts: Fault Tolerance may not be able to use these hosts",
            untold.join(", ")
        ));
    }
    warnings
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
