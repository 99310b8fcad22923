//! Switching the power, or asking the guest and waiting for it.

use std::time::{Duration, Instant};

use contract::{Applied, Error, Kind, Write};
use vsphere::WriteError;
use vsphere_module::{At, Awaited, OneObject as _, Power, write_failure};

use crate::plan::{self, Change, Observed, Step, VmPower};

/// The longest time that a forced power-off gets after the guest had its time.
const SWITCHING: Duration = Duration::from_secs(30);

pub(super) async fn apply(at: At<'_, VmPower>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
    match change.0 {
        Some(Step::Switch(power)) => power.apply(at.session, &observed.moref, &observed.vm.name, at.run).await,
        Some(Step::AskGuest { then_off, closing }) => shut_down(at, observed, then_off, closing).await,
        None => Ok(Applied::Done),
    }
}

/// Asks the guest to shut down, waits until it has, and with `then_off` powers off a virtual machine whose guest has not.
async fn shut_down(at: At<'_, VmPower>, observed: &Observed, then_off: bool, closing: bool) -> Result<Applied, Error> {
    let name = &observed.vm.name;
    let mut unknown = None;
    match at.session.shut_down_guest(&observed.moref).await {
        Ok(()) => {}
        // It has ended VMware Tools already.
        Err(error) if error.is_fault("ToolsUnavailable") && closing => {}
        Err(error) if error.is_fault("ToolsUnavailable") && then_off => {
            at.run.warn(format!("{}: powering it off", plan::no_tools(name)));
            at.target.set(true);
            return Power::Off.apply(at.session, &observed.moref, name, at.run).await;
        }
        Err(error) if error.is_fault("ToolsUnavailable") => return Err(no_tools(name, error)),
        Err(error) if Power::Off.is_there(&error) => return Ok(Applied::Stale { wrote: false }),
        // The guest may have been asked.
        Err(error) if error.is_unknown() => unknown = Some(error),
        Err(error) => return vsphere_module::judge_write(error, false),
    }
    let kept = if then_off { SWITCHING.min(Duration::from_secs(at.run.timeout()) / 4) } else { Duration::ZERO };
    let end = at.run.deadline().checked_sub(kept).unwrap_or_else(Instant::now);
    let now = vsphere_module::until_by(
        end,
        observed.clone(),
        name,
        at.run,
        async || {
            let seen = VmPower::observe(at, Some(observed)).await;
            seen.map_err(|error| asked(name, "its state cannot be read", error))
        },
        |now| match &now.question {
            _ if now.is_off() || then_off && Instant::now() >= end => Awaited::Reached,
            Some(question) => Awaited::Pending(format!("it waits for an answer to: {question}")),
            None => Awaited::Pending("its guest is shutting down".to_owned()),
        },
        |_, what| late(name, at.run.timeout(), &what, unknown),
    )
    .await?;
    if now.is_off() {
        return Ok(Applied::Done);
    }
    at.run.warn(format!("the guest of virtual machine {name} did not shut down in time: powering it off"));
    at.target.set(true);
    match Power::Off.apply(at.session, &observed.moref, name, at.run).await {
        // The guest was faster.
        Ok(Applied::Stale { .. }) => Ok(Applied::Stale { wrote: true }),
        Ok(Applied::Busy { error, .. }) => Ok(Applied::Busy { wrote: true, error }),
        Ok(Applied::Done) => Ok(Applied::Done),
        Err(error) => Err(asked(name, "powering it off failed", error)),
    }
}

/// Returns a failure after the guest was asked.
fn asked(name: &str, failed: &str, mut error: Error) -> Error {
    error.detail = format!(
        "the guest of virtual machine {name} was asked to shut down and may still do so, but {failed}: {}",
        error.detail
    );
    error.write(Write::Unknown { accepted: true })
}

/// Returns the failure of a virtual machine whose guest cannot be asked.
fn no_tools(name: &str, error: WriteError) -> Error {
    let mut failure = write_failure(error);
    failure.kind = Kind::Conflict;
    failure.detail = plan::no_tools(name);
    failure.hint(plan::NO_TOOLS)
}

/// Returns the failure of a guest that still runs at the end of the time; `unknown` is the error if it is not known whether
/// the guest was asked.
fn late(name: &str, timeout: u64, what: &str, unknown: Option<WriteError>) -> Error {
    if let Some(error) = unknown {
        return write_failure(error);
    }
    let detail = format!(
        "the guest of virtual machine {name} was asked to shut down, but did not do so within {timeout} seconds ({what}); it may still do so"
    );
    Error::new(Kind::Timeout, detail)
        .hint("Set a longer `timeout`, or set `force: true` to power the virtual machine off at its end.")
        .write(Write::Unknown { accepted: true })
}
