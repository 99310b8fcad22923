//! Why an exchange with the server failed.

use crate::wire::tls_version::TlsMinimum;

/// A request without an answer, or with an answer that the vSphere API did not write.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WireError {
    /// The server cannot be reached: the name does not resolve, there is no route, the connection is refused, or there is no
    /// answer to a connection attempt within 10 s.
    #[error("cannot connect to {host}:{port}: {reason}")]
    Connect {
        /// The host that was tried.
        host: String,
        /// Its TCP port.
        port: u16,
        /// Why, in plain words.
        reason: String,
    },
    /// The proxy cannot be reached.
    #[error("cannot connect to the proxy {host}:{port}: {reason}")]
    Proxy {
        /// The proxy.
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
    /// The answer to the first request in plain HTTP is not HTTP.
    #[error("{host}:{port} does not answer in HTTP: this may be a TLS port")]
    NotHttp {
        /// The host.
        host: String,
        /// Its TCP port.
        port: u16,
    },
    /// The connection could not be made secure.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An HTTP answer that is not the vSphere API's: a redirect, or an error of a proxy or web server.
    #[error("the server answered with HTTP status {status}: {detail}")]
    Http {
        /// The HTTP status code.
        status: u16,
        /// The meaning for the user.
        detail: String,
    },
    /// The server redirects from a file to another server, where this session is not known. The cookie is not sent there.
    #[error(
        "the server does not give out {what} itself: it redirects to {origin}, which is not followed, because the session is not valid there"
    )]
    Elsewhere {
        /// The file that was asked for.
        what: String,
        /// The other server as a URL, without the path, which may hold a ticket.
        origin: String,
    },
    /// The server redirects to another port or protocol of its own host, as plain HTTP often does to HTTPS.
    #[error("the server redirects to {origin}, which is not followed")]
    OtherPort {
        /// The other port as a URL, without the path, which may hold a ticket.
        origin: String,
        /// True if that is HTTPS.
        secure: bool,
        /// The other TCP port.
        port: u16,
    },
    /// The answers exceed a limit of this client (see the README).
    #[error("the server's answers are larger than {} MiB, the limit of this program", limit / 1024 / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server did not answer in time. It may still carry out the request.
    #[error("{what} did not finish within {seconds} s")]
    Timeout {
        /// The method, by its official name, or the path of a file.
        what: String,
        /// The time limit in seconds: that of the request, or that of the run if the run ended.
        seconds: u64,
    },
    /// The run's time was over before the request could be sent.
    #[error("no time was left for {what}")]
    NoTime {
        /// The method, by its official name, or the path of a file.
        what: String,
    },
}

/// Why a connection could not be made secure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TlsError {
    /// The certificate did not pass verification. Only with [`Trust::System`](crate::Trust::System).
    #[error("the server's certificate is not trusted: {reason} (SHA-256 thumbprint {sha256}, SHA-1 {sha1})")]
    Untrusted {
        /// Why, in words.
        reason: String,
        /// SHA-256 thumbprint of the certificate that the server showed, `AA:BB:…`; empty if there was none.
        sha256: String,
        /// SHA-1 thumbprint of the same certificate.
        sha1: String,
    },
    /// There are no CA certificates to verify the server's certificate. Only with [`Trust::System`](crate::Trust::System).
    #[error("{0}")]
    NoRoots(String),
    /// The server's certificate is not the pinned one.
    #[error(
        "the server's certificate is not the expected one: expected thumbprint {expected}, but it has SHA-256 {sha256}, SHA-1 {sha1}"
    )]
    ThumbprintMismatch {
        /// The pinned thumbprint.
        expected: String,
        /// SHA-256 thumbprint of the certificate that the server showed.
        sha256: String,
        /// SHA-1 thumbprint of the same certificate.
        sha1: String,
    },
    /// The server signed the handshake with another key than the one in its certificate.
    #[error("the server did not prove that it owns its certificate: it signed with a different key")]
    Unproven,
    /// The server speaks no TLS version as new as [`Endpoint::tls_minimum`](crate::Endpoint::tls_minimum).
    #[error("no TLS version in common: this client supports {}, and {detail}", minimum.range())]
    TooOld {
        /// The oldest version that this client may speak.
        minimum: TlsMinimum,
        /// The observation, and how certain the conclusion is.
        detail: String,
    },
    /// This program was built without the wanted TLS version ([`LEGACY_TLS`](crate::LEGACY_TLS)).
    #[error("TLS {minimum} was requested, but this build supports only TLS 1.2 and newer")]
    NotBuilt {
        /// The version that was wanted.
        minimum: TlsMinimum,
    },
    /// The server does not speak TLS on that port.
    #[error("the server does not use TLS on this port (it may be a plain HTTP port)")]
    NotTls,
    /// Anything else.
    #[error("the TLS connection failed: {0}")]
    Other(String),
}
