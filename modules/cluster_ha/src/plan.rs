//! The decision about vSphere HA of a cluster.

use contract::{Error, Kind, Plan};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use vsphere::{HaChange, HaConfig, HaOverride, Moref};
use vsphere_module::Named;

use crate::args::{CLUSTER, State, Wish};
use crate::details::{self, HaOption, HaVm};

/// The state read from the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub moref: Moref,
    pub name: String,
    pub config: HaConfig,
    /// The advanced options that were asked for.
    pub options: Vec<HaOption>,
    /// The virtual machines whose restart priority was asked for.
    pub vms: Vec<HaVm>,
    /// The server knows the restart priorities of vSphere 6.5.
    pub since_6_5: bool,
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
        let mut view =
            json!({ "enabled": enabled, "admission_control": admission_control, "host_monitoring": host_monitoring });
        // Only what was asked for, because there may be many.
        if !self.options.is_empty() {
            let options = self.options.iter().map(|option| (option.key.clone(), json!(option.value)));
            view["advanced_options"] = options.collect::<Map<_, _>>().into();
        }
        if !self.vms.is_empty() {
            let vms = self.vms.iter().map(|vm| (vm.asked.clone(), json!(vm.priority)));
            view["vm_restart_priority"] = vms.collect::<Map<_, _>>().into();
        }
        view
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
    pub write: HaChange,
    /// The server does not say how any of them is now.
    pub untold: bool,
    /// vSphere HA is on already, and agents are on their way: they are waited for.
    pub settling: bool,
}

impl Change {
    /// Agents are waited for after something else is written: only then is it known which are ready.
    pub fn tells_later(&self) -> bool {
        self.settling && !self.write.is_empty()
    }
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.write.is_empty()
    }
    fn waits(&self) -> bool {
        self.settling
    }
    fn is_tentative(&self) -> bool {
        self.untold
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let (is, to) = (observed.config, self.write.config);
        let config = HaConfig {
            enabled: to.enabled.or(is.enabled),
            host_monitoring: to.host_monitoring.or(is.host_monitoring),
            admission_control: to.admission_control.or(is.admission_control),
        };
        let mut after = Observed { config, ..observed.clone() };
        details::predict(&mut after.options, &mut after.vms, &self.write.options, &self.write.overrides);
        after
    }
}

/// The states of an agent that is being set up (`ClusterDasFdmAvailabilityState`).
const COMING: [&str; 3] = ["uninitialized", "election", "retry"];
/// The states that an agent cannot leave without help.
const FAILED: [&str; 2] = ["initializationError", "uninitializationError"];

/// Decides.
pub fn plan(wish: &Wish, observed: &Observed) -> Result<Plan<Change>, Error> {
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
    let options = details::options(&wish.advanced_options, &observed.options);
    let overrides = details::overrides(&wish.vm_restart_priority, &observed.vms, observed.since_6_5)?;
    let tentative = !untold.is_empty() && told.is_empty() && options.is_empty() && overrides.is_empty();
    let loses_ha = |one: &&HaOverride| one.restart_priority.as_deref() == Some("disabled");
    let unprotected: Vec<&HaOverride> = overrides.iter().filter(loses_ha).collect();
    let unprotected = observed.vms.iter().filter(|vm| vm.ft && unprotected.iter().any(|one| one.vm == vm.moref));
    let unprotected: Vec<&str> = unprotected.map(|vm| vm.name.as_str()).collect();
    let write = HaChange { config, options, overrides };
    let mut plan = Plan::from(Change { write, untold: tentative, settling });
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
    if !unprotected.is_empty() {
        plan.warnings.push(format!(
            "Fault Tolerance is configured for {}, and needs vSphere HA for it: the restart priority `disabled` turns that off",
            unprotected.join(", ")
        ));
    }
    if on && enabled.is_none() && !plan.change.tells_later() {
        plan.warnings.extend(not_ready(observed));
    }
    Ok(plan)
}

/// Every setting by its name in the API: what it is to be, and what it is.
fn settings(to: HaConfig, is: HaConfig) -> [(&'static str, Option<bool>, Option<bool>); 3] {
    [
        ("enabled", to.enabled, is.enabled),
        ("hostMonitoring", to.host_monitoring, is.host_monitoring),
        ("admissionControlEnabled", to.admission_control, is.admission_control),
    ]
}

/// Returns what of the change did not take effect, as far as the server reports it.
pub fn missing(observed: &Observed, change: &Change) -> Vec<String> {
    let HaChange { config, options, overrides } = &change.write;
    let settings = settings(*config, observed.config).into_iter();
    let settings = settings.filter(|(_, to, is)| to.is_some() && is.is_some() && to != is);
    let names = settings.map(|(name, ..)| format!("dasConfig.{name}"));
    let options = observed.options.iter().filter(|is| {
        let written = options.iter().find(|(key, _)| key.eq_ignore_ascii_case(&is.key));
        written.is_some_and(|(_, value)| !contract::same_value(is.value.as_deref().unwrap_or_default(), value))
    });
    let names = names.chain(options.map(|option| format!("the advanced option {}", option.key)));
    let vms = observed.vms.iter().filter(|vm| {
        let written = overrides.iter().find(|one| one.vm == vm.moref);
        written.is_some_and(|one| one.restart_priority.as_deref().unwrap_or(CLUSTER) != vm.priority)
    });
    names.chain(vms.map(|vm| format!("the restart priority of {}", vm.name))).collect()
}

/// Returns the failure when the server accepted everything and `ignored` did not take effect.
pub fn ignored(observed: &Observed, ignored: &[String]) -> Error {
    let (name, ignored) = (&observed.name, ignored.join(", "));
    Error::new(Kind::Fault, format!("the server accepted the change, but the cluster {name} did not apply {ignored}"))
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
