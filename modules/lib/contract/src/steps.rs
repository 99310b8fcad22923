//! Running the four steps, for every target at once, whatever happens meanwhile.

use std::any::Any;
use std::cell::{RefCell, RefMut};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::future::{FutureExt, join_all};
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;

use crate::error::{Write, full_stop};
use crate::{Applied, Change, Close, Error, Kind, Module, Outcome, Plan, Run};

/// So many targets at a time: enough to hide the latency, few enough for a vCenter's session.
const AT_ONCE: usize = 16;
/// Maximum number of plans that somebody else's change may overtake, within the run's time.
const OVERTAKEN: u32 = 50;
/// The pauses between rounds. They differ from run to run, so that runs in each other's way do not meet again.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(20))
    .with_max_delay(Duration::from_secs(1))
    .without_max_times()
    .with_jitter();
/// How long to look for the effect of a write that may never have arrived; of one that was accepted, until the run's deadline.
const MAY_SHOW: Duration = Duration::from_secs(10);
/// Time limit of the last reading after a failure or a signal.
const LAST_LOOK: Duration = Duration::from_millis(2500);
/// So long a login under way may take to end, once the run was interrupted: a session that is not known cannot be closed.
const LAST_LOGIN: Duration = Duration::from_secs(2);

/// How a whole run ended.
pub struct Ended<M: Module> {
    /// How it went for each target.
    pub outcomes: Vec<Outcome<M>>,
    /// Why the run ended before its targets did.
    pub error: Option<Error>,
}

/// How far one target is.
struct Slot<M: Module> {
    target: Rc<M::Target>,
    before: Option<M::Observed>,
    phase: Phase,
    /// An earlier round wrote something, before what it rested on had changed.
    wrote: bool,
    warnings: Vec<String>,
    outcome: Option<Outcome<M>>,
}

/// What is being done to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was written.
    Reading,
    /// A write was sent, and its end is not known.
    Writing,
    /// All writes are done.
    Verifying,
}

type Slots<M> = RefCell<Vec<Slot<M>>>;

/// Opens, runs and closes. `signal` ends the run early with the name of what was received.
pub(crate) async fn run<M: Module>(args: &M::Args, run: &Run, signal: impl Future<Output = &'static str>) -> Ended<M> {
    let signal = signal.fuse();
    tokio::pin!(signal);
    let opening = AssertUnwindSafe(M::open(args, run)).catch_unwind();
    tokio::pin!(opening);
    let mut received = None;
    let opened = tokio::select! {
        opened = &mut opening => Some(opened),
        name = &mut signal => {
            received = Some(name);
            tokio::time::timeout(LAST_LOGIN, opening).await.ok()
        }
    };
    let session = match opened {
        Some(Ok(Ok(session))) => session,
        Some(Ok(Err(error))) if received.is_none() => return Ended { outcomes: Vec::new(), error: Some(error) },
        Some(Err(panic)) => return Ended { outcomes: Vec::new(), error: Some(defect(&*panic)) },
        _ => {
            let error = interrupted(received.unwrap_or("a signal"), "before anything was written");
            return Ended { outcomes: Vec::new(), error: Some(error) };
        }
    };
    let slots = Slots::<M>::default();
    let error = if let Some(name) = received {
        Some(interrupted(name, "before anything was written"))
    } else {
        tokio::select! {
            ended = AssertUnwindSafe(every_target(args, &session, run, &slots)).catch_unwind() => match ended {
                Ok(result) => result.err(),
                Err(panic) => Some(defect(&*panic)),
            },
            name = &mut signal => {
                received = Some(name);
                Some(interrupted(name, how_far(&slots.borrow())))
            }
        }
    };
    if let Some(error) = &error {
        settle(args, &session, run, &slots, error, received).await;
    }
    session.close().await;
    let outcomes: Vec<Outcome<M>> = slots.into_inner().into_iter().filter_map(|slot| slot.outcome).collect();
    // What one target was left as belongs to the message of a run that has but one.
    let error = match (error, outcomes.as_slice()) {
        (Some(error), [Outcome { error: Some(told), .. }]) if told.kind == error.kind => Some(told.clone()),
        (error, _) => error,
    };
    Ended { outcomes, error }
}

async fn every_target<M: Module>(
    args: &M::Args,
    session: &M::Session,
    run: &Run,
    slots: &Slots<M>,
) -> Result<(), Error> {
    let targets = M::targets(args, session).await?;
    let count = targets.len();
    slots.borrow_mut().extend(targets.into_iter().map(|target| Slot {
        target: Rc::new(target),
        before: None,
        phase: Phase::Reading,
        wrote: false,
        warnings: Vec::new(),
        outcome: None,
    }));
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |index| async move {
            let steps = Steps::<M>::of(args, session, run, slots, index);
            let taken = AssertUnwindSafe(steps.take()).catch_unwind().await;
            let outcome = match taken.unwrap_or_else(|panic| Err(defect(&*panic))) {
                Ok((after, changed)) => steps.slot().finish(Some(after), changed, None),
                Err(error) => steps.fail(error).await,
            };
            slots.borrow_mut()[index].outcome = Some(outcome);
        })
        .await;
    Ok(())
}

