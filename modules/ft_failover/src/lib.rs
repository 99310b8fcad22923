//! `ft_failover`: a virtual machine that Fault Tolerance protects fails over, or gets its secondary restarted.
//!
//! `MakePrimaryVM_Task` or `TerminateFaultTolerantVM_Task`, both called on the primary and naming the secondary. Their tasks
//! end long before the virtual machine is protected again, so that is waited for. After a failover the moids are the same
//! and the roles are not.

mod apply;
mod args;
mod observe;
mod plan;
mod report;
mod state;
mod verify;

use args::{Args, FtFailover};
use contract::{About, Applied, Error, Plan, Run};
use plan::Change;
use report::Report;
use state::{Memory, Observed};
use vsphere_module::{At, Ended, One, OneObject};

impl OneObject for FtFailover {
    const ABOUT: About = About {
        name: "ft_failover",
        summary: "Tests a failover of Fault Tolerance, or restarts the secondary",
        description: &[
            "Tests the failover of a virtual machine that vSphere Fault Tolerance protects, or restarts its secondary, and waits until it is protected again.",
            "Not idempotent: every run acts and counts as a change. In check mode it reports what it would do.",
            "A restart counts as confirmed when the secondary has a different start time, host or id, or when the pair left the state V(running). vSphere may show this late, so the module looks for up to two minutes. A restart that never shows is a warning if vSphere reported success, and otherwise a failure.",
            "The pair must be in the state V(running), and vSphere HA must be on for its cluster.",
            "VMware does not support nested Fault Tolerance: use it in labs only.",
        ],
        examples: include_str!("../examples.yml"),
        sample: include_str!("../sample.json"),
        example: r#"{"name": "inner", "action": "test_failover"}"#,
    };

    type Args = Args;
    type Memory = Memory;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    async fn observe(at: At<'_, Self>, previous: Option<&Observed>) -> Result<Observed, Error> {
        observe::observe(at, previous).await
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(args.action, observed)
    }

    async fn apply(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
        apply::apply(at, observed, *change).await
    }

    async fn verify(at: At<'_, Self>, observed: &Observed, change: &Change) -> Result<Observed, Error> {
        verify::verify(at, observed, *change).await
    }

    fn report(before: &Observed, now: &Observed) -> Report {
        report::report(before, now)
    }

    fn message(args: &Args, ended: &Ended<'_, Self>, run: &Run) -> String {
        report::message(args.action, ended.now, ended.memory.unseen.get(), run.check)
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<One<FtFailover>>();
