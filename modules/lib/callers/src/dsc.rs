//! The module as a command resource of Microsoft DSC v3: desired state in, actual state out.
//!
//! DSC names the operation on the command line, gives the desired state on standard input and takes one JSON document, the
//! state, from standard output, which has to be valid by the manifest's schema. On failure it reads standard error, where
//! JSON lines `{"error": …}`, `{"warn": …}` and `{"info": …}` are messages of their levels.

mod desired;
mod manifest;

use std::io::Write;
use std::process::ExitCode;

use contract::service::{Call, Performed, Runtime, Secrets, Signals, line, warnings};
use contract::{Change, Error, Kind, Level, Module, Outcome, Progress};
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

/// Reads the desired state from standard input and answers with the actual one.
///
/// A failure goes to standard error; its exit status is returned.
pub fn run<R: Resource>(operation: Operation, runtime: Result<Runtime, Error>) -> Result<State, ExitCode> {
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
) -> Result<State, Failure> {
    let check = operation != Operation::Set;
    let call = Call { file: None, check, diff: false, progress };
    let (given, wishes) = call.read(signals).await?;
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
    let before = |outcome: &Outcome<R::Module>| outcome.before.clone();
    let observed: Vec<<R::Module as Module>::Observed> = match operation {
        Operation::Get | Operation::Test => outcomes.iter().filter_map(before).collect(),
        Operation::Set | Operation::WhatIf => {
            outcomes.iter().filter_map(|outcome| outcome.after.clone().or_else(|| before(outcome))).collect()
        }
    };
    let actual = R::actual(&args, &observed.iter().collect::<Vec<_>>());
    match error {
        // The state was read; only the way from there to the wanted state is barred.
        Some(error)
            if operation == Operation::Get
                && read
                && error.kind != Kind::Interrupted
                && Desired::is_told_by::<R>(&actual) =>
        {
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
    let mut state = desired.echo::<R>(shown, actual);
    if operation == Operation::Test {
        let settled = observed.iter().all(|observed| {
            R::Module::plan(&args, observed).is_ok_and(|plan| plan.change.is_empty() && !plan.change.waits())
        });
        state.insert("_inDesiredState".to_owned(), json!(settled));
    }
    Ok(state)
}
