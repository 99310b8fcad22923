//! The interface to the place where sessions are kept between runs.

use std::any::Any;
use std::fmt;

use futures_util::future::LocalBoxFuture;

use crate::wire::tls_version::TlsSpoken;

/// The data with which another run continues a session, without a request. It is a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedSession {
    /// The session cookie.
    pub cookie: String,
    /// The API version spoken.
    pub version: String,
    /// The answer to `RetrieveServiceContent`.
    pub content: String,
    /// The TLS of the run that logged in ([`Session::tls`](crate::Session::tls)).
    pub tls: Option<TlsSpoken>,
}

/// Shows no cookie.
impl fmt::Debug for SavedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedSession").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The place where a session is kept for other runs, asked when the session turns out to have ended.
pub trait Keeper {
    /// Waits until no other run is logging in for the same place. Returns the session that another run has kept meanwhile, if
    /// any, and a guard that holds the others back until it is dropped.
    fn turn(&self) -> LocalBoxFuture<'_, (Option<SavedSession>, Box<dyn Any>)>;

    /// Keeps a session that has just been opened.
    fn keep(&self, session: SavedSession);
}
