//! The shape of a module: observe, plan, apply, verify.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Close, Error, Kind, Rule, Run};

/// One idempotent action.
///
/// `observe` only reads, `plan` decides and does nothing else, `apply` only writes what `plan` decided, `verify` only
/// reads. Check mode, diff and idempotence follow from that shape, because this crate runs the steps.
///
/// A module that only reads implements [`Survey`](crate::Survey) instead.
#[allow(async_fn_in_trait)] // Everything runs on one thread, so no future needs to be `Send`.
pub trait Module: Sized + 'static {
    /// The module's name and documentation.
    const ABOUT: About;

    /// The arguments.
    type Args: Arguments;
    /// The session: opened once per run and closed at its end.
    type Session: Close;
    /// The target of the four steps; a run may have many.
    type Target;
    /// The state read from one target.
    type Observed: Observed;
    /// The change to one target.
    type Change: Change<Observed = Self::Observed>;
    /// The module's own keys of the result, the same in every result.
    type Report: Serialize + JsonSchema + Default;

    /// Opens the session.
    async fn open(args: &Self::Args, run: &Run) -> Result<Self::Session, Error>;

    /// Finds the targets of this run.
    async fn targets(args: &Self::Args, session: &Self::Session) -> Result<Vec<Self::Target>, Error>;

    /// Reads one target; `previous` is the last reading of it, if there is one.
    async fn observe(at: Context<'_, Self>, previous: Option<&Self::Observed>) -> Result<Self::Observed, Error>;

    /// Decides. A pure function: every rule of the module is here.
    fn plan(args: &Self::Args, observed: &Self::Observed) -> Result<Plan<Self::Change>, Error>;

    /// Writes `change`.
    async fn apply(at: Context<'_, Self>, observed: &Self::Observed, change: &Self::Change) -> Result<Applied, Error>;

    /// Reads back and judges: a write that the server accepted is not yet a state that holds.
    ///
    /// The default observes and plans again; a plan that still wants something is an error in the words of
    /// [`Change::unapplied`].
    async fn verify(
        at: Context<'_, Self>,
        observed: &Self::Observed,
        _change: &Self::Change,
    ) -> Result<Self::Observed, Error> {
        read_back(at, observed).await
    }

    /// Names the target in a diff's headers and in messages.
    fn label(target: &Self::Target, observed: Option<&Self::Observed>) -> String;

    /// Returns the module's own keys.
    fn report(args: &Self::Args, outcomes: &[Outcome<Self>]) -> Self::Report;

    /// Returns one sentence a person can act on, for a run that did not fail.
    fn message(args: &Self::Args, report: &Self::Report, outcomes: &[Outcome<Self>], run: &Run) -> String;
}

/// Observes and plans again after a change. A plan that still wants something is an error.
pub async fn read_back<M: Module>(at: Context<'_, M>, observed: &M::Observed) -> Result<M::Observed, Error> {
    let now = M::observe(at, Some(observed)).await?;
    let rest = M::plan(at.args, &now)?.change;
    if rest.is_empty() { Ok(now) } else { Err(rest.unapplied()) }
}

/// A module's name and documentation.
pub struct About {
    /// The name Ansible calls it by.
    pub name: &'static str,
    /// The state that the module ensures, in one line.
    pub summary: &'static str,
    /// Notes that a user needs before using the module, one paragraph each.
    pub description: &'static [&'static str],
    /// Tasks that run as they stand, as YAML.
    pub examples: &'static str,
    /// The module's own keys of a result, as JSON.
    pub sample: &'static str,
    /// The arguments of a first call, as JSON, without the connection.
    pub example: &'static str,
}

/// The arguments of a module; doc comments are their documentation.
pub trait Arguments: DeserializeOwned + JsonSchema {
    /// The rules about arguments that belong together.
    const RULES: &'static [Rule] = &[];

    /// Seconds after which a run gives up.
    fn timeout(&self) -> u64 {
        60
    }

