//! Why a reply cannot be read.

/// A reply that is not one of the vSphere Web Services API, or that is too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoapError {
    /// The reply is not a SOAP message: not well-formed XML, XML beyond the limits of this client (see the README), or
    /// another kind of document.
    #[error("the server's answer is not one of the vSphere API: {0}")]
    Malformed(String),
    /// The SOAP body is empty.
    #[error("the server's answer has an empty SOAP body")]
    Empty,
    /// The reply belongs to another method.
    #[error("the answer to {method} was `{name}`, which belongs to another method")]
    OtherMethod {
        /// The method that was called.
        method: String,
        /// The name of the element that came.
        name: String,
    },
    /// The method returned no value.
    #[error("the server's answer `{0}` holds no value")]
    NoValue(String),
    /// The replies exceed a limit of this client (see the README).
    #[error("the server's answers are larger than {} MiB, the limit of this program", limit / 1024 / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}
