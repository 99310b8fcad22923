//! Waiting until the virtual machine is protected again.

use std::cell::Cell;
use std::time::{Duration, Instant};

use contract::{Error, Kind, LAST_LOOK};
use vsphere_module::{At, Awaited, Named as _};

use crate::apply::doing;
use crate::args::Action;
use crate::args::FtFailover;
use crate::observe;
use crate::plan::{Change, Looks, NOT_KNOWN, judge, restarted, unseen};
use crate::state::Observed;

/// The longest time for which the server may show the old state after the task has ended.
const LAG: Duration = Duration::from_secs(120);

/// Reads until the virtual machine is protected again, and differently than before.
pub async fn verify(at: At<'_, FtFailover>, observed: &Observed, change: Change) -> Result<Observed, Error> {
    let (memory, run) = (at.target, at.run);
    let Change::Act(action) = change;
    let began = Instant::now();
    let read = async || observe::observe(at, Some(observed)).await;
    // A restart must have shown by then: the server lags no longer, or the run has no time left to see it.
    let patience = run.deadline().checked_sub(LAST_LOOK).map_or(began, |end| end.min(began + LAG));
    let left = Cell::new(false);
    let judged = |now: &Observed| -> Awaited {
        left.set(left.get() || now.is_out_of_step());
        let lagging = match action {
            Action::TestFailover => began.elapsed() < LAG,
            Action::RestartSecondary => Instant::now() < patience,
        };
        judge(action, now, observed, Looks { lagging, left: left.get(), doubt: memory.doubt.borrow().as_deref() })
    };
    let late = |now: &Observed, what: String| {
        let text = format!("Fault Tolerance of {} is still {what} after {} s", now.label(), run.timeout());
        Error::new(Kind::Timeout, text).hint(
            "Do not act again before it is protected. fault_tolerance with `state: present` waits for that, and reports what prevents it.",
        )
    };
    // Between the roles, the pair may be read badly for a moment: the state from before counts as the first look.
    let first = read().await.unwrap_or_else(|_| observed.clone());
    let ended = vsphere_module::until(first, &observed.primary.vm.name, run, read, judged, late).await;
    if let Ok(now) = &ended
        && action == Action::RestartSecondary
        && !left.get()
        && !restarted(now, observed)
    {
        memory.unseen.set(true);
        run.warn(unseen(now, began.elapsed().as_secs()));
    }
    ended.map_err(|mut error| {
        if let Some(doubt) = &*memory.doubt.borrow()
            && !error.detail.contains(NOT_KNOWN)
        {
            let did = format!("{NOT_KNOWN} whether vSphere did {} {}", doing(action), observed.label());
            error.detail = format!("{did}: {doubt}; {}", error.detail);
        }
        error.unsettled()
    })
}
