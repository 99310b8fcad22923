//! `host_option`: advanced options of ESXi hosts have these values, or their defaults.
//!
//! Every host has an `OptionManager`. `QueryOptions` tells an option's value and, by the value's type, how it must be
//! written; `supportedOption` tells its range and default. That list holds a thousand entries, so it is read only when
//! something may have to be written, and once for all hosts of the same build.

mod definitions;
mod plan;
mod value;

use std::collections::BTreeMap;
use std::process::ExitCode;

use contract::{Applied, Error, Kind, Module, Outcome, Plan, Rule, Run, Scalar};
use definitions::Definitions;
use plan::{Change, Found, Observed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use target::{Connection, HostTarget, Server};
use vsphere::{Moref, Object};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    #[serde(flatten)]
    target: HostTarget,
    /// The options, names to values: V(Migrate.VMotionStreamDisable) as the API names it, or
    /// V(/Migrate/VMotionStreamDisable) as the shell does. With O(state=default) the values do not matter and may be empty.
    #[schemars(extend("minProperties" = 1))]
    options: BTreeMap<String, Scalar>,
    /// What is to be true.
    #[serde(default)]
    state: State,
    /// What to do about an option that a host's build does not have.
    #[serde(default)]
    missing: Missing,
    /// Seconds after which the run gives up waiting for vSphere.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

fn five_minutes() -> u64 {
    300
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The options have these values.
    #[default]
    Present,
    /// The options have the defaults that the host itself names.
    Default,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Missing {
    /// It is an error.
    #[default]
    Fail,
    /// It is a warning, and the option is left out on that host.
    Skip,
}

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// Every host, in the order asked for; a cluster's by name.
    hosts: Vec<HostReport>,
}

#[derive(Serialize, JsonSchema)]
struct HostReport {
    /// Its name in the inventory.
    name: String,
    /// Its managed object id.
    moid: String,
    /// Whether anything was, or would be, written on this host.
    changed: bool,
    /// Every option that was asked for and that the host has.
    options: Vec<OptionReport>,
    /// Why it failed on this host; null if it did not.
    error: Option<Error>,
}

#[derive(Serialize, JsonSchema)]
struct OptionReport {
    /// Its name in the API.
    key: String,
    /// Its value before.
    before: Scalar,
    /// Its value after this run, or as it would be had this not been a check run.
    after: Scalar,
    /// The host's own default; null if it was not read, because nothing had to be written, or if the host names none.
    default: Scalar,
}

/// One host, as it was found.
struct Host {
    name: String,
    moid: String,
    manager: Option<Moref>,
    /// Version and build, such as `ESXi 6.7.0 build-8169922`.
    build: String,
    state: Option<String>,
}

/// The server, and what its hosts' builds say about their options.
struct Hosts {
    server: Server,
    definitions: Definitions,
}

impl contract::Close for Hosts {
    async fn close(&self) {
        contract::Close::close(&self.server).await;
    }
}

const PATHS: [&str; 4] = ["name", "config.product", "configManager.advancedOption", "runtime.connectionState"];

impl Host {
    fn of(host: &Object) -> Self {
        let product = |field| {
            host.get("config.product").and_then(|product| product.at(field)).map(|found| found.text().to_owned())
        };
        let build = match (product("version"), product("build")) {
            (Some(version), Some(build)) => format!("ESXi {version} build-{build}"),
            _ => format!("the build of {}", host.name()),
        };
        Self {
            name: host.name(),
            moid: host.moref.id.clone(),
            manager: host.moref("configManager.advancedOption"),
            build,
            state: host.text("runtime.connectionState").map(str::to_owned),
        }
    }

    /// The host's `OptionManager`, unless the server cannot reach the host.
    fn manager(&self) -> Result<&Moref, Error> {
        if let Some(state) = self.state.as_deref().filter(|state| *state != "connected") {
            return Err(Error::new(Kind::Conflict, format!("host {} is {state}", self.name))
                .hint("Reconnect it, then run it again."));
        }
        self.manager.as_ref().ok_or_else(|| {
            Error::new(Kind::Permission, format!("the advanced options of host {} cannot be read", self.name))
                .hint("Check that this user may read the host's configuration.")
        })
    }
}

struct HostOption;

impl Module for HostOption {
    const NAME: &'static str = "host_option";
    const SUMMARY: &'static str = "Advanced options of ESXi hosts have these values, or their defaults";
    const DESCRIPTION: &'static [&'static str] = &[
        "Sets advanced options (advanced system settings) of one ESXi host, of several, or of all hosts of a cluster, sixteen at a time, through vCenter Server or the host itself, and reads them back.",
        "Type, range and choices come from the host's own answers and are checked before anything is written.",
        "V(Migrate.VMotionStreamDisable) is the option that lets Fault Tolerance start in some nested labs when it fails with \"failed to read stream keepalive\". 1 disables streams; 0 is the default on the releases on record. ESXi 7.0 Update 2 and later do not have it.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = target::HOST_RULES;

    type Args = Args;
    type Session = Hosts;
    type Target = Host;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn check(args: &Args) -> Vec<String> {
        let mut problems = args.connection.problems();
        problems.extend(args.target.problems());
        problems.extend(plan::problems(&args.options, args.state));
        problems
    }

    async fn open(args: &Args, run: &Run) -> Result<Hosts, Error> {
        Ok(Hosts { server: args.connection.open(run, args.timeout).await?, definitions: Definitions::default() })
    }

    async fn targets(args: &Args, hosts: &Hosts) -> Result<Vec<Host>, Error> {
        let found = args.target.find(&hosts.server, &PATHS).await?;
        Ok(found.iter().map(Host::of).collect())
    }

    async fn observe(args: &Args, hosts: &Hosts, host: &Host, _: Option<&Observed>) -> Result<Observed, Error> {
        let manager = host.manager()?;
        let mut options = Vec::new();
        for (asked, wanted) in &args.options {
            let key = plan::api_name(asked);
            let value =
                hosts.server.query_option(manager, &key).await.map_err(target::failure)?.map(|found| found.value);
            let mut found = Found { key, value, definition: None, similar: None };
            if plan::needs_definition(args.state, wanted, found.value.as_ref()) {
                hosts.definitions.complete(&mut found, &hosts.server, manager, &host.build).await?;
            }
            options.push(found);
        }
        Ok(Observed { host: host.name.clone(), build: host.build.clone(), options })
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        let mut plan = plan::plan(&args.options, args.state, args.missing, observed)?;
        plan.warnings.extend(args.connection.warnings());
        Ok(plan)
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, change)
    }

    async fn apply(
        _: &Args,
        hosts: &Hosts,
        host: &Host,
        _: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        run.progress.waiting(&format!("setting {} on {}", change.keys().join(", "), host.name));
        match hosts.server.update_options(host.manager()?, &change.0).await {
            Ok(()) => Ok(Applied::Done),
            Err(error) if target::is_stale(&error) => Ok(Applied::Stale { wrote: false }),
            Err(error) => {
                // The server's own text may not even name the option.
                let refused = format!("setting {}: ", change.keys().join(", "));
                let mut error = target::write_failure(error);
                error.detail.insert_str(0, &refused);
                Err(error)
            }
        }
    }

    fn unapplied(rest: &Change) -> Error {
        Error::new(Kind::Fault, format!("the host accepted the change, but did not take {}", rest.keys().join(", ")))
    }

    fn view(observed: &Observed) -> Value {
        let values =
            observed.options.iter().filter_map(|found| Some((found.key.clone(), value::shown(found.value.as_ref()?))));
        values.map(|(key, value)| (key, serde_json::json!(value))).collect()
    }

    fn label(host: &Host, _: Option<&Observed>) -> String {
        host.name.clone()
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        Report { hosts: outcomes.iter().map(host_report).collect() }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let changed: Vec<&str> =
            outcomes.iter().filter(|outcome| outcome.changed).map(|outcome| outcome.target.name.as_str()).collect();
        let keys: Vec<String> = args.options.keys().map(|asked| plan::api_name(asked)).collect();
        let keys = keys.join(", ");
        let what = match args.state {
            State::Present => "",
            State::Default => " to the default",
        };
        let (verb, unchanged) = (if run.check { "Would set" } else { "Set" }, outcomes.len() - changed.len());
        match (changed.as_slice(), unchanged) {
            ([], _) if outcomes.is_empty() => "The cluster has no hosts.".to_owned(),
            ([], count) => {
                format!("Nothing to do: {keys} as wanted on {count} host{}.", if count == 1 { "" } else { "s" })
            }
            (names, 0) => format!("{verb} {keys}{what} on {}.", few(names)),
            (names, count) => format!("{verb} {keys}{what} on {}; {count} had it already.", few(names)),
        }
    }
}

/// The first names, and how many more.
fn few(names: &[&str]) -> String {
    match names {
        [first @ .., _, _] if first.len() > 8 => {
            format!("{} and {} more hosts", names[..8].join(", "), names.len() - 8)
        }
        all => all.join(", "),
    }
}

fn host_report(outcome: &Outcome<HostOption>) -> HostReport {
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
        name: outcome.target.name.clone(),
        moid: outcome.target.moid.clone(),
        changed: outcome.changed,
        options: options.collect(),
        error: outcome.error.clone(),
    }
}

fn main() -> ExitCode {
    contract::main::<HostOption>()
}
