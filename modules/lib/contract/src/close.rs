//! The end of a session.

/// What is opened once and must be closed, whatever happens.
#[allow(async_fn_in_trait)] // Everything runs on one thread, so no future needs to be `Send`.
pub trait Close {
    /// Ends the session. Best effort, within a few seconds: a failure cannot be reported any more.
    async fn close(&self);
}
