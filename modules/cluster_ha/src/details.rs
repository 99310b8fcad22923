//! Advanced options and overrides of virtual machines: as they are asked for, and as they are.

use std::collections::BTreeMap;

use contract::{Error, Kind, Scalar};
use serde_json::{Map, Value, json};
use vsphere::{HaOverride, Moref};

use crate::args::{CLUSTER, SINCE_6_5};

/// One advanced option that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HaOption {
    pub asked: String,
    /// The existing spelling, or else the one asked for.
    pub key: String,
    /// An empty value is none.
    pub value: Option<String>,
}

impl HaOption {
    /// Finds `asked` among `options`, which are the cluster's, whatever the case of its name.
    pub fn find(asked: &str, options: &[(String, String)]) -> Self {
        let found = options.iter().find(|(key, _)| key.eq_ignore_ascii_case(asked));
        Self {
            asked: asked.to_owned(),
            key: found.map_or(asked, |(key, _)| key).to_owned(),
            value: found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty()),
        }
    }
}

/// One virtual machine whose restart priority was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HaVm {
    pub asked: String,
    pub name: String,
    pub moref: Moref,
    /// Fault Tolerance is configured.
    pub ft: bool,
    /// Its restart priority, in the words of the arguments.
    pub priority: String,
    /// The cluster has an override of it.
    pub exists: bool,
}

impl HaVm {
    /// Sets what `overrides`, the cluster's, say about it.
    pub fn with(mut self, overrides: &[HaOverride]) -> Self {
        let found = overrides.iter().find(|one| one.vm == self.moref);
        self.exists = found.is_some();
        self.priority = found.and_then(|one| one.restart_priority.clone()).unwrap_or_else(|| CLUSTER.to_owned());
        self
    }
}

/// Returns the text to write for a value; empty to remove the option.
fn text(value: &Scalar) -> String {
    if *value == Scalar::Null { String::new() } else { value.to_string() }
}

/// True if the option has the value that was asked for.
fn is_set(wanted: &BTreeMap<String, Scalar>, option: &HaOption) -> bool {
    let wanted = wanted.get(&option.asked).map(text).unwrap_or_default();
    contract::same_value(option.value.as_deref().unwrap_or_default(), &wanted)
}

/// Returns the options to write, with an empty value to remove.
pub fn options(wanted: &BTreeMap<String, Scalar>, found: &[HaOption]) -> Vec<(String, String)> {
    let differ = found.iter().filter(|option| !is_set(wanted, option));
    differ.filter_map(|option| Some((option.key.clone(), text(wanted.get(&option.asked)?)))).collect()
}

/// Returns the overrides to write.
pub fn overrides(wanted: &BTreeMap<String, Scalar>, found: &[HaVm], since_6_5: bool) -> Result<Vec<HaOverride>, Error> {
    let mut overrides = Vec::new();
    for (at, vm) in found.iter().enumerate() {
        if let Some(other) = found[..at].iter().find(|other| other.moref == vm.moref) {
            let text =
                format!("`vm_restart_priority`: `{}` and `{}` are the same virtual machine", other.asked, vm.asked);
            return Err(Error::new(Kind::InvalidArguments, text).hint("Name it once."));
        }
        let priority = wanted.get(&vm.asked).map(text).unwrap_or_default();
        if SINCE_6_5.contains(&priority.as_str()) && !since_6_5 {
            let text = format!("this server does not know the restart priority {priority}, which needs vSphere 6.5");
            return Err(Error::new(Kind::Unsupported, text).hint("Use low, medium or high."));
        }
        if priority != vm.priority {
            overrides.push(HaOverride {
                vm: vm.moref.clone(),
                restart_priority: Some(priority).filter(|priority| priority != CLUSTER),
                exists: vm.exists,
            });
        }
    }
    Ok(overrides)
}

/// Updates both to the state after a change.
pub fn predict(
    options: &mut [HaOption],
    vms: &mut [HaVm],
    new_options: &[(String, String)],
    new_overrides: &[HaOverride],
) {
    for option in options {
        if let Some((_, value)) = new_options.iter().find(|(key, _)| *key == option.key) {
            option.value = Some(value.clone()).filter(|value| !value.is_empty());
        }
    }
    for vm in vms {
        if new_overrides.iter().any(|one| one.vm == vm.moref) {
            *vm = vm.clone().with(new_overrides);
        }
    }
}

/// Returns the options in the terms of the arguments: as the user gave them if they have that value already, null if they are not set.
pub fn actual_options(wanted: &BTreeMap<String, Scalar>, found: &[HaOption]) -> Map<String, Value> {
    let value = |option: &HaOption| match wanted.get(&option.asked) {
        Some(given) if is_set(wanted, option) => json!(given),
        _ => json!(option.value),
    };
    found.iter().map(|option| (option.asked.clone(), value(option))).collect()
}
