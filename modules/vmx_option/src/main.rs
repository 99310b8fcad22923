//! `vmx_option`: VMX options of a virtual machine have these values, or are absent.
//!
//! The options are the virtual machine's `config.extraConfig`, written by `ReconfigVM_Task`. Only the difference is sent:
//! the list is a set of modifications, and other people's keys are none of this module's business.

mod plan;

use std::collections::BTreeMap;
use std::process::ExitCode;

use contract::{Applied, Error, Kind, Module, Outcome, Plan, Rule, Run, Scalar};
use plan::{Change, Found, Observed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use target::{Connection, Server, VmReport, VmTarget};
use vsphere::VmPaths;

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    #[serde(flatten)]
    target: VmTarget,
    /// The options, names to values. Names are found whatever their case, and an existing one keeps its spelling.
    /// V(true) and V(TRUE) are the same value; a YAML boolean is written as V(TRUE) or V(FALSE).
    /// With O(state=absent) the values do not matter and may be empty.
    #[schemars(extend("minProperties" = 1))]
    options: BTreeMap<String, Scalar>,
    /// What is to be true.
    #[serde(default)]
    state: State,
    /// Seconds after which the run gives up waiting for vSphere.
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
    /// The virtual machine; null if it was not found.
    vm: Option<VmReport>,
    /// Every option that was asked for.
    options: Vec<OptionReport>,
    /// Whether this run changed options of a virtual machine that runs. Those that are read at power-on count only after
    /// it was powered off and on again.
    needs_power_cycle: bool,
}

#[derive(Serialize, JsonSchema)]
struct OptionReport {
    /// Its name, as the virtual machine spells it.
    key: String,
    /// Its value before; null if it was not set.
    before: Option<String>,
    /// Its value after this run, or as it would be had this not been a check run; null if it is not set.
    after: Option<String>,
}

struct VmxOption;

const PATHS: VmPaths<'static> = VmPaths {
    vm: &[
        "name",
        "config.instanceUuid",
        "runtime.powerState",
        "runtime.connectionState",
        "config.template",
        "config.changeVersion",
        "config.extraConfig",
    ],
    host: &["name", "config.product"],
    cluster: &[],
};

impl Module for VmxOption {
    const NAME: &'static str = "vmx_option";
    const SUMMARY: &'static str = "VMX options of a virtual machine have these values, or are absent";
    const DESCRIPTION: &'static [&'static str] = &[
        "Sets or removes VMX options (extra config, advanced configuration parameters) of a virtual machine through vCenter Server or an ESXi host, and reads them back: vSphere ignores some keys without saying so, and this module does not.",
        "Options that a virtual machine reads when it is powered on take effect after it was powered off and on again; RV(needs_power_cycle) says when.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = target::VM_RULES;

    type Args = Args;
    type Session = Server;
    type Target = ();
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn check(args: &Args) -> Vec<String> {
        let mut problems = args.connection.problems();
        problems.extend(plan::problems(&args.options, args.state));
        problems
    }

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run, args.timeout).await
    }

    async fn targets(_: &Args, _: &Server) -> Result<Vec<()>, Error> {
        Ok(vec![()])
    }

    async fn observe(args: &Args, server: &Server, (): &(), previous: Option<&Observed>) -> Result<Observed, Error> {
        let found = args.target.read(server, &PATHS, previous.map(|observed| &observed.moref)).await?;
        target::accessible(&found.vm)?;
        target::readable(&found.vm, PATHS.vm)?;
        let Some(extra) = found.vm.get("config.extraConfig") else {
            return Err(Error::new(
                Kind::Permission,
                format!("the options of virtual machine {} cannot be read", found.vm.name()),
            )
            .hint("Check that this user may read its configuration."));
        };
        let extra = vsphere::extra_config(extra);
        let value = |key: &str| extra.iter().rfind(|(known, _)| known.eq_ignore_ascii_case(key)).cloned();
        Ok(Observed {
            moref: found.vm.moref.clone(),
            vm: VmReport::of(&found.vm),
            template: target::is_template(&found.vm),
            ft: target::ft_role(&found.vm),
            change_version: found.vm.text("config.changeVersion").map(str::to_owned),
            // Of several of one name the last one counts, as in the file.
            options: args
                .options
                .keys()
                .map(|asked| match value(asked) {
                    Some((key, value)) => Found { asked: asked.clone(), key, value: Some(value) },
                    None => Found { asked: asked.clone(), key: asked.clone(), value: None },
                })
                .collect(),
            uses_legacy_ft: value("vm.useLegacyFt").is_some_and(|(key, value)| vsphere::uses_legacy_ft(&key, &value)),
            host: found.host.as_ref().map(vsphere::Object::name),
            host_version: found
                .host
                .as_ref()
                .and_then(|host| host.get("config.product")?.at("version"))
                .map(|version| vsphere::Version::parse(version.text())),
        })
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        let mut plan = plan::plan(&args.options, args.state, observed)?;
        plan.warnings.extend(args.connection.warnings());
        Ok(plan)
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, change)
    }

    async fn apply(
        args: &Args,
        server: &Server,
        (): &(),
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        let what = format!("waiting for vSphere to reconfigure {}", observed.vm.name);
        let (version, changes) = (observed.change_version.as_deref(), change.on_the_wire());
        let start = async || server.reconfigure_extra_config(&observed.moref, version, &changes).await;
        match target::carry_out(server, &observed.moref, run, args.timeout, &what, start).await {
            Ok(_) => Ok(Applied::Done),
            Err(error) if target::is_stale(&error) => Ok(Applied::Stale { wrote: false }),
            Err(error) => Err(target::write_failure(error)),
        }
    }

    fn unapplied(rest: &Change) -> Error {
        Error::new(
            Kind::Unsupported,
            format!("vSphere accepted the change, but ignored {}", rest.keys().join(", ")),
        )
        .hint("An option that has a setting of its own in the virtual machine's configuration can only be changed there.")
    }

    fn view(observed: &Observed) -> Value {
        observed
            .options
            .iter()
            .filter_map(|found| Some((found.key.clone(), Value::from(found.value.clone()?))))
            .collect()
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        observed.map_or_else(
            || "the virtual machine".to_owned(),
            |observed| format!("{} ({})", observed.vm.name, observed.vm.moid),
        )
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let Some(outcome) = outcomes.first() else { return Report::default() };
        let Some(before) = &outcome.before else { return Report::default() };
        let now = outcome.after.as_ref();
        Report {
            vm: Some(now.unwrap_or(before).vm.clone()),
            options: before
                .options
                .iter()
                .map(|found| OptionReport {
                    key: found.key.clone(),
                    before: found.value.clone(),
                    after: now.unwrap_or(before).value(&found.asked),
                })
                .collect(),
            needs_power_cycle: outcome.changed && before.vm.power_state.as_deref() == Some("poweredOn"),
        }
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
        format!("{verb} {} of {label}.{power_cycle}", changed.join(", "))
    }
}

fn main() -> ExitCode {
    contract::main::<VmxOption>()
}
