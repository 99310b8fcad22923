//! `vm_power`: a virtual machine is powered on, or off.
//!
//! `PowerOnVM_Task` on the primary of Fault Tolerance starts its secondaries too, and `PowerOffVM_Task` stops them.

mod plan;

use contract::{About, Applied, Error, Plan, Run};
use plan::{Change, Observed, PATHS, Wish};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
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

struct VmPower;

impl OneObject for VmPower {
    const ABOUT: About = About {
        name: "vm_power",
        summary: "Powers a virtual machine on or off",
        description: &[
            "Powers a virtual machine on or off. The secondaries of Fault Tolerance follow their primary.",
            "If the virtual machine waits for an answer to a question, the run fails and repeats the question. It never answers for you.",
        ],
        examples: include_str!("../examples.yml"),
    };
    type Args = VmArgs<Wish>;
    type Memory = ();
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn observe(at: At<'_, Self>, previous: Option<&Observed>) -> Result<Observed, Error> {
        let found = at.args.vm.read_all(at.session, &PATHS, previous.map(|observed| &observed.moref)).await?;
        Ok(Observed::of(&found.vm))
    }

    fn plan(args: &VmArgs<Wish>, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(args.wish.state, observed)
    }

    async fn apply(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        match change.0 {
            Some(power) => power.apply(at.session, &observed.moref, &observed.vm.name, at.run).await,
            None => Ok(Applied::Done),
        }
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
        match (ended.changed, run.check) {
            (false, _) => format!("{label} is already powered {word}."),
            (true, true) => format!("Would power {word} {label}{with}."),
            (true, false) => format!("Powered {word} {label}{with}."),
        }
    }
}

impl callers::Resource for VmPower {
    type Module = One<Self>;

    const PROPERTIES: &'static [&'static str] = &["state"];

    fn actual(_: &VmArgs<Wish>, observed: &[&Observed]) -> Map<String, Value> {
        observed.iter().filter_map(|vm| Some(("state".to_owned(), json!(vm.state()?)))).collect()
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<VmPower>();
