//! Runs the four steps for every target at once, whatever happens meanwhile.

mod target;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use futures_util::stream::{self, StreamExt};

use crate::{Close, Error, Kind, Module, Outcome, Run};
use target::{Phase, State, States, Steps};

/// Maximum number of targets at a time: enough to hide the latency, few enough for a vCenter's session.
const AT_ONCE: usize = 16;
/// Time limit for a login under way when the run is interrupted: a session that is not known cannot be closed.
const LAST_LOGIN: Duration = Duration::from_secs(2);

/// The outcome of a whole run.
pub struct Ended<M: Module> {
    /// The outcome for each target.
    pub outcomes: Vec<Outcome<M>>,
    /// Why the run ended before its targets did.
    pub error: Option<Error>,
}

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
        Some(Err(panic)) => return Ended { outcomes: Vec::new(), error: Some(Error::defect(&*panic)) },
        _ => {
            let error = interrupted(received.unwrap_or("a signal"), "before anything was written");
            return Ended { outcomes: Vec::new(), error: Some(error) };
        }
    };
    let states = States::<M>::default();
    let error = if let Some(name) = received {
        Some(interrupted(name, "before anything was written"))
    } else {
        tokio::select! {
            ended = AssertUnwindSafe(every_target(args, &session, run, &states)).catch_unwind() => match ended {
                Ok(result) => result.err(),
                Err(panic) => Some(Error::defect(&*panic)),
            },
            name = &mut signal => {
                received = Some(name);
                Some(interrupted(name, how_far(&states.borrow())))
            }
        }
    };
    if let Some(error) = &error {
        settle(args, &session, run, &states, error, received).await;
    }
    session.close().await;
    let outcomes: Vec<Outcome<M>> = states.into_inner().into_iter().filter_map(|state| state.outcome).collect();
    // The state that the only target was left in belongs to the message of the run.
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
    states: &States<M>,
) -> Result<(), Error> {
    let targets = M::targets(args, session).await?;
    let count = targets.len();
    states.borrow_mut().extend(targets.into_iter().map(State::of));
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, |index| async move {
            let steps = Steps::<M>::of(args, session, run, states, index);
            let taken = AssertUnwindSafe(steps.take()).catch_unwind().await;
            let outcome = match taken.unwrap_or_else(|panic| Err(Error::defect(&*panic))) {
                Ok((after, changed)) => steps.state().finish(Some(after), changed, None),
                Err(error) => steps.fail(error).await,
            };
            states.borrow_mut()[index].outcome = Some(outcome);
        })
        .await;
    Ok(())
}

/// Gives every target that has no outcome yet one that says how far it came.
async fn settle<M: Module>(
    args: &M::Args,
    session: &M::Session,
    run: &Run,
    states: &States<M>,
    error: &Error,
    signal: Option<&'static str>,
) {
    let open: Vec<usize> = {
        let states = states.borrow();
        (0..states.len()).filter(|index| states[*index].outcome.is_none()).collect()
    };
    let looks = open.into_iter().map(|index| async move {
        // Each target says how far it came itself.
        let error = match signal {
            Some(name) => interrupted(name, how_far(&states.borrow()[index..=index])),
            None => error.clone(),
        };
        let outcome = Steps::<M>::of(args, session, run, states, index).fail(error).await;
        states.borrow_mut()[index].outcome = Some(outcome);
    });
    join_all(looks).await;
}

/// Describes the progress of an interrupted run, for its message.
fn how_far<M: Module>(states: &[State<M>]) -> &'static str {
    let open = |phase: Phase| states.iter().any(|state| state.outcome.is_none() && state.phase == phase);
    let changed = states.iter().filter_map(|state| state.outcome.as_ref()).any(|outcome| outcome.changed);
    match (open(Phase::Verifying) || changed, open(Phase::Reading)) {
        _ if open(Phase::Writing) => "during a change; run the task again to complete the change",
        (false, _) => "before anything was written",
        (true, false) if open(Phase::Verifying) => {
            "after the change was made and before it was verified; run the task again to verify it"
        }
        (true, _) => "after a part of the change was made; run the task again to complete it",
    }
}

fn interrupted(name: &str, when: &str) -> Error {
    Error::new(Kind::Interrupted, format!("interrupted by {name} {when}"))
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
