//! The result.

use contract::{Error, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::VmkernelService;
use crate::args::{State, Wish};
use crate::plan::Observed;

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// Every host, in the order asked for; a cluster's by name.
    pub hosts: Vec<HostReport>,
}

#[derive(Serialize, JsonSchema)]
pub struct HostReport {
    /// Its name in the inventory.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
    /// Whether anything was, or would be, written on this host.
    pub changed: bool,
    /// The vmknic's device; null if the host has none that is meant.
    pub device: Option<String>,
    /// The vmknic's port group; null if it is not told.
    pub portgroup: Option<String>,
    /// The vmknic's IPv4 address; null if it has none.
    pub ip: Option<String>,
    /// Every service that the vmknic carried before, as the API names them.
    pub services_before: Vec<String>,
    /// The same after this run, or as it would be had this not been a check run.
    pub services: Vec<String>,
    /// Why it failed on this host; null if it did not.
    pub error: Option<Error>,
}

pub fn host_report(wish: &Wish, outcome: &Outcome<VmkernelService>) -> HostReport {
    let nic = outcome.before.as_ref().and_then(|before| before.vmknic(wish).ok());
    let carried = |observed: Option<&Observed>| match (observed, nic) {
        (Some(observed), Some(nic)) => observed.carried(&nic.device),
        _ => Vec::new(),
    };
    HostReport {
        name: outcome.target.found.name(),
        moid: outcome.target.found.moref.id.clone(),
        changed: outcome.changed,
        device: nic.map(|nic| nic.device.clone()),
        portgroup: nic.and_then(|nic| nic.portgroup.clone()),
        ip: nic.and_then(|nic| nic.ip.clone()),
        services_before: carried(outcome.before.as_ref()),
        services: carried(outcome.after.as_ref().or(outcome.before.as_ref())),
        error: outcome.error.clone(),
    }
}

pub fn message(wish: &Wish, outcomes: &[Outcome<VmkernelService>], check: bool) -> String {
    let changed: Vec<String> =
        outcomes.iter().filter(|outcome| outcome.changed).map(|outcome| outcome.target.found.name()).collect();
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    let (the, a) = if changed.is_empty() { ("the", "a") } else { ("The", "A") };
    let nic = match (&wish.device, &wish.portgroup) {
        (Some(device), _) => device.clone(),
        (None, Some(portgroup)) => format!("{the} vmknic on `{portgroup}`"),
        (None, None) => format!("{a} vmknic"),
    };
    let services = wish.names().join(" and ");
    let carries = match (wish.state, check && !changed.is_empty()) {
        (State::Present, false) => "carries",
        (State::Present, true) => "would carry",
        (State::Absent, false) => "does not carry",
        (State::Absent, true) => "would not carry",
    };
    let (names, unchanged) = (vsphere_module::few_hosts(&changed), outcomes.len() - changed.len());
    let hosts = if unchanged == 1 { "host" } else { "hosts" };
    match (changed.len(), unchanged) {
        (0, 0) => "The cluster has no hosts.".to_owned(),
        (0, count) => format!("No change: {nic} {carries} {services} on {count} {hosts}."),
        (_, 0) => format!("{nic} {carries} {services} on {names}."),
        (_, count) => format!("{nic} {carries} {services} on {names}; no change on {count} {hosts}."),
    }
}
