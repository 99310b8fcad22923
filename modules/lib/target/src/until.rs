//! Waiting for a state that no task tells the end of.

use std::time::{Duration, Instant};

use contract::{Error, Kind, Run};

/// So many times in a row the state may not be read while it is waited for: the hosts of a nested lab are busy then.
const BLINKS: u32 = 30;

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
    let mut pause = Duration::from_millis(50);
    let mut blinks = 0;
    let mut now = first;
    loop {
        let what = match judge(&now) {
            Verdict::Reached => return Ok(now),
            Verdict::Lost(error) => return Err(error),
            Verdict::Waiting(what) => what,
        };
        run.progress.waiting(&format!("waiting for {subject}: {what}"));
        if Instant::now() + pause >= deadline {
            return Err(late(&now, what));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
        match read().await {
            Ok(seen) => (now, blinks) = (seen, 0),
            // The network or the host is busy; a virtual machine cannot be read while its host is not connected.
            Err(error)
                if blinks < BLINKS && matches!(error.kind, Kind::Connection | Kind::Timeout | Kind::Conflict) =>
            {
                blinks += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
