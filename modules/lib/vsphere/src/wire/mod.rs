//! The wire: HTTP requests to one server, and the TLS under them.
//!
//! This room sends requests, receives answers, and decides which certificates to trust. It must not know XML, faults or managed objects (`soap`),
//! or who is logged in (`session`); it only keeps the session cookie. Its errors are [`WireError`](error::WireError) and
//! [`TlsError`](error::TlsError).

pub(crate) mod connect;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod header;
pub(crate) mod incoming;
pub(crate) mod legacy;
pub(crate) mod resolve;
pub(crate) mod thumbprint;
pub(crate) mod tls;
pub(crate) mod tls_version;
pub(crate) mod transport;
