//! The event loop of a call, and the signals that end it.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use tokio::runtime::Builder;

use crate::system::{self, Listener};
use crate::{Error, Kind};

/// The signals that ask a run to stop; on Windows, the console events.
pub struct Signals(Vec<Listener>);

impl Signals {
    /// Waits for the next signal and returns its name.
    pub async fn received(&mut self) -> &'static str {
        poll_fn(|context| {
            let arrived = self.0.iter_mut().find_map(|one| (one.poll)(context).is_ready().then_some(one.name));
            arrived.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// An event loop on this one thread.
pub struct Runtime {
    tokio: tokio::runtime::Runtime,
    signals: Signals,
}

impl Runtime {
    /// Starts to catch signals. The program calls this first: until then, a signal kills it without a result.
    pub fn start() -> Result<Self, Error> {
        let start = || {
            let tokio = Builder::new_current_thread().enable_all().build()?;
            let signals = {
                let _entered = tokio.enter();
                Signals(system::signals()?)
            };
            Ok(Self { tokio, signals })
        };
        // tokio panics if it cannot create its socket pair.
        let started = catch_unwind(start).unwrap_or_else(|_| Err(io::Error::other("no file descriptors left")));
        started.map_err(|error| {
            Error::new(Kind::Io, format!("cannot start the run: {error}"))
                .hint("Check the limit on open files (`ulimit -n`).")
        })
    }

    /// Does `work`. A panic becomes an error.
    pub fn block_on<T>(mut self, work: impl AsyncFnOnce(&mut Signals) -> T) -> Result<T, Error> {
        let done = catch_unwind(AssertUnwindSafe(|| self.tokio.block_on(work(&mut self.signals))));
        // A name lookup that hangs must not keep the program from ending.
        self.tokio.shutdown_background();
        done.map_err(|panic| Error::defect(&*panic))
    }
}
