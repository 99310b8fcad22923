//! `vm_power`: a virtual machine is powered on, or off.
//!
//! `PowerOnVM_Task` on the primary of Fault Tolerance starts its secondaries too, and `PowerOffVM_Task` stops them.

mod plan;

use contract::{Applied, Error, Module, Outcome, Plan, Rule, Run};
use plan::{Change, Observed, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vsphere::VmPaths;
use vsphere_module::{Connection, Server, VmReport, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    #[serde(flatten)]
    target: VmTarget,
    /// What is to be true.
    state: State,
    /// Seconds after which the run gives up waiting for vSphere.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The virtual machine runs. A suspended one is resumed.
    PoweredOn,
    /// The virtual machine is off. The guest is not asked to shut down: this is the power button held.
    PoweredOff,
}

fn five_minutes() -> u64 {
    300
}

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// The virtual machine; null if it was not found.
    vm: Option<VmReport>,
    /// V(poweredOn), V(poweredOff) or V(suspended), before.
    power_state_before: Option<String>,
    /// The same after this run, or as it would be had this not been a check run.
    power_state: Option<String>,
    /// How many secondaries of Fault Tolerance follow it; 0 for a machine that has none, or whose Fault Tolerance is
    /// suspended.
    secondaries: u32,
}

struct VmPower;

const PATHS: VmPaths<'static> = VmPaths {
    vm: &[
        "name",
        "config.instanceUuid",
        "runtime.powerState",
        "runtime.connectionState",
        "config.template",
        "runtime.question",
        "runtime.faultToleranceState",
    ],
    host: &[],
    cluster: &[],
};

impl Module for VmPower {
    const NAME: &'static str = "vm_power";
    const SUMMARY: &'static str = "A virtual machine is powered on or off";
    const DESCRIPTION: &'static [&'static str] = &[
        "Powers a virtual machine on or off. With the primary of Fault Tolerance its secondaries are powered too.",
        "A machine that waits for an answer is an error that repeats the question: nothing is answered for you.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = vsphere_module::VM_RULES;

    const STATE: &'static [&'static str] = &["state"];

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
        let found = args.target.read(server, &PATHS, previous.map(|observed| &observed.moref)).await?;
        vsphere_module::accessible(&found.vm)?;
        vsphere_module::readable(&found.vm, PATHS.vm)?;
        Ok(Observed {
            moref: found.vm.moref.clone(),
            vm: VmReport::of(&found.vm),
            template: vsphere_module::is_template(&found.vm),
            ft: vsphere_module::ft_role(&found.vm),
            ft_suspended: found.vm.text("runtime.faultToleranceState") == Some("disabled"),
            question: found
                .vm
                .get("runtime.question")
                .and_then(|question| question.child("text"))
                .map(|text| text.text().to_owned()),
        })
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(args.state, observed)
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, *change)
    }

    async fn apply(
        args: &Args,
        server: &Server,
        (): &(),
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        let Some(step) = change.0 else { return Ok(Applied::Done) };
        let direction = if step == Step::On { "on" } else { "off" };
        let what = format!("waiting for vSphere to power {direction} {}", observed.vm.name);
        let start = async || match step {
            Step::On => server.power_on(&observed.moref).await,
            Step::Off => server.power_off(&observed.moref).await,
        };
        match vsphere_module::carry_out(server, &observed.moref, run, args.timeout, &what, start).await {
            Ok(_) => Ok(Applied::Done),
            // Somebody else pressed the button first.
            Err(error) if vsphere_module::power_is(&error, step.leads_to()) => Ok(Applied::Stale { wrote: false }),
            Err(error) => vsphere_module::judge_write(error, false),
        }
    }

    fn actual(_: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let state = match observed.first().and_then(|observed| observed.vm.power_state.as_deref()) {
            Some("poweredOn") => Some(State::PoweredOn),
            Some("poweredOff") => Some(State::PoweredOff),
            // Such as `suspended`, which nobody can ask for.
            _ => None,
        };
        state.map(|state| ("state".to_owned(), json!(state))).into_iter().collect()
    }

    fn view(observed: &Observed) -> Value {
        json!({ "power_state": observed.vm.power_state })
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        observed.map_or_else(
            || "the virtual machine".to_owned(),
            |observed| format!("{} ({})", observed.vm.name, observed.vm.moid),
        )
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some(before) = &outcome.before else { return Report::default() };
        let now = outcome.after.as_ref().unwrap_or(before);
        Report {
            vm: Some(now.vm.clone()),
            power_state_before: before.vm.power_state.clone(),
            power_state: now.vm.power_state.clone(),
            secondaries: now.secondaries(),
        }
    }

    fn message(args: &Args, report: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let label = Self::label(&(), outcome.before.as_ref());
        let direction = if args.state == State::PoweredOn { "on" } else { "off" };
        let with = match (report.secondaries, args.state) {
            (0, _) => "",
            (1, State::PoweredOn) => "; its secondary starts with it",
            (1, State::PoweredOff) => "; its secondary stops with it",
            (_, State::PoweredOn) => "; its secondaries start with it",
            (_, State::PoweredOff) => "; its secondaries stop with it",
        };
        match (outcome.changed, run.check) {
            (false, _) => format!("{label} is powered {direction} already."),
            (true, true) => format!("Would power {direction} {label}{with}."),
            (true, false) => format!("Powered {direction} {label}{with}."),
        }
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<VmPower>();
