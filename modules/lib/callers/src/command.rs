//! The arguments and flags of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};
use contract::service::{Field, arguments_internal, fields, unmarked};
use contract::{About, Arguments, Change, Module, Rule};

/// Describes the command line of a module, which may be a resource of DSC too.
pub fn command<M: Module>(is_resource: bool) -> Command {
    let command = Command::new(M::ABOUT.name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(M::ABOUT.summary)
        .after_help(format!("{CALLING}\n--help lists the arguments."))
        .after_long_help(format!(
            "{CALLING}\n\n{}\n{}",
            listed(&fields(&arguments_internal::<M>()), M::Args::RULES),
            example::<M>()
        ))
        .arg(
            Arg::new("ARGS")
                .value_parser(value_parser!(PathBuf))
                .help("JSON file with the arguments; '-' or nothing: standard input"),
        )
        .arg(flag("check", "Report what would change, without changing it"))
        .arg(flag("diff", "Report the state before and after; on a terminal, show the difference too (not with --jsonl)"))
        .arg(flag("verbose", "Show each request and the time it took, on standard error").short('v'))
        .arg(
            Arg::new("trace")
                .long("trace")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Write all messages to a new FILE, for a bug report. It has names, addresses and options of your lab: read it before you send it"),
        )
        .arg(flag("jsonl", "Read one JSON object per line and answer each with one line, all in one session"))
        .arg(flag("salt", "Print the result for Salt's stateful commands, with a `comment`").conflicts_with("jsonl"))
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
                .about("Support Puppet Bolt; a call by Bolt is detected without this")
                .subcommand_required(true)
                .disable_help_subcommand(true)
                .subcommand(Command::new("metadata").about("Print the metadata of the task")),
        );
    if !is_resource {
        return command;
    }
    command.subcommand(
        Command::new("dsc")
            .about("Act as a resource of Microsoft DSC v3: desired state in, actual state out")
            .subcommand_required(true)
            .disable_help_subcommand(true)
            .subcommand(Command::new("get").about("Print the actual state"))
            .subcommand(Command::new("test").about("Print the actual state, and whether it is the desired state"))
            .subcommand(
                Command::new("set")
                    .about("Set the desired state")
                    .arg(flag("what-if", "Report what the actual state would be, without changing it").short('w')),
            )
            .subcommand(Command::new("manifest").about("Print the resource manifest")),
    )
}

/// How every module is called.
const CALLING: &str = "Reads one JSON object of arguments from the file ARGS or from standard input, and prints the result as one JSON\n\
     object on one line of standard output. Exit status: 0 done (changed or not), 1 failed, 2 arguments not valid.";

/// Lists the arguments, each with the variable of the environment that can give it, and the rules about them.
fn listed(fields: &[Field], rules: &[Rule]) -> String {
    let mut text = "Keys of the JSON object (* is required):\n".to_owned();
    for field in fields {
        let mark = if field.required { "*" } else { "" };
        let (first, _) = field.description.split_once(". ").unwrap_or((&field.description, ""));
        let choices: Vec<&str> = field.choices.iter().map(|(name, _)| name.as_str()).collect();
        let choices = if choices.is_empty() { String::new() } else { format!(" [{}]", choices.join(", ")) };
        let variable = field.env.as_ref().map(|name| format!(" [env: {name}]")).unwrap_or_default();
        let first = unmarked(first.trim_end_matches('.').lines().next().unwrap_or_default());
        let name = format!("{}{mark}", field.name);
        text.push_str(&[&*format!("  {name:18} {first}."), &*choices, &variable, "\n"].concat());
    }
    for rule in rules {
        text.extend(["  ", &rule.sentence(|name| format!("`{name}`")), "\n"]);
    }
    text
}

/// Returns a call, as an example.
fn example<M: Module>() -> String {
    let About { name, example, .. } = M::ABOUT;
    let flags = if M::Change::EVER { " --check --diff" } else { "" };
    let (host, user) = ("vcenter.lab.example", "administrator@vsphere.local");
    if cfg!(windows) {
        format!(
            "Example in PowerShell:\n  $env:VMWARE_HOST = '{host}'; $env:VMWARE_USER = '{user}'\n  \
             $env:VMWARE_PASSWORD = (Get-Credential {user}).GetNetworkCredential().Password\n  '{example}' | {name}{flags}"
        )
    } else {
        format!(
            "Example:\n  export VMWARE_HOST={host} VMWARE_USER={user}\n  \
             read -rs VMWARE_PASSWORD && export VMWARE_PASSWORD\n  echo '{example}' | {name}{flags}"
        )
    }
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}
