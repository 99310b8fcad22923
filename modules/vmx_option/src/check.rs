//! Rules between arguments that a schema cannot express.

use std::collections::BTreeMap;
use std::path::Path;

use contract::{Arguments, Rule, Scalar};
use serde_json::{Map, Value};
use vsphere_module::Connection;

use crate::args::{Args, State};
use crate::options::text;

impl Arguments for Args {
    const RULES: &'static [Rule] = &[
        Rule::ExactlyOne(&["name", "uuid", "moid", "path"]),
        vsphere_module::INSTANCE_UUID_NEEDS_UUID,
        vsphere_module::FOLDER_NEEDS_NAME,
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
        Rule::Needs("backup", "path"),
        Rule::Needs("follow", "path"),
        Rule::Needs("reload", "path"),
    ];

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn needs_no_server(given: &Map<String, Value>) -> bool {
        given.contains_key("path")
    }

    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        if given.contains_key("path") { Vec::new() } else { vec![vsphere_module::CONNECTION_NEEDED] }
    }

    fn check(&self) -> Vec<String> {
        let mut problems = match (&self.path, &self.connection) {
            (Some(path), _) => path_problems(path),
            (None, connection) => connection.iter().flat_map(Connection::problems).collect(),
        };
        problems.extend(option_problems(&self.options, self.state));
        problems
    }
}

pub fn option_problems(options: &BTreeMap<String, Scalar>, state: State) -> Vec<String> {
    let mut problems = Vec::new();
    if options.is_empty() {
        problems.push("`options`: give at least one option".to_owned());
    }
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in options {
        if key.is_empty()
            || !key.is_ascii()
            || key.contains(|character: char| {
                character.is_whitespace() || character.is_control() || "=#\"".contains(character)
            })
        {
            problems.push(format!("`options`: `{}` is not the name of a VMX option", key.escape_debug()));
        }
        if let Some(other) = seen.insert(key.to_ascii_lowercase(), key) {
            problems
                .push(format!("`options`: `{other}` and `{key}` are the same option: names are not case-sensitive"));
        }
        if state == State::Present && text(value).is_empty() {
            problems.push(format!(
                "`options`: `{key}` has no value; vSphere treats an empty value as none: use `state: absent` to remove the option"
            ));
        }
    }
    problems
}

fn path_problems(path: &Path) -> Vec<String> {
    let text = path.to_string_lossy();
    if text.starts_with('[') {
        return vec![format!(
            "`path`: {text} is a datastore path. Give a file path, such as /vmfs/volumes/datastore1/inner/inner.vmx, or set `name` to use the API"
        )];
    }
    if text.starts_with('~') {
        return vec!["`path`: `~` is not expanded; give the whole path".to_owned()];
    }
    Vec::new()
}
