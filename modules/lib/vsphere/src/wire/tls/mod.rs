//! Certificates, and proofs that a server owns its certificate.

mod certificate;
mod p521;
mod reason;
mod rsa;
pub(crate) mod verifier;
