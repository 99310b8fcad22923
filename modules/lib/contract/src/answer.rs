//! The answer to a call: one JSON object, and an exit status.

use std::io;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::FutureExt;

use serde_json::{Map, Value, json};

use crate::call::{Call, Performed};
use crate::error::full_stop;
use crate::group::group;
use crate::input::Document;
use crate::runtime::Signals;
use crate::schema::{Invocation, OneDiff, TextDiff};
use crate::secret::Secrets;
use crate::shared::Shared;
use crate::steps::Ended;
use crate::{Error, Kind, Module, Observed, Outcome, Run, output, system};

/// Time limit for printing a result after a signal.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Size from which a report stays text, in bytes. As a [`Value`] it takes ten times as much memory.
const LARGE: usize = 1 << 16;

/// A result, and the kind of failure in it, if there is one.
pub struct Answer {
    /// The JSON object.
    pub result: Map<String, Value>,
    /// A large report: more keys of the JSON object, as the text of an object of their own.
    report: Option<Vec<u8>>,
    /// The kind of failure.
    pub kind: Option<Kind>,
}

impl Answer {
    /// Runs `document` and answers it, whatever happens. `shared` holds what earlier runs left open.
    pub async fn of<M: Module>(
        call: &Call,
        document: Document,
        shared: Option<&Rc<Shared>>,
        signals: &mut Signals,
    ) -> Self {
        let mut secrets = Secrets::default();
        let answered = async { Self::to(call.perform::<M>(document, shared, &mut secrets, signals).await) };
        let answered = AssertUnwindSafe(answered).catch_unwind().await;
        let mut answer = answered.unwrap_or_else(|panic| Self::refused::<M>(&Error::defect(&*panic)));
        secrets.scrub_result(&mut answer.result);
        answer
    }

    /// Answers a call that came to an end.
    pub(crate) fn to<M: Module>(performed: Performed<M>) -> Self {
        match performed {
            Performed::Refused { error, shown, no_log } => {
                let mut answer = Self::refused::<M>(&error);
                answer.add_invocation(shown, Vec::new(), no_log);
                answer
            }
            Performed::Ran { args, shown, run, ended } => {
                let mut answer = conclude::<M>(&args, &run, ended);
                answer.add_invocation(shown, run.traced(), run.no_log);
                answer
            }
        }
    }

    /// Answers a call that never began to run.
    pub fn refused<M: Module>(error: &Error) -> Self {
        let mut result = start(false, true, &error.message());
        let report = add(&mut result, M::Report::default());
        result.insert("error".to_owned(), json!(error));
        Self { result, report, kind: Some(error.kind) }
    }

    fn add_invocation(&mut self, module_args: Map<String, Value>, trace: Vec<String>, no_log: bool) {
        if !no_log {
            self.result.insert("invocation".to_owned(), json!(Invocation { module_args, trace }));
        }
    }

    /// Writes it to standard output. After a signal, does not wait for a reader that has stopped reading: the error is then
    /// [`TimedOut`](io::ErrorKind::TimedOut).
    pub async fn print(&self, signals: &mut Signals) -> io::Result<()> {
        let printing = system::print(self.line());
        tokio::pin!(printing);
        tokio::select! {
            printed = &mut printing => printed,
            // It may be the signal that this is the answer to, or one that came before.
            _ = signals.received() => tokio::time::timeout(LAST_WORD, printing).await?,
        }
    }

    /// Returns it as one line of ASCII.
    fn line(&self) -> Vec<u8> {
        let mut line = output::line(&self.result);
        if let Some(report) = &self.report {
            // Both are objects that end in a newline, and neither is empty.
            line.truncate(line.len() - 2);
            line.push(b',');
            line.extend_from_slice(&report[1..]);
        }
        line
    }

    /// The exit status.
    pub fn status(&self) -> ExitCode {
        match self.kind {
            None => ExitCode::SUCCESS,
            Some(_) if self.invalid() => ExitCode::from(2),
            Some(_) => ExitCode::FAILURE,
        }
    }

    /// True if the arguments were not valid and nothing was changed.
    pub fn invalid(&self) -> bool {
        self.kind == Some(Kind::InvalidArguments) && self.result.get("changed") != Some(&json!(true))
    }
}

