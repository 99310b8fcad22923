//! The decision about the options of one host.

use std::collections::BTreeMap;

use contract::{Error, Kind, Plan, Scalar};
use serde_json::{Map, Value, json};
use vsphere::OptionDef;

use crate::args::{Missing, State};
use crate::value::{convert, default, same, shown};

/// The state read from one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub host: String,
    /// The build that has the options, for messages.
    pub build: String,
    /// The tool can put an option back to its default, whether or not it prints the default.
    pub resets: bool,
    /// Every option that was asked for, in order.
    pub options: Vec<Found>,
}

impl Observed {
    pub fn value(&self, key: &str) -> Option<&vsphere::TypedValue> {
        self.options.iter().find(|found| found.key == key)?.value.as_ref()
    }
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        let values = self.options.iter().filter_map(|found| Some((found.key.clone(), shown(found.value.as_ref()?))));
        values.map(|(key, value)| (key, json!(value))).collect()
    }
}

/// One option of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub key: String,
    /// Absent if the host has no such option.
    pub value: Option<vsphere::TypedValue>,
    /// Absent if it was not needed, or if the host names none.
    pub definition: Option<OptionDef>,
    /// The nearest name that the host does have.
    pub similar: Option<String>,
}

/// The options to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change(pub Vec<Write>);

/// One option to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    pub key: String,
    pub to: To,
}

/// The wanted value of an option.
#[derive(Debug, Clone, PartialEq)]
pub enum To {
    /// This value.
    Value(vsphere::TypedValue),
    /// Its default, by the tool's own reset; absent where the tool does not tell what that is.
    Default(Option<vsphere::TypedValue>),
}

impl To {
    /// Returns the value after the change, if it is known.
    pub fn value(&self) -> Option<&vsphere::TypedValue> {
        match self {
            Self::Value(value) => Some(value),
            Self::Default(value) => value.as_ref(),
        }
    }
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    fn is_tentative(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|write| write.to.value().is_none())
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        for written in &self.0 {
            let Some(value) = written.to.value() else { continue };
            for found in after.options.iter_mut().filter(|found| found.key == written.key) {
                found.value = Some(value.clone());
            }
        }
        after
    }

    fn unapplied(&self) -> Error {
        Error::new(Kind::Fault, format!("the host accepted the change, but did not apply {}", self.keys().join(", ")))
    }
}

impl Change {
    /// Drops writes without a known target value: they would be written whatever the option holds.
    pub fn certain(mut self) -> Self {
        self.0.retain(|write| write.to.value().is_some());
        self
    }

    pub fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|write| write.key.as_str()).collect()
    }
}

/// The name in the API: the shell's `/Migrate/VMotionStreamDisable` is `Migrate.VMotionStreamDisable` there.
pub fn api_name(asked: &str) -> String {
    match asked.strip_prefix('/') {
        Some(path) => path.replace('/', "."),
        None => asked.to_owned(),
    }
}

/// True if the option's definition is needed: not if it has the wanted value already.
pub fn needs_definition(state: State, wanted: &Scalar, current: Option<&vsphere::TypedValue>) -> bool {
    let settled =
        |current: &vsphere::TypedValue| convert(wanted, current, None).is_ok_and(|wanted| same(&wanted, current));
    state == State::Default || !current.is_some_and(settled)
}

/// Returns the current state in the terms of the arguments: null for an option that no host has.
pub fn actual(
    options: &BTreeMap<String, Scalar>,
    state: State,
    missing: Missing,
    hosts: &[&Observed],
) -> Map<String, Value> {
    if hosts.is_empty() {
        return Map::new();
    }
    // Where nothing can be planned, nothing is as wanted.
    let planned: Vec<Option<Change>> =
        hosts.iter().map(|host| plan(options, state, missing, host).ok().map(|plan| plan.change)).collect();
    let writes = |change: &Option<Change>, key: &str| change.as_ref().is_none_or(|change| change.keys().contains(&key));
    let mut unlike = false;
    let mut values = Map::new();
    for (asked, wanted) in options {
        let key = api_name(asked);
        let other = hosts.iter().zip(&planned).find(|(_, change)| writes(change, &key)).map(|(host, _)| host);
        unlike |= other.is_some();
        let value = other.or_else(|| hosts.iter().find(|host| host.value(&key).is_some()));
        let value = value.and_then(|host| host.value(&key));
        let as_given = other.is_none() && state == State::Present;
        values.insert(
            asked.clone(),
            value.map_or(Value::Null, |is| if as_given { json!(wanted) } else { json!(shown(is)) }),
        );
    }
    let state = if unlike { State::Present } else { state };
    Map::from_iter([("options".to_owned(), values.into()), ("state".to_owned(), json!(state))])
}

/// Decides, for one host.
pub fn plan(
    options: &BTreeMap<String, Scalar>,
    state: State,
    missing: Missing,
    observed: &Observed,
) -> Result<Plan<Change>, Error> {
    let (host, build) = (&observed.host, &observed.build);
    let mut plan = Plan::from(Change(Vec::new()));
    for (found, wanted) in observed.options.iter().zip(options.values()) {
        let key = &found.key;
        let Some(current) = &found.value else {
            let absent = format!("host {host} has no option {key}: {build} does not have it");
            if missing == Missing::Skip {
                plan.warnings.push(absent);
                continue;
            }
            return Err(Error::new(Kind::NotFound, absent).hint(remedy(found)));
        };
        let to = match state {
            State::Present => convert(wanted, current, found.definition.as_ref())
                .map(To::Value)
                .map_err(|wrong| Error::new(Kind::InvalidArguments, format!("option {key} of host {host} {wrong}")))?,
            State::Default => {
                let default = found.definition.as_ref().and_then(default);
                let default = default.map(|value| vsphere::TypedValue { kind: current.kind.clone(), text: value.text });
                match (observed.resets, default) {
                    (true, default) => To::Default(default),
                    (false, Some(default)) => To::Value(default),
                    (false, None) => {
                        return Err(Error::new(Kind::Unsupported, format!("host {host} reports no default for {key}"))
                            .hint("Set the value with `state: present`."));
                    }
                }
            }
        };
        match to.value() {
            Some(value) if same(value, current) => continue,
            Some(value) if observed.resets && !can_be_read_back(&value.text) => {
                return Err(Error::new(
                    Kind::InvalidArguments,
                    format!("option {key} of host {host} cannot be set here to a text with control characters or leading or trailing blanks"),
                )
                .hint("The tools of the ESXi shell print values in lines, so such a text cannot be read back: use the API instead."));
            }
            Some(_) => {}
            None => plan.warnings.push(format!(
                "the tools of this host do not show the default of {key}: the reset counts as changed only if the value read back differs"
            )),
        }
        if found.definition.as_ref().is_some_and(|definition| definition.read_only) {
            return Err(Error::new(Kind::Unsupported, format!("option {key} of host {host} is read-only")));
        }
        plan.change.0.push(Write { key: key.clone(), to });
    }
    Ok(plan)
}

/// True if a text printed by the shell's tools, one line per field, can be read back unchanged.
fn can_be_read_back(text: &str) -> bool {
    text.trim() == text && !text.contains(char::is_control)
}

fn remedy(found: &Found) -> String {
    // Spelled right, and still not there: a neighbour's name would be bad advice.
    if found.key == "Migrate.VMotionStreamDisable" {
        return "ESXi 7.0 Update 2 and later do not have it; `missing: skip` ignores it.".to_owned();
    }
    match &found.similar {
        Some(name) => format!("Did you mean `{name}`?"),
        None => "Check the name; `missing: skip` turns this error into a warning.".to_owned(),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
