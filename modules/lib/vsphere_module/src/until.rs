//! Waiting for a state that is not the end of a task.

use std::time::{Duration, Instant};

use contract::{Error, Kind, Run};

/// Returns the pauses between two readings of something that is waited for.
pub fn pauses() -> impl Iterator<Item = Duration> {
    contract::pauses(Duration::from_millis(50))
}

/// The progress towards an awaited state.
#[derive(Debug)]
pub enum Awaited {
    /// It is there.
    Reached,
    /// It is not there yet; the text says what is going on.
    Pending(String),
    /// It can no longer be reached.
    Failed(Error),
}

/// Reads, with growing pauses, until `judge` says that the state is reached or failed, or until the run's deadline: `late`
/// returns that failure, from the last reading and what was going on.
pub async fn until<T>(
    first: T,
    subject: &str,
    run: &Run,
    read: impl AsyncFn() -> Result<T, Error>,
    judge: impl FnMut(&T) -> Awaited,
    late: impl FnOnce(&T, String) -> Error,
) -> Result<T, Error> {
    until_by(run.deadline(), first, subject, run, read, judge, late).await
}

/// Waits like [`until`], but until an earlier `deadline`.
pub async fn until_by<T>(
    deadline: Instant,
    first: T,
    subject: &str,
    run: &Run,
    read: impl AsyncFn() -> Result<T, Error>,
    mut judge: impl FnMut(&T) -> Awaited,
    late: impl FnOnce(&T, String) -> Error,
) -> Result<T, Error> {
    let mut pauses = pauses();
    let mut now = first;
    loop {
        let what = match judge(&now) {
            Awaited::Reached => return Ok(now),
            Awaited::Failed(error) => return Err(error),
            Awaited::Pending(what) => what,
        };
        run.progress.waiting(&format!("waiting for {subject}: {what}"));
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late(&now, what));
        }
        tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
        match read().await {
            Ok(seen) => now = seen,
            // A virtual machine cannot be read while its host is not connected.
            Err(error) if error.kind == Kind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
}
