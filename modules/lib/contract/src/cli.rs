//! The command line, the same for every module, and the one place that prints and exits.

use std::io::{IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value, json};

use crate::arguments::understand;
use crate::error::full_stop;
use crate::input::{self, Wishes};
use crate::schema::{Invocation, OneDiff, TextDiff};
use crate::secret::Secrets;
use crate::steps::{self, Ended, defect};
use crate::{Error, Kind, Module, Progress, Run, doc, output, schema};

/// Runs the module as a program: the whole of its `main`.
///
/// Exit status: 0 done, changed or not; 1 failed; 2 the arguments were not valid and nothing was changed.
pub fn main<M: Module>() -> ExitCode {
    // A panic is told in the result. Its own message would go to standard error, which over ssh is standard output.
    std::panic::set_hook(Box::new(|_| {}));
    let matches = match command::<M>().try_get_matches() {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return print(error.render().to_string().as_bytes()),
        Err(error) => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return answer(&failure::<M>(&Error::new(Kind::InvalidArguments, first)), Some(Kind::InvalidArguments));
        }
    };
    if let Some(which) = matches.get_one::<String>("schema") {
        let schema = if which == "args" { schema::arguments::<M>() } else { schema::result::<M>() };
        return print(format!("{schema:#}\n").as_bytes());
    }
    if matches.get_flag("doc") {
        return print(doc::document::<M>().as_bytes());
    }
    let file = matches.get_one::<String>("ARGS").map(String::as_str).filter(|path| *path != "-");
    if file.is_none() && !matches.contains_id("ARGS") && std::io::stdin().is_terminal() {
        let _ = writeln!(std::io::stderr(), "{}", command::<M>().render_help());
        return ExitCode::from(2);
    }
    let flags = (matches.get_flag("check"), matches.get_flag("diff"));
    let mut secrets = Secrets::default();
    let (mut result, kind) = std::panic::catch_unwind(AssertUnwindSafe(|| respond::<M>(file, flags, &mut secrets)))
        .unwrap_or_else(|panic| (failure::<M>(&defect(&*panic)), Some(Kind::Internal)));
    secrets.scrub_result(&mut result);
    answer(&result, kind)
}

fn command<M: Module>() -> Command {
    Command::new(M::NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(M::SUMMARY)
        .after_help(
            "Reads one JSON object of arguments from the file ARGS, or from standard input, and answers with one JSON\n\
             object on one line of standard output. Exit status: 0 done (changed or not), 1 failed, 2 arguments not valid.",
        )
        .arg(Arg::new("ARGS").help("File that holds the arguments as JSON; '-' or nothing: standard input"))
        .arg(flag("check", "Report what would change, and change nothing"))
        .arg(flag("diff", "Report the state before and after"))
        .arg(
            Arg::new("schema")
                .long("schema")
                .value_name("args|result")
                .value_parser(["args", "result"])
                .help("Print the JSON Schema of the arguments or of the result"),
        )
        .arg(flag("doc", "Print the Ansible documentation as YAML"))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// Reads, understands, runs, and puts the result together.
fn respond<M: Module>(
    file: Option<&str>,
    flags: (bool, bool),
    secrets: &mut Secrets,
) -> (Map<String, Value>, Option<Kind>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refused::<M>(&Error::new(Kind::Internal, format!("the run cannot be started: {error}"))),
    };
    let result = runtime.block_on(async {
        match signals() {
            Ok(signal) => respond_until::<M>(file, flags, secrets, signal).await,
            Err(error) => refused::<M>(&error),
        }
    });
    // Neither a name look-up nor a standard input that never ends may keep the program from ending.
    runtime.shutdown_background();
    result
}

async fn respond_until<M: Module>(
    file: Option<&str>,
    flags: (bool, bool),
    secrets: &mut Secrets,
    signal: impl Future<Output = &'static str>,
) -> (Map<String, Value>, Option<Kind>) {
    tokio::pin!(signal);
    let path = file.map(str::to_owned);
    let read = tokio::select! {
        read = tokio::task::spawn_blocking(move || input::read(path.as_deref())) => {
            read.unwrap_or_else(|panic| Err(Error::new(Kind::Internal, panic.to_string())))
        }
        name = &mut signal => Err(Error::new(Kind::Interrupted, format!("interrupted by {name} while reading the arguments"))),
    };
    let (given, wishes) = match read.and_then(|bytes| input::parse(&bytes)) {
        Ok(parsed) => parsed,
        Err(error) => return refused::<M>(&error),
    };
    let wishes = Wishes { check: wishes.check || flags.0, diff: wishes.diff || flags.1, ..wishes };
    let environment = |name: &str| std::env::var(name).ok();
    let understood = understand::<M>(&given, environment, wishes.no_log, secrets);
    let args = match understood.args {
        Ok(args) => args,
        Err(error) => {
            let (mut result, kind) = refused::<M>(&error);
            add_invocation(&mut result, understood.shown, Vec::new(), wishes.no_log);
            return (result, kind);
        }
    };
    let progress = if file.is_some() { Progress::silent() } else { Progress::on_stderr() };
    let run = Run::new(wishes.check, wishes.diff, wishes.no_log, wishes.verbosity, progress);
    let ended = steps::run::<M>(&args, &run, signal).await;
    run.progress.clear();
    let (mut result, kind) = conclude::<M>(&args, &run, ended);
    add_invocation(&mut result, understood.shown, run.traced(), run.no_log);
    (result, kind)
}

/// Ends with the name of the first signal that asks the run to stop.
fn signals() -> Result<impl Future<Output = &'static str>, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| Error::new(Kind::Internal, format!("signals cannot be caught: {error}")));
    let (mut term, mut int, mut hup) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => "SIGTERM",
            _ = int.recv() => "SIGINT",
            _ = hup.recv() => "SIGHUP",
        }
    })
}

