//! `host_option`: advanced options of ESXi hosts have these values, or their defaults.
//!
//! Through the API (`api`), or with the tools of the ESXi shell that it runs on (`shell`). Both answer in the API's terms,
//! so that there is one plan.

mod api;
mod definitions;
mod plan;
mod shell;
mod value;

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Hosts;
use contract::{Applied, Error, Kind, Module, Outcome, Plan, Rule, Run, Scalar};
use plan::{Change, Observed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shell::Here;
use vsphere_module::{Connection, HostTarget};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    /// How the hosts are reached. Unless given: V(api) where there is a O(hostname), else V(shell) where one of its
    /// tools is on PATH.
    connection: Option<Way>,
    #[serde(flatten)]
    server: Option<Connection>,
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
    /// Seconds after which the run gives up waiting for vSphere, or for the shell's tools.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

/// How the hosts are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// Through the vSphere API of O(hostname).
    Api,
    /// With esxcli or esxcfg-advcfg, on the ESXi shell of the one host that this runs on. Needs no network and no password.
    Shell,
}

/// The way that is meant, where it is not said.
fn way(said: Option<Way>, hostname: bool) -> Way {
    said.unwrap_or_else(|| if !hostname && shell::tools().is_some() { Way::Shell } else { Way::Api })
}

impl Args {
    /// The server to connect to; none on the shell.
    fn server(&self) -> Option<&Connection> {
        self.server.as_ref().filter(|_| way(self.connection, true) == Way::Api)
    }
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
    /// Its name in the inventory, or on the shell the one that it gives itself.
    name: String,
    /// Its managed object id; null on the shell.
    moid: Option<String>,
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

/// Where the options are.
enum Session {
    Api(Rc<Hosts>),
    Shell(Rc<Here>),
}

impl contract::Close for Session {
    async fn close(&self) {
        if let Self::Api(hosts) = self {
            contract::Close::close(&hosts.server).await;
        }
    }
}

/// One host.
enum Host {
    Found(Rc<Hosts>, api::Host),
    /// The one that this runs on.
    Here(Rc<Here>),
}

impl Host {
    fn name(&self) -> &str {
        match self {
            Self::Found(_, host) => &host.name,
            Self::Here(here) => &here.name,
        }
    }
}

struct HostOption;

impl Module for HostOption {
    const NAME: &'static str = "host_option";
    const SUMMARY: &'static str = "Advanced options of ESXi hosts have these values, or their defaults";
    const DESCRIPTION: &'static [&'static str] = &[
        "Sets advanced options (advanced system settings) of one ESXi host, of several, or of all hosts of a cluster, sixteen at a time, through vCenter Server or the host itself, and reads them back.",
        "On an ESXi shell it does the same for that host with esxcli, or with esxcfg-advcfg where esxcli does not know advanced settings (ESX and ESXi 4), and needs neither server nor password: connection arguments, which C(module_defaults) may give to every task, do not matter then.",
        "Type, range and choices come from the host's own answers and are checked before anything is written.",
        "V(Migrate.VMotionStreamDisable) is the option that lets Fault Tolerance start in some nested labs when it fails with \"failed to read stream keepalive\". 1 disables streams; 0 is the default on the releases on record. ESXi 7.0 Update 2 and later do not have it.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = &[
        Rule::AtMostOne(&["esxi_hostname", "cluster_name"]),
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
    ];

