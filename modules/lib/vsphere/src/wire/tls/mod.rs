//! How a server proves who it is.

mod certificate;
mod p521;
mod reason;
mod rsa;
pub(crate) mod verifier;
