//! Waiting until the goal is reached.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use contract::{Error, Kind};
use vsphere_module::{At, Named as _};

use crate::args::FaultTolerance;
use crate::observe;
use crate::plan::{Change, Goal, judge};
use crate::secondary::awaits_lost_secondary;
use crate::state::{FtState, Observed};
use crate::why;

/// The longest time for which the server may show the old state after the task has ended.
const LAG: Duration = Duration::from_secs(120);

/// Reads until the goal is reached, is lost, or the time is over.
pub async fn verify(at: At<'_, FaultTolerance>, observed: &Observed, change: &Change) -> Result<Observed, Error> {
    let began = Instant::now();
    let unsettled = |error: Error| if change.steps.is_empty() { error } else { error.unsettled() };
    let read = async || observe::observe_again(at.args, at.session, observed).await;
    // An observation without operations of its own was made a moment ago.
    let first = if change.steps.is_empty() { observed.clone() } else { read().await.map_err(unsettled)? };
    let Some(goal) = change.goal else { return Ok(first) };
    if change.steps.is_empty()
        && let Some(what) = awaits_lost_secondary(&first)
    {
        let left = at.run.deadline().saturating_duration_since(Instant::now());
        at.run.warn_at_once(&format!("{what}. This run waits for a new one until {}", time_of_day(left)));
    }
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
        Err(error) if goal == Goal::Running && matches!(error.kind, Kind::Fault | Kind::Timeout) => {
            Err(unsettled(why::explained(at, observed, error).await))
        }
        outcome => outcome.map_err(unsettled),
    }
}

/// Returns the time of day after `left`.
fn time_of_day(left: Duration) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = (now + left).as_secs() % 86400;
    format!("{:02}:{:02}:{:02} UTC ({} s)", seconds / 3600, seconds / 60 % 60, seconds % 60, left.as_secs_f64().round())
}
