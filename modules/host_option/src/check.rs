//! Rules between arguments that a schema cannot express.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Arguments, Rule, Scalar};
use serde_json::{Map, Value};
use vsphere_module::Connection;

use crate::args::{Access, Args, State};
use crate::plan::api_name;
use crate::shell;

impl Arguments for Args {
    const RULES: &'static [Rule] = &[
        Rule::AtMostOne(&["esxi_hostname", "cluster_name"]),
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
    ];

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn needs_no_server(given: &Map<String, Value>) -> bool {
        given.get("connection").and_then(Value::as_str) == Some("shell")
    }

    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        // The value is misspelt: the arguments that it needs are not known.
        if given.get("connection").is_some_and(Value::is_null) {
            return Vec::new();
        }
        let meant = given.get("connection").and_then(|meant| serde_json::from_value(meant.clone()).ok());
        match access(meant, given.contains_key("hostname")) {
            Access::Api => vec![vsphere_module::CONNECTION_NEEDED, vsphere_module::ONE_KIND_OF_HOST],
            Access::Shell => vec![Rule::Without(
                &["esxi_hostname", "cluster_name"],
                "on the ESXi shell, the host is the one that this program runs on",
            )],
        }
    }

    fn check(&self) -> Vec<String> {
        let mut problems = problems(&self.options, self.state);
        if let Some(server) = self.server() {
            problems.extend(server.problems());
            problems.extend(self.target.problems());
        }
        problems
    }
}

impl Args {
    /// Returns the server to connect to; none on the shell.
    pub fn server(&self) -> Option<&Connection> {
        self.server.as_ref().filter(|_| access(self.connection, true) == Access::Api)
    }
}

/// Returns the access that is meant where none was given.
fn access(given: Option<Access>, hostname: bool) -> Access {
    given.unwrap_or_else(|| if !hostname && shell::tools().is_some() { Access::Shell } else { Access::Api })
}

/// Returns the problems of the options.
pub fn problems(options: &BTreeMap<String, Scalar>, state: State) -> Vec<String> {
    let mut problems = Vec::new();
    if options.is_empty() {
        problems.push("`options`: give at least one option".to_owned());
    }
    let mut seen = BTreeSet::new();
    for (asked, value) in options {
        let key = api_name(asked);
        if key.split('.').any(str::is_empty)
            || key.contains(|one: char| one.is_whitespace() || one == '/' || one == '\0')
        {
            problems.push(format!(
                "`options`: `{}` is not the name of an option, such as Migrate.VMotionStreamDisable",
                asked.escape_debug()
            ));
        }
        if seen.contains(&key) {
            problems.push(format!("`options`: `{asked}` gives {key} a second time"));
        }
        seen.insert(key);
        if state == State::Present && *value == Scalar::Null {
            problems.push(format!("`options`: `{asked}` has no value; use `state: default` for the host's default"));
        }
    }
    problems
}
