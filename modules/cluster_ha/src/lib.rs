//! `cluster_ha`: vSphere HA of a cluster is on, or off.
//!
//! `ReconfigureComputeResource_Task` with what is named and differs, and nothing else. Its task ends before the hosts' agents
//! are ready, and Fault Tolerance needs them: they are waited for too, also by a run that finds vSphere HA on already.

mod apply;
mod args;
mod details;
mod observe;
mod plan;
mod report;

use args::{Args, ClusterHa, State};
use contract::{About, Applied, Error, Plan, Run};
use plan::{Change, Observed};
use report::Report;
use serde_json::{Map, Value, json};
use vsphere_module::{At, Ended, One, OneObject};

impl OneObject for ClusterHa {
    const ABOUT: About = About {
        name: "cluster_ha",
        summary: "Turns vSphere HA of a cluster on or off",
        description: &[
            "Turns vSphere HA of a cluster on or off, and sets its admission control, host monitoring, advanced options and restart priorities of virtual machines if they are given. Nothing else of the cluster is changed.",
            "Fault Tolerance can only be turned on, powered on or failed over in a cluster with vSphere HA.",
            "When vSphere HA is on, the run waits up to O(timeout) for the HA agents of the hosts to get ready, even if an earlier run turned it on. It warns about agents that are not ready by then, or that report no state while others do. It does not wait for hosts that are disconnected, in standby or in maintenance mode.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"cluster_name": "Cluster", "state": "enabled"}"#,
    };

    type Args = Args;
    type Memory = ();
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn observe(at: At<'_, Self>, previous: Option<&Observed>) -> Result<Observed, Error> {
        observe::observe(at.args, at.session, previous).await
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(&args.wish, observed)
    }

    async fn apply(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        apply::apply(at, observed, change).await
    }

    async fn verify(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Observed, Error> {
        apply::verify(at, observed, change).await
    }

    fn report(before: &Observed, now: &Observed) -> Report {
        report::report(before, now)
    }

    fn message(args: &Args, ended: &Ended<'_, Self>, run: &Run) -> String {
        report::message(args.wish.state, ended.before, ended.changed, run.check)
    }
}

impl callers::Resource for ClusterHa {
    type Module = One<Self>;

    const PROPERTIES: &'static [&'static str] =
        &["state", "admission_control", "host_monitoring", "advanced_options", "vm_restart_priority"];

    fn actual(args: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let Some(observed) = observed.first() else { return Map::new() };
        let config = observed.config;
        let state = config.enabled.map(|on| json!(if on { State::Enabled } else { State::Disabled }));
        let switches = [("admission_control", config.admission_control), ("host_monitoring", config.host_monitoring)];
        let switches = switches.into_iter().filter_map(|(name, on)| Some((name.to_owned(), json!(on?))));
        let options = details::actual_options(&args.wish.advanced_options, &observed.options);
        let vms: Map<_, _> = observed.vms.iter().map(|vm| (vm.asked.clone(), json!(vm.priority))).collect();
        let details = [("advanced_options", options), ("vm_restart_priority", vms)].into_iter();
        let details = details.filter(|(_, values)| !values.is_empty());
        let details = details.map(|(name, values)| (name.to_owned(), Value::Object(values)));
        state.map(|state| ("state".to_owned(), state)).into_iter().chain(switches).chain(details).collect()
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<ClusterHa>();
