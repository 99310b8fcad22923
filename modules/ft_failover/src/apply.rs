//! Acting on the pair.

use contract::{Applied, Error, Kind};
use vsphere::WriteError;
use vsphere_module::{At, Named as _};

use crate::args::Action;
use crate::args::FtFailover;
use crate::plan::{Change, LOOK_FIRST, NOT_KNOWN};
use crate::state::Observed;

pub async fn apply(at: At<'_, FtFailover>, observed: &Observed, change: Change) -> Result<Applied, Error> {
    let (server, memory) = (at.session, at.target);
    let Change::Act(action) = change;
    let primary = &observed.primary.moref;
    let Some(secondary) = observed.secondary.as_ref().map(|half| &half.moref) else {
        return Err(Error::new(Kind::Conflict, format!("{} has no secondary", observed.label())));
    };
    let start = async || {
        memory.done.set(None);
        let task = match action {
            Action::TestFailover => server.make_primary(primary, secondary).await,
            Action::RestartSecondary => server.terminate_secondary(primary, secondary).await,
        }?;
        // Accepted: whatever is seen from now on, vSphere is at it.
        memory.done.set(Some(action));
        Ok(task)
    };
    let what = format!("waiting for vSphere to {} {}", doing(action), observed.primary.vm.name);
    match vsphere_module::carry_out(server, primary, at.run, at.run.deadline(), &what, start).await {
        Ok(_) => Ok(Applied::Done),
        // The pair's state will show whether vSphere acted.
        Err(WriteError::Unknown { error, accepted }) if is_doubt(&error, accepted) => {
            memory.done.set(Some(action));
            memory.doubt.replace(Some(error.to_string()));
            Ok(Applied::Done)
        }
        Err(error) => {
            // Refused, or its task ended with a fault: nothing was done.
            if !error.is_unknown() {
                memory.done.set(None);
            }
            refused(error, action, observed)
        }
    }
}

/// True if the pair may still tell what the task did not: not if the task waits for a person, or took all the time.
fn is_doubt(error: &vsphere::Error, accepted: bool) -> bool {
    match error {
        vsphere::Error::Question { .. } => false,
        error if error.is_timeout() => !accepted,
        _ => true,
    }
}

pub fn doing(action: Action) -> &'static str {
    match action {
        Action::TestFailover => "fail over",
        Action::RestartSecondary => "restart the secondary of",
    }
}

/// Returns the failure of a refused or failed action, with what it means here.
fn refused(error: WriteError, action: Action, observed: &Observed) -> Result<Applied, Error> {
    let cluster = observed.cluster.as_ref().map_or("its cluster", |(name, _)| name);
    let fault = |name| error.is_fault(name);
    let hint = if fault("NotSupported") || fault("FaultToleranceVmNotDasProtected") {
        Some(format!(
            "vSphere returns this fault if vSphere HA is off for {cluster} (cluster_ha turns it on), or if HA does not protect the virtual machine yet."
        ))
    } else if fault("InvalidState") {
        Some(
            "The pair is no longer in the state running. Check it with fault_tolerance, then run the task again."
                .to_owned(),
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
            // Keep the first remedy, but drop the advice to run the module again later.
            let remedy = failure.hint.take();
            failure.hint = Some(remedy.into_iter().chain([LOOK_FIRST.to_owned()]).collect::<Vec<_>>().join(" "));
        }
        failure
    })
}
