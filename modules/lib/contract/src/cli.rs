//! The command line, the same for every module, and the one place that prints and exits.

mod answer;
mod bolt;
mod call;
mod dsc;
#[cfg(any(test, feature = "fuzzing"))]
mod invariants;
mod misuse;
mod runtime;
mod series;
mod stream;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use self::answer::Answer;
use self::call::Call;
use self::dsc::Operation;
use self::runtime::Runtime;
use crate::{Error, Kind, Module, Progress, doc, output, schema};

/// Runs the module as a program: the whole of its `main`.
///
/// Exit status: 0 done, changed or not; 1 failed; 2 the arguments were not valid and nothing was changed.
pub fn main<M: Module>() -> ExitCode {
    main_from::<M>(std::env::args_os().collect())
}

/// Runs the module as a program that was called as `args` say; the first is the program itself.
pub fn main_from<M: Module>(args: Vec<OsString>) -> ExitCode {
    #[cfg(feature = "fuzzing")]
    if let [_, flag, document] = &args[..]
        && flag == "--fuzz"
    {
        invariants::document::<M>(document.as_encoded_bytes());
        return ExitCode::SUCCESS;
    }
    // A panic is told in the result. Its own message would go to standard error, which over ssh is standard output.
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = Runtime::start();
    if let Some(error) = misuse::of(M::NAME, &args) {
        let _ = writeln!(std::io::stderr(), "error: {}", error.message());
        return answer(&Answer::refused::<M>(&error));
    }
    let matches = match command::<M>().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return print(error.render().to_string().as_bytes()),
        Err(error) => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            let text = error.render().to_string();
            // What is wrong, without the usage after it.
            let wrong: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let wrong = wrong.join(" ").trim_start_matches("error: ").to_owned();
            return answer(&Answer::refused::<M>(&Error::new(Kind::InvalidArguments, wrong)));
        }
    };
    if let Some(which) = matches.get_one::<String>("schema") {
        let schema = if which == "args" { schema::arguments::<M>() } else { schema::result::<M>() };
        return print(format!("{schema:#}\n").as_bytes());
    }
    if matches.get_flag("doc") {
        return print(doc::document::<M>().as_bytes());
    }
    match matches.subcommand() {
        Some(("dsc", dsc)) => return dsc_operation::<M>(dsc, runtime),
        Some(_) => return print(format!("{:#}\n", bolt::metadata::<M>()).as_bytes()),
        None => {}
    }
    let file = matches.get_one::<PathBuf>("ARGS").cloned().filter(|path| path != "-");
    if !matches.contains_id("ARGS")
        && let Some(status) = nothing_to_read::<M>()
    {
        return status;
    }
    let progress = if file.is_some() { Progress::silent } else { Progress::on_stderr };
    let call = Call { file, check: matches.get_flag("check"), diff: matches.get_flag("diff"), progress };
    let ended = runtime.and_then(|runtime| {
        if matches.get_flag("jsonl") {
            return series::run::<M>(&call, runtime);
        }
        runtime.block_on(async |signals| {
            let answer = call.answer::<M>(signals).await;
            let answer = if matches.get_flag("salt") { answer.for_salt() } else { answer };
            if answer.print(signals).await { answer.status() } else { ExitCode::FAILURE }
        })
    });
    ended.unwrap_or_else(|error| answer(&Answer::refused::<M>(&error)))
}

/// On a terminal nobody hands anything over: whoever called is told how.
fn nothing_to_read<M: Module>() -> Option<ExitCode> {
    std::io::stdin().is_terminal().then(|| {
        let _ = writeln!(std::io::stderr(), "{}", command::<M>().render_help());
        ExitCode::from(2)
    })
}

fn dsc_operation<M: Module>(matches: &ArgMatches, runtime: Result<Runtime, Error>) -> ExitCode {
    let operation = match matches.subcommand() {
        Some(("get", _)) => Operation::Get,
        Some(("test", _)) => Operation::Test,
        Some(("set", set)) if set.get_flag("what-if") => Operation::WhatIf,
        Some(("set", _)) => Operation::Set,
        _ => return print(format!("{:#}\n", dsc::manifest::<M>()).as_bytes()),
    };
    nothing_to_read::<M>().unwrap_or_else(|| dsc::run::<M>(operation, runtime))
}

fn command<M: Module>() -> Command {
    let command = Command::new(M::NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(M::SUMMARY)
        .after_help(
            "Reads one JSON object of arguments from the file ARGS, or from standard input, and answers with one JSON\n\
             object on one line of standard output. Exit status: 0 done (changed or not), 1 failed, 2 arguments not valid.",
        )
        .arg(
            Arg::new("ARGS")
                .value_parser(value_parser!(PathBuf))
                .help("File that holds the arguments as JSON; '-' or nothing: standard input"),
        )
        .arg(flag("check", "Report what would change, and change nothing"))
        .arg(flag("diff", "Report the state before and after"))
        .arg(flag("jsonl", "Take a JSON object of arguments a line, and answer each with a line, over one session"))
        .arg(flag("salt", "Answer as a stateful command of Salt: with a `comment`").conflicts_with("jsonl"))
        .arg(
            Arg::new("schema")
                .long("schema")
                .value_name("args|result")
                .value_parser(["args", "result"])
                .help("Print the JSON Schema of the arguments or of the result"),
        )
        .arg(flag("doc", "Print the Ansible documentation as YAML"))
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("bolt")
                .about("Serve as a task of Puppet Bolt, which it does whenever Bolt calls it")
                .subcommand_required(true)
                .disable_help_subcommand(true)
                .subcommand(Command::new("metadata").about("Print the metadata of the task")),
        );
    if M::STATE.is_empty() {
        return command;
    }
    command.subcommand(
        Command::new("dsc")
            .about("Answer as a resource of Microsoft DSC v3: desired state in, actual state out")
            .subcommand_required(true)
            .disable_help_subcommand(true)
            .subcommand(Command::new("get").about("The actual state"))
            .subcommand(Command::new("test").about("The actual state, and whether it is the desired one"))
            .subcommand(
                Command::new("set")
                    .about("Make the desired state actual")
                    .arg(flag("what-if", "Only tell what the actual state would be").short('w')),
            )
            .subcommand(Command::new("manifest").about("Print the resource manifest")),
    )
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// Prints the result; the kind of failure decides the exit status.
fn answer(answer: &Answer) -> ExitCode {
    match std::io::stdout().write_all(&output::line(&answer.result)) {
        Ok(()) => answer.status(),
        Err(_) => ExitCode::FAILURE,
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
