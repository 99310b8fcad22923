//! The command line, the same for every module, and the one place that prints and exits.

mod answer;
mod call;
mod runtime;
mod series;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};

use self::answer::Answer;
use self::call::Call;
use crate::{Error, Kind, Module, doc, output, schema};

/// Runs the module as a program: the whole of its `main`.
///
/// Exit status: 0 done, changed or not; 1 failed; 2 the arguments were not valid and nothing was changed.
pub fn main<M: Module>() -> ExitCode {
    main_from::<M>(std::env::args_os().collect())
}

/// Runs the module as a program that was called as `args` say; the first is the program itself.
pub fn main_from<M: Module>(args: Vec<OsString>) -> ExitCode {
    // A panic is told in the result. Its own message would go to standard error, which over ssh is standard output.
    std::panic::set_hook(Box::new(|_| {}));
    let matches = match command::<M>().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => return print(error.render().to_string().as_bytes()),
        Err(error) => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return answer(&Answer::refused::<M>(&Error::new(Kind::InvalidArguments, first)));
        }
    };
    if let Some(which) = matches.get_one::<String>("schema") {
        let schema = if which == "args" { schema::arguments::<M>() } else { schema::result::<M>() };
        return print(format!("{schema:#}\n").as_bytes());
    }
    if matches.get_flag("doc") {
        return print(doc::document::<M>().as_bytes());
    }
    let file = matches.get_one::<String>("ARGS").cloned().filter(|path| path != "-");
    if file.is_none() && !matches.contains_id("ARGS") && std::io::stdin().is_terminal() {
        let _ = writeln!(std::io::stderr(), "{}", command::<M>().render_help());
        return ExitCode::from(2);
    }
    let call = Call { file, check: matches.get_flag("check"), diff: matches.get_flag("diff") };
    if matches.get_flag("jsonl") { series::run::<M>(&call) } else { answer(&call.answer::<M>()) }
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
        .arg(flag("jsonl", "Take a JSON object of arguments a line, and answer each with a line, over one session"))
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
