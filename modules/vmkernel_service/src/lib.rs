//! `vmkernel_service`: a VMkernel adapter (vmknic) of ESXi hosts carries services, or does not.
//!
//! `QueryNetConfig` asks each host for each service. `config.virtualNicManagerInfo`, which the request that finds the hosts
//! reads, shows the other services; vCenter may show it as it was before a change. `SelectVnicForNicType` and
//! `DeselectVnicForNicType` write, one service at a time.

mod apply;
mod args;
mod observe;
mod plan;
mod report;
mod verify;

use args::{Args, VmkernelService};
use contract::{About, Applied, Context, Error, Module, Outcome, Plan, Run};
use observe::Host;
use plan::{Change, Observed};
use report::{Report, host_report};
use serde_json::{Map, Value};
use vsphere_module::Server;

impl Module for VmkernelService {
    const ABOUT: About = About {
        name: "vmkernel_service",
        summary: "Enables or disables services such as vMotion on VMkernel adapters of ESXi hosts",
        description: &[
            "Enables or disables vMotion and Fault Tolerance logging on a VMkernel adapter (vmknic) of one ESXi host, of several, or of all hosts of a cluster, through vCenter Server or the host itself.",
            "The vmknic must exist. If only one vmknic of a host may carry a service, the service moves to the vmknic that is named here, and a warning names the one that loses it.",
            "Fault Tolerance needs a vmknic for vMotion and one for its logging on every host that it uses. They may be the same.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"cluster_name": "Cluster", "device": "vmk1", "services": ["vmotion", "faultToleranceLogging"]}"#,
    };

    type Args = Args;
    type Session = Server;
    type Target = Host;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run).await
    }

    async fn targets(args: &Args, server: &Server) -> Result<Vec<Host>, Error> {
        observe::targets(args, server).await
    }

    async fn observe(at: Context<'_, Self>, previous: Option<&Observed>) -> Result<Observed, Error> {
        observe::observe(at, previous).await
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(&args.wish, observed)
    }

    async fn apply(at: Context<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        apply::apply(at, observed, change).await
    }

    async fn verify(at: Context<'_, Self>, observed: &Observed, _: &Change) -> Result<Observed, Error> {
        verify::verify(at, observed).await
    }

    fn label(host: &Host, _: Option<&Observed>) -> String {
        host.found.name()
    }

    fn report(args: &Args, outcomes: &[Outcome<Self>]) -> Report {
        Report { hosts: outcomes.iter().map(|outcome| host_report(&args.wish, outcome)).collect() }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        report::message(&args.wish, outcomes, run.check)
    }
}

impl callers::Resource for VmkernelService {
    type Module = Self;

    const PROPERTIES: &'static [&'static str] = &["services", "state"];

    fn actual(args: &Args, hosts: &[&Observed]) -> Map<String, Value> {
        plan::actual(&args.wish, hosts)
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<VmkernelService>();
