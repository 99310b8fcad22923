//! Modules that only read.

use std::marker::PhantomData;
use std::rc::Rc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{About, Applied, Arguments, Change, Close, Context, Error, Module, Observed, Outcome, Plan, Run};

/// A module that only reads, and reports what it found.
#[allow(async_fn_in_trait)] // see Module
pub trait Survey: Sized + 'static {
    /// The module's name and documentation.
    const ABOUT: About;

    /// The arguments.
    type Args: Arguments;
    /// The session: opened once per run and closed at its end.
    type Session: Close;
    /// The findings.
    type Found: Clone + 'static;
    /// The module's own keys of the result, the same in every result.
    type Report: Serialize + JsonSchema + Default;

    /// Opens the session.
    async fn open(args: &Self::Args, run: &Run) -> Result<Self::Session, Error>;

    /// Reads.
    async fn read(args: &Self::Args, session: &Self::Session) -> Result<Self::Found, Error>;

    /// Returns what the user should know although nothing failed.
    fn warnings(_found: &Self::Found) -> Vec<String> {
        Vec::new()
    }

    /// Judges what was found. An error fails the run; the result still has the whole report.
    ///
    /// # Errors
    /// Fails if the arguments demand more than was found.
    fn verdict(_args: &Self::Args, _found: &Self::Found) -> Result<(), Error> {
        Ok(())
    }

    /// Names what was read in messages.
    fn label(found: Option<&Self::Found>) -> String;

    /// Returns the module's own keys.
    fn report(args: &Self::Args, found: &Self::Found) -> Self::Report;

    /// Returns one sentence a person can act on, for a run that did not fail.
    fn message(args: &Self::Args, found: &Self::Found, report: &Self::Report) -> String;
}

/// The findings of a survey, as a state that never changes. Clones share them, because they may be large.
#[derive(Debug, Clone)]
pub struct Found<T>(Rc<T>);

impl<T: Clone> Observed for Found<T> {
    fn view(&self) -> Value {
        Value::Null
    }
}

/// The change of a module that only reads.
#[derive(Debug, Clone, Copy)]
pub struct NoChange<T>(PhantomData<T>);

impl<T: Clone> Change for NoChange<T> {
    type Observed = Found<T>;

    const EVER: bool = false;

    fn is_empty(&self) -> bool {
        true
    }

    fn predict(&self, found: &Found<T>) -> Found<T> {
        found.clone()
    }
}

impl<S: Survey> Module for S {
    const ABOUT: About = S::ABOUT;

    type Args = S::Args;
    type Session = S::Session;
    type Target = ();
    type Observed = Found<S::Found>;
    type Change = NoChange<S::Found>;
    type Report = S::Report;

    async fn open(args: &S::Args, run: &Run) -> Result<S::Session, Error> {
        S::open(args, run).await
    }

    async fn targets(_: &S::Args, _: &S::Session) -> Result<Vec<()>, Error> {
        Ok(vec![()])
    }

    async fn observe(at: Context<'_, S>, _: Option<&Self::Observed>) -> Result<Self::Observed, Error> {
        let found = S::read(at.args, at.session).await?;
        // Those of a plan would be lost if the verdict fails it.
        for warning in S::warnings(&found) {
            at.run.warn(warning);
        }
        Ok(Found(Rc::new(found)))
    }

    fn plan(args: &S::Args, Found(found): &Self::Observed) -> Result<Plan<Self::Change>, Error> {
        S::verdict(args, found)?;
        Ok(Plan::from(NoChange(PhantomData)))
    }

    async fn apply(_: Context<'_, S>, _: &Self::Observed, _: &Self::Change) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }

    fn label((): &(), observed: Option<&Self::Observed>) -> String {
        S::label(observed.map(|Found(found)| &**found))
    }

    fn report(args: &S::Args, outcomes: &[Outcome<S>]) -> S::Report {
        found(outcomes).map_or_else(S::Report::default, |found| S::report(args, found))
    }

    fn message(args: &S::Args, report: &S::Report, outcomes: &[Outcome<S>], _: &Run) -> String {
        found(outcomes).map_or_else(String::new, |found| S::message(args, found, report))
    }
}

fn found<S: Survey>(outcomes: &[Outcome<S>]) -> Option<&S::Found> {
    outcomes.first()?.before.as_ref().map(|Found(found)| &**found)
}
