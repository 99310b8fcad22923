//! The steps of one target: observe, plan, apply, verify, and again when another client was faster.

use std::cell::{RefCell, RefMut};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::FutureExt;
use tokio::time::Instant;

use crate::error::{Write, full_stop};
use crate::{Applied, Change, Context, Error, Kind, LAST_LOOK, Module, Observed, Outcome, Plan, Run};

/// Maximum number of plans that another client's change may overtake, within the run's time.
const OVERTAKEN: u32 = 50;
/// The first pause between rounds.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// All targets of a run.
pub(super) type States<M> = RefCell<Vec<State<M>>>;

/// The progress of one target.
pub(super) struct State<M: Module> {
    target: Rc<M::Target>,
    before: Option<M::Observed>,
    pub phase: Phase,
    /// An earlier round wrote something before its plan turned out to be stale.
    wrote: bool,
    warnings: Vec<String>,
    pub outcome: Option<Outcome<M>>,
}

/// The present step of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing was written.
    Reading,
    /// A write was sent, and its end is not known.
    Writing,
    /// All writes are done.
    Verifying,
}

/// The steps of one target.
pub(super) struct Steps<'a, M: Module> {
    args: &'a M::Args,
    session: &'a M::Session,
    run: &'a Run,
    states: &'a States<M>,
    index: usize,
    target: Rc<M::Target>,
}

impl<'a, M: Module> Steps<'a, M> {
    pub fn of(args: &'a M::Args, session: &'a M::Session, run: &'a Run, states: &'a States<M>, index: usize) -> Self {
        let target = Rc::clone(&states.borrow()[index].target);
        Self { args, session, run, states, index, target }
    }

