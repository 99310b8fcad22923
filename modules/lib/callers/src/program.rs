//! A module as a program: the one place that prints and exits.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use contract::service::{Answer, Call, Runtime, Signals, Trace, TraceFile, arguments, documentation, line, result};
use contract::{Error, Kind, Module, Progress};
use serde_json::Value;

use crate::command::command;
use crate::dsc::Operation;
use crate::output::is_written;
use crate::{Resource, bolt, difference, dsc, misuse, salt, series};

/// A module as a program.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The module's name.
    pub name: &'static str,
    run: fn(Option<Dsc>, Vec<OsString>) -> ExitCode,
    command: fn(bool) -> Command,
    dsc: Option<Dsc>,
}

impl Program {
    /// Makes a program of a module.
    pub const fn of<M: Module>() -> Self {
        Self { name: M::ABOUT.name, run: run::<M>, command: command::<M>, dsc: None }
    }

    /// Makes a program of a module that is a resource too.
    pub const fn resource<R: Resource>() -> Self {
        let dsc = Dsc { run: dsc::run::<R>, manifest: dsc::manifest::<R> };
        Self { dsc: Some(dsc), ..Self::of::<R::Module>() }
    }

    /// Runs the program as it was called.
    ///
    /// Exit status: 0 done, changed or not; 1 failed; 2 the arguments were not valid and nothing was changed.
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os().collect())
    }

    /// Describes the command line, for manual pages and completions.
    pub fn command(self) -> Command {
        (self.command)(self.dsc.is_some())
    }

    /// Runs the program with these words, the first of which is its own name.
    pub fn run(self, words: Vec<OsString>) -> ExitCode {
        (self.run)(self.dsc, words)
    }
}

/// A module as a resource of DSC.
#[derive(Debug, Clone, Copy)]
struct Dsc {
    run: fn(Operation, Result<Runtime, Error>) -> Result<dsc::Told, ExitCode>,
    manifest: fn() -> Value,
}

fn run<M: Module>(dsc: Option<Dsc>, words: Vec<OsString>) -> ExitCode {
    #[cfg(feature = "fuzzing")]
    if let [_, flag, document] = &words[..]
        && flag == "--fuzz"
    {
        contract::invariants::document::<M>(document.as_encoded_bytes());
        return ExitCode::SUCCESS;
    }
    // The result reports a panic. Rust's own message would go to standard error, which over ssh is standard output.
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = Runtime::start();
    let misused = |error: Error| {
        let _ = writeln!(io::stderr(), "error: {}", error.message());
        answer(&Answer::refused::<M>(&error))
    };
    if let Some(error) = misuse::of(M::ABOUT.name, dsc.is_some(), &words) {
        return misused(error);
    }
    let matches = match command::<M>(dsc.is_some()).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return print(error.render().to_string().as_bytes()),
        Err(error) => {
            if let Some(error) = misuse::parsed(&error) {
                return misused(error);
            }
            let _ = write!(io::stderr(), "{}", error.render());
            let text = error.render().to_string();
            // The error without the usage after it.
            let wrong: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let wrong = wrong.join(" ").trim_start_matches("error: ").to_owned();
            return answer(&Answer::refused::<M>(&Error::new(Kind::InvalidArguments, wrong)));
        }
    };
    if let Some(which) = matches.get_one::<String>("schema") {
        let schema = if which == "args" { arguments::<M>() } else { result::<M>() };
        return print(format!("{schema:#}\n").as_bytes());
    }
    if matches.get_flag("doc") {
        return print(documentation::<M>().as_bytes());
    }
    match (matches.subcommand(), dsc) {
        (Some(("dsc", matches)), Some(dsc)) => return dsc_operation::<M>(dsc, matches, runtime),
        (Some(_), _) => return print(format!("{:#}\n", bolt::metadata::<M>()).as_bytes()),
        (None, _) => {}
    }
    let file = matches.get_one::<PathBuf>("ARGS").cloned().filter(|path| path != "-");
    if !matches.contains_id("ARGS")
        && let Some(status) = nothing_to_read::<M>(dsc.is_some())
    {
        return status;
    }
    let trace = matches.get_one::<PathBuf>("trace").map(|path| TraceFile::create(path)).transpose();
    let ended = runtime.and_then(|runtime| {
        let trace = Trace { verbose: matches.get_flag("verbose"), file: trace? };
        let (check, diff) = (matches.get_flag("check"), matches.get_flag("diff"));
        let call = Call { file, check, diff, progress: Progress::on_stderr, trace };
        if matches.get_flag("jsonl") {
            return series::run::<M>(&call, runtime);
        }
        runtime.block_on(async |signals| {
            let answer = one::<M>(&call, signals).await;
            if diff && io::stderr().is_terminal() {
                difference::show(&answer);
            }
            let answer = if matches.get_flag("salt") { salt::answer(answer) } else { answer };
            if is_written(&answer.print(signals).await) { answer.status() } else { ExitCode::FAILURE }
        })
    });
    ended.unwrap_or_else(|error| answer(&Answer::refused::<M>(&error)))
}

/// Reads one document and answers it.
async fn one<M: Module>(call: &Call, signals: &mut Signals) -> Answer {
    let (mut given, wishes) = match call.read(signals).await {
        Ok(document) => document,
        Err(error) => return Answer::refused::<M>(&error),
    };
    if call.file.is_some() || !bolt::called(&given) {
        return Answer::of::<M>(call, (given, wishes), None, signals).await;
    }
    bolt::answer(match bolt::call::<M>(call, &mut given) {
        Ok(call) => Answer::of::<M>(&call, (given, wishes), None, signals).await,
        Err(error) => Answer::refused::<M>(&error),
    })
}

/// On a terminal there is no document to read: prints the help instead.
fn nothing_to_read<M: Module>(is_resource: bool) -> Option<ExitCode> {
    io::stdin().is_terminal().then(|| {
        let _ = writeln!(io::stderr(), "{}", command::<M>(is_resource).render_help());
        ExitCode::from(2)
    })
}

fn dsc_operation<M: Module>(dsc: Dsc, matches: &ArgMatches, runtime: Result<Runtime, Error>) -> ExitCode {
    let operation = match matches.subcommand() {
        Some(("get", _)) => Operation::Get,
        Some(("test", _)) => Operation::Test,
        Some(("set", set)) if set.get_flag("what-if") => Operation::WhatIf,
        Some(("set", _)) => Operation::Set,
        _ => return print(format!("{:#}\n", (dsc.manifest)()).as_bytes()),
    };
    if let Some(status) = nothing_to_read::<M>(true) {
        return status;
    }
    match (dsc.run)(operation, runtime) {
        Ok(told) => {
            let mut lines = line(&told.state);
            lines.extend(told.differ.iter().flat_map(line));
            print(&lines)
        }
        Err(status) => status,
    }
}

/// Prints the result; the kind of failure decides the exit status.
fn answer(answer: &Answer) -> ExitCode {
    let written = io::stdout().write_all(&line(&answer.result));
    if is_written(&written) { answer.status() } else { ExitCode::FAILURE }
}

fn print(bytes: &[u8]) -> ExitCode {
    let written = io::stdout().write_all(bytes);
    // `host_option --doc | head` is no failure of this program.
    let cut = written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if cut || is_written(&written) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
