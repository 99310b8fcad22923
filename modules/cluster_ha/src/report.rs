//! The result.

use schemars::JsonSchema;
use serde::Serialize;

use crate::args::State;
use crate::plan::{Agent, Observed};

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// The cluster; null if it was not found.
    pub cluster: Option<ClusterReport>,
    /// Whether vSphere HA was on before; null if the server does not say.
    pub enabled_before: Option<bool>,
    /// The same after this run, or as it would be had this not been a check run.
    pub enabled: Option<bool>,
    /// Whether admission control was on before; null if the server does not say.
    pub admission_control_before: Option<bool>,
    /// The same after this run, or as it would be had this not been a check run.
    pub admission_control: Option<bool>,
    /// Whether hosts were monitored before; null if the server does not say.
    pub host_monitoring_before: Option<bool>,
    /// The same after this run, or as it would be had this not been a check run.
    pub host_monitoring: Option<bool>,
    /// Every advanced option that was asked for.
    pub advanced_options: Vec<OptionReport>,
    /// Every virtual machine whose restart priority was asked for.
    pub vm_restart_priority: Vec<PriorityReport>,
    /// The agent of vSphere HA on every host of the cluster, by the name of the host, as it was observed last.
    pub agents: Vec<Agent>,
}

#[derive(Serialize, JsonSchema)]
pub struct OptionReport {
    /// Its name, as the cluster spells it.
    pub key: String,
    /// Its value before; null if it was not set.
    pub before: Option<String>,
    /// Its value after this run, or as it would be had this not been a check run; null if it is not set.
    pub after: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct PriorityReport {
    /// Name of the virtual machine.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
    /// Its restart priority before; V(cluster) for the default of the cluster.
    pub before: String,
    /// The same after this run, or as it would be had this not been a check run.
    pub after: String,
}

#[derive(Serialize, JsonSchema)]
pub struct ClusterReport {
    /// Its name.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
}

pub fn report(before: &Observed, now: &Observed) -> Report {
    let (was, is) = (before.config, now.config);
    // Both have everything that was asked for, in the same order.
    let options = before.options.iter().zip(&now.options);
    let vms = before.vms.iter().zip(&now.vms);
    Report {
        cluster: Some(ClusterReport { name: now.name.clone(), moid: now.moref.id.clone() }),
        enabled_before: was.enabled,
        enabled: is.enabled,
        admission_control_before: was.admission_control,
        admission_control: is.admission_control,
        host_monitoring_before: was.host_monitoring,
        host_monitoring: is.host_monitoring,
        advanced_options: options
            .map(|(was, is)| OptionReport { key: is.key.clone(), before: was.value.clone(), after: is.value.clone() })
            .collect(),
        vm_restart_priority: vms
            .map(|(was, is)| PriorityReport {
                name: is.name.clone(),
                moid: is.moref.id.clone(),
                before: was.priority.clone(),
                after: is.priority.clone(),
            })
            .collect(),
        agents: now.agents.clone(),
    }
}

pub fn message(state: State, before: &Observed, changed: bool, check: bool) -> String {
    let on = if state == State::Enabled { "on" } else { "off" };
    let name = &before.name;
    let switches = before.config.enabled.unwrap_or(false) != (state == State::Enabled);
    match (changed, switches, check) {
        (false, _, _) => format!("vSphere HA is already {on} for the cluster {name}."),
        (true, true, false) => format!("Turned vSphere HA {on} for the cluster {name}."),
        (true, true, true) => format!("Would turn vSphere HA {on} for the cluster {name}."),
        (true, false, false) => format!("Changed settings of vSphere HA, which is {on} for the cluster {name}."),
        (true, false, true) => {
            format!("Would change settings of vSphere HA, which is {on} for the cluster {name}.")
        }
    }
}
