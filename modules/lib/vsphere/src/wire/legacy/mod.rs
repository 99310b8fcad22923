//! TLS 1.0 and 1.1, for servers with nothing newer: OpenSSL speaks them, rustls does not.
//!
//! Only in builds with the feature `legacy-tls`; in others, starting a relay fails.

#[cfg(feature = "legacy-tls")]
mod handshake;
#[cfg_attr(not(feature = "legacy-tls"), path = "no_relay.rs")]
pub(crate) mod relay;
#[cfg(feature = "legacy-tls")]
mod route;
#[cfg(feature = "legacy-tls")]
mod socket;
#[cfg(feature = "legacy-tls")]
mod strict;
