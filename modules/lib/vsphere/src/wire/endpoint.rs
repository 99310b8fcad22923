//! The address of a vSphere API, the way to it, and the certificates to trust.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::wire::thumbprint::Thumbprint;
use crate::wire::tls_version::TlsMinimum;

/// Receives the name of each method, how long its answer took, what was sent and what was received.
pub type Trace = Rc<dyn Fn(&str, Duration, &str, &str)>;

/// The address of a vSphere API, and the rules for connections to it.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or IP address; IPv6 with or without brackets.
    pub host: String,
    /// TCP port, usually 443.
    pub port: u16,
    /// HTTPS, and whom to trust; or plain HTTP.
    pub scheme: Scheme,
    /// The oldest TLS version to speak; ignored for plain HTTP. A minimum under 1.2 also allows the ciphers and signatures of
    /// that time, in any version, and needs [`LEGACY_TLS`](crate::LEGACY_TLS).
    pub tls_minimum: TlsMinimum,
    /// An HTTP proxy. The proxy variables of the environment are ignored.
    pub proxy: Option<Proxy>,
    /// Called after every request.
    pub trace: Option<Trace>,
    /// The end of the run. Only reads after a write, and requests that begin later, may last until 2.5 s after it.
    pub deadline: Option<Instant>,
}

/// Plain or secure HTTP.
#[derive(Debug, Clone)]
pub enum Scheme {
    /// Plain HTTP, for gateways that terminate TLS and for simulators.
    Http,
    /// HTTPS.
    Https(Trust),
}

/// Which server certificates are accepted.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those that the machine's CA certificates vouch for, and that name the host.
    System,
    /// Any.
    Anything,
    /// Only the one with this thumbprint, whatever its name, issuer and dates.
    Thumbprint(Thumbprint),
}

/// An HTTP proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}