    const STATE: &'static [&'static str] = &["options", "state"];

    type Args = Args;
    type Session = Session;
    type Target = Host;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn needs_no_server(given: &Map<String, Value>) -> bool {
        given.get("connection").and_then(Value::as_str) == Some("shell")
    }

    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        // Which way was meant is not known: what it would need is no news to whoever misspelt it.
        if given.get("connection").is_some_and(Value::is_null) {
            return Vec::new();
        }
        let said = given.get("connection").and_then(|said| serde_json::from_value(said.clone()).ok());
        match way(said, given.contains_key("hostname")) {
            Way::Api => vec![vsphere_module::CONNECTION_NEEDED, vsphere_module::ONE_KIND_OF_HOST],
            Way::Shell => vec![Rule::Without(
                &["esxi_hostname", "cluster_name"],
                "on the ESXi shell it is the host that this runs on",
            )],
        }
    }

    fn check(args: &Args) -> Vec<String> {
        let mut problems = plan::problems(&args.options, args.state);
        if let Some(server) = args.server() {
            problems.extend(server.problems());
            problems.extend(args.target.problems());
        }
        problems
    }

    async fn open(args: &Args, run: &Run) -> Result<Session, Error> {
        match args.server() {
            Some(server) => Ok(Session::Api(Rc::new(Hosts::of(server.open(run, args.timeout).await?)))),
            None => Ok(Session::Shell(Rc::new(Here::find(run.deadline(args.timeout))?))),
        }
    }

    async fn targets(args: &Args, session: &Session) -> Result<Vec<Host>, Error> {
        match session {
            Session::Api(hosts) => {
                let found = args.target.find(&hosts.server, &api::PATHS).await?;
                Ok(found.iter().map(|host| Host::Found(Rc::clone(hosts), api::Host::of(host))).collect())
            }
            Session::Shell(here) => Ok(vec![Host::Here(Rc::clone(here))]),
        }
    }

    async fn observe(args: &Args, _: &Session, host: &Host, _: Option<&Observed>) -> Result<Observed, Error> {
        match host {
            Host::Found(hosts, host) => api::observe(args, hosts, host).await,
            Host::Here(here) => shell::observe(args, here).await,
        }
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(&args.options, args.state, args.missing, observed)
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, change)
    }

    async fn apply(
        _: &Args,
        _: &Session,
        host: &Host,
        _: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        match host {
            Host::Found(hosts, host) => api::apply(hosts, host, change, run).await,
            Host::Here(here) => shell::apply(here, change, run).await,
        }
    }

    async fn verify(
        args: &Args,
        session: &Session,
        host: &Host,
        observed: &Observed,
        _: &Change,
        _: &Run,
    ) -> Result<Observed, Error> {
        let now = Self::observe(args, session, host, Some(observed)).await?;
        let rest = Self::plan(args, &now)?.change.certain();
        if rest.0.is_empty() { Ok(now) } else { Err(Self::unapplied(&rest)) }
    }

    fn unapplied(rest: &Change) -> Error {
        Error::new(Kind::Fault, format!("the host accepted the change, but did not take {}", rest.keys().join(", ")))
    }

    fn actual(args: &Args, hosts: &[&Observed]) -> Map<String, Value> {
        plan::actual(&args.options, args.state, args.missing, hosts)
    }

    fn view(observed: &Observed) -> Value {
        let values =
            observed.options.iter().filter_map(|found| Some((found.key.clone(), value::shown(found.value.as_ref()?))));
        values.map(|(key, value)| (key, serde_json::json!(value))).collect()
    }

    fn label(host: &Host, _: Option<&Observed>) -> String {
        host.name().to_owned()
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        Report { hosts: outcomes.iter().map(host_report).collect() }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let changed: Vec<&str> =
            outcomes.iter().filter(|outcome| outcome.changed).map(|outcome| outcome.target.name()).collect();
        // What was skipped is in a warning.
        let there =
            |key: &String| outcomes.iter().any(|outcome| outcome.before.iter().any(|seen| seen.value(key).is_some()));
        let keys: Vec<String> = args.options.keys().map(|asked| plan::api_name(asked)).filter(there).collect();
        let keys = keys.join(", ");
        let what = match args.state {
            State::Present => "",
            State::Default => " to the default",
        };
        let (verb, unchanged) = (if run.check { "Would set" } else { "Set" }, outcomes.len() - changed.len());
        match (changed.as_slice(), unchanged) {
            ([], _) if outcomes.is_empty() => "The cluster has no hosts.".to_owned(),
            ([], _) if keys.is_empty() => "Nothing to do: no host has any of these options.".to_owned(),
            ([], count) => {
                format!("Nothing to do: {keys} as wanted on {count} host{}.", if count == 1 { "" } else { "s" })
            }
            (names, 0) => format!("{verb} {keys}{what} on {}.", vsphere_module::few_hosts(names)),
            (names, count) => {
                format!("{verb} {keys}{what} on {}; {count} had it already.", vsphere_module::few_hosts(names))
            }
        }
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
        name: outcome.target.name().to_owned(),
        moid: match &*outcome.target {
            Host::Found(_, host) => Some(host.moid.clone()),
            Host::Here(_) => None,
        },
        changed: outcome.changed,
        options: options.collect(),
        error: outcome.error.clone(),
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<HostOption>();
