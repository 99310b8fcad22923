//! Writes the manual pages and the shell completions of a release: `pages FOLDER`.
//!
//! `modules/dist` runs it. The programs that users get do not contain what this needs.

use std::fmt::Write;
use std::fs::{self, create_dir_all};
use std::io::Result;
use std::path::Path;

use clap::{Arg, ArgAction, Command};
use clap_complete::{Shell, generate_to};

#[path = "../src/modules.rs"]
mod modules;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).expect("usage: pages FOLDER");
    let folder = Path::new(&folder);
    let all: Vec<Command> = modules::MODULES.iter().map(|module| module.command()).collect();
    create_dir_all(folder.join("man/man1"))?;
    for mut command in all.iter().cloned().chain([nested_vft(&all)]) {
        let name = command.get_name().to_owned();
        fs::write(folder.join(format!("man/man1/{name}.1")), manual(&command)?)?;
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let completions = folder.join("completions").join(shell.to_string());
            create_dir_all(&completions)?;
            generate_to(shell, &mut command, &name, completions)?;
        }
    }
    Ok(())
}

/// Describes the command line of the program with all modules, which `main.rs` reads without clap.
fn nested_vft(modules: &[Command]) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new("nested_vft")
        .version(env!("CARGO_PKG_VERSION"))
        .about("All modules of nested-vft in one program")
        .after_help("A link to this program with the name of a module runs that module.")
        .disable_help_subcommand(true)
        .arg(flag("list", "Print the names of the modules, one per line"))
        .subcommand(
            Command::new("sessions")
                .about("List the sessions that `session_cache` keeps")
                .arg(flag("close", "End the sessions")),
        )
        .subcommands(modules.iter().cloned())
}

/// Returns the manual page of a program. It lists all subcommands itself, because they have no pages of their own.
fn manual(command: &Command) -> Result<String> {
    const HEADING: &str = ".SH SUBCOMMANDS\n";
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    let page = String::from_utf8(page).expect("help texts are UTF-8");
    let mut listed = String::new();
    // The modules have pages of their own, which list their subcommands.
    let depth = if command.get_name() == "nested_vft" { 1 } else { 2 };
    list(command, command.get_name(), depth, &mut listed);
    let (before, after) = page.split_once(HEADING).expect("every program has subcommands");
    let after = after.find(".SH ").map_or("", |end| &after[end..]);
    Ok(format!("{before}{HEADING}{listed}{after}"))
}

/// Lists the subcommands that have none below them, or that are `depth` levels down.
fn list(command: &Command, path: &str, depth: usize, listed: &mut String) {
    for sub in command.get_subcommands() {
        let path = format!("{path} {}", sub.get_name());
        if sub.has_subcommands() && depth > 1 {
            list(sub, &path, depth - 1, listed);
        } else {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = write!(listed, ".TP\n{path}\n{about}\n");
        }
    }
}
