//! The end of a session.

/// A resource that is opened once and must always be closed.
#[allow(async_fn_in_trait)] // Everything runs on one thread, so no future needs to be `Send`.
pub trait Close {
    /// Ends the session. Best effort, within a few seconds; a failure is not reported.
    async fn close(&self);
}
