//! The result.

use contract::{Error, Outcome, Scalar};
use schemars::JsonSchema;
use serde::Serialize;

use crate::args::HostOption;
use crate::args::{Args, State};
use crate::session::Host;
use crate::{plan, value};

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// Every host, in the order asked for; a cluster's by name.
    pub hosts: Vec<HostReport>,
}

#[derive(Serialize, JsonSchema)]
pub struct HostReport {
    /// Its name in the inventory, or on the shell the one that it gives itself.
    pub name: String,
    /// Its managed object id; null on the shell.
    pub moid: Option<String>,
    /// Whether anything was, or would be, written on this host.
    pub changed: bool,
    /// Every option that was asked for and that the host has.
    pub options: Vec<OptionReport>,
    /// Why it failed on this host; null if it did not.
    pub error: Option<Error>,
}

#[derive(Serialize, JsonSchema)]
pub struct OptionReport {
    /// Its name in the API.
    pub key: String,
    /// Its value before.
    pub before: Scalar,
    /// Its value after this run, or as it would be had this not been a check run.
    pub after: Scalar,
    /// The host's own default; null if it was not read, because nothing had to be written, or if the host names none.
    pub default: Scalar,
}

pub fn host_report(outcome: &Outcome<HostOption>) -> HostReport {
    let options = outcome.before.iter().flat_map(|before| &before.options).filter_map(|found| {
        let now = outcome.after.as_ref().and_then(|after| after.value(&found.key));
        let before = found.value.as_ref()?;
        Some(OptionReport {
            key: found.key.clone(),
            before: value::shown(before),
            after: value::shown(now.unwrap_or(before)),
            default: found
                .definition
                .as_ref()
                .and_then(value::default)
                .map_or(Scalar::Null, |default| value::shown(&default)),
        })
    });
    HostReport {
        name: outcome.target.name().to_owned(),
        moid: match &*outcome.target {
            Host::Found(_, host) => Some(host.moid.clone()),
            Host::Local(_) => None,
        },
        changed: outcome.changed,
        options: options.collect(),
        error: outcome.error.clone(),
    }
}

pub fn message(args: &Args, outcomes: &[Outcome<HostOption>], check: bool) -> String {
    let changed: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.changed).map(|outcome| outcome.target.name()).collect();
    // A warning names the skipped options.
    let there =
        |key: &String| outcomes.iter().any(|outcome| outcome.before.iter().any(|seen| seen.value(key).is_some()));
    let keys: Vec<String> = args.options.keys().map(|asked| plan::api_name(asked)).filter(there).collect();
    let keys = keys.join(", ");
    let what = match args.state {
        State::Present => "",
        State::Default => " to the default",
    };
    let (verb, unchanged) = (if check { "Would set" } else { "Set" }, outcomes.len() - changed.len());
    match (changed.as_slice(), unchanged) {
        ([], _) if outcomes.is_empty() => "The cluster has no hosts.".to_owned(),
        ([], _) if keys.is_empty() => "No change: no host has any of these options.".to_owned(),
        ([], count) => {
            format!("No change: {keys} as wanted on {count} host{}.", if count == 1 { "" } else { "s" })
        }
        (names, 0) => format!("{verb} {keys}{what} on {}.", vsphere_module::few_hosts(names)),
        (names, count) => {
            format!("{verb} {keys}{what} on {}; no change on {count} more.", vsphere_module::few_hosts(names))
        }
    }
}
