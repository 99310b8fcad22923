//! The state of the virtual machine.

use crate::check::Check;
use crate::context::Context;
use crate::facts::Vm;
use crate::finding::Finding;
use crate::power::{power_off, power_on};
use crate::replay;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[VM_ACCESSIBLE, VM_TEMPLATE, VM_ROLE, VM_POWER, VM_QUESTION, SNAPSHOT];

/// Judges these requirements.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    [
        (VM_ACCESSIBLE, accessible(vm)),
        (VM_TEMPLATE, template(vm)),
        (VM_ROLE, role(vm)),
        (VM_POWER, power(context, vm)),
        (VM_QUESTION, question(vm)),
        (SNAPSHOT, snapshot(vm)),
    ]
    .map(|(requirement, finding)| Check::new(requirement, &vm.subject, finding))
    .into()
}

pub const VM_ACCESSIBLE: Requirement = Requirement::decisive("vm-accessible", "vSphere reaches the virtual machine.");

fn accessible(vm: &Vm) -> Finding {
    vm.connection.judge("runtime.connectionState", |state| match state.as_str() {
        "connected" => Finding::met("connected"),
        other => Finding::unmet(other, "vSphere cannot reach it, so its other properties may be out of date")
            .by_hand("Reconnect its host or make its files reachable again."),
    })
}

pub const VM_TEMPLATE: Requirement = Requirement::decisive("vm-template", "The virtual machine is not a template.");

fn template(vm: &Vm) -> Finding {
    vm.template.judge("config.template", |template| {
        if *template {
            Finding::unmet("a template", "a template does not run").by_hand("Convert it to a virtual machine.")
        } else {
            Finding::met("a virtual machine")
        }
    })
}

pub const VM_ROLE: Requirement =
    Requirement::decisive("vm-role", "The virtual machine is not a secondary of Fault Tolerance.");

fn role(vm: &Vm) -> Finding {
    let none = || match vm.ft_state.known() {
        Some(state) if state != "notConfigured" => Finding::met(format!("Fault Tolerance is {state}")),
        _ => Finding::met("Fault Tolerance is not configured"),
    };
    vm.ft.judge_or("config.ftInfo", none, |ft| {
        if ft.orphaned {
            return Finding::unmet("an orphaned secondary", "its primary no longer exists").by_hand("Unregister it.");
        }
        if ft.role == 1 {
            let state = vm.ft_state.known().map_or("configured", String::as_str);
            return Finding::met(format!("a primary, Fault Tolerance is {state}"));
        }
        let primary = ft.primary.as_ref().map(|primary| format!(" ({})", primary.id)).unwrap_or_default();
        Finding::unmet("a secondary", "Fault Tolerance is turned on and off at the primary")
            .by_hand(format!("Check its primary{primary} instead."))
    })
}

pub const VM_POWER: Requirement =
    Requirement::decisive("vm-power", "The virtual machine is in a state in which Fault Tolerance can be turned on.");

fn power(context: Context, vm: &Vm) -> Finding {
    vm.power.judge("runtime.powerState", |state| match state.as_str() {
        "poweredOn" if !vm.has_ft() && replay::are_missing(context, vm) => Finding::unmet(
            "poweredOn",
            "the missing options for record and replay take effect only when the virtual machine is powered on again",
        )
        .remedy(power_off(vm)),
        "poweredOn" | "poweredOff" => Finding::met(state.as_str()),
        "suspended" => {
            Finding::unmet("suspended", "Fault Tolerance cannot be turned on for a suspended virtual machine")
                .remedy(power_on(vm))
        }
        other => Finding::unknown(other, "this program does not know this state"),
    })
}

pub const VM_QUESTION: Requirement =
    Requirement::decisive("vm-question", "The virtual machine does not wait for an answer.");

fn question(vm: &Vm) -> Finding {
    vm.question.judge_or(
        "runtime.question",
        || Finding::met("no question"),
        |text| {
            Finding::unmet(text.as_str(), "it waits for an answer")
                .by_hand("Answer the question in the vSphere Client.")
        },
    )
}

pub const SNAPSHOT: Requirement = Requirement::decisive("snapshot", "The virtual machine has no snapshot.");

fn snapshot(vm: &Vm) -> Finding {
    vm.snapshot.judge_or(
        "snapshot",
        || Finding::met("none"),
        |()| {
            Finding::unmet(
                "it has snapshots",
                "Fault Tolerance can be turned on only for a virtual machine without snapshots",
            )
            .by_hand("Remove the snapshots of the virtual machine.")
        },
    )
}
