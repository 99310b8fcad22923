//! The host on whose shell this runs, through esxcli or esxcfg-advcfg.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use contract::{Applied, Error, Kind, Run, Scalar};
use esxcli::{AdvancedOption, Shell, Tool, Value};
use vsphere::{OptionDef, OptionKind};

use crate::args::{Args, Missing};
use crate::plan::{Change, Found, Observed, To, api_name};

/// The host that this runs on.
pub struct LocalHost {
    /// The name that this machine gives itself.
    pub name: String,
    shell: Shell,
    /// Until when its tools are waited for.
    deadline: Instant,
    /// The options as they were read last: they know which tool writes them, and how.
    seen: RefCell<BTreeMap<String, AdvancedOption>>,
}

impl LocalHost {
    /// The tools on PATH, if there are any.
    pub fn find(deadline: Instant) -> Result<Self, Error> {
        let shell = tools().ok_or_else(|| {
            Error::new(Kind::Unsupported, "neither esxcli nor esxcfg-advcfg is on PATH: this is not an ESXi shell")
                .hint("Run the module on an ESXi host, or set `hostname` to use the API.")
        })?;
        Ok(Self {
            name: gethostname::gethostname().to_string_lossy().into_owned(),
            shell,
            deadline,
            seen: RefCell::default(),
        })
    }
}

/// The tools of the shell that this runs on.
pub fn tools() -> Option<Shell> {
    Shell::on_path(std::env::var_os("PATH").as_deref())
}

/// The shell's name of an option: the API's `Migrate.VMotionStreamDisable` is `/Migrate/VMotionStreamDisable` there.
fn path(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

pub async fn observe(args: &Args, host: &LocalHost) -> Result<Observed, Error> {
    let mut options = Vec::new();
    for (asked, wanted) in &args.options {
        let key = api_name(asked);
        let option = host.shell.option(&path(&key), host.deadline).await.map_err(|error| failure(&error))?;
        let similar = match &option {
            None if args.missing == Missing::Fail => similar(&host.shell, &key, host.deadline).await,
            None => None,
            Some(option) => {
                host.seen.borrow_mut().insert(key.clone(), option.clone());
                None
            }
        };
        options.push(found(key, option, similar, wanted));
    }
    Ok(Observed { host: host.name.clone(), build: "its build".to_owned(), resets: true, options })
}

/// The nearest name that the host does have. Only for an error's sake, so that it never is one itself.
async fn similar(shell: &Shell, key: &str, deadline: Instant) -> Option<String> {
    let deadline = deadline.min(Instant::now() + Duration::from_secs(10));
    let all: Vec<String> = shell.all(deadline).await.ok()?.iter().map(|path| api_name(path)).collect();
    contract::nearest(key, all.iter().map(String::as_str)).map(str::to_owned)
}

fn found(key: String, option: Option<AdvancedOption>, similar: Option<String>, wanted: &Scalar) -> Found {
    let Some(option) = option else { return Found { key, value: None, definition: None, similar } };
    let typed = option.tool == Tool::Esxcli;
    let kind = match &option.value {
        // esxcfg-advcfg does not print the type, so text that looks like a number equals only a number.
        Value::Integer(_) if typed || wanted.to_string().trim().parse::<i64>().is_ok() || *wanted == Scalar::Null => {
            "long"
        }
        Value::Text(_) | Value::Integer(_) => "string",
    };
    let definition = typed.then(|| OptionDef { key: key.clone(), read_only: false, kind: definition(&option) });
    Found {
        value: Some(vsphere::TypedValue { kind: kind.to_owned(), text: option.value.to_string() }),
        key,
        definition,
        similar,
    }
}

fn definition(option: &AdvancedOption) -> OptionKind {
    match (&option.value, &option.default) {
        (Value::Integer(_), Some(Value::Integer(default))) => {
            let (min, max) = option.range.unwrap_or((i64::MIN, i64::MAX));
            OptionKind::Long { min, max, default: *default }
        }
        (Value::Text(_), Some(default)) => {
            OptionKind::Text { default: default.to_string(), valid_characters: option.valid_characters.clone() }
        }
        _ => OptionKind::Other(String::new()),
    }
}

pub async fn apply(host: &LocalHost, change: &Change, run: &Run) -> Result<Applied, Error> {
    for write in &change.0 {
        run.progress.waiting(&format!("setting {}", write.key));
        // Every planned option was observed.
        let Some(option) = host.seen.borrow().get(&write.key).cloned() else { continue };
        let written = match &write.to {
            To::Value(value) => host.shell.set(&option, &typed(value), host.deadline).await,
            To::Default(_) => host.shell.reset(&option, host.deadline).await,
        };
        written.map_err(|error| {
            let unsettled = error.unsettled();
            let mut error = failure(&error);
            error.detail.insert_str(0, &format!("setting {}: ", write.key));
            if unsettled { error.unsettled() } else { error }
        })?;
    }
    Ok(Applied::Done)
}

fn typed(value: &vsphere::TypedValue) -> Value {
    match value.text.parse() {
        Ok(number) if value.kind == "long" => Value::Integer(number),
        _ => Value::Text(value.text.clone()),
    }
}

fn failure(error: &esxcli::Error) -> Error {
    let failure = |kind| Error::new(kind, error.to_string());
    match error {
        esxcli::Error::Timeout { .. } | esxcli::Error::NoTime { .. } => {
            failure(Kind::Timeout).hint("Check that hostd runs on this host, or set a longer `timeout`.")
        }
        esxcli::Error::Missing { .. } => failure(Kind::Unsupported),
        esxcli::Error::Start { .. } | esxcli::Error::Lost { .. } => failure(Kind::Io),
        _ => failure(Kind::Fault),
    }
}
