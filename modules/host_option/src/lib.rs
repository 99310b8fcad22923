//! `host_option`: advanced options of ESXi hosts have these values, or their defaults.
//!
//! Through the API (`api`), or with the tools of the ESXi shell that it runs on (`shell`). Both answer in the API's terms,
//! so that there is one plan.

mod api;
mod args;
mod check;
mod definitions;
mod plan;
mod report;
mod session;
mod shell;
mod value;

use std::rc::Rc;

use api::Hosts;
use args::{Args, HostOption};
use contract::{About, Applied, Change as _, Context, Error, Module, Outcome, Plan, Run};
use plan::{Change, Observed};
use report::{Report, host_report};
use serde_json::{Map, Value};
use session::{Host, Session};
use shell::LocalHost;

impl Module for HostOption {
    const ABOUT: About = About {
        name: "host_option",
        summary: "Sets advanced options of ESXi hosts to values or to their defaults",
        description: &[
            "Sets advanced options (advanced system settings) of one ESXi host, of several, or of all hosts of a cluster, through vCenter Server or the host itself, and reads them back. It works on sixteen hosts at a time.",
            "On an ESXi shell, it does the same for that host with esxcli, or with esxcfg-advcfg if esxcli does not support advanced settings (ESX and ESXi 4). It then needs neither a server nor a password, and ignores connection arguments, which C(module_defaults) may set for every task.",
            "The host reports the type, range and choices of each option; values are checked before anything is written.",
            "V(Migrate.VMotionStreamDisable) is the option that lets Fault Tolerance start in some nested labs when it fails with \"failed to read stream keepalive\". 1 disables streams; 0 is the default on all known releases. ESXi 7.0 Update 2 and later do not have it.",
            "VMware does not support nested Fault Tolerance: use it in labs only.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"cluster_name": "Cluster", "options": {"Migrate.VMotionStreamDisable": 1}}"#,
    };

    type Args = Args;
    type Session = Session;
    type Target = Host;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn open(args: &Args, run: &Run) -> Result<Session, Error> {
        match args.server() {
            Some(server) => Ok(Session::Api(Rc::new(Hosts::of(server.open(run).await?)))),
            None => Ok(Session::Shell(Rc::new(LocalHost::find(run.deadline())?))),
        }
    }

    async fn targets(args: &Args, session: &Session) -> Result<Vec<Host>, Error> {
        match session {
            Session::Api(hosts) => {
                let found = args.target.find(&hosts.server, &api::PATHS).await?;
                Ok(found.iter().map(|host| Host::Found(Rc::clone(hosts), api::Host::of(host))).collect())
            }
            Session::Shell(local) => Ok(vec![Host::Local(Rc::clone(local))]),
        }
    }

    async fn observe(at: Context<'_, Self>, _: Option<&Observed>) -> Result<Observed, Error> {
        match at.target {
            Host::Found(hosts, host) => api::observe(at.args, hosts, host).await,
            Host::Local(host) => shell::observe(at.args, host).await,
        }
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(&args.options, args.state, args.missing, observed)
    }

    async fn apply(at: Context<'_, Self>, _: &Observed, change: &Change) -> Result<Applied, Error> {
        match at.target {
            Host::Found(hosts, host) => api::apply(hosts, host, change, at.run).await,
            Host::Local(host) => shell::apply(host, change, at.run).await,
        }
    }

    async fn verify(at: Context<'_, Self>, observed: &Observed, _: &Change) -> Result<Observed, Error> {
        let now = Self::observe(at, Some(observed)).await?;
        let rest = Self::plan(at.args, &now)?.change.certain();
        if rest.is_empty() { Ok(now) } else { Err(rest.unapplied()) }
    }

    fn label(host: &Host, _: Option<&Observed>) -> String {
        host.name().to_owned()
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        Report { hosts: outcomes.iter().map(host_report).collect() }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        report::message(args, outcomes, run.check)
    }
}

impl callers::Resource for HostOption {
    type Module = Self;

    const PROPERTIES: &'static [&'static str] = &["options", "state"];

    fn actual(args: &Args, hosts: &[&Observed]) -> Map<String, Value> {
        plan::actual(&args.options, args.state, args.missing, hosts)
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<HostOption>();
