//! Waiting until the goal is reached.

use std::time::{Duration, Instant};

use contract::{Error, Kind};
use vsphere_module::{At, Named as _};

use crate::args::FaultTolerance;
use crate::observe;
use crate::plan::{Change, Goal, judge};
use crate::state::{FtState, Observed};
use crate::why;

/// The longest time for which the server may show the old state after the task has ended.
const LAG: Duration = Duration::from_secs(120);

/// Reads until the goal is reached, is lost, or the time is over.
pub async fn verify(at: At<'_, FaultTolerance>, observed: &Observed, change: &Change) -> Result<Observed, Error> {
    let began = Instant::now();
    let unsettled = |error: Error| if change.steps.is_empty() { error } else { error.unsettled() };
    let read = async || observe::observe(at.args, at.session, Some(observed)).await;
    // An observation without operations of its own was made a moment ago.
    let first = if change.steps.is_empty() { observed.clone() } else { read().await.map_err(unsettled)? };
    let Some(goal) = change.goal else { return Ok(first) };
    let judged = |now: &Observed| {
        let lagging = !change.steps.is_empty() && began.elapsed() < LAG;
        judge(goal, now, lagging.then_some(observed))
    };
    let late = |now: &Observed, what: String| {
        let text = format!("{} is still {what} after {} s", now.label(), at.run.timeout());
        let remedy = if goal == Goal::Running && now.state != FtState::NotConfigured {
            "Set a longer `timeout`, check whether DRS has a recommendation to apply, or restart the secondary with `state: suspended` and then `state: present`."
        } else {
            "Set a longer `timeout`, and check the tasks and events of the virtual machine."
        };
        Error::new(Kind::Timeout, text).hint(remedy)
    };
    match vsphere_module::until(first, &observed.vm.name, at.run, read, judged, late).await {
        Err(error) if goal == Goal::Running => Err(unsettled(why::explained(at, observed, error).await)),
        outcome => outcome.map_err(unsettled),
    }
}
