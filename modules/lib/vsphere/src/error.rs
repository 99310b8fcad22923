//! What can go wrong, in sentences for whoever administers the vSphere.

use crate::fault::Fault;
use crate::moref::Moref;
use crate::tls_version::TlsMinimum;

/// Everything that an operation on a vSphere server can fail with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server could not be reached: name, route, refused, or no answer to a connection attempt within 10 s.
    #[error("cannot connect to {host}:{port}: {reason}")]
    Connect {
        /// The host (or proxy) that was tried.
        host: String,
        /// Its TCP port.
        port: u16,
        /// Why, in plain words.
        reason: String,
    },
    /// The connection was made, and lost before the answer was complete. The server may have received the request.
    #[error("the connection to {host}:{port} was lost during {what}: {reason}")]
    Dropped {
        /// The method, by its official name, or the path of a file.
        what: String,
        /// The host (or proxy) at the other end.
        host: String,
        /// Its TCP port.
        port: u16,
        /// How, in plain words.
        reason: String,
    },
    /// The connection could not be made secure.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An HTTP answer that is not the vSphere API's: a redirect, a proxy's or a web server's error.
    #[error("the server answered with HTTP status {status}: {detail}")]
    Http {
        /// The HTTP status code.
        status: u16,
        /// What it means here.
        detail: String,
    },
    /// The server does not give out a file itself: it redirects to another one, where this session is not known. Its cookie
    /// is not sent there.
    #[error(
        "the server does not give out {what} itself: it redirects to {place}, which is not followed, because the session is not valid there"
    )]
    Elsewhere {
        /// The file that was asked for.
        what: String,
        /// The other server as a URL, without the path, which may hold a ticket.
        place: String,
    },
    /// The server redirects to another port or protocol of its own host, as plain HTTP often does to HTTPS.
    #[error("the server redirects to {place}, which is not followed")]
    OtherPort {
        /// Where to, as a URL without the path, which may hold a ticket.
        place: String,
        /// It is HTTPS there.
        secure: bool,
        /// The TCP port there.
        port: u16,
    },
    /// The answer is not one of the vSphere Web Services API.
    #[error("{0}")]
    Protocol(String),
    /// The answers exceed a limit of this client (see the README).
    #[error("the server's answers are larger than {} MiB, the most that this program holds", limit / 1024 / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// No answer in time, or a task did not finish before its deadline. The operation may still go on in vSphere.
    #[error("{what} did not finish within {seconds} s")]
    Timeout {
        /// The method or task, by its official name.
        what: String,
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// The run's time was over before the request could be sent.
    #[error("there was no time left for {what}")]
    NoTime {
        /// The method, by its official name, or the path of a file.
        what: String,
    },
    /// vSphere refused: the fault of a method or of a task.
    #[error("{}", .0.describe())]
    Fault(Fault),
    /// A change met a session that had expired. Nothing was changed and a new session is in place: read again, plan again.
    #[error("the session had expired before the change was made; nothing was changed")]
    SessionRenewed,
    /// A task cannot go on until somebody answers the virtual machine's question (`VirtualMachine.runtime.question`).
    #[error("virtual machine {vm} waits for an answer to: {text}")]
    Question {
        /// The virtual machine that asks.
        vm: Moref,
        /// The question.
        text: String,
        /// The possible answers: key and label.
        choices: Vec<(String, String)>,
        /// The question's id, as `AnswerVM` takes it.
        id: String,
    },
    /// Nothing in the inventory (that this user may see) matches.
    #[error("cannot find {what}{}", hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}")))]
    NotFound {
        /// What was looked for, e.g. ``virtual machine `inner` ``.
        what: String,
        /// The nearest names, if any are near.
        hint: Option<String>,
    },
    /// Several objects match, and there is no telling which was meant.
    #[error("{what} is ambiguous: {}", candidates.join(", "))]
    Ambiguous {
        /// What was looked for.
        what: String,
        /// Their inventory paths and moids, e.g. `/DC/vm/folder/name (vm-63)`.
        candidates: Vec<String>,
    },
}

impl Error {
    /// The fault, if `self` is one of the type `name` at its top.
    pub fn is_fault(&self, name: &str) -> bool {
        matches!(self, Self::Fault(fault) if fault.is(name))
    }
}

/// Why a connection could not be made secure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TlsError {
    /// The certificate did not pass verification. Only with [`Trust::System`](crate::Trust::System).
    #[error("the server's certificate is not trusted: {reason} (SHA-256 thumbprint {sha256}, SHA-1 {sha1})")]
    Untrusted {
        /// Why, in words.
        reason: String,
        /// SHA-256 thumbprint of the certificate that was seen, `AA:BB:…`; empty if none was.
        sha256: String,
        /// SHA-1 thumbprint of the certificate that was seen.
        sha1: String,
    },
    /// The server has another certificate than the pinned one.
    #[error(
        "the server's certificate is not the expected one: expected thumbprint {expected}, but it has SHA-256 {sha256}, SHA-1 {sha1}"
    )]
    ThumbprintMismatch {
        /// The pinned thumbprint.
        expected: String,
        /// SHA-256 thumbprint of the certificate that was seen.
        sha256: String,
        /// SHA-1 thumbprint of the certificate that was seen.
        sha1: String,
    },
    /// The server signed the handshake with another key than the one in its certificate.
    #[error("the server did not prove that the certificate it shows is its own: it signed with another key")]
    Unproven,
    /// The server speaks no TLS version as new as [`Endpoint::tls_minimum`](crate::Endpoint::tls_minimum).
    #[error("no TLS version in common: this client speaks {}, and {detail}", minimum.range())]
    TooOld {
        /// The oldest version that this client was to speak.
        minimum: TlsMinimum,
        /// What was observed, and how certain the conclusion is.
        detail: String,
    },
    /// A TLS version was wanted that this program was built without ([`LEGACY_TLS`](crate::LEGACY_TLS)).
    #[error("TLS {minimum} was asked for, but this build speaks TLS 1.2 and newer only")]
    NotBuilt {
        /// The version that was wanted.
        minimum: TlsMinimum,
    },
    /// Whatever listens on that port does not speak TLS.
    #[error("the server does not speak TLS on this port (it may be a plain HTTP port)")]
    NotTls,
    /// Anything else.
    #[error("the TLS connection failed: {0}")]
    Other(String),
}
