//! `cluster_ha`: vSphere HA of a cluster is on, or off.
//!
//! `ReconfigureComputeResource_Task` with what is named and differs, and nothing else. Its task ends before the hosts' agents
//! are ready, and Fault Tolerance needs them: they are waited for too, also by a run that finds vSphere HA on already.

mod observe;
mod plan;

use std::time::{Duration, Instant};

use contract::{Applied, Error, Module, Outcome, Plan, Rule, Run};
use plan::{Agent, Change, Observed, Since};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vsphere::HaConfig;
use vsphere_module::{Connection, Server};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    /// Name of the cluster.
    #[schemars(extend("x-aliases" = ["cluster"]), length(min = 1))]
    cluster_name: String,
    /// Datacenter of the cluster. Needed when clusters in several have the name.
    #[schemars(length(min = 1))]
    datacenter: Option<String>,
    #[serde(flatten)]
    wish: Wish,
    /// Seconds after which the run gives up waiting for vSphere. Agents that are not ready by then are a warning and no failure.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

/// The arguments that decisions depend on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Wish {
    /// What is to be true.
    #[serde(default)]
    state: State,
    /// Whether vSphere refuses to power on what could not be restarted after the failure of a host. Unless given, it stays
    /// as it is.
    admission_control: Option<bool>,
    /// Whether vSphere HA notices the failure of a host and restarts its virtual machines. Unless given, it stays as it is.
    host_monitoring: Option<bool>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// vSphere HA is on.
    #[default]
    Enabled,
    /// vSphere HA is off. Its other settings are kept.
    Disabled,
}

fn five_minutes() -> u64 {
    300
}

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// The cluster; null if it was not found.
    cluster: Option<ClusterReport>,
    /// Whether vSphere HA was on before; null if the server does not say.
    enabled_before: Option<bool>,
    /// The same after this run, or as it would be had this not been a check run.
    enabled: Option<bool>,
    /// Whether admission control was on before; null if the server does not say.
    admission_control_before: Option<bool>,
    /// The same after this run, or as it would be had this not been a check run.
    admission_control: Option<bool>,
    /// Whether hosts were monitored before; null if the server does not say.
    host_monitoring_before: Option<bool>,
    /// The same after this run, or as it would be had this not been a check run.
    host_monitoring: Option<bool>,
    /// The agent of vSphere HA on every host of the cluster, by the name of the host, as it was observed last.
    agents: Vec<Agent>,
}

#[derive(Serialize, JsonSchema)]
struct ClusterReport {
    /// Its name.
    name: String,
    /// Its managed object id.
    moid: String,
}

/// So long an agent that failed may take to be tried again by vSphere, and one that tells nothing to begin where others have,
/// after vSphere HA was turned on.
const AGAIN: Duration = Duration::from_secs(60);
/// So long it may take until the server tells any state of an agent; servers that never do are not waited for longer.
const UNTOLD: Duration = Duration::from_secs(5);

struct ClusterHa;