/// The result of a run that began.
fn conclude<M: Module>(args: &M::Args, run: &Run, ended: Ended<M>) -> (Map<String, Value>, Option<Kind>) {
    let Ended { outcomes, error } = ended;
    let changed = outcomes.iter().any(|outcome| outcome.changed);
    let error = error.or_else(|| overall(&outcomes));
    let kind = error.as_ref().map(|error| error.kind);
    let report = if outcomes.is_empty() && error.is_some() { M::Report::default() } else { M::report(args, &outcomes) };
    let mut warnings: Vec<String> = Vec::new();
    let told = run.warnings();
    for warning in told.iter().chain(outcomes.iter().flat_map(|outcome| &outcome.warnings)) {
        let warning = full_stop(warning);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    let message = error.as_ref().map_or_else(|| M::message(args, &report, &outcomes, run), Error::message);
    let mut result = start(changed, kind.is_some(), &full_stop(&message));
    add(&mut result, report);
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
    (result, kind)
}

fn diff<M: Module>(outcome: &crate::Outcome<M>) -> Option<Value> {
    let (before, after) = (outcome.before.as_ref()?, outcome.after.as_ref()?);
    if let Some(prepared) = M::unified(before, after) {
        return Some(json!(TextDiff { prepared }));
    }
    let label = M::label(&outcome.target, Some(before));
    Some(json!(OneDiff {
        before_header: format!("{label} (before)"),
        after_header: format!("{label} (after)"),
        before: M::view(before),
        after: M::view(after),
    }))
}

/// So many failures are told in `msg`; the module's own keys have all of them.
const TOLD: usize = 5;

/// The failure of the whole run: that of its one target that failed, or a count with each one's words.
fn overall<M: Module>(outcomes: &[crate::Outcome<M>]) -> Option<Error> {
    let failed: Vec<(String, &Error)> = outcomes
        .iter()
        .filter_map(|outcome| Some((M::label(&outcome.target, outcome.before.as_ref()), outcome.error.as_ref()?)))
        .collect();
    let (_, first) = failed.first()?;
    let mut error = (*first).clone();
    if outcomes.len() > 1 {
        let told = failed.iter().take(TOLD).map(|(label, error)| {
            if error.detail.contains(label) { error.detail.clone() } else { format!("{label}: {}", error.detail) }
        });
        let more = failed.len().saturating_sub(TOLD);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let told = told.collect::<Vec<_>>().join("; ");
        error.detail = format!("{} of {} failed: {told}{more}", failed.len(), outcomes.len());
    }
    Some(error)
}

fn start(changed: bool, failed: bool, msg: &str) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("changed".to_owned(), json!(changed));
    result.insert("failed".to_owned(), json!(failed));
    result.insert("msg".to_owned(), json!(msg));
    result
}

fn add<R: serde::Serialize>(result: &mut Map<String, Value>, report: R) {
    if let Ok(Value::Object(own)) = serde_json::to_value(report) {
        result.extend(own);
    }
}

fn refused<M: Module>(error: &Error) -> (Map<String, Value>, Option<Kind>) {
    (failure::<M>(error), Some(error.kind))
}

/// The result of a run that never began.
fn failure<M: Module>(error: &Error) -> Map<String, Value> {
    let mut result = start(false, true, &error.message());
    add(&mut result, M::Report::default());
    result.insert("error".to_owned(), json!(error));
    result
}

fn add_invocation(result: &mut Map<String, Value>, module_args: Map<String, Value>, trace: Vec<String>, no_log: bool) {
    if !no_log {
        result.insert("invocation".to_owned(), json!(Invocation { module_args, trace }));
    }
}

/// Prints the result; the kind of failure decides the exit status.
fn answer(result: &Map<String, Value>, kind: Option<Kind>) -> ExitCode {
    let printed = std::io::stdout().write_all(&output::line(result));
    match kind {
        _ if printed.is_err() => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
        Some(Kind::InvalidArguments) if result.get("changed") != Some(&json!(true)) => ExitCode::from(2),
        Some(_) => ExitCode::FAILURE,
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(bytes) {
        Ok(()) => ExitCode::SUCCESS,
        // `host_option --doc | head` is no failure of this program.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
