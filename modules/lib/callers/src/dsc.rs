//! The module as a command resource of Microsoft DSC v3: desired state in, actual state out.
//!
//! DSC names the operation on the command line, gives the desired state on standard input and takes the actual state, one line
//! of JSON, from standard output. After a test or a set it takes a second line: a list of the properties that differ. On
//! failure it reads standard error, where JSON lines `{"error": …}`, `{"warn": …}` and `{"info": …}` are messages of their levels.

mod desired;
mod manifest;

use std::io::Write;
use std::process::ExitCode;

use contract::service::{Call, Performed, Runtime, Secrets, Signals, Trace, line, warnings};
use contract::{Change, Error, Kind, Level, Module, Progress};
use serde_json::{Map, Value, json};

use self::desired::Desired;
pub use self::manifest::manifest;
use crate::Resource;

/// The operation that DSC asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Get,
    Test,
    Set,
    /// The state that `Set` would lead to.
    WhatIf,
}

/// A state, as DSC hands it over and gets it back.
pub type State = Map<String, Value>;

type Observed<R> = <<R as Resource>::Module as Module>::Observed;

/// Why there is no state to show.
struct Failure {
    error: Error,
    changed: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, changed: false }
    }
}

/// The answer to DSC.
pub struct Told {
    /// The actual state.
    pub state: State,
    /// The properties that are not as desired after a test, and those that change by a set.
    pub differ: Option<Vec<String>>,
}

/// Reads the desired state from standard input and answers with the actual one.
///
/// A failure goes to standard error; its exit status is returned.
pub fn run<R: Resource>(operation: Operation, runtime: Result<Runtime, Error>) -> Result<Told, ExitCode> {
    let mut secrets = Secrets::default();
    let told =
        runtime.and_then(|runtime| runtime.block_on(async |signals| tell::<R>(operation, &mut secrets, signals).await));
    told.unwrap_or_else(|error| Err(error.into())).map_err(|Failure { error, changed }| {
        say("error", &secrets.scrub(&error.message()));
        if error.kind == Kind::InvalidArguments && !changed { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

/// Writes a message of this level to standard error. A closed standard error is no failure of the run.
fn say(level: &str, text: &str) {
    let _ = std::io::stderr().write_all(&line(&json!({ level: text })));
}

/// Writes progress to standard error as it comes. DSC shows information only on request, and warnings always.
fn progress() -> Progress {
    Progress::lines(|level, what| {
        say(
            match level {
                Level::Info => "info",
                Level::Warning => "warn",
            },
            what,
        );
    })
}

async fn tell<R: Resource>(
    operation: Operation,
    secrets: &mut Secrets,
    signals: &mut Signals,
) -> Result<Told, Failure> {
    let check = operation != Operation::Set;
    let call = Call { file: None, check, diff: false, progress, trace: Trace::default() };
    let (given, wishes) = call.read(signals).await.map_err(|error| match error.kind {
        // DSC asks so for an export by a resource that has none.
        Kind::InvalidArguments if operation == Operation::Get && error.detail.ends_with("are empty") => {
            error.hint("Name one object in the desired state. There is no export: this resource does not list objects.")
        }
        _ => error,
    })?;
    let desired = Desired::of::<R>(given, operation == Operation::Get)?;
    let performed = call.perform::<R::Module>((desired.arguments.clone(), wishes), None, secrets, signals).await;
    let (args, shown, run, ended) = match performed {
        Performed::Refused { error, .. } => return Err(error.into()),
        Performed::Ran { args, shown, run, ended } => (args, shown, run, ended),
    };
    let error = ended.failure();
    let outcomes = ended.outcomes;
    let say = |level, text: &str| say(level, &secrets.scrub(text));
    // A caller that only reads wants no warnings about a change.
    let unasked = operation == Operation::Get && !desired.asks;
    for warning in warnings::<R::Module>(&run, if unasked { &[] } else { &outcomes }) {
        say("warn", &warning);
    }
    let read = !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome.before.is_some());
    let before: Vec<Observed<R>> = outcomes.iter().filter_map(|outcome| outcome.before.clone()).collect();
    let after: Vec<Observed<R>> =
        outcomes.iter().filter_map(|outcome| outcome.after.clone().or_else(|| outcome.before.clone())).collect();
    let state = |observed: &[Observed<R>]| {
        let actual = R::actual(&args, &observed.iter().collect::<Vec<_>>());
        (Desired::is_told_by::<R>(&actual), desired.echo::<R>(shown.clone(), actual))
    };
    let (found, mut found_state) = state(&before);
    match error {
        // The state was read; only the way from there to the wanted state is barred.
        Some(error) if operation == Operation::Get && read && error.kind != Kind::Interrupted && found => {
            if !unasked || error.kind == Kind::Internal {
                say("warn", &error.message());
            }
        }
        Some(error) => {
            let changed = outcomes.iter().any(|outcome| outcome.changed);
            return Err(Failure { error, changed });
        }
        None if unasked => {}
        None => say("info", &R::Module::message(&args, &R::Module::report(&args, &outcomes), &outcomes, &run)),
    }
    Ok(match operation {
        Operation::Get => Told { state: found_state, differ: None },
        Operation::Test => {
            let settled = before.iter().all(|observed| {
                R::Module::plan(&args, observed).is_ok_and(|plan| plan.change.is_empty() && !plan.change.waits())
            });
            let differ = if settled { Vec::new() } else { desired.unlike::<R>(&shown, &found_state) };
            found_state.insert("_inDesiredState".to_owned(), json!(settled));
            Told { state: found_state, differ: Some(differ) }
        }
        Operation::Set | Operation::WhatIf => {
            let (_, state) = state(&after);
            let names = found_state.keys().chain(state.keys().filter(|name| !found_state.contains_key(*name)));
            let changed = names.filter(|name| found_state.get(*name) != state.get(*name));
            let mut changed: Vec<String> = changed.cloned().collect();
            changed.sort();
            Told { differ: Some(changed), state }
        }
    })
}
