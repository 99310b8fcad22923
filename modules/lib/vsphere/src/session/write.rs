//! Failed writes, and what is known of their outcome.

use crate::session::error::Error;
use crate::soap::fault::Fault;
use crate::wire::error::WireError;

/// A failed write, by its outcome.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// The server rejected the call before anything started, or never received it: nothing changed.
    #[error("{0}")]
    Refused(Error),
    /// The operation ended with this fault: its task did (`TaskInfo.error`), or a method that does its work before it answers.
    /// A part of the change may have taken effect.
    #[error("{}", .0.describe())]
    Ended(Fault),
    /// The outcome is unknown: the reply was lost, polling the task kept failing, or the time ran out. The change may have
    /// taken effect, or may still do so.
    #[error("{error}")]
    Unknown {
        /// Why the outcome is unknown.
        error: Error,
        /// True if the server accepted the call: its answer named a task.
        accepted: bool,
    },
}

impl WriteError {
    /// Returns the fault with which the server rejected or ended the write; `None` if the outcome is unknown.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(Error::Fault(fault)) | Self::Ended(fault) => Some(fault),
            _ => None,
        }
    }

    /// True if the server rejected or ended the write with a fault of the type `name`.
    pub fn is_fault(&self, name: &str) -> bool {
        self.fault().is_some_and(|fault| fault.is(name))
    }

    /// True if the write may have taken effect, or may still do so.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Returns the failure without the outcome.
    pub fn into_error(self) -> Error {
        match self {
            Self::Refused(error) | Self::Unknown { error, .. } => error,
            Self::Ended(fault) => Error::Fault(fault),
        }
    }

    /// Returns the outcome of a failed call of a method that does its work before it answers (`UpdateOptions`).
    pub(crate) fn of_call(error: Error) -> Self {
        match error {
            Error::Fault(fault) if !fault.is_lost_contact() => Self::Ended(fault),
            error => Self::of_start(error),
        }
    }

    /// Returns the outcome of a failed call of a method that only starts something: a task (`PowerOnVM_Task`), or the work of a
    /// guest (`ShutdownGuest`).
    pub(crate) fn of_start(error: Error) -> Self {
        match &error {
            Error::Fault(fault) if fault.is_lost_contact() || fault.is_general() => {
                Self::Unknown { error, accepted: false }
            }
            // Without a connection or without time, the call was not delivered.
            Error::Fault(_)
            | Error::SessionRenewed
            | Error::Wire(
                WireError::Connect { .. } | WireError::Proxy { .. } | WireError::Tls(_) | WireError::NoTime { .. },
            ) => Self::Refused(error),
            _ => Self::Unknown { error, accepted: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fault_of_the_operation_tells_the_outcome() {
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
        let lost = WireError::Timeout { what: "PowerOnVM_Task".into(), seconds: 5 }.into();
        assert!(WriteError::of_start(lost).is_unknown());
        assert!(!WriteError::of_start(Error::SessionRenewed).is_unknown());
    }
}
