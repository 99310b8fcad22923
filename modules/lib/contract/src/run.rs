//! The run that a module is part of.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::error::full_stop;
use crate::secret::Secrets;
use crate::shared::Shared;
use crate::trace::{Trace, Tracer};
use crate::{Close, Progress};

/// Time limit of the last reading after a failure or a signal.
pub const LAST_LOOK: Duration = Duration::from_millis(2500);
/// The time to look for the effect of a write that may never have arrived.
const MAY_SHOW: Duration = Duration::from_secs(10);

/// One run: how it was asked for, when it gives up, and where it says what it waits for.
pub struct Run {
    /// Check mode: nothing may be written.
    pub check: bool,
    /// Where the run says what it waits for.
    pub progress: Progress,
    pub(crate) diff: bool,
    pub(crate) no_log: bool,
    pub(crate) verbosity: u64,
    started: Instant,
    timeout: u64,
    traced: Rc<RefCell<Vec<String>>>,
    trace: Trace,
    secrets: Rc<Secrets>,
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
            timeout: 60,
            traced: Rc::default(),
            trace: Trace::default(),
            secrets: Rc::default(),
            warnings: RefCell::default(),
            shared: None,
        }
    }

    /// Sets the timeout: the run gives up after `timeout` seconds.
    pub(crate) fn within(mut self, timeout: u64) -> Self {
        // A timeout of a thousand years is a run without one; an addition that overflows is a panic.
        self.timeout = timeout.min(60 * 60 * 24 * 365);
        self.progress.limit(self.timeout);
        self
    }

    /// Shows the requests of the run in `trace`, without `secrets`.
    pub(crate) fn tracing(mut self, trace: &Trace, secrets: &Secrets) -> Self {
        self.trace = trace.clone();
        if trace.file.is_some() {
            self.secrets = Rc::new(secrets.clone());
        }
        self
    }

    /// Makes the run one of a series.
    pub(crate) fn sharing(mut self, shared: Option<Rc<Shared>>) -> Self {
        self.shared = shared;
        self
    }

    /// Returns what an earlier run of the same series [shared](Self::share), if it `fits`.
    pub fn shared<T: Close + 'static>(&self, fits: impl Fn(&T) -> bool) -> Option<Rc<T>> {
        self.shared.as_ref()?.find(fits)
    }

    /// Leaves `thing` open for the later runs of a series, which closes it at its end. Returns false if there is no series:
    /// then this run must close it.
    pub fn share<T: Close + 'static>(&self, thing: &Rc<T>) -> bool {
        self.shared.as_ref().inspect(|shared| shared.keep(Rc::clone(thing))).is_some()
    }

    /// The instant at which this run gives up.
    pub fn deadline(&self) -> Instant {
        self.started + Duration::from_secs(self.timeout)
    }

    /// Seconds after which this run gives up.
    pub fn timeout(&self) -> u64 {
        self.timeout
    }

    /// Returns until when to look for the effect of a write whose end was not seen. One that the other side did not accept may
    /// never have arrived.
    pub fn look_until(&self, accepted: bool) -> Instant {
        if accepted { self.deadline() } else { self.deadline().min(tokio::time::Instant::now().into_std() + MAY_SHOW) }
    }

    /// Returns where to note requests to the server, if the user wants to see them. The invocation shows them from verbosity
    /// 3 on.
    pub fn tracer(&self) -> Option<Tracer> {
        let in_result = self.verbosity >= 3;
        if !in_result && !self.trace.verbose && self.trace.file.is_none() {
            return None;
        }
        let (traced, trace, secrets) = (Rc::clone(&self.traced), self.trace.clone(), Rc::clone(&self.secrets));
        let progress = self.progress.clone();
        Some(Rc::new(move |request, took, sent, received| {
            let line = format!("{request} {:.1} ms", took.as_secs_f64() * 1e3);
            if trace.verbose {
                progress.line(&line);
            }
            if let Some(file) = &trace.file {
                file.write(&line, &secrets.scrub(sent), &secrets.scrub(received));
            }
            if in_result {
                traced.borrow_mut().push(line);
            }
        }))
    }

    /// Adds a warning to the result, whether the run fails or not.
    pub fn warn(&self, warning: impl Into<String>) {
        self.warnings.borrow_mut().push(warning.into());
    }

    /// Shows a warning at once, where the run can show progress. It is also in the result, unless the caller took it already.
    pub fn warn_at_once(&self, warning: &str) {
        let warning = full_stop(warning);
        if !self.progress.warn(&warning) {
            self.warn(warning);
        }
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    pub(crate) fn traced(&self) -> Vec<String> {
        self.traced.take()
    }
}
