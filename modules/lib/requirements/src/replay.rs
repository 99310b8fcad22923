//! The options by which a virtual machine on a nested host can record and replay.

use serde_json::json;
use vsphere_module::Remedy;

use crate::check::Check;
use crate::context::Context;
use crate::facts::{Host, Vm};
use crate::finding::Finding;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[REPLAY_OPTIONS];

/// The names of the options.
pub const OPTIONS: [&str; 3] = ["replay.supported", "replay.allowFT", "replay.allowBTOnly"];

/// Judges this requirement, which only record/replay Fault Tolerance on nested hosts has.
pub fn judge(context: Context, vm: &Vm) -> Option<Check> {
    let applies = context.is_legacy() && has_nested_hosts(context);
    applies.then(|| Check::new(REPLAY_OPTIONS, &vm.subject, replay_options(vm)))
}

pub const REPLAY_OPTIONS: Requirement = Requirement::decisive(
    "replay-options",
    "On nested hosts, the virtual machine has the options for record and replay.",
);

fn replay_options(vm: &Vm) -> Finding {
    vm.options.judge("config.extraConfig", |_| {
        let missing: Vec<&str> = OPTIONS.into_iter().filter(|key| !is_true(vm, key)).collect();
        if missing.is_empty() {
            return Finding::met("all are TRUE");
        }
        let each = missing.iter().map(|key| format!("{key} is {}", vm.option(key).unwrap_or("not set")));
        let options: serde_json::Map<_, _> = missing.iter().map(|key| ((*key).to_owned(), json!("TRUE"))).collect();
        let text = format!("Set {} of {} to TRUE.", missing.join(", "), vm.subject.name);
        let mut args = vsphere_module::remedy_vm(&vm.subject.moid);
        args.insert("options".to_owned(), json!(options));
        Finding::unmet(
            each.collect::<Vec<_>>().join(", "),
            "without them, a virtual machine on a nested host cannot record and replay",
        )
        .remedy(Remedy::call(text, "vmx_option", Some(args)))
    })
}

/// True if the virtual machine is known not to have all options that it needs.
pub fn are_missing(context: Context, vm: &Vm) -> bool {
    context.is_legacy() && has_nested_hosts(context) && vm.options.known().is_some() && !are_set(vm)
}

/// True if the options let the virtual machine record and replay on this host although its hardware does not allow it.
pub fn bypass_hardware(context: Context, host: &Host) -> bool {
    context.is_legacy() && host.nested && context.facts.vm.as_ref().is_some_and(are_set)
}

fn has_nested_hosts(context: Context) -> bool {
    context.facts.hosts.iter().any(|host| host.nested)
}

fn are_set(vm: &Vm) -> bool {
    OPTIONS.iter().all(|key| is_true(vm, key))
}

fn is_true(vm: &Vm, key: &str) -> bool {
    vm.option(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
