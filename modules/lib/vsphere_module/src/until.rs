//! Waiting for a state that no task tells the end of.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use contract::{Error, Kind, Run};

/// The pauses between two looks at something that is waited for, without end: 50 ms, doubling up to 1 s, each made longer at
/// random by up to its own length.
pub fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .with_jitter()
        .build()
}

/// How the waiting goes.
#[derive(Debug)]
pub enum Verdict {
    /// It is so.
    Reached,
    /// Not yet; what is going on.
    Waiting(String),
    /// It will not come to that any more.
    Lost(Error),
}

/// Reads, with growing pauses, until `judge` says that what is waited for is reached or lost, or until the run's `timeout`
/// (seconds) is over: `late` words that failure, from what was read last and what was going on.
pub async fn until<T>(
    first: T,
    subject: &str,
    run: &Run,
    timeout: u64,
    read: impl AsyncFn() -> Result<T, Error>,
    mut judge: impl FnMut(&T) -> Verdict,
    late: impl FnOnce(&T, String) -> Error,
) -> Result<T, Error> {
    let deadline = run.deadline(timeout);
    let mut pauses = pauses();
    let mut now = first;
    loop {
        let what = match judge(&now) {
            Verdict::Reached => return Ok(now),
            Verdict::Lost(error) => return Err(error),
            Verdict::Waiting(what) => what,
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
