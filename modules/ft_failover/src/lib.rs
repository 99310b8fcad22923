//! `ft_failover`: a virtual machine that Fault Tolerance protects fails over, or gets its secondary restarted.
//!
//! `MakePrimaryVM_Task` or `TerminateFaultTolerantVM_Task`, both called on the primary and naming the secondary. Their tasks
//! end long before the virtual machine is protected again, so that is waited for. After a failover the moids are the same
//! and the roles are not.

mod act;
mod observe;
mod plan;
mod state;

use std::cell::{Cell, RefCell};

use contract::{Applied, Error, Module, Outcome, Plan, Rule, Run};
use plan::Change;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use state::{Half, Observed};
use vsphere_module::{Connection, Server, VmReport, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    #[serde(flatten)]
    target: VmTarget,
    /// What is to be done.
    action: Action,
    /// Seconds after which the run gives up waiting. Starting a secondary copies the memory of the virtual machine.
    #[serde(default = "fifteen_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// The secondary takes over and becomes the primary; the old primary becomes its secondary.
    TestFailover,
    /// The secondary is ended and started anew, maybe on another host. The virtual machine is unprotected meanwhile.
    RestartSecondary,
}

impl Action {
    /// What a pair does, or has done to it.
    fn verb(self) -> &'static str {
        match self {
            Self::TestFailover => "fail over",
            Self::RestartSecondary => "have its secondary restarted",
        }
    }
}

fn fifteen_minutes() -> u64 {
    900
}

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// The virtual machine that is the primary now, or would be had this not been a check run; null if it was not found.
    vm: Option<VmReport>,
    /// V(notConfigured), V(disabled), V(enabled), V(needSecondary), V(starting) or V(running), before.
    ft_state_before: Option<String>,
    /// The same after this run, or as it would be had this not been a check run.
    ft_state: Option<String>,
    /// The primary before.
    primary_before: Option<HalfReport>,
    /// The primary after this run, or as it would be had this not been a check run.
    primary: Option<HalfReport>,
    /// The secondary before; null if there was none.
    secondary_before: Option<HalfReport>,
    /// The secondary after this run, or as it would be had this not been a check run; null if there is none.
    secondary: Option<HalfReport>,
}

#[derive(Serialize, JsonSchema)]
struct HalfReport {
    /// Its managed object id, which it keeps when the roles change.
    moid: String,
    /// Name of the host that it runs on; null if it is not told.
    host: Option<String>,
}

impl HalfReport {
    fn of(half: &Half) -> Self {
        Self { moid: half.vm.moid.clone(), host: half.host.clone() }
    }
}

/// The pair that this run acts on.
#[derive(Default)]
struct Pair {
    /// What this run has done, or has begun to do.
    done: Cell<Option<Action>>,
    /// Why its end was not seen, if it was not: what became of it, the pair alone tells.
    doubt: RefCell<Option<String>>,
    /// Nothing showed that the secondary was restarted, although vSphere says that it did.
    unseen: Cell<bool>,
}

struct FtFailover;

impl Module for FtFailover {
    const NAME: &'static str = "ft_failover";
    const SUMMARY: &'static str =
        "A virtual machine protected by Fault Tolerance fails over, or gets its secondary restarted";
    const DESCRIPTION: &'static [&'static str] = &[
        "Tests the failover of a virtual machine that vSphere Fault Tolerance protects, or restarts its secondary, and waits until it is protected again.",
        "Not idempotent: every run acts, and is always a change. It says in check mode what it would do.",
        "A restart counts as seen when the secondary has another start time, host or id, or when the pair left the state V(running). vSphere may show it late: it is looked for up to two minutes, and what never showed is a warning; or a failure, if vSphere does not say either that it was done.",
        "Only a pair in the state V(running) is acted upon. vSphere HA must be on for its cluster.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = vsphere_module::VM_RULES;

    type Args = Args;
    type Session = Server;
    type Target = Pair;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn check(args: &Args) -> Vec<String> {
        args.connection.problems()
    }

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run, args.timeout).await
    }

    async fn targets(_: &Args, _: &Server) -> Result<Vec<Pair>, Error> {
        Ok(vec![Pair::default()])
    }

    async fn observe(
        args: &Args,
        server: &Server,
        pair: &Pair,
        previous: Option<&Observed>,
    ) -> Result<Observed, Error> {
        observe::observe(args, server, pair, previous).await
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(args.action, observed)
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, *change)
    }

    async fn apply(
        args: &Args,
        server: &Server,
        pair: &Pair,
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        act::apply(args, server, pair, observed, *change, run).await
    }

    async fn verify(
        args: &Args,
        server: &Server,
        pair: &Pair,
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Observed, Error> {
        act::verify(args, server, pair, observed, *change, run).await
    }

    fn view(observed: &Observed) -> Value {
        let place = |half: &Half| json!({ "moid": half.vm.moid, "host": half.host });
        json!({
            "fault_tolerance": observed.primary.state.name(),
            "primary": place(&observed.primary),
            "secondary": observed.secondary.as_ref().map(place),
            // Otherwise a restarted secondary would show no difference.
            "done": observed.done,
        })
    }

    fn label(_: &Pair, observed: Option<&Observed>) -> String {
        observed.map_or_else(|| "the virtual machine".to_owned(), Observed::label)
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some(before) = &outcome.before else { return Report::default() };
        let now = outcome.after.as_ref().unwrap_or(before);
        Report {
            vm: Some(now.primary.vm.clone()),
            ft_state_before: Some(before.primary.state.name().to_owned()),
            ft_state: Some(now.primary.state.name().to_owned()),
            primary_before: Some(HalfReport::of(&before.primary)),
            primary: Some(HalfReport::of(&now.primary)),
            secondary_before: before.secondary.as_ref().map(HalfReport::of),
            secondary: now.secondary.as_ref().map(HalfReport::of),
        }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let Some(now) = outcome.after.as_ref().or(outcome.before.as_ref()) else { return String::new() };
        let name = &now.primary.vm.name;
        let primary = now.primary.place();
        let secondary = now.secondary.as_ref().map_or_else(|| "none".to_owned(), Half::place);
        match (args.action, run.check) {
            (Action::TestFailover, false) => {
                format!("{name} failed over: its primary is {primary} now, its secondary {secondary}.")
            }
            (Action::TestFailover, true) => {
                format!("{name} would fail over: its primary would be {primary}, its secondary {secondary}.")
            }
            (Action::RestartSecondary, false) if outcome.target.unseen.get() => {
                format!("vSphere says that it restarted the secondary {secondary} of {name}; nothing else shows it.")
            }
            (Action::RestartSecondary, false) => {
                format!("{name} is protected again: its secondary {secondary} was restarted.")
            }
            (Action::RestartSecondary, true) => format!("Would restart the secondary {secondary} of {name}."),
        }
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<FtFailover>();