    /// Returns one sentence for each problem that no schema can express. Called before anything is contacted.
    fn check(&self) -> Vec<String> {
        Vec::new()
    }

    /// True if this call needs no server; environment variables for arguments are then ignored. `given` holds the
    /// caller's own arguments.
    fn needs_no_server(_given: &Map<String, Value>) -> bool {
        false
    }

    /// Returns the rules that depend on the values of arguments. `given` holds the arguments as understood; null stands for
    /// one that could not be understood, which is reported on its own.
    fn rules(_given: &Map<String, Value>) -> Vec<Rule> {
        Vec::new()
    }
}

/// The resources for a step of one target.
pub struct Context<'a, M: Module> {
    /// The arguments.
    pub args: &'a M::Args,
    /// The open session.
    pub session: &'a M::Session,
    /// The target.
    pub target: &'a M::Target,
    /// The run.
    pub run: &'a Run,
}

impl<M: Module> Clone for Context<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Module> Copy for Context<'_, M> {}

/// The state read from one target.
pub trait Observed: Clone {
    /// Returns what the diff compares.
    fn view(&self) -> Value;

    /// Returns the difference as a unified diff, for a module whose state is a text: shown instead of `view`.
    fn unified(&self, _after: &Self) -> Option<String> {
        None
    }

    /// Returns what a run that failed or was interrupted left behind, if the user has to know before running it again.
    fn aftermath(&self, _now: &Self) -> Option<String> {
        None
    }
}

/// A change, possibly empty.
pub trait Change {
    /// The state that the change applies to.
    type Observed;

    /// False for a module that never changes anything.
    const EVER: bool = true;

    /// True if there is nothing to write.
    fn is_empty(&self) -> bool;

    /// True if there is nothing to write, but the wanted state is still on its way and must be waited for. Afterwards the
    /// plan is made again, and the warnings are those of the new one.
    fn waits(&self) -> bool {
        false
    }

    /// True if the prior value cannot be read: the change counts only if the read-back differs.
    fn is_tentative(&self) -> bool {
        false
    }

    /// Returns what will be observed once the change is done: planning again on it yields nothing.
    fn predict(&self, observed: &Self::Observed) -> Self::Observed;

    /// Returns the failure when the server accepted everything and this change is still wanted.
    fn unapplied(&self) -> Error {
        Error::new(Kind::Fault, "the server accepted the change, but reading back shows that it did not take effect")
    }
}

/// The decision of `plan`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<C> {
    /// The change to make.
    pub change: C,
    /// Notes for the user that do not stop the run.
    pub warnings: Vec<String>,
    /// Why the server would refuse the change now, although another task could fix that first: in check mode a
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

/// The outcome of a write.
#[derive(Debug, Clone)]
pub enum Applied {
    /// Everything that the plan says was written.
    Done,
    /// The plan rests on an observation that no longer holds: observe and plan again.
    Stale {
        /// True if a part of the plan was written before that showed.
        wrote: bool,
    },
    /// Another operation holds the object: observe and plan again after a pause.
    Busy {
        /// True if a part of the plan was written before that showed.
        wrote: bool,
        /// The failure, if the time runs out first.
        error: Error,
    },
}

/// The outcome for one target.
pub struct Outcome<M: Module> {
    /// The target.
    pub target: std::rc::Rc<M::Target>,
    /// The state before; absent if it could not be read.
    pub before: Option<M::Observed>,
    /// The state after the run, or the predicted one in a check run.
    pub after: Option<M::Observed>,
    /// True if anything was (or would be) written.
    pub changed: bool,
    /// Notes for the user.
    pub warnings: Vec<String>,
    /// Why it failed.
    pub error: Option<Error>,
}

impl<M: Module> Outcome<M> {
    /// The states before and after, if the target was read; after a failure, the last one that was read.
    pub fn states(&self) -> Option<(&M::Observed, &M::Observed)> {
        let before = self.before.as_ref()?;
        Some((before, self.after.as_ref().unwrap_or(before)))
    }
}
