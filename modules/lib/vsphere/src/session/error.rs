//! The error of this crate, in sentences for vSphere administrators.

use crate::soap::error::SoapError;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::wire::error::WireError;

/// Any failure of an operation on a vSphere server.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The exchange with the server failed: no connection, no answer, or no answer of a vSphere API.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The answer cannot be read.
    #[error(transparent)]
    Soap(#[from] SoapError),
    /// The answer can be read, but it breaks the rules of the vSphere Web Services API.
    #[error("{0}")]
    Protocol(String),
    /// The first answer, to the question what the server is, is not one of a vSphere API.
    #[error("{0}")]
    NotVsphere(Box<Error>),
    /// A task did not finish before its deadline. The operation may still go on in vSphere.
    #[error("{what} did not finish within {seconds} s")]
    Timeout {
        /// The task, by its official name.
        what: String,
        /// How long the wait was, in seconds.
        seconds: u64,
    },
    /// vSphere refused the login.
    #[error("{place} refused the login of {username}: {}", fault.describe())]
    Login {
        /// The server, as `host:port`.
        place: String,
        /// The user.
        username: String,
        /// The reason.
        fault: Box<Fault>,
    },
    /// vSphere refused: the fault of a method or of a task.
    #[error("{}", .0.describe())]
    Fault(Fault),
    /// The server does not give the user a file (HTTP status 401 or 403).
    #[error("this user may not read {file} (HTTP status {status})")]
    Unreadable {
        /// The file, e.g. `[datastore1] inner/vmware.log`.
        file: String,
        /// The HTTP status code.
        status: u16,
    },
    /// A change met an expired session. Nothing was changed and a new session is open: read and plan again.
    #[error("the session had expired before the change was made; nothing was changed")]
    SessionRenewed,
    /// A task cannot go on until somebody answers the virtual machine's question (`VirtualMachine.runtime.question`).
    #[error("virtual machine {vm} waits for an answer to: {text}")]
    Question {
        /// The virtual machine that asks.
        vm: Moref,
        /// The question.
        text: String,
    },
    /// No object that this user may see matches.
    #[error("cannot find {what}{}", hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}")))]
    NotFound {
        /// The wanted object, e.g. ``virtual machine `inner` ``.
        what: String,
        /// The nearest names, if any are near.
        hint: Option<String>,
    },
    /// Several objects match.
    #[error("{what} is ambiguous: {}", candidates.join(", "))]
    Ambiguous {
        /// The wanted object.
        what: String,
        /// Their inventory paths and moids, e.g. `/DC/vm/folder/name (vm-63)`.
        candidates: Vec<String>,
    },
}

impl Error {
    /// True if this is a fault whose own type is `name`.
    pub fn is_fault(&self, name: &str) -> bool {
        matches!(self, Self::Fault(fault) if fault.is(name))
    }

    /// True if a request or a task did not finish in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Wire(WireError::Timeout { .. }))
    }
}
