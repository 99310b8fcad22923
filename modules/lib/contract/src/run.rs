//! What a module may know of the run that it is part of.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::shared::Shared;
use crate::{Close, Progress};

/// Takes the name of a request and how long it took.
pub type Tracer = Rc<dyn Fn(&str, Duration)>;

/// One run: how it was asked for, since when it runs, and where it tells what it waits for.
pub struct Run {
    /// Only look: nothing may be written.
    pub check: bool,
    /// Where a person reads what is being waited for.
    pub progress: Progress,
    pub(crate) diff: bool,
    pub(crate) no_log: bool,
    pub(crate) verbosity: u64,
    started: Instant,
    ends: Cell<Option<Instant>>,
    trace: Rc<RefCell<Vec<String>>>,
    warnings: RefCell<Vec<String>>,
    shared: Option<Rc<Shared>>,
}

impl Run {
    pub(crate) fn new(check: bool, diff: bool, no_log: bool, verbosity: u64, progress: Progress) -> Self {
        Self {
            check,
            progress,
            diff,
            no_log,
            verbosity,
            started: Instant::now(),
            ends: Cell::new(None),
            trace: Rc::default(),
            warnings: RefCell::default(),
            shared: None,
        }
    }

    /// The same run as one of a series, if it is in one.
    pub(crate) fn sharing(mut self, shared: Option<Rc<Shared>>) -> Self {
        self.shared = shared;
        self
    }

    /// What an earlier run of the same series [shared](Self::share), if it `fits`.
    pub fn shared<T: Close + 'static>(&self, fits: impl Fn(&T) -> bool) -> Option<Rc<T>> {
        self.shared.as_ref()?.find(fits)
    }

    /// Leaves `thing` open for the later runs of a series, which closes it at its end. Says whether there is a series:
    /// if not, this run is the one to close it.
    pub fn share<T: Close + 'static>(&self, thing: &Rc<T>) -> bool {
        self.shared.as_ref().inspect(|shared| shared.keep(Rc::clone(thing))).is_some()
    }

    /// The instant at which a run with a timeout of `seconds` gives up.
    pub fn deadline(&self, seconds: u64) -> Instant {
        // A timeout of a thousand years is a run without one; an addition that overflows is a panic.
        let end = self.started + Duration::from_secs(seconds.min(60 * 60 * 24 * 365));
        if self.ends.get().is_none() {
            self.ends.set(Some(end));
        }
        end
    }

    /// The instant at which this run gives up: the first [`deadline`](Self::deadline) that was asked for, or a minute after its start if it has none.
    pub(crate) fn ends(&self) -> Instant {
        self.ends.get().unwrap_or(self.started + Duration::from_secs(60))
    }

    /// Where requests to the server are noted, if anybody asked: they are shown with the invocation from verbosity 3 on.
    pub fn tracer(&self) -> Option<Tracer> {
        (self.verbosity >= 3).then(|| {
            let trace = Rc::clone(&self.trace);
            let note = move |request: &str, took: Duration| {
                trace.borrow_mut().push(format!("{request} {:.1} ms", took.as_secs_f64() * 1e3));
            };
            Rc::new(note) as Tracer
        })
    }

    /// Tells the user something, whatever becomes of the run.
    pub fn warn(&self, warning: impl Into<String>) {
        self.warnings.borrow_mut().push(warning.into());
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    pub(crate) fn traced(&self) -> Vec<String> {
        self.trace.take()
    }
}
