//! What a call runs on.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{Error, Kind};

/// The signals that ask a run to stop.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Error> {
        let listen = |kind| {
            signal(kind).map_err(|error| Error::new(Kind::Internal, format!("signals cannot be caught: {error}")))
        };
        Ok(Self {
            term: listen(SignalKind::terminate())?,
            int: listen(SignalKind::interrupt())?,
            hup: listen(SignalKind::hangup())?,
        })
    }

    /// The name of the next one.
    pub async fn received(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
            _ = self.hup.recv() => "SIGHUP",
        }
    }
}

/// Does `work` on this one thread.
pub(super) fn block_on<T>(work: impl AsyncFnOnce(&mut Signals) -> T) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Internal, format!("the run cannot be started: {error}")))?;
    let done = runtime.block_on(async { Ok(work(&mut Signals::listen()?).await) });
    // Neither a name look-up nor a standard input that never ends may keep the program from ending.
    runtime.shutdown_background();
    done
}