/// The result of a run that began.
fn conclude<M: Module>(args: &M::Args, run: &Run, ended: Ended<M>) -> Answer {
    let error = ended.failure();
    let Ended { outcomes, .. } = ended;
    let changed = outcomes.iter().any(|outcome| outcome.changed);
    let kind = error.as_ref().map(|error| error.kind);
    let report = if outcomes.is_empty() && error.is_some() { M::Report::default() } else { M::report(args, &outcomes) };
    let warnings = warnings(run, &outcomes);
    let message = error.as_ref().map_or_else(|| M::message(args, &report, &outcomes, run), Error::message);
    let mut result = start(changed, kind.is_some(), &full_stop(&message));
    result.insert("predicted".to_owned(), json!(run.check && changed));
    let report = add(&mut result, report);
    if let Some(error) = error {
        result.insert("error".to_owned(), json!(error));
    }
    if !warnings.is_empty() {
        result.insert("warnings".to_owned(), json!(warnings));
    }
    if run.diff && !run.no_log && changed {
        let mut diffs: Vec<Value> = outcomes.iter().filter(|outcome| outcome.changed).filter_map(diff).collect();
        let diff = if outcomes.len() == 1 { diffs.pop() } else { Some(json!(diffs)) };
        if let Some(diff) = diff {
            result.insert("diff".to_owned(), diff);
        }
    }
    Answer { result, report, kind }
}

/// Returns the warnings for the user, each once.
pub fn warnings<M: Module>(run: &Run, outcomes: &[Outcome<M>]) -> Vec<String> {
    // One that does not name its target is about all of them.
    let own = outcomes.iter().flat_map(|outcome| {
        let label = M::label(&outcome.target, outcome.before.as_ref());
        let named = |text: &String| (if text.contains(&label) { label.clone() } else { String::new() }, text.clone());
        outcome.warnings.iter().map(named).collect::<Vec<_>>()
    });
    let general = run.warnings().into_iter().map(|text| (String::new(), text));
    let mut told: Vec<(String, String)> = Vec::new();
    for (name, text) in general.chain(own) {
        let one = (name, full_stop(&text));
        if !told.contains(&one) {
            told.push(one);
        }
    }
    group(&told).iter().map(|text| full_stop(text)).collect()
}

fn diff<M: Module>(outcome: &Outcome<M>) -> Option<Value> {
    let (before, after) = (outcome.before.as_ref()?, outcome.after.as_ref()?);
    if let Some(prepared) = before.unified(after) {
        return Some(json!(TextDiff { prepared }));
    }
    let label = M::label(&outcome.target, Some(before));
    Some(json!(OneDiff {
        before_header: format!("{label} (before)"),
        after_header: format!("{label} (after)"),
        before: before.view(),
        after: after.view(),
    }))
}

impl<M: Module> Ended<M> {
    /// The failure of the whole run, if it failed.
    pub fn failure(&self) -> Option<Error> {
        self.error.clone().or_else(|| overall(&self.outcomes))
    }
}

/// The number of causes that `msg` names; the module's own keys have all of them.
const TOLD: usize = 5;

/// The failure of the whole run: that of its one target that failed, or a count with each cause.
fn overall<M: Module>(outcomes: &[Outcome<M>]) -> Option<Error> {
    let failed: Vec<(String, &Error)> = outcomes
        .iter()
        .filter_map(|outcome| Some((M::label(&outcome.target, outcome.before.as_ref()), outcome.error.as_ref()?)))
        .collect();
    let (_, first) = failed.first()?;
    let mut error = (*first).clone();
    if outcomes.len() > 1 {
        let details: Vec<_> = failed.iter().map(|(label, error)| (label.clone(), error.detail.clone())).collect();
        let causes = group(&details);
        let more = causes.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; and {more} more causes") } else { String::new() };
        let told = causes.into_iter().take(TOLD).collect::<Vec<_>>().join("; ");
        error.detail = format!("{} of {} failed: {told}{more}", failed.len(), outcomes.len());
    }
    Some(error)
}

fn start(changed: bool, failed: bool, msg: &str) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("changed".to_owned(), json!(changed));
    result.insert("failed".to_owned(), json!(failed));
    result.insert("msg".to_owned(), json!(msg));
    result.insert("predicted".to_owned(), json!(false));
    result
}

/// Adds the keys of a report. Returns its text instead if it is large and has no errors, in which secrets must be hidden.
fn add<R: serde::Serialize>(result: &mut Map<String, Value>, report: R) -> Option<Vec<u8>> {
    let text = output::line(&report);
    let key = br#""error":"#;
    if text.len() > LARGE && !text.windows(key.len()).any(|part| part == key) {
        return Some(text);
    }
    if let Ok(Value::Object(own)) = serde_json::to_value(report) {
        result.extend(own);
    }
    None
}
