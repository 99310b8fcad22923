//! Acting, and waiting until the virtual machine is protected again.

use std::cell::Cell;
use std::time::{Duration, Instant};

use contract::{Applied, Error, Kind, Run};
use vsphere::WriteError;
use vsphere_module::{Server, Verdict};

use crate::plan::{Change, LOOK_FIRST, Looks, NOT_KNOWN, judge, restarted, unseen};
use crate::state::Observed;
use crate::{Action, Args, Pair, observe};

/// So long the server may go on showing the state from before an operation whose task has ended.
const LAG: Duration = Duration::from_secs(120);
/// So much of the run's time is left for the last look and the logout when it stops looking for a trace.
const REST: Duration = Duration::from_millis(2500);

pub async fn apply(
    args: &Args,
    server: &Server,
    pair: &Pair,
    observed: &Observed,
    change: Change,
    run: &Run,
) -> Result<Applied, Error> {
    let Change::Act(action) = change;
    let primary = &observed.primary.moref;
    let Some(secondary) = observed.secondary.as_ref().map(|half| &half.moref) else {
        return Err(Error::new(Kind::Conflict, format!("{} has no secondary", observed.label())));
    };
    let start = async || {
        pair.done.set(None);
        let task = match action {
            Action::TestFailover => server.make_primary(primary, secondary).await,
            Action::RestartSecondary => server.terminate_secondary(primary, secondary).await,
        }?;
        // Accepted: whatever is seen from now on, vSphere is at it.
        pair.done.set(Some(action));
        Ok(task)
    };
    let what = format!("waiting for vSphere to {} {}", doing(action), observed.primary.vm.name);
    match vsphere_module::carry_out(server, primary, run, args.timeout, &what, start).await {
        Ok(_) => Ok(Applied::Done),
        // Whether vSphere acted, the pair will tell.
        Err(WriteError::Unknown { error, accepted }) if is_doubt(&error, accepted) => {
            pair.done.set(Some(action));
            pair.doubt.replace(Some(error.to_string()));
            Ok(Applied::Done)
        }
        Err(error) => {
            // Refused, or its task ended with a fault: nothing was done.
            if !error.is_unknown() {
                pair.done.set(None);
            }
            refused(error, action, observed)
        }
    }
}

/// True if the pair may still tell what the task did not: not if the task waits for a person, or took all the time.
fn is_doubt(error: &vsphere::Error, accepted: bool) -> bool {
    match error {
        vsphere::Error::Question { .. } => false,
        vsphere::Error::Timeout { .. } => !accepted,
        _ => true,
    }
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::TestFailover => "fail over",
        Action::RestartSecondary => "restart the secondary of",
    }
}

/// The server refused, or the action failed: what that means here.
fn refused(error: WriteError, action: Action, observed: &Observed) -> Result<Applied, Error> {
    let cluster = observed.cluster.as_ref().map_or("its cluster", |(name, _)| name);
    let fault = |name| error.is_fault(name);
    let hint = if fault("NotSupported") || fault("FaultToleranceVmNotDasProtected") {
        Some(format!(
            "vSphere answers so when vSphere HA is not on for {cluster}: see cluster_ha. HA may also need a moment to protect \
             the virtual machine."
        ))
    } else if fault("InvalidState") {
        Some(
            "The pair is not in the state running any more: see it with fault_tolerance, then run it again.".to_owned(),
        )
    } else {
        None
    };
    let unknown = error.is_unknown();
    let stale = fault("InvalidState");
    vsphere_module::judge_write(error.clone(), false).map_err(|_| {
        let mut failure = vsphere_module::known_failure(error);
        let outcome = if unknown { format!("{NOT_KNOWN} whether vSphere did") } else { "vSphere did not".to_owned() };
        failure.detail = format!("{outcome} {} {}: {}", doing(action), observed.label(), failure.detail);
        if stale {
            failure.kind = Kind::Conflict;
        }
        if hint.is_some() {
            failure.hint = hint;
        } else if unknown {
            // What to do first; but not that it may simply be run again later.
            let remedy = failure.hint.take();
            failure.hint = Some(remedy.into_iter().chain([LOOK_FIRST.to_owned()]).collect::<Vec<_>>().join(" "));
        }
        failure
    })
}

/// Reads until the virtual machine is protected again, and differently than before.
pub async fn verify(
    args: &Args,
    server: &Server,
    pair: &Pair,
    observed: &Observed,
    change: Change,
    run: &Run,
) -> Result<Observed, Error> {
    let Change::Act(action) = change;
    let began = Instant::now();
    let read = async || observe::observe(args, server, pair, Some(observed)).await;
    // A restart must have shown by then: the server lags no longer, or the run has no time left to see it.
    let patience = run.deadline(args.timeout).checked_sub(REST).map_or(began, |end| end.min(began + LAG));
    let left = Cell::new(false);
    let judged = |now: &Observed| -> Verdict {
        left.set(left.get() || now.is_out_of_step());
        let lagging = match action {
            Action::TestFailover => began.elapsed() < LAG,
            Action::RestartSecondary => Instant::now() < patience,
        };
        judge(action, now, observed, Looks { lagging, left: left.get(), doubt: pair.doubt.borrow().as_deref() })
    };
    let late = |now: &Observed, what: String| {
        let text = format!("Fault Tolerance of {} is still {what} after {} s", now.label(), args.timeout);
        Error::new(Kind::Timeout, text).hint(
            "Do not act again before it is protected: wait for that with fault_tolerance and `state: present`, which also \
             says what is in the way.",
        )
    };
    // Between the roles, the pair may be read badly for a moment: the state from before counts as the first look.
    let first = read().await.unwrap_or_else(|_| observed.clone());
    let ended = vsphere_module::until(first, &observed.primary.vm.name, run, args.timeout, read, judged, late).await;
    if let Ok(now) = &ended
        && action == Action::RestartSecondary
        && !left.get()
        && !restarted(now, observed)
    {
        pair.unseen.set(true);
        run.warn(unseen(now, began.elapsed().as_secs()));
    }
    ended.map_err(|mut error| {
        if let Some(doubt) = &*pair.doubt.borrow()
            && !error.detail.contains(NOT_KNOWN)
        {
            let did = format!("{NOT_KNOWN} whether vSphere did {} {}", doing(action), observed.label());
            error.detail = format!("{did}: {doubt}; {}", error.detail);
        }
        error.unsettled()
    })
}
