//! `vmx_option`: VMX options of a virtual machine have these values, or are absent.
//!
//! Through the API (`vm`), or in the virtual machine's .vmx file (`file`).

mod file;
mod options;
mod vm;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use contract::{Applied, Error, Kind, Module, Outcome, Plan, Rule, Run, Scalar};
use file::{File, FileReport, Hostd};
use options::{Changes, Found};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vsphere_module::{Connection, Server, VmReport, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Option<Connection>,
    #[serde(flatten)]
    target: VmTarget,
    /// Path of the virtual machine's .vmx file, on the machine where this runs, such as
    /// V(/vmfs/volumes/datastore1/inner/inner.vmx) on an ESXi shell: the file is edited, and no server is needed.
    /// Everything in it but the options stays as it is, to the byte. The virtual machine must be powered off.
    #[schemars(with = "Option<String>", length(min = 1))]
    path: Option<PathBuf>,
    /// Whether a copy of the old file is kept beside it, named after the time (UTC): V(inner.vmx.2026-11-22_181500.bak).
    #[serde(default)]
    backup: bool,
    /// Whether the file may be a symbolic link, and what it leads to is edited.
    #[serde(default)]
    follow: bool,
    /// Whether the host is to read the file again after a change (C(vim-cmd vmsvc/reload)), without which it goes on with
    /// the options that it knows. Only on an ESXi shell.
    #[serde(default)]
    reload: bool,
    /// The options, names to values. Names are found whatever their case, and an existing one keeps its spelling.
    /// V(true) and V(TRUE) are the same value; a YAML boolean is written as V(TRUE) or V(FALSE).
    /// With O(state=absent) the values do not matter and may be empty.
    #[schemars(extend("minProperties" = 1))]
    options: BTreeMap<String, Scalar>,
    /// What is to be true.
    #[serde(default)]
    state: State,
    /// Seconds after which the run gives up waiting for vSphere, for C(vim-cmd), or for another run that writes in the same
    /// directory.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The options have these values.
    #[default]
    Present,
    /// The options are not set.
    Absent,
}

fn five_minutes() -> u64 {
    300
}

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// The virtual machine; null if it was not found, and in a run on a file.
    vm: Option<VmReport>,
    /// The file; null if it was not read, and in a run through the API.
    file: Option<FileReport>,
    /// Every option that was asked for.
    options: Vec<OptionReport>,
    /// Whether this run changed options of a virtual machine that runs. Those that are read at power-on count only after
    /// it was powered off and on again.
    needs_power_cycle: bool,
}

#[derive(Serialize, JsonSchema)]
struct OptionReport {
    /// Its name, as the virtual machine or the file spells it.
    key: String,
    /// Its value before; null if it was not set.
    before: Option<String>,
    /// Its value after this run, or as it would be had this not been a check run; null if it is not set.
    after: Option<String>,
}

struct VmxOption;

/// Where the options are.
#[allow(clippy::large_enum_variant)] // there is one a run
enum Place {
    Server(Server),
    File(File),
}

impl contract::Close for Place {
    async fn close(&self) {
        if let Self::Server(server) = self {
            contract::Close::close(server).await;
        }
    }
}

#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // there are a few a run
enum Observed {
    Vm(vm::Observed),
    File(file::Observed),
}

impl Observed {
    fn options(&self) -> &[Found] {
        match self {
            Self::Vm(vm) => &vm.options,
            Self::File(file) => &file.options,
        }
    }
}

/// What is to be written.
#[derive(Debug, Clone)]
struct Change {
    options: Changes,
    /// The file with it, where it is a file.
    edited: Option<Rc<vmx::Document>>,
    /// The number of the virtual machine whose file the host is to read again.
    reload: Option<u64>,
}

impl contract::Change for Change {
    fn is_empty(&self) -> bool {
        self.options.is_empty() && self.reload.is_none()
    }
}

