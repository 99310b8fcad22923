//! `fault_tolerance`: a virtual machine is protected by vSphere Fault Tolerance, suspended, or not configured.
//!
//! The state is `runtime.faultToleranceState`; the operations are `CreateSecondaryVM_Task` (record/replay, vSphere 4 and
//! 5) or `CreateSecondaryVMEx_Task` (SMP-FT), `EnableSecondaryVM_Task`, `DisableSecondaryVM_Task` and
//! `TurnOffFaultToleranceForVM_Task`. Their tasks succeed although the secondary did not start, so this module looks
//! into the results and waits for the state itself.

mod apply;
mod args;
mod encryption;
mod observe;
mod plan;
mod report;
mod secondary;
mod state;
#[cfg(test)]
mod testing;
mod verify;
mod why;

use args::{Args, FaultTolerance, State};
use contract::{About, Applied, Error, Plan, Run};
use plan::Change;
use report::Report;
use serde_json::{Map, Value, json};
use state::{FtState, Observed};
use vsphere_module::{At, Ended, One, OneObject};

impl OneObject for FaultTolerance {
    const ABOUT: About = About {
        name: "fault_tolerance",
        summary: "Turns vSphere Fault Tolerance of a virtual machine on, suspends it, or turns it off",
        description: &[
            "Turns vSphere Fault Tolerance on, suspends it, or turns it off, on vCenter Server 4.1 to 9: record/replay Fault Tolerance on ESXi 4 and 5, SMP-FT on 6.0 and later.",
            "The run ends only when the virtual machine is protected, not when the vSphere task ends. If protection fails, the error holds the faults of every host that vSphere tried.",
            "The traffic between primary and secondary can be encrypted on vSphere 7.0 Update 2 and later (O(encryption)). The mode can only change while Fault Tolerance is off.",
            "vSphere cannot turn Fault Tolerance off while the secondary is starting, and while its host is in maintenance mode or not connected. With O(state=absent), a run waits for a secondary that is starting. If the host is out of service, suspend Fault Tolerance, resume it and then turn it off.",
            "VMware does not support nested Fault Tolerance: use it in labs only.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"name": "inner", "state": "present"}"#,
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
        plan::plan(args.wish, observed)
    }

    async fn apply(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        apply::apply(at, observed, change).await
    }

    async fn verify(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Observed, Error> {
        verify::verify(at, observed, change).await
    }

    fn report(before: &Observed, now: &Observed) -> Report {
        report::report(before, now)
    }

    fn message(args: &Args, ended: &Ended<'_, Self>, run: &Run) -> String {
        report::message(args.wish, ended.now, ended.changed, run)
    }
}

impl callers::Resource for FaultTolerance {
    type Module = One<Self>;

    const PROPERTIES: &'static [&'static str] = &["state", "encryption"];

    fn actual(args: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let state = match observed.first().map(|observed| &observed.state) {
            Some(FtState::NotConfigured) => Some(State::Absent),
            Some(FtState::Disabled) => Some(State::Suspended),
            Some(FtState::Enabled | FtState::NeedSecondary | FtState::Starting | FtState::Running) => {
                Some(State::Present)
            }
            Some(FtState::Other(_)) | None => None,
        };
        let encryption = observed.first().and_then(|observed| observed.encryption);
        // While Fault Tolerance is off, its encryption is not part of the wanted state.
        let encryption = encryption.filter(|_| args.wish.state != State::Absent);
        let state = state.map(|state| ("state".to_owned(), json!(state)));
        state.into_iter().chain(encryption.map(|mode| ("encryption".to_owned(), json!(mode)))).collect()
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::resource::<FaultTolerance>();
