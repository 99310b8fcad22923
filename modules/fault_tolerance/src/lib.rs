//! `fault_tolerance`: a virtual machine is protected by vSphere Fault Tolerance, suspended, or not configured.
//!
//! The state is `runtime.faultToleranceState`; the operations are `CreateSecondaryVM_Task` (record/replay, vSphere 4 and
//! 5) or `CreateSecondaryVMEx_Task` (SMP-FT), `EnableSecondaryVM_Task`, `DisableSecondaryVM_Task` and
//! `TurnOffFaultToleranceForVM_Task`. Their tasks succeed although the secondary did not start, so this module looks
//! into the results and waits for the state itself.

mod apply;
mod observe;
mod plan;
mod state;

use contract::{Applied, Error, Module, Outcome, Plan, Rule, Run};
use plan::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use state::{Engine, FtState, Observed};
use vsphere_module::{Connection, Server, VmReport, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    #[serde(flatten)]
    target: VmTarget,
    #[serde(flatten)]
    wish: Wish,
    /// Name of the host that the secondary is to run on. Only used when this run starts a secondary; otherwise vSphere
    /// chooses.
    #[schemars(length(min = 1))]
    secondary_host: Option<String>,
    /// Name of the datastore for the secondary's files and the tie-breaker file. Only used when this run creates a
    /// secondary of SMP-FT (vSphere 6.0 and later); otherwise vSphere chooses.
    #[schemars(length(min = 1))]
    datastore: Option<String>,
    /// Seconds after which the run gives up waiting. Starting a secondary copies the memory and, with SMP-FT, the disks
    /// of the virtual machine. With O(allow_power_cycle=true), a minute of that time, or a third of a shorter one, is kept for
    /// powering the virtual machine on again.
    #[serde(default = "fifteen_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

/// The arguments that decisions depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
struct Wish {
    /// What is to be true.
    #[serde(default)]
    state: State,
    /// Whether to wait until the virtual machine is really protected. Without it the run ends when vSphere has accepted
    /// the change.
    #[serde(default = "yes")]
    wait: bool,
    /// Whether a running virtual machine may be powered off and on again, if record/replay Fault Tolerance can only be
    /// turned on while it is off.
    #[serde(default)]
    allow_power_cycle: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Fault Tolerance is on: a running virtual machine is protected by a running secondary, one that is off will be
    /// when it is powered on.
    #[default]
    Present,
    /// Fault Tolerance is configured, but the secondary does not run.
    Suspended,
    /// Fault Tolerance is not configured; the secondary is removed.
    Absent,
}

fn yes() -> bool {
    true
}

fn fifteen_minutes() -> u64 {
    900
}

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// The virtual machine; null if it was not found.
    vm: Option<VmReport>,
    /// V(notConfigured), V(disabled), V(enabled), V(needSecondary), V(starting) or V(running), before.
    ft_state_before: Option<String>,
    /// The same after this run, or as it would be had this not been a check run.
    ft_state: Option<String>,
    /// Why a running virtual machine has no secondary, in vSphere's words; null unless it needs one.
    need_secondary_reason: Option<String>,
    /// V(legacy) for record/replay Fault Tolerance, V(smp) for SMP-FT: what this host and server use.
    engine: Option<Engine>,
    /// The secondary; null if there is none.
    secondary: Option<SecondaryReport>,
}

#[derive(Serialize, JsonSchema)]
struct SecondaryReport {
    /// Its managed object id. Its name is that of the primary.
    moid: String,
    /// Its instance UUID.
    instance_uuid: Option<String>,
}

struct FaultTolerance;

impl Module for FaultTolerance {
    const NAME: &'static str = "fault_tolerance";
    const SUMMARY: &'static str =
        "A virtual machine is protected by vSphere Fault Tolerance, suspended, or not configured";
    const DESCRIPTION: &'static [&'static str] = &[
        "Turns vSphere Fault Tolerance on, suspends it, or turns it off, on vCenter Server 4.1 to 9: record/replay Fault Tolerance on ESXi 4 and 5, SMP-FT on 6.0 and later.",
        "The run does not end when vSphere has finished its task, but when the virtual machine is protected; if it cannot be, the error holds the faults of every host that was tried.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
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
        observe::observe(args, server, previous).await
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(args.wish, observed)
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
        apply::apply(args, server, observed, change, run).await
    }

    async fn verify(
        args: &Args,
        server: &Server,
        (): &(),
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Observed, Error> {
        apply::verify(args, server, observed, change, run).await
    }

    fn aftermath(before: &Observed, now: &Observed) -> Option<String> {
        let off = before.power() == "poweredOn" && now.power() == "poweredOff";
        off.then(|| format!("{} is powered off now: power it on with vm_power", now.label()))
    }

    fn actual(_: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let state = match observed.first().map(|observed| &observed.state) {
            Some(FtState::NotConfigured) => Some(State::Absent),
            Some(FtState::Disabled) => Some(State::Suspended),
            Some(FtState::Enabled | FtState::NeedSecondary | FtState::Starting | FtState::Running) => {
                Some(State::Present)
            }
            Some(FtState::Other(_)) | None => None,
        };
        state.map(|state| ("state".to_owned(), json!(state))).into_iter().collect()
    }

    fn view(observed: &Observed) -> Value {
        json!({ "fault_tolerance": observed.state.name(), "power_state": observed.vm.power_state })
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        observed.map_or_else(|| "the virtual machine".to_owned(), Observed::label)
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some(before) = &outcome.before else { return Report::default() };
        let now = outcome.after.as_ref().unwrap_or(before);
        Report {
            vm: Some(now.vm.clone()),
            ft_state_before: Some(before.state.name().to_owned()),
            ft_state: Some(now.state.name().to_owned()),
            need_secondary_reason: now.reason.clone().filter(|_| now.state == FtState::NeedSecondary),
            engine: Some(now.engine()),
            secondary: now.ft.as_ref().and_then(|ft| {
                let secondary = ft.secondaries.first()?;
                Some(SecondaryReport { moid: secondary.id.clone(), instance_uuid: ft.instance_uuids.get(1).cloned() })
            }),
        }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let Some(now) = outcome.after.as_ref().or(outcome.before.as_ref()) else { return String::new() };
        let label = now.label();
        let engine = now.engine().title();
        let done = match (args.wish.state, now.state.clone()) {
            (State::Present, FtState::Enabled) => {
                format!("{engine} is on for {label}, which is off: its secondary starts with it")
            }
            (State::Present, FtState::Running) => format!("{label} is protected by {engine}"),
            (State::Present, other) if run.check && !outcome.changed => {
                return format!("{label} is not protected yet ({}); a real run would wait for that.", other.name());
            }
            (State::Present, other) => {
                format!("{engine} is on for {label}, which is not protected yet: {}", other.name())
            }
            (State::Suspended, _) => format!("{engine} is suspended for {label}"),
            (State::Absent, _) => format!("Fault Tolerance is not configured for {label}"),
        };
        match (outcome.changed, run.check) {
            (true, true) => format!("After a real run: {done}."),
            (true, false) => format!("{done}."),
            (false, _) => format!("{done} already."),
        }
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<FaultTolerance>();
