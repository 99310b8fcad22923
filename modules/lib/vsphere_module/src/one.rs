//! An adapter for modules that act on one object of a server: a virtual machine or a cluster.

use std::marker::PhantomData;

use contract::{About, Applied, Arguments, Change, Context, Error, Module, Observed, Outcome, Plan, Run};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Connection, Server};

/// A module that acts on one object of a server. [`One`] makes a [`Module`] of it.
#[allow(async_fn_in_trait)] // see Module
pub trait OneObject: Sized + 'static {
    /// The module's name and documentation.
    const ABOUT: About;

    /// The arguments.
    type Args: ServerArgs;
    /// The state that a run keeps between its steps.
    type Memory: Default;
    /// The state read from the object.
    type Observed: Observed + Named;
    /// The change to the object.
    type Change: Change<Observed = Self::Observed>;
    /// The module's own keys of the result, the same in every result.
    type Report: Serialize + JsonSchema + Default;

    /// Reads the object; `previous` is the last reading of it, if there is one.
    async fn observe(at: At<'_, Self>, previous: Option<&Self::Observed>) -> Result<Self::Observed, Error>;

    /// Decides. A pure function: every rule of the module is here.
    fn plan(args: &Self::Args, observed: &Self::Observed) -> Result<Plan<Self::Change>, Error>;

    /// Writes `change`.
    async fn apply(at: At<'_, Self>, observed: &Self::Observed, change: &Self::Change) -> Result<Applied, Error>;

    /// Reads back and judges, see [`Module::verify`].
    async fn verify(at: At<'_, Self>, observed: &Self::Observed, _: &Self::Change) -> Result<Self::Observed, Error> {
        contract::read_back(at, observed).await
    }

    /// Returns the module's own keys.
    fn report(before: &Self::Observed, now: &Self::Observed) -> Self::Report;

    /// Returns one sentence a person can act on, for a run that did not fail.
    fn message(args: &Self::Args, ended: &Ended<'_, Self>, run: &Run) -> String;
}

/// Arguments that name a server.
pub trait ServerArgs: Arguments {
    /// The server.
    fn connection(&self) -> &Connection;
}

/// Something that messages can name.
pub trait Named {
    /// The name before anything was read.
    const UNREAD: &'static str;

    /// The name.
    fn label(&self) -> String;
}

/// The outcome of a run for its object.
pub struct Ended<'a, T: OneObject> {
    /// The state before.
    pub before: &'a T::Observed,
    /// The state after the run, or the predicted one in a check run.
    pub now: &'a T::Observed,
    /// True if anything was (or would be) written.
    pub changed: bool,
    /// The state that the run kept.
    pub memory: &'a T::Memory,
}

/// The resources for a step.
pub type At<'a, T> = Context<'a, One<T>>;

/// A [`OneObject`] as a module.
pub struct One<T>(PhantomData<T>);

impl<T: OneObject> Module for One<T> {
    const ABOUT: About = T::ABOUT;

    type Args = T::Args;
    type Session = Server;
    type Target = T::Memory;
    type Observed = T::Observed;
    type Change = T::Change;
    type Report = T::Report;

    async fn open(args: &T::Args, run: &Run) -> Result<Server, Error> {
        args.connection().open(run).await
    }

    async fn targets(_: &T::Args, _: &Server) -> Result<Vec<T::Memory>, Error> {
        Ok(vec![T::Memory::default()])
    }

    async fn observe(at: Context<'_, Self>, previous: Option<&T::Observed>) -> Result<T::Observed, Error> {
        T::observe(at, previous).await
    }

    fn plan(args: &T::Args, observed: &T::Observed) -> Result<Plan<T::Change>, Error> {
        T::plan(args, observed)
    }

    async fn apply(at: Context<'_, Self>, observed: &T::Observed, change: &T::Change) -> Result<Applied, Error> {
        T::apply(at, observed, change).await
    }

    async fn verify(at: Context<'_, Self>, observed: &T::Observed, change: &T::Change) -> Result<T::Observed, Error> {
        T::verify(at, observed, change).await
    }

    fn label(_: &T::Memory, observed: Option<&T::Observed>) -> String {
        observed.map_or_else(|| T::Observed::UNREAD.to_owned(), Named::label)
    }

    fn report(_: &T::Args, outcomes: &[Outcome<Self>]) -> T::Report {
        let states = outcomes.first().and_then(Outcome::states);
        states.map_or_else(T::Report::default, |(before, now)| T::report(before, now))
    }

    fn message(args: &T::Args, _: &T::Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let Some((before, now)) = outcome.states() else { return String::new() };
        T::message(args, &Ended { before, now, changed: outcome.changed, memory: &outcome.target }, run)
    }
}