    fn context(&self) -> Context<'_, M> {
        Context { args: self.args, session: self.session, target: &self.target, run: self.run }
    }

    pub fn state(&self) -> RefMut<'_, State<M>> {
        RefMut::map(self.states.borrow_mut(), |states| &mut states[self.index])
    }

    /// Runs observe, plan, apply and verify, and repeats them if another client was faster. Returns the current state
    /// and whether it changed.
    pub async fn take(&self) -> Result<(M::Observed, bool), Error> {
        let Self { args, run, .. } = *self;
        let at = self.context();
        let run_ends = Instant::from_std(run.deadline());
        let mut pauses = crate::pauses(FIRST_PAUSE);
        let mut last = None;
        let mut busy = None;
        // The failure of a write whose end was not seen, and until when its effect may show.
        let mut unseen: Option<(Error, Instant)> = None;
        let mut overtaken = 0;
        while overtaken < OVERTAKEN {
            let end = unseen.as_ref().map_or(run_ends, |(_, end)| *end);
            if last.is_some() {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                // The last pause is shorter, so that the run looks once more when its time is over.
                tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
            }
            let observed = match M::observe(at, last.as_ref()).await {
                Ok(observed) => observed,
                Err(error) => return Err(unseen.map_or(error, |(error, _)| error)),
            };
            if unseen.is_none() {
                self.state().begin(&observed);
            }
            let plan = M::plan(args, &observed).map_err(|error| match unseen.take() {
                Some((unseen, _)) => unseen.aftermath(&error.detail),
                None => error,
            })?;
            if run.check {
                return Ok(self.foretell(&observed, plan));
            }
            self.state().warnings = plan.warnings;
            if plan.change.is_empty() {
                return self.arrive(observed, &plan.change, unseen.map(|(error, _)| error)).await;
            }
            if unseen.is_some() {
                last = Some(observed);
                continue;
            }
            // A write begun now could not be followed to its end.
            if last.is_some() && Instant::now() >= end {
                last = Some(observed);
                break;
            }
            if let Some((kind, why, remedy)) = plan.blockers.into_iter().next() {
                let error = Error::new(kind, why);
                return Err(match remedy {
                    Some(remedy) => error.hint(remedy),
                    None => error,
                });
            }
            self.state().phase = Phase::Writing;
            match M::apply(at, &observed, &plan.change).await {
                Ok(Applied::Done) => {
                    self.state().phase = Phase::Verifying;
                    let after = M::verify(at, &observed, &plan.change).await?;
                    let made = !plan.change.is_tentative() || observed.view() != after.view();
                    return Ok((after, made || self.state().wrote));
                }
                Ok(Applied::Stale { wrote }) => {
                    busy = None;
                    overtaken += 1;
                    self.state().interrupted(wrote);
                }
                Ok(Applied::Busy { wrote, error }) => {
                    run.progress.waiting(&format!("waiting for another operation to end: {}", error.detail));
                    busy = Some(error);
                    self.state().interrupted(wrote);
                }
                Err(error) => {
                    let Write::Unknown { accepted } = error.write else {
                        self.state().phase = Phase::Verifying;
                        return Err(error);
                    };
                    unseen = Some((error, Instant::from_std(run.look_until(accepted))));
                    pauses = crate::pauses(FIRST_PAUSE);
                }
            }
            last = Some(observed);
        }
        let busy = busy.map(|error| error.aftermath(&format!("this had not changed after {} s", run.timeout())));
        Err(unseen.map(|(error, _)| error).or(busy).unwrap_or_else(|| {
            let label = M::label(at.target, last.as_ref());
            Error::new(Kind::Conflict, format!("{label} kept changing while this run tried to change it"))
                .hint("Run the task again when nothing else changes the object.")
        }))
    }

    /// Returns what a real run would reach, for a check run.
    fn foretell(&self, observed: &M::Observed, plan: Plan<M::Change>) -> (M::Observed, bool) {
        let refusals = plan.blockers.iter().map(|(_, why, remedy)| {
            let remedy = remedy.as_deref().map(|remedy| format!(" {remedy}")).unwrap_or_default();
            format!("A real run would fail now, unless an earlier task fixes this: {why}.{remedy}")
        });
        self.state().warnings = plan.warnings.into_iter().chain(refusals).collect();
        (plan.change.predict(observed), !plan.change.is_empty())
    }

    /// Nothing is left to write: waits for what is on its way. `unseen` is the failure of a write that took effect all the
    /// same.
    async fn arrive(
        &self,
        observed: M::Observed,
        change: &M::Change,
        unseen: Option<Error>,
    ) -> Result<(M::Observed, bool), Error> {
        if let Some(error) = unseen {
            let mut state = self.state();
            state.wrote = true;
            state.phase = Phase::Verifying;
            let seen = format!("The change was made, but vSphere did not confirm it: {}", full_stop(&error.detail));
            self.run.warn(seen);
        }
        if !change.waits() {
            let wrote = self.state().wrote;
            return Ok((observed, wrote));
        }
        let after = M::verify(self.context(), &observed, change).await?;
        // The warnings from before the wait may be out of date.
        if let Ok(plan) = M::plan(self.args, &after) {
            self.state().warnings = plan.warnings;
        }
        let wrote = self.state().wrote;
        Ok((after, wrote))
    }

    /// The outcome of a target that failed: what is really there decides whether it changed.
    pub async fn fail(&self, error: Error) -> Outcome<M> {
        let (phase, wrote, before) = {
            let state = self.state();
            (state.phase, state.wrote, state.before.clone())
        };
        if phase == Phase::Reading {
            return self.state().finish(None, false, Some(error));
        }
        // The write was accepted, or may have been, and its end was not seen: "unchanged" would be a guess that hides a
        // change.
        let known = match error.write {
            _ if wrote || phase == Phase::Writing => Some(true),
            Write::Partly | Write::Unknown { .. } => Some(true),
            // Another client made any difference seen now.
            Write::Refused => Some(false),
            Write::Ended => None,
        };
        let look = M::observe(self.context(), before.as_ref());
        let looked = tokio::time::timeout(LAST_LOOK, AssertUnwindSafe(look).catch_unwind()).await;
        let (Ok(Ok(Ok(now))), Some(before)) = (looked, &before) else {
            let untold = "it is not known how much of the change was made, because reading the state back failed too";
            let error = if known.is_none() { error.aftermath(untold) } else { error };
            return self.state().finish(None, known.unwrap_or(true), Some(error));
        };
        let error = match before.aftermath(&now) {
            Some(aftermath) => error.aftermath(&aftermath),
            None => error,
        };
        let unseen = phase == Phase::Writing && matches!(error.write, Write::Unknown { .. });
        let error = if unseen && before.view() == now.view() {
            // Without the time, so that the messages of many targets are equal.
            let label = M::label(&self.target, Some(&now));
            error.aftermath(&format!("{label} was still as before when it was last read"))
        } else {
            error
        };
        let changed = known.unwrap_or_else(|| before.view() != now.view());
        self.state().finish(Some(now), changed, Some(error))
    }
}

impl<M: Module> State<M> {
    pub fn of(target: M::Target) -> Self {
        Self {
            target: Rc::new(target),
            before: None,
            phase: Phase::Reading,
            wrote: false,
            warnings: Vec::new(),
            outcome: None,
        }
    }

    /// Begins a round with the `observed` state. Until this run writes, any change is another client's and does not
    /// count as a difference of this run.
    fn begin(&mut self, observed: &M::Observed) {
        if !self.wrote || self.before.is_none() {
            self.before = Some(observed.clone());
        }
    }

    /// Records that the plan was given up. If nothing was written, another client made the current state.
    fn interrupted(&mut self, wrote: bool) {
        self.wrote |= wrote;
        self.phase = if self.wrote { Phase::Verifying } else { Phase::Reading };
    }

    pub fn finish(&mut self, after: Option<M::Observed>, changed: bool, error: Option<Error>) -> Outcome<M> {
        Outcome {
            target: Rc::clone(&self.target),
            before: self.before.clone(),
            after,
            changed,
            warnings: std::mem::take(&mut self.warnings),
            error,
        }
    }
}
