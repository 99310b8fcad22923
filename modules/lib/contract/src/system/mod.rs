//! What differs between operating systems. No other file of this crate asks for the system.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::task::{Context, Poll};

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// The largest number of bytes that [read] returns: as many as a pipe holds.
const BUFFER: usize = 64 * 1024;

/// Waits for one event that asks a run to stop.
pub struct Listener {
    /// The event's name, for messages.
    pub name: &'static str,
    /// Is ready once the event has come.
    pub poll: Box<Poller>,
}

type Poller = dyn FnMut(&mut Context<'_>) -> Poll<Option<()>>;
