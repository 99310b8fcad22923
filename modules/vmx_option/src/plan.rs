//! What is to be done to the options of a virtual machine.

use std::collections::BTreeMap;

use contract::{Error, Kind, Plan, Scalar};
use target::VmReport;
use vsphere::{FtEngine, FtInfo, Moref, Version};

use crate::State;

/// What was read of the virtual machine.
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

impl Observed {
    pub fn value(&self, asked: &str) -> Option<String> {
        self.options.iter().find(|found| found.asked == asked)?.value.clone()
    }
}

/// One option: as it was asked for, and as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub asked: String,
    /// The existing spelling, or else the one asked for.
    pub key: String,
    pub value: Option<String>,
}

/// Options to set (`Some`) or to remove (`None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change(pub Vec<(String, Option<String>)>);

impl contract::Change for Change {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Change {
    /// As the API wants it: an empty value removes the key.
    pub fn on_the_wire(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(key, value)| (key.clone(), value.clone().unwrap_or_default())).collect()
    }

    pub fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }
}

/// What is wrong with the options as given.
pub fn problems(options: &BTreeMap<String, Scalar>, state: State) -> Vec<String> {
    let mut problems = Vec::new();
    if options.is_empty() {
        problems.push("`options`: give at least one option".to_owned());
    }
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in options {
        if key.is_empty()
            || key.contains(|character: char| {
                character.is_whitespace() || character.is_control() || "=#\"".contains(character)
            })
        {
            problems.push(format!("`options`: `{}` is not the name of a VMX option", key.escape_debug()));
        }
        if let Some(other) = seen.iter().find(|other| other.eq_ignore_ascii_case(key)) {
            problems.push(format!("`options`: `{other}` and `{key}` are the same option: names do not depend on case"));
        }
        seen.push(key);
        if state == State::Present && text(value).is_empty() {
            problems.push(format!(
                "`options`: `{key}` has no value, and an empty one would remove it: use `state: absent` for that"
            ));
        }
    }
    problems
}

/// The value as it is written.
fn text(value: &Scalar) -> String {
    match value {
        Scalar::Null => String::new(),
        // In capitals, as vSphere writes its own.
        Scalar::Bool(true) => "TRUE".to_owned(),
        Scalar::Bool(false) => "FALSE".to_owned(),
        other => other.to_string(),
    }
}

/// Whether two values mean the same: booleans do not depend on case.
fn same(one: &str, other: &str) -> bool {
    let boolean = |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    one == other || boolean(one) && one.eq_ignore_ascii_case(other)
}

/// Decides.
pub fn plan(options: &BTreeMap<String, Scalar>, state: State, observed: &Observed) -> Result<Plan<Change>, Error> {
    let changes = observed.options.iter().filter_map(|found| {
        let current = found.value.as_deref();
        match state {
            State::Present => {
                let wanted = text(options.get(&found.asked)?);
                let there = current.is_some_and(|current| same(current, &wanted));
                (!there).then(|| (found.key.clone(), Some(wanted)))
            }
            // A key with an empty value is as good as none: removing is writing an empty value, and some servers keep it.
            State::Absent => current.is_some_and(|current| !current.is_empty()).then(|| (found.key.clone(), None)),
        }
    });
    let mut plan = Plan::from(Change(changes.collect()));
    if observed.vm.power_state.as_deref() == Some("suspended") && !plan.change.0.is_empty() {
        plan.blockers.push((
            Kind::Conflict,
            format!("virtual machine {} is suspended; this module changes no options then", observed.vm.name),
            Some("Resume it or power it off first.".to_owned()),
        ));
    }
    let secondary = observed.ft.as_ref().filter(|ft| ft.is_secondary());
    if let Some(ft) = secondary.filter(|_| !plan.change.0.is_empty()) {
        let primary = ft.primary.as_ref().map_or_else(String::new, |primary| format!(", {primary}"));
        let text = format!("{} ({}) is a secondary of Fault Tolerance", observed.vm.name, observed.vm.moid);
        return Err(Error::new(Kind::Conflict, text).hint(format!("Set the options of its primary{primary}.")));
    }
    if state == State::Present {
        plan.warnings.extend(meaningless(options, observed));
    }
    Ok(plan)
}

/// The record/replay options where there is no record/replay Fault Tolerance.
fn meaningless(options: &BTreeMap<String, Scalar>, observed: &Observed) -> Option<String> {
    let replay: Vec<&str> =
        options.keys().map(String::as_str).filter(|key| key.to_ascii_lowercase().starts_with("replay.")).collect();
    if replay.is_empty() {
        return None;
    }
    if observed.template {
        return Some(format!("{} is a template, which Fault Tolerance cannot protect", observed.vm.name));
    }
    let version = observed.host_version.as_ref()?;
    let asks_legacy = options.iter().any(|(key, value)| vsphere::uses_legacy_ft(key, &text(value)));
    if FtEngine::of_host(version, observed.uses_legacy_ft || asks_legacy) == FtEngine::Legacy {
        return None;
    }
    let host = observed.host.as_deref().unwrap_or("the host");
    let way_out = if version.at_least(6, 5) { "" } else { ", unless vm.useLegacyFt is TRUE" };
    let (verb, pronoun) = if replay.len() == 1 { ("has", "it") } else { ("have", "they") };
    Some(format!(
        "{} {verb} no effect on {host}: {pronoun} belong{} to the record/replay Fault Tolerance of vSphere 4 and 5, and ESXi \
         {version} uses another engine{way_out}",
        replay.join(", "),
        if replay.len() == 1 { "s" } else { "" },
    ))
}

/// What will be there once `change` is done.
pub fn predict(observed: &Observed, change: &Change) -> Observed {
    let mut after = observed.clone();
    for (key, value) in &change.0 {
        for found in after.options.iter_mut().filter(|found| found.key == *key) {
            found.value.clone_from(value);
        }
    }
    after
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