/// The steps of one target.
struct Steps<'a, M: Module> {
    args: &'a M::Args,
    session: &'a M::Session,
    run: &'a Run,
    slots: &'a Slots<M>,
    index: usize,
    target: Rc<M::Target>,
}

impl<'a, M: Module> Steps<'a, M> {
    fn of(args: &'a M::Args, session: &'a M::Session, run: &'a Run, slots: &'a Slots<M>, index: usize) -> Self {
        let target = Rc::clone(&slots.borrow()[index].target);
        Self { args, session, run, slots, index, target }
    }

    fn slot(&self) -> RefMut<'_, Slot<M>> {
        RefMut::map(self.slots.borrow_mut(), |slots| &mut slots[self.index])
    }

    /// Observe, plan, apply, verify; again if somebody else was faster. Returns what is there now, and whether it changed.
    async fn take(&self) -> Result<(M::Observed, bool), Error> {
        let Self { args, session, run, target, .. } = self;
        let run_ends = Instant::from_std(run.ends());
        let mut pauses = PAUSES.build();
        let mut last = None;
        let mut busy = None;
        // The failure of a write whose end was not seen, and until when its effect may show.
        let mut unseen: Option<(Error, Instant)> = None;
        let mut overtaken = 0;
        while overtaken < OVERTAKEN {
            if last.is_some() {
                let pause = pauses.next().unwrap_or_default();
                if Instant::now() + pause >= unseen.as_ref().map_or(run_ends, |(_, end)| *end) {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            let observed = match M::observe(args, session, target, last.as_ref()).await {
                Ok(observed) => observed,
                Err(error) => return Err(unseen.map_or(error, |(error, _)| error)),
            };
            if unseen.is_none() {
                self.slot().begin(&observed);
            }
            let plan = M::plan(args, &observed).map_err(|error| match unseen.take() {
                Some((unseen, _)) => unseen.aftermath(&error.detail),
                None => error,
            })?;
            if run.check {
                return Ok(self.foretell(&observed, plan));
            }
            self.slot().warnings = plan.warnings;
            if plan.change.is_empty() {
                return self.arrive(observed, &plan.change, unseen.map(|(error, _)| error)).await;
            }
            if unseen.is_some() {
                last = Some(observed);
                continue;
            }
            if let Some((kind, why, remedy)) = plan.blockers.into_iter().next() {
                let error = Error::new(kind, why);
                return Err(match remedy {
                    Some(remedy) => error.hint(remedy),
                    None => error,
                });
            }
            self.slot().phase = Phase::Writing;
            match M::apply(args, session, target, &observed, &plan.change, run).await {
                Ok(Applied::Done) => {
                    self.slot().phase = Phase::Verifying;
                    let after = M::verify(args, session, target, &observed, &plan.change, run).await?;
                    let made = !plan.change.is_tentative() || M::view(&observed) != M::view(&after);
                    return Ok((after, made || self.slot().wrote));
                }
                Ok(Applied::Stale { wrote }) => {
                    busy = None;
                    overtaken += 1;
                    self.slot().interrupted(wrote);
                }
                Ok(Applied::Busy { wrote, error }) => {
                    busy = Some(error);
                    run.progress.waiting("another operation works on this object; waiting for it to end");
                    self.slot().interrupted(wrote);
                }
                Err(error) => {
                    let Write::Unknown { accepted } = error.write else {
                        self.slot().phase = Phase::Verifying;
                        return Err(error);
                    };
                    let end = if accepted { run_ends } else { run_ends.min(Instant::now() + MAY_SHOW) };
                    unseen = Some((error, end));
                    pauses = PAUSES.build();
                }
            }
            last = Some(observed);
        }
        Err(unseen.map(|(error, _)| error).or(busy).unwrap_or_else(|| {
            let label = M::label(target, last.as_ref());
            Error::new(Kind::Conflict, format!("{label} kept changing while this run tried to change it"))
                .hint("Run it again when nobody else changes it.")
        }))
    }

    /// What a real run would do, for a check run.
    fn foretell(&self, observed: &M::Observed, plan: Plan<M::Change>) -> (M::Observed, bool) {
        let refusals = plan.blockers.iter().map(|(_, why, remedy)| {
            let remedy = remedy.as_deref().map(|remedy| format!(" {remedy}")).unwrap_or_default();
            format!("For real this would be refused now, unless a task before it mends that: {why}.{remedy}")
        });
        self.slot().warnings = plan.warnings.into_iter().chain(refusals).collect();
        (M::predict(observed, &plan.change), !plan.change.is_empty())
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
            let mut slot = self.slot();
            slot.wrote = true;
            slot.phase = Phase::Verifying;
            let seen = format!("The change was made, but vSphere did not confirm it: {}", full_stop(&error.detail));
            self.run.warn(seen);
        }
        if !change.waits() {
            let wrote = self.slot().wrote;
            return Ok((observed, wrote));
        }
        let after = M::verify(self.args, self.session, &self.target, &observed, change, self.run).await?;
        // What was to be said before the wait may be over now.
        if let Ok(plan) = M::plan(self.args, &after) {
            self.slot().warnings = plan.warnings;
        }
        let wrote = self.slot().wrote;
        Ok((after, wrote))
    }

    /// The outcome of a target that failed: what is really there decides whether it changed.
    async fn fail(&self, error: Error) -> Outcome<M> {
        let (phase, wrote, before) = {
            let slot = self.slot();
            (slot.phase, slot.wrote, slot.before.clone())
        };
        if phase == Phase::Reading {
            return self.slot().finish(None, false, Some(error));
        }
        // The write was accepted, or may have been, and nobody saw its end: "unchanged" would be a guess that hides a change.
        let known = match error.write {
            _ if wrote || phase == Phase::Writing => Some(true),
            Write::Partly | Write::Unknown { .. } => Some(true),
            // What is different now is somebody else's doing.
            Write::Refused => Some(false),
            Write::Ended => None,
        };
        let look = M::observe(self.args, self.session, &self.target, before.as_ref());
        let looked = tokio::time::timeout(LAST_LOOK, AssertUnwindSafe(look).catch_unwind()).await;
        let (Ok(Ok(Ok(now))), Some(before)) = (looked, &before) else {
            let untold = "it is not known what of the change was made, because reading it back failed too";
            let error = if known.is_none() { error.aftermath(untold) } else { error };
            return self.slot().finish(None, known.unwrap_or(true), Some(error));
        };
        let error = match M::aftermath(before, &now) {
            Some(aftermath) => error.aftermath(&aftermath),
            None => error,
        };
        let changed = known.unwrap_or_else(|| M::view(before) != M::view(&now));
        self.slot().finish(Some(now), changed, Some(error))
    }
}

