//! The result.

use std::collections::BTreeMap;

use contract::Scalar;
use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::VmReport;

use crate::args::State;
use crate::file::FileReport;
use crate::state::Observed;
use crate::vm;

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// The virtual machine; null if it was not found, and in a run on a file.
    pub vm: Option<VmReport>,
    /// The file; null if it was not read, and in a run through the API.
    pub file: Option<FileReport>,
    /// Every option that was asked for.
    pub options: Vec<OptionReport>,
    /// Whether this run changed options of a virtual machine that is powered on, except options that have no effect on its
    /// host. Options that are read at power-on take effect after it has been powered off and on again.
    pub needs_power_cycle: bool,
}

#[derive(Serialize, JsonSchema)]
pub struct OptionReport {
    /// Its name, as the virtual machine or the file spells it.
    pub key: String,
    /// Its value before; null if it was not set.
    pub before: Option<String>,
    /// Its value after this run, or as it would be had this not been a check run; null if it is not set.
    pub after: Option<String>,
}

pub fn report(options: &BTreeMap<String, Scalar>, before: &Observed, now: &Observed, changed: bool) -> Report {
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
        let useless = vm::without_effect(options, before);
        let effective = report
            .options
            .iter()
            .filter(|option| option.before != option.after)
            .any(|option| !useless.iter().any(|key| key.eq_ignore_ascii_case(&option.key)));
        report.needs_power_cycle = changed && effective && before.vm.power_state.as_deref() == Some("poweredOn");
    }
    if let Observed::File(now) = now {
        report.file = Some(FileReport::of(now, changed));
    }
    report
}

pub fn message(state: State, report: &Report, label: &str, changed: bool, check: bool) -> String {
    if !changed {
        return match state {
            State::Present => format!("No change: all options of {label} already have these values."),
            State::Absent => format!("No change: none of these options of {label} is set."),
        };
    }
    if let (Some(file), true) = (&report.file, report.options.iter().all(|option| option.before == option.after)) {
        let verb = if check { "Would make" } else { "Made" };
        return format!(
            "{verb} the host read {} again, because the host used options that differ from the file.",
            file.path
        );
    }
    let changed: Vec<&str> = report
        .options
        .iter()
        .filter(|option| option.before != option.after)
        .map(|option| option.key.as_str())
        .collect();
    let verb = match (check, state) {
        (false, State::Present) => "Set",
        (false, State::Absent) => "Removed",
        (true, State::Present) => "Would set",
        (true, State::Absent) => "Would remove",
    };
    let power_cycle = if report.needs_power_cycle {
        " Options that are read at power-on take effect after it has been powered off and on again."
    } else {
        ""
    };
    let remains = report.file.as_ref().and_then(|file| file.remains.as_ref());
    let remains = remains.map(|remains| format!(" Still to do: {remains}.")).unwrap_or_default();
    format!("{verb} {} of {label}.{power_cycle}{remains}", changed.join(", "))
}
