//! Failed writes: what is known of them, and what follows.

use contract::{Applied, Error, Write};
use vsphere::WriteError;

use crate::failure;

/// True if the write rests on an observation that no longer holds, and nothing of it was done.
fn is_stale(error: &WriteError) -> bool {
    matches!(error, WriteError::Refused(vsphere::Error::SessionRenewed)) || error.is_fault("ConcurrentAccess")
}

/// True if another operation holds the object and nothing of the write was done, by the answer to the call or by the end of
/// its task.
pub fn is_busy(error: &WriteError) -> bool {
    ["TaskInProgress", "FailToLockFaultToleranceVMs"].iter().any(|name| error.is_fault(name))
}

/// Ends `apply` after its only write.
pub fn applied<T>(written: Result<T, WriteError>) -> Result<Applied, Error> {
    match written {
        Ok(_) => Ok(Applied::Done),
        Err(error) => judge_write(error, false),
    }
}

/// Decides what follows a failed write: observe and plan again, or give up. `wrote` says that a part of the plan was written
/// before.
pub fn judge_write(error: WriteError, wrote: bool) -> Result<Applied, Error> {
    if is_stale(&error) {
        Ok(Applied::Stale { wrote })
    } else if is_busy(&error) {
        Ok(Applied::Busy { wrote, error: write_failure(error) })
    } else {
        let failure = write_failure(error);
        Err(if wrote { failure.partly() } else { failure })
    }
}

/// Returns the failure of a write, with what is known of its effect.
pub fn write_failure(error: WriteError) -> Error {
    let unknown = error.is_unknown();
    let mut failure = known_failure(error);
    if unknown {
        failure.detail = format!("it is not known whether vSphere made the change: {}", failure.detail);
    }
    failure
}

/// Returns the same without words about the effect.
pub fn known_failure(error: WriteError) -> Error {
    let write = match &error {
        WriteError::Refused(_) => Write::Refused,
        WriteError::Ended(_) => Write::Ended,
        // It waits for a person: looking whether it went on is useless.
        WriteError::Unknown { error: vsphere::Error::Question { .. }, .. } => Write::Partly,
        WriteError::Unknown { accepted, .. } => Write::Unknown { accepted: *accepted },
    };
    failure(error.into_error()).write(write)
}