impl<M: Module> Slot<M> {
    /// A round begins with what was `observed`. Until this run writes, what changed is somebody else's doing, and no
    /// difference of this run.
    fn begin(&mut self, observed: &M::Observed) {
        if !self.wrote || self.before.is_none() {
            self.before = Some(observed.clone());
        }
    }

    /// The plan was given up. If nothing was written, what is there now is somebody else's doing.
    fn interrupted(&mut self, wrote: bool) {
        self.wrote |= wrote;
        self.phase = if self.wrote { Phase::Verifying } else { Phase::Reading };
    }

    fn finish(&mut self, after: Option<M::Observed>, changed: bool, error: Option<Error>) -> Outcome<M> {
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

/// Gives every target that has no outcome yet one that says how far it came.
async fn settle<M: Module>(
    args: &M::Args,
    session: &M::Session,
    run: &Run,
    slots: &Slots<M>,
    error: &Error,
    signal: Option<&'static str>,
) {
    let open: Vec<usize> = {
        let slots = slots.borrow();
        (0..slots.len()).filter(|index| slots[*index].outcome.is_none()).collect()
    };
    let looks = open.into_iter().map(|index| async move {
        // Each target is told how far it came itself.
        let error = match signal {
            Some(name) => interrupted(name, how_far(&slots.borrow()[index..=index])),
            None => error.clone(),
        };
        let outcome = Steps::<M>::of(args, session, run, slots, index).fail(error).await;
        slots.borrow_mut()[index].outcome = Some(outcome);
    });
    join_all(looks).await;
}

/// How far the run came, for the message of one that was interrupted.
fn how_far<M: Module>(slots: &[Slot<M>]) -> &'static str {
    let open = |phase: Phase| slots.iter().any(|slot| slot.outcome.is_none() && slot.phase == phase);
    let changed = slots.iter().filter_map(|slot| slot.outcome.as_ref()).any(|outcome| outcome.changed);
    if open(Phase::Writing) {
        "while a change was under way; run it again to complete it"
    } else if open(Phase::Verifying) {
        "after the change was made, and before it was seen to hold; run it again to see"
    } else if changed {
        "after a part of the change was made; run it again to complete it"
    } else {
        "before anything was written"
    }
}

fn interrupted(name: &str, when: &str) -> Error {
    Error::new(Kind::Interrupted, format!("interrupted by {name} {when}"))
}

/// A panic as a result: its text, and where to report it.
pub(crate) fn defect(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no further text".to_owned());
    Error::new(Kind::Internal, format!("this program has a defect: {text}"))
        .hint("Please report it with the arguments used, secrets removed.")
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
