//! `vmx_option`: Sets or removes VMX options of a virtual machine.
//!
//! Through the API (`vm`), or in the virtual machine's .vmx file (`file`).

mod args;
mod check;
mod file;
mod options;
mod report;
mod state;
mod vm;

use args::Args;
use contract::{About, Applied, Context, Error, Kind, Module, Outcome, Plan, Run};
use file::File;
use options::Change;
use report::Report;
use serde_json::{Map, Value};
use state::{Observed, Session};

struct VmxOption;

impl Module for VmxOption {
    const ABOUT: About = About {
        name: "vmx_option",
        summary: "Sets or removes VMX options of a virtual machine",
        description: &[
            "Sets or removes VMX options (extra config, advanced configuration parameters) of a virtual machine through vCenter Server or an ESXi host, and reads them back. vSphere silently ignores some keys; this module then fails.",
            "With O(path), it edits the .vmx file of a virtual machine that is powered off, such as on an ESXi shell. It then ignores connection arguments, which C(module_defaults) may set for every task. The file is replaced atomically: it is always the old file or the new one. Its mode and owner are kept; extended attributes and ACLs are not.",
            "Some options are read only when the virtual machine is powered on. They take effect after it has been powered off and on again; RV(needs_power_cycle) reports this.",
            "VMware does not support nested Fault Tolerance: use it in labs only.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"name": "inner", "options": {"replay.supported": true, "replay.allowFT": true}}"#,
    };

    type Args = Args;
    type Session = Session;
    type Target = ();
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn open(args: &Args, run: &Run) -> Result<Session, Error> {
        match (&args.path, &args.connection) {
            (Some(path), _) => Ok(Session::File(File::new(args, path, run.deadline()))),
            (None, Some(connection)) => connection.open(run).await.map(Session::Server),
            (None, None) => Err(Error::new(Kind::InvalidArguments, "give `hostname`, or `path`")),
        }
    }

    async fn targets(_: &Args, _: &Session) -> Result<Vec<()>, Error> {
        Ok(vec![()])
    }

    async fn observe(at: Context<'_, Self>, previous: Option<&Observed>) -> Result<Observed, Error> {
        match (at.session, previous) {
            (Session::Server(server), Some(Observed::Vm(before))) => vm::observe(at.args, server, Some(before)).await,
            (Session::Server(server), _) => vm::observe(at.args, server, None).await,
            (Session::File(file), _) => return file.observe(at.args).await.map(Observed::File),
        }
        .map(Observed::Vm)
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        match observed {
            Observed::Vm(vm) => vm::plan(&args.options, args.state, vm),
            Observed::File(file) => file::plan(&args.options, args.state, args.follow, file),
        }
    }

    async fn apply(at: Context<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        match (at.session, observed) {
            (Session::Server(server), Observed::Vm(vm)) => vm::apply(server, vm, &change.options, at.run).await,
            (Session::File(file), Observed::File(seen)) => file.apply(at.args, seen, change).await,
            // Never: both come from the same arguments.
            _ => Ok(Applied::Stale { wrote: false }),
        }
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        match observed {
            None => "the virtual machine".to_owned(),
            Some(Observed::Vm(seen)) => seen.vm.label(),
            Some(Observed::File(file)) => file.stored.path.display().to_string(),
        }
    }

    fn report(args: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some((before, now)) = outcome.states() else { return Report::default() };
        report::report(&args.options, before, now, outcome.changed)
    }

    fn message(args: &Args, report: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let label = Self::label(&(), outcome.before.as_ref());
        report::message(args.state, report, &label, outcome.changed, run.check)
    }
}

impl callers::Resource for VmxOption {
    type Module = Self;

    const PROPERTIES: &'static [&'static str] = &["options", "state"];

    fn actual(args: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let Some(observed) = observed.first() else { return Map::new() };
        options::actual(&args.options, observed.options(), matches!(observed, Observed::Vm(_)))
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<VmxOption>();
