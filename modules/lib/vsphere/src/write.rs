//! What is known of a write that did not succeed.

use crate::error::Error;
use crate::fault::Fault;

/// Why a write did not succeed, and what that says about the object it was meant for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// The server rejected the call before anything started, or never received it: nothing changed.
    #[error("{0}")]
    Refused(Error),
    /// The operation ended with this fault: its task did (`TaskInfo.error`), or a method that does its work before it answers.
    /// A part of the change may have taken effect.
    #[error("{}", .0.describe())]
    Ended(Fault),
    /// Nobody saw the end: the reply was lost, polling the task kept failing, or the time ran out. The change may have taken
    /// effect, or may still do so.
    #[error("{error}")]
    Unknown {
        /// Why the end was not seen.
        error: Error,
        /// True if the server accepted the call: its answer named a task.
        accepted: bool,
    },
}

impl WriteError {
    /// The fault by which the server itself said that the write was not done; `None` if the outcome is unknown.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(Error::Fault(fault)) | Self::Ended(fault) => Some(fault),
            _ => None,
        }
    }

    /// True if the server itself rejected the write, or ended it, with a fault of the type `name`.
    pub fn is_fault(&self, name: &str) -> bool {
        self.fault().is_some_and(|fault| fault.is(name))
    }

    /// True if the write may have taken effect, or may still do so.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// The failure itself.
    pub fn into_error(self) -> Error {
        match self {
            Self::Refused(error) | Self::Unknown { error, .. } => error,
            Self::Ended(fault) => Error::Fault(fault),
        }
    }

    /// Judges the failed call of a method that does its work before it answers (`UpdateOptions`).
    pub(crate) fn of_call(error: Error) -> Self {
        match error {
            Error::Fault(fault) if !fault.is_lost_contact() => Self::Ended(fault),
            error => Self::of_start(error),
        }
    }

    /// Judges the failed call of a method that only starts a task (`PowerOnVM_Task`).
    pub(crate) fn of_start(error: Error) -> Self {
        match &error {
            Error::Fault(fault) if fault.is_lost_contact() || fault.is_general() => {
                Self::Unknown { error, accepted: false }
            }
            // No connection or no time: the call was not delivered.
            Error::Fault(_) | Error::Connect { .. } | Error::Tls(_) | Error::NoTime { .. } | Error::SessionRenewed => {
                Self::Refused(error)
            }
            _ => Self::Unknown { error, accepted: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_tells_the_outcome_only_if_it_is_about_the_operation() {
        let fault = |name: &str| Error::Fault(Fault { name: name.to_owned(), ..Fault::default() });
        let outcome = |error: &WriteError| match error {
            WriteError::Refused(_) => "refused",
            WriteError::Ended(_) => "ended",
            WriteError::Unknown { .. } => "unknown",
        };
        for (name, start, call) in [
            ("InvalidPowerState", "refused", "ended"),
            ("NoPermission", "refused", "ended"),
            ("TaskInProgress", "refused", "ended"),
            ("SystemError", "unknown", "ended"),
            ("", "unknown", "ended"),
            ("HostCommunication", "unknown", "unknown"),
            ("Timedout", "unknown", "unknown"),
        ] {
            assert_eq!(outcome(&WriteError::of_start(fault(name))), start, "{name}");
            assert_eq!(outcome(&WriteError::of_call(fault(name))), call, "{name}");
        }
        let lost = Error::Timeout { what: "PowerOnVM_Task".into(), seconds: 5 };
        assert!(WriteError::of_start(lost).is_unknown());
        assert!(!WriteError::of_start(Error::SessionRenewed).is_unknown());
    }
}
