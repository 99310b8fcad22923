//! `vm_power`: a virtual machine is powered on, or off.
//!
//! `PowerOnVM_Task` on the primary of Fault Tolerance starts its secondaries too, and `PowerOffVM_Task` stops them.
//! `ShutdownGuest` only passes a request on and has no task, so the power state is read until it changes.

mod apply;
mod plan;

use std::cell::Cell;

use contract::{About, Applied, Error, Plan, Run};
use plan::{Change, Observed, VmPower, Wish};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use vsphere::VmPaths;
use vsphere_module::{At, Ended, Named as _, One, OneObject, VmArgs, VmReport};

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

impl OneObject for VmPower {
    const ABOUT: About = About {
        name: "vm_power",
        summary: "Powers a virtual machine on or off, or shuts its guest down",
        description: &[
            "Powers a virtual machine on or off. The secondaries of Fault Tolerance follow their primary.",
            "With O(state=shut_down), VMware Tools asks the guest to shut down. If it does not run, the run fails before anything is changed; if the guest still runs at the end of O(timeout), the run fails and the guest may still shut down. O(force=true) powers the virtual machine off in both cases, with a warning.",
            "If the virtual machine waits for an answer to a question, the run fails and repeats the question. It never answers for you.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"name": "inner", "state": "powered_on"}"#,
    };
    type Args = VmArgs<Wish>;
    /// True if the virtual machine was powered off although its guest was to shut down.
    type Memory = Cell<bool>;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn observe(at: At<'_, Self>, previous: Option<&Observed>) -> Result<Observed, Error> {
        let paths = at.args.wish.state.paths();
        let paths = VmPaths { vm: &paths, host: &[], cluster: &[] };
        let found = at.args.vm.read_all(at.session, &paths, previous.map(|observed| &observed.moref)).await?;
        Ok(Observed::of(&found.vm))
    }

    fn plan(args: &VmArgs<Wish>, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(&args.wish, observed)
    }

    async fn apply(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        apply::apply(at, observed, change).await
    }

    fn report(before: &Observed, now: &Observed) -> Report {
        Report {
            vm: Some(now.vm.clone()),
            power_state_before: before.vm.power_state.clone(),
            power_state: now.vm.power_state.clone(),
            secondaries: now.secondaries(),
        }
    }

    fn message(args: &VmArgs<Wish>, ended: &Ended<'_, Self>, run: &Run) -> String {
        let (label, power) = (ended.before.label(), args.wish.state.power());
        let (word, with) = (power.word(), ended.now.company(power));
        let asks = plan::asks_guest(&args.wish, ended.before) && !ended.memory.get();
        match (ended.changed, asks, run.check) {
            (false, ..) => format!("{label} is already powered {word}."),
            (true, false, true) => format!("Would power {word} {label}{with}."),
            (true, false, false) => format!("Powered {word} {label}{with}."),
            (true, true, true) => format!("Would shut down the guest of {label}{with}."),
            (true, true, false) => format!("Shut down the guest of {label}{with}."),
        }
    }
}

impl callers::Resource for VmPower {
    type Module = One<Self>;

    const PROPERTIES: &'static [&'static str] = &["state"];

    fn actual(args: &VmArgs<Wish>, observed: &[&Observed]) -> Map<String, Value> {
        observed.iter().filter_map(|vm| Some(("state".to_owned(), json!(vm.state(args.wish.state)?)))).collect()
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<VmPower>();