impl Module for VmxOption {
    const NAME: &'static str = "vmx_option";
    const SUMMARY: &'static str = "VMX options of a virtual machine have these values, or are absent";
    const DESCRIPTION: &'static [&'static str] = &[
        "Sets or removes VMX options (extra config, advanced configuration parameters) of a virtual machine through vCenter Server or an ESXi host, and reads them back: vSphere ignores some keys without saying so, and this module does not.",
        "With O(path), where connection arguments, which C(module_defaults) may give to every task, do not matter, it edits the .vmx file of a virtual machine that is powered off instead, as on an ESXi shell: the file is replaced as a whole, so that it is the old one or the new one at any time. Its mode and owner are kept, extended attributes and ACLs are not.",
        "Options that a virtual machine reads when it is powered on take effect after it was powered off and on again; RV(needs_power_cycle) says when.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
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

    const STATE: &'static [&'static str] = &["options", "state"];

    type Args = Args;
    type Session = Place;
    type Target = ();
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn needs_no_server(given: &Map<String, Value>) -> bool {
        given.contains_key("path")
    }

    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        if given.contains_key("path") { Vec::new() } else { vec![vsphere_module::CONNECTION_NEEDED] }
    }

    fn check(args: &Args) -> Vec<String> {
        let mut problems = match (&args.path, &args.connection) {
            (Some(path), _) => file::problems(path),
            (None, connection) => connection.iter().flat_map(Connection::problems).collect(),
        };
        problems.extend(options::problems(&args.options, args.state));
        problems
    }

    async fn open(args: &Args, run: &Run) -> Result<Place, Error> {
        match (&args.path, &args.connection) {
            (Some(path), _) => Ok(Place::File(File::new(args, path, run.deadline(args.timeout)))),
            (None, Some(connection)) => connection.open(run, args.timeout).await.map(Place::Server),
            (None, None) => Err(Error::new(Kind::InvalidArguments, "give `hostname`, or `path`")),
        }
    }

    async fn targets(_: &Args, _: &Place) -> Result<Vec<()>, Error> {
        Ok(vec![()])
    }

    async fn observe(args: &Args, place: &Place, (): &(), previous: Option<&Observed>) -> Result<Observed, Error> {
        match (place, previous) {
            (Place::Server(server), Some(Observed::Vm(before))) => vm::observe(args, server, Some(before)).await,
            (Place::Server(server), _) => vm::observe(args, server, None).await,
            (Place::File(file), _) => return file.observe(args).await.map(Observed::File),
        }
        .map(Observed::Vm)
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        match observed {
            Observed::Vm(vm) => vm::plan(&args.options, args.state, vm),
            Observed::File(file) => file::plan(&args.options, args.state, args.follow, file),
        }
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        let mut after = observed.clone();
        match &mut after {
            Observed::Vm(vm) => options::predict(&mut vm.options, &change.options),
            Observed::File(file) => {
                options::predict(&mut file.options, &change.options);
                if let Some(edited) = &change.edited {
                    file.document = Rc::clone(edited);
                }
                if let Some(vmid) = change.reload {
                    file.hostd = Hostd::Registered { vmid, known: Rc::default() };
                    file.reloaded = true;
                }
            }
        }
        after
    }

    async fn apply(
        args: &Args,
        place: &Place,
        (): &(),
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        match (place, observed) {
            (Place::Server(server), Observed::Vm(vm)) => vm::apply(args, server, vm, &change.options, run).await,
            (Place::File(file), Observed::File(seen)) => file.apply(args, seen, change).await,
            // Never: what was observed is of the place itself.
            _ => Ok(Applied::Stale { wrote: false }),
        }
    }

    fn unapplied(rest: &Change) -> Error {
        let keys = keys(&rest.options);
        if rest.edited.is_some() {
            return Error::new(
                Kind::Conflict,
                format!("the file was written, and is not any more what it was to be: {keys}"),
            )
            .unsettled()
            .hint("Somebody else writes it too: power the virtual machine off, and run it again.");
        }
        Error::new(Kind::Unsupported, format!("vSphere accepted the change, but ignored {keys}")).hint(
            "An option that has a setting of its own in the virtual machine's configuration can only be changed there.",
        )
    }

    fn actual(args: &Args, observed: &[&Observed]) -> Map<String, Value> {
        let Some(observed) = observed.first() else { return Map::new() };
        options::actual(&args.options, observed.options(), matches!(observed, Observed::Vm(_)))
    }

    fn view(observed: &Observed) -> Value {
        observed
            .options()
            .iter()
            .filter_map(|found| Some((found.key.clone(), Value::from(found.value.clone()?))))
            .collect()
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        match observed {
            None => "the virtual machine".to_owned(),
            Some(Observed::Vm(seen)) => format!("{} ({})", seen.vm.name, seen.vm.moid),
            Some(Observed::File(file)) => file.stored.path.display().to_string(),
        }
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some(before) = &outcome.before else { return Report::default() };
        let now = outcome.after.as_ref().unwrap_or(before);
        let mut report = Report {
            options: before
                .options()
                .iter()
                // Both have every option that was asked for, in the same order.
                .zip(now.options())
                .map(|(found, now)| OptionReport {
                    key: found.key.clone(),
                    before: found.value.clone(),
                    after: now.value.clone(),
                })
                .collect(),
            ..Report::default()
        };
        if let (Observed::Vm(before), Observed::Vm(now)) = (before, now) {
            report.vm = Some(now.vm.clone());
            report.needs_power_cycle = outcome.changed && before.vm.power_state.as_deref() == Some("poweredOn");
        }
        if let Observed::File(now) = now {
            report.file = Some(FileReport::of(now, outcome.changed));
        }
        report
    }

    fn unified(before: &Observed, after: &Observed) -> Option<String> {
        let (Observed::File(before), Observed::File(after)) = (before, after) else { return None };
        let path = before.stored.path.display();
        Some(vmx::diff(&before.document, &after.document, &format!("{path} (before)"), &format!("{path} (after)")))
    }

    fn message(args: &Args, report: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let Some(outcome) = outcomes.first() else { return String::new() };
        let label = Self::label(&(), outcome.before.as_ref());
        if !outcome.changed {
            return match args.state {
                State::Present => format!("All options of {label} have these values already."),
                State::Absent => format!("None of these options of {label} is set."),
            };
        }
        if let (Some(file), true) = (&report.file, report.options.iter().all(|option| option.before == option.after)) {
            let verb = if run.check { "Would have" } else { "Had" };
            return format!("{verb} the host read {} again: it knew other options than the file has.", file.path);
        }
        let changed: Vec<&str> = report
            .options
            .iter()
            .filter(|option| option.before != option.after)
            .map(|option| option.key.as_str())
            .collect();
        let verb = match (run.check, args.state) {
            (false, State::Present) => "Set",
            (false, State::Absent) => "Removed",
            (true, State::Present) => "Would set",
            (true, State::Absent) => "Would remove",
        };
        let power_cycle = if report.needs_power_cycle {
            " What is read at power-on counts after it was powered off and on again."
        } else {
            ""
        };
        let remains = report.file.as_ref().and_then(|file| file.remains.as_ref());
        let remains = remains.map(|remains| format!(" What remains: {remains}.")).unwrap_or_default();
        format!("{verb} {} of {label}.{power_cycle}{remains}", changed.join(", "))
    }
}

/// The names, for a message.
fn keys(changes: &Changes) -> String {
    changes.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ")
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<VmxOption>();
