//! The shape of a module: observe, plan, apply, verify.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Error, Kind, Rule, Run};

/// One idempotent action.
///
/// `observe` only reads, `plan` decides and does nothing else, `apply` only writes what `plan` decided, `verify` only
/// reads. Check mode, diff and idempotence follow from that shape, because [`main`](crate::main) runs the steps.
#[allow(async_fn_in_trait)] // Everything runs on one thread, so no future needs to be `Send`.
pub trait Module: Sized + 'static {
    /// The name Ansible calls it by.
    const NAME: &'static str;
    /// What it makes true, in one line.
    const SUMMARY: &'static str;
    /// What a user should know before using it, a paragraph each.
    const DESCRIPTION: &'static [&'static str];
    /// Tasks that run as they stand, as YAML.
    const EXAMPLES: &'static str;
    /// Which arguments go together.
    const RULES: &'static [Rule] = &[];

    /// The arguments whose values can be read back ([`actual`](Self::actual)), for callers that think in states: those that
    /// say what is to be true. A module that makes nothing true that lasts has none, and is no resource to such callers.
    const STATE: &'static [&'static str] = &[];

    /// The arguments; doc comments are their documentation.
    type Args: DeserializeOwned + JsonSchema;
    /// What is opened once a run and closed at its end.
    type Session: Close;
    /// What the four steps run on: a run may have many.
    type Target;
    /// What was read of one target.
    type Observed: Clone;
    /// What is to be done to one target.
    type Change: Change;
    /// The module's own keys of the result, the same in every result.
    type Report: Serialize + JsonSchema + Default;

    /// What no schema can say about the arguments: one sentence a problem. Called before anything is contacted.
    fn check(_args: &Self::Args) -> Vec<String> {
        Vec::new()
    }

    /// Whether arguments that the environment stands in for are left out: for a run that needs no server, what the
    /// environment says about servers is neither right nor wrong. `given` is what the caller gave.
    fn needs_no_server(_given: &Map<String, Value>) -> bool {
        false
    }

    /// Which arguments go together, where that depends on their values. `given` are the arguments as understood; null stands
    /// for one that was given and could not be understood, which is told by itself.
    fn rules(_given: &Map<String, Value>) -> Vec<Rule> {
        Vec::new()
    }

    /// Opens the session.
    async fn open(args: &Self::Args, run: &Run) -> Result<Self::Session, Error>;

    /// What this run acts on.
    async fn targets(args: &Self::Args, session: &Self::Session) -> Result<Vec<Self::Target>, Error>;

    /// Reads one target; `previous` is what was read of it before, if it was.
    async fn observe(
        args: &Self::Args,
        session: &Self::Session,
        target: &Self::Target,
        previous: Option<&Self::Observed>,
    ) -> Result<Self::Observed, Error>;

    /// Decides. A pure function: every rule of the module is here.
    fn plan(args: &Self::Args, observed: &Self::Observed) -> Result<Plan<Self::Change>, Error>;

    /// What will be observed once `change` is done: planning again on it yields nothing.
    fn predict(observed: &Self::Observed, change: &Self::Change) -> Self::Observed;

    /// Writes `change`.
    async fn apply(
        args: &Self::Args,
        session: &Self::Session,
        target: &Self::Target,
        observed: &Self::Observed,
        change: &Self::Change,
        run: &Run,
    ) -> Result<Applied, Error>;

    /// Reads back and judges: a write that the server accepted is not yet a state that holds.
    ///
    /// Unless a module has more to wait for, it observes and plans again; a plan that still wants something is an
    /// error in [`unapplied`](Self::unapplied)'s words.
    async fn verify(
        args: &Self::Args,
        session: &Self::Session,
        target: &Self::Target,
        observed: &Self::Observed,
        _change: &Self::Change,
        _run: &Run,
    ) -> Result<Self::Observed, Error> {
        let now = Self::observe(args, session, target, Some(observed)).await?;
        let rest = Self::plan(args, &now)?.change;
        if rest.is_empty() { Ok(now) } else { Err(Self::unapplied(&rest)) }
    }

    /// What to say when the server accepted everything and `rest` is still not so.
    fn unapplied(_rest: &Self::Change) -> Error {
        Error::new(Kind::Fault, "the server accepted the change, but reading back shows that it did not take effect")
    }

    /// What a run that failed or was interrupted left behind, if the user has to know before running it again.
    fn aftermath(_before: &Self::Observed, _now: &Self::Observed) -> Option<String> {
        None
    }

    /// The values that the arguments of [`STATE`](Self::STATE) would need to describe what was `observed`, without those that
    /// cannot be told in their terms. Where a wanted value is there, it is as it was given. Where targets differ, it is the
    /// value of the first that is not as wanted.
    fn actual(_args: &Self::Args, _observed: &[&Self::Observed]) -> Map<String, Value> {
        Map::new()
    }

    /// What the diff compares.
    fn view(observed: &Self::Observed) -> Value;

    /// The difference as a unified diff, for a module whose state is a text: shown instead of what `view` tells.
    fn unified(_before: &Self::Observed, _after: &Self::Observed) -> Option<String> {
        None
    }

    /// What the target is called in a diff's headers and in messages.
    fn label(target: &Self::Target, observed: Option<&Self::Observed>) -> String;

    /// The module's own keys.
    fn report(args: &Self::Args, outcomes: &[Outcome<Self>]) -> Self::Report;

    /// One sentence a person can act on, for a run that did not fail.
    fn message(args: &Self::Args, report: &Self::Report, outcomes: &[Outcome<Self>], run: &Run) -> String;
}

