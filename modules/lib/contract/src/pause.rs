//! Pauses between tries.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Returns pauses without end: the first, doubling up to 1 s, each made longer at random by up to its own length, so that runs
/// in each other's way do not meet again.
pub fn pauses(first: Duration) -> impl Iterator<Item = Duration> {
    ExponentialBuilder::new()
        .with_min_delay(first)
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .with_jitter()
        .build()
}
