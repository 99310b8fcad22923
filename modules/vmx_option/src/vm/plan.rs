//! The decision about the options of a virtual machine behind the API.

use std::collections::BTreeMap;

use contract::{Error, Kind, Plan, Scalar};
use vsphere::{FtEngine, FtInfo, Moref, Version};
use vsphere_module::VmReport;

use crate::args::State;
use crate::options::{Change, Found, differences, text};

/// The state read from the virtual machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub moref: Moref,
    pub vm: VmReport,
    pub template: bool,
    /// Its part in Fault Tolerance.
    pub ft: Option<FtInfo>,
    pub change_version: Option<String>,
    /// Every option that was asked for.
    pub options: Vec<Found>,
    pub uses_legacy_ft: bool,
    pub host: Option<String>,
    pub host_version: Option<Version>,
}

/// Decides.
pub fn plan(options: &BTreeMap<String, Scalar>, state: State, observed: &Observed) -> Result<Plan<Change>, Error> {
    // A key with an empty value is as good as none: removing is writing an empty value, and some servers keep it.
    let changes = differences(options, state, &observed.options, true);
    let mut plan = Plan::from(Change { options: changes, edited: None, reload: None });
    if observed.vm.power_state.as_deref() == Some("suspended") && !plan.change.options.is_empty() {
        plan.blockers.push((
            Kind::Conflict,
            format!(
                "virtual machine {} is suspended, and its options cannot be changed in this state",
                observed.vm.name
            ),
            Some("Resume it first, with vm_power `state: powered_on`.".to_owned()),
        ));
    }
    if !plan.change.options.is_empty() {
        vsphere_module::not_a_secondary(&observed.vm.label(), observed.ft.as_ref())?;
    }
    if state == State::Present {
        plan.warnings.extend(meaningless(options, observed));
    }
    Ok(plan)
}

/// Warns about the options of record/replay where there is no record/replay Fault Tolerance.
fn meaningless(options: &BTreeMap<String, Scalar>, observed: &Observed) -> Option<String> {
    let replay = without_effect(options, observed);
    if replay.is_empty() {
        return None;
    }
    if observed.template {
        return Some(format!("{} is a template, which Fault Tolerance cannot protect", observed.vm.name));
    }
    let version = observed.host_version.as_ref()?;
    let host = observed.host.as_deref().unwrap_or("the host");
    let way_out = if version.at_least(6, 5) { "" } else { ", unless vm.useLegacyFt is TRUE" };
    let (verb, pronoun) = if replay.len() == 1 { ("has", "it") } else { ("have", "they") };
    Some(format!(
        "{} {verb} no effect on {host}: {pronoun} belong{} to the record/replay Fault Tolerance of vSphere 4 and 5, but ESXi {version} uses another engine{way_out}",
        replay.join(", "),
        if replay.len() == 1 { "s" } else { "" },
    ))
}

/// Returns the options of record/replay if nothing reads them: in a template, and on a host with another engine.
pub fn without_effect<'a>(options: &'a BTreeMap<String, Scalar>, observed: &Observed) -> Vec<&'a str> {
    let asks_legacy = options.iter().any(|(key, value)| vsphere::uses_legacy_ft(key, &text(value)));
    let legacy = observed
        .host_version
        .as_ref()
        .is_none_or(|version| FtEngine::of_host(version, observed.uses_legacy_ft || asks_legacy) == FtEngine::Legacy);
    let of_replay = |key: &&str| key.to_ascii_lowercase().starts_with("replay.");
    let options = options.keys().map(String::as_str);
    if legacy && !observed.template { Vec::new() } else { options.filter(of_replay).collect() }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