/// What is opened once and must be closed, whatever happens.
#[allow(async_fn_in_trait)] // see Module
pub trait Close {
    /// Ends the session. Best effort, within a few seconds: there is nobody left to tell.
    async fn close(&self);
}

/// A change, possibly empty.
pub trait Change {
    /// Whether there may be one at all. Where there is never one, there is no difference to show either.
    const EVER: bool = true;

    /// There is nothing to write.
    fn is_empty(&self) -> bool;
    /// There is nothing to write, but the wanted state is still on its way and must be waited for. Afterwards the plan is
    /// made again, and the warnings are those of the new one.
    fn waits(&self) -> bool {
        false
    }
    /// Whether it makes a difference shows only afterwards, because the wanted state is not told beforehand: such a change
    /// counts if what is observed after it differs from what was before.
    fn is_tentative(&self) -> bool {
        false
    }
}

/// The change of a module that only looks: there is never one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoChange;

impl Change for NoChange {
    const EVER: bool = false;

    fn is_empty(&self) -> bool {
        true
    }
}

/// What `plan` decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<C> {
    /// What to do.
    pub change: C,
    /// What the user should know, and what does not stop anything.
    pub warnings: Vec<String>,
    /// Why the server would refuse the change now, although another task could mend that first: in check mode a
    /// warning, since the task before this one was not run for real either; otherwise an error before any write.
    pub blockers: Vec<Blocker>,
}

/// Why a change would be refused now.
pub type Blocker = (Kind, String, Option<String>);

impl<C> From<C> for Plan<C> {
    fn from(change: C) -> Self {
        Self { change, warnings: Vec::new(), blockers: Vec::new() }
    }
}

/// How a write ended.
#[derive(Debug, Clone)]
pub enum Applied {
    /// Everything that the plan says was written.
    Done,
    /// The plan rests on an observation that no longer holds: observe and plan again.
    Stale {
        /// Whether a part of the plan was written before that showed.
        wrote: bool,
    },
    /// Somebody else's operation holds the object: observe and plan again after a pause.
    Busy {
        /// Whether a part of the plan was written before that showed.
        wrote: bool,
        /// The failure, if the time runs out first.
        error: Error,
    },
}

/// How it went for one target.
pub struct Outcome<M: Module> {
    /// The target.
    pub target: std::rc::Rc<M::Target>,
    /// What was there first; absent if it could not be read.
    pub before: Option<M::Observed>,
    /// What is there now, or what would be there had this not been a check run.
    pub after: Option<M::Observed>,
    /// Whether anything was (or would be) written.
    pub changed: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub error: Option<Error>,
}