impl Module for ClusterHa {
    const NAME: &'static str = "cluster_ha";
    const SUMMARY: &'static str = "vSphere HA of a cluster is on or off";
    const DESCRIPTION: &'static [&'static str] = &[
        "Turns vSphere HA of a cluster on or off, and sets its admission control and host monitoring where they are given. Nothing else of the cluster is touched.",
        "Fault Tolerance can only be turned on, powered on or failed over in a cluster with vSphere HA.",
        "Once it is on, the run waits up to O(timeout) for the agents of the hosts to get ready, also where an earlier run turned it on. It warns of those that are not ready then, or tell no state where others do. Hosts that are disconnected, in standby or in maintenance mode are not waited for.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = &[vsphere_module::PROXY_NEEDS_PORT, vsphere_module::PROXY_NEEDS_HOST];

    const STATE: &'static [&'static str] = &["state", "admission_control", "host_monitoring"];

    type Args = Args;
    type Session = Server;
    type Target = ();
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn check(args: &Args) -> Vec<String> {
        args.connection.problems()
    }

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run, args.timeout).await
    }

    async fn targets(_: &Args, _: &Server) -> Result<Vec<()>, Error> {
        Ok(vec![()])
    }

    async fn observe(args: &Args, server: &Server, (): &(), previous: Option<&Observed>) -> Result<Observed, Error> {
        observe::observe(args, server, previous).await
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        Ok(plan::plan(&args.wish, observed))
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, change)
    }

    async fn apply(
        args: &Args,
        server: &Server,
        (): &(),
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        let cluster = &observed.moref;
        let what = format!("waiting for vSphere to reconfigure the cluster {}", observed.name);
        let start = async || server.reconfigure_ha(cluster, change.config).await;
        match vsphere_module::carry_out(server, cluster, run, args.timeout, &what, start).await {
            Ok(_) => Ok(Applied::Done),
            Err(error) => vsphere_module::judge_write(error, false).map_err(|mut error| {
                error.detail.insert_str(0, &format!("reconfiguring vSphere HA of the cluster {}: ", observed.name));
                error
            }),
        }
    }

    async fn verify(
        args: &Args,
        server: &Server,
        (): &(),
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Observed, Error> {
        let began = Instant::now();
        let turned_on = change.config.enabled == Some(true);
        let end = run.deadline(args.timeout);
        let mut pauses = vsphere_module::pauses();
        loop {
            let now = observe::observe(args, server, Some(observed)).await?;
            let ignored = plan::missing(&now, change);
            if !ignored.is_empty() {
                return Err(plan::ignored(&now, &ignored));
            }
            let waits = if turned_on {
                let since = match began.elapsed() {
                    passed if passed < UNTOLD => Since::Moments,
                    passed if passed < AGAIN => Since::NotLong,
                    _ => Since::Long,
                };
                plan::settling(&now, since)
            } else {
                change.settling && plan::coming(&now)
            };
            let left = end.saturating_duration_since(Instant::now());
            if !waits || left.is_zero() {
                // Where nothing was written, planning again tells.
                if turned_on || change.tells_later() {
                    for warning in plan::not_ready(&now) {
                        run.warn(warning);
                    }
                }
                return Ok(now);
            }
            run.progress.waiting(&format!("waiting for the agents of vSphere HA in the cluster {}", now.name));
            tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
        }
    }

    fn actual(_: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let config = observed.first().map(|observed| observed.config).unwrap_or_default();
        let state = config.enabled.map(|on| json!(if on { State::Enabled } else { State::Disabled }));
        let switches = [("admission_control", config.admission_control), ("host_monitoring", config.host_monitoring)];
        let switches = switches.into_iter().filter_map(|(name, on)| Some((name.to_owned(), json!(on?))));
        state.map(|state| ("state".to_owned(), state)).into_iter().chain(switches).collect()
    }

    fn view(observed: &Observed) -> Value {
        let HaConfig { enabled, host_monitoring, admission_control } = observed.config;
        json!({ "enabled": enabled, "admission_control": admission_control, "host_monitoring": host_monitoring })
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        observed.map_or_else(|| "the cluster".to_owned(), |observed| format!("cluster {}", observed.name))
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some(before) = &outcome.before else { return Report::default() };
        let now = outcome.after.as_ref().unwrap_or(before);
        let (was, is) = (before.config, now.config);
        Report {
            cluster: Some(ClusterReport { name: now.name.clone(), moid: now.moref.id.clone() }),
            enabled_before: was.enabled,
            enabled: is.enabled,
            admission_control_before: was.admission_control,
            admission_control: is.admission_control,
            host_monitoring_before: was.host_monitoring,
            host_monitoring: is.host_monitoring,
            agents: now.agents.clone(),
        }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let Some(before) = &outcome.before else { return String::new() };
        let on = if args.wish.state == State::Enabled { "on" } else { "off" };
        let name = &before.name;
        let switches = before.config.enabled.unwrap_or(false) != (args.wish.state == State::Enabled);
        match (outcome.changed, switches, run.check) {
            (false, _, _) => format!("vSphere HA is {on} for the cluster {name} already."),
            (true, true, false) => format!("Turned vSphere HA {on} for the cluster {name}."),
            (true, true, true) => format!("Would turn vSphere HA {on} for the cluster {name}."),
            (true, false, false) => format!("Changed settings of vSphere HA, which is {on} for the cluster {name}."),
            (true, false, true) => {
                format!("Would change settings of vSphere HA, which is {on} for the cluster {name}.")
            }
        }
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<ClusterHa>();
