//! What is required of the virtual machine.

use serde_json::json;
use vsphere_module::Remedy;

use super::{Context, fit};
use crate::check::{Check, Id, Verdict, all};
use crate::facts::{Device, Fact, Vm};

/// The options by which a nested virtual machine may record and replay.
pub const REPLAY_OPTIONS: [&str; 3] = ["replay.supported", "replay.allowFT", "replay.allowBTOnly"];

pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    let mut checks = Vec::new();
    let version = context.version();
    let mut add = |id, required: &str, verdict| checks.push(Check::new(id, required, &vm.object, verdict));
    add(Id::VmAccessible, "The virtual machine can be reached.", accessible(vm));
    add(Id::VmTemplate, "The virtual machine is no template.", template(vm));
    add(Id::VmRole, "The virtual machine is no secondary of Fault Tolerance.", role(vm));
    add(
        Id::VmPower,
        "The virtual machine is in a state in which Fault Tolerance can be turned on.",
        power(context, vm),
    );
    add(Id::VmQuestion, "The virtual machine waits for no answer.", question(vm));
    add(Id::Snapshot, "The virtual machine has no snapshot.", snapshot(vm));
    let most = if context.is_legacy() { 1 } else { fit::VCPUS.of_two(context) };
    let few = format!("The virtual machine has at most {most} virtual CPU{}.", if most == 1 { "" } else { "s" });
    add(Id::Vcpus, &few, at_most(&vm.cpus, "config.hardware.numCPU", most, "virtual CPUs"));
    let most = if context.is_legacy() { 65_536 } else { fit::MEMORY.of_two(context) };
    let little = format!("The virtual machine has at most {} GB of memory.", most / 1024);
    add(Id::Memory, &little, at_most(&vm.memory_mb, "config.hardware.memoryMB", most, "MB of memory"));
    if context.is_legacy() {
        add(Id::HardwareVersion, "The virtual hardware is of version 7 or later.", hardware(vm));
    }
    add(Id::Devices, "The virtual machine has no device that cannot be protected.", devices(context, vm));
    add(Id::Video3d, "The virtual machine has no 3D video.", video_3d(vm));
    if version.at_least(5, 1) {
        let why = "Fault Tolerance and nested hardware virtualization exclude each other";
        let remedy = "Power the virtual machine off and turn nested hardware virtualization off (nestedHVEnabled).";
        let verdict = unwanted(&vm.nested_hv, "config.nestedHVEnabled", why, remedy);
        add(Id::NestedHv, "The virtual machine has no hardware virtualization of its own.", verdict);
    }
    if version.at_least(6, 7) {
        let why = "Fault Tolerance and virtualization-based security exclude each other";
        let remedy = "Power the virtual machine off and turn virtualization-based security off (vbsEnabled).";
        let verdict = unwanted(&vm.vbs, "config.flags.vbsEnabled", why, remedy);
        add(Id::Vbs, "The virtual machine has no virtualization-based security.", verdict);
    }
    if version.at_least(5, 0) {
        add(
            Id::Firmware,
            "The firmware is one that two hosts support with Fault Tolerance.",
            fit::firmware(context, vm),
        );
    }
    if context.is_legacy() && context.facts.hosts.iter().any(|host| host.nested) {
        add(
            Id::ReplayOptions,
            "On nested hosts, the virtual machine has the options for record and replay.",
            replay_options(vm),
        );
    }
    checks
}

/// Powering it off by our own module.
pub fn power_off(vm: &Vm) -> Remedy {
    power_to(vm, "off", "powered_off")
}

fn power_to(vm: &Vm, direction: &str, state: &str) -> Remedy {
    let text = format!("Power {} {direction}.", vm.report.name);
    let mut args = vsphere_module::remedy_vm(&vm.report.moid);
    args.insert("state".to_owned(), json!(state));
    Remedy::call(text, "vm_power", Some(args))
}

fn accessible(vm: &Vm) -> Verdict {
    vm.connection.judge("runtime.connectionState", |state| match state.as_str() {
        "connected" => Verdict::met("connected"),
        other => Verdict::unmet(other, "vSphere does not reach it, and nothing else about it is certain")
            .by_hand("Reconnect its host or make its files reachable again."),
    })
}

fn template(vm: &Vm) -> Verdict {
    vm.template.judge("config.template", |template| {
        if *template {
            Verdict::unmet("a template", "a template does not run").by_hand("Convert it to a virtual machine.")
        } else {
            Verdict::met("a virtual machine")
        }
    })
}

fn role(vm: &Vm) -> Verdict {
    let none = || match vm.ft_state.known() {
        Some(state) if state != "notConfigured" => Verdict::met(format!("Fault Tolerance is {state}")),
        _ => Verdict::met("Fault Tolerance is not configured"),
    };
    vm.ft.judge_or("config.ftInfo", none, |ft| {
        if ft.orphaned {
            return Verdict::unmet("an orphaned secondary", "its primary is gone").by_hand("Unregister it.");
        }
        if ft.role == 1 {
            let state = vm.ft_state.known().map_or("configured", String::as_str);
            return Verdict::met(format!("a primary, Fault Tolerance is {state}"));
        }
        let primary = ft.primary.as_ref().map(|primary| format!(" ({})", primary.id)).unwrap_or_default();
        Verdict::unmet("a secondary", "Fault Tolerance is the business of the primary")
            .by_hand(format!("Name its primary{primary} instead."))
    })
}

fn power(context: Context, vm: &Vm) -> Verdict {
    vm.power.judge("runtime.powerState", |state| match state.as_str() {
        "poweredOn" if context.is_legacy() && !vm.has_ft() && missing_options(context, vm) => Verdict::unmet(
            "poweredOn",
            "the options for record and replay, which it lacks, are only taken up when it is powered on",
        )
        .remedy(power_off(vm)),
        "poweredOn" | "poweredOff" => Verdict::met(state.as_str()),
        "suspended" => {
            Verdict::unmet("suspended", "Fault Tolerance cannot be turned on for a suspended virtual machine")
                .remedy(power_to(vm, "on", "powered_on"))
        }
        other => Verdict::unknown(other, "this state is not known to this program"),
    })
}

fn missing_options(context: Context, vm: &Vm) -> bool {
    context.facts.hosts.iter().any(|host| host.nested)
        && vm.options.known().is_some()
        && !REPLAY_OPTIONS.iter().all(|key| is_true(vm, key))
}

fn is_true(vm: &Vm, key: &str) -> bool {
    vm.option(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn question(vm: &Vm) -> Verdict {
    vm.question.judge_or(
        "runtime.question",
        || Verdict::met("it asks nothing"),
        |text| Verdict::unmet(text.as_str(), "it waits for an answer").by_hand("Answer it in the vSphere Client."),
    )
}

fn snapshot(vm: &Vm) -> Verdict {
    vm.snapshot.judge_or(
        "snapshot",
        || Verdict::met("none"),
        |()| {
            Verdict::unmet("there are snapshots", "Fault Tolerance is only turned on for a virtual machine without any")
                .by_hand("Remove the snapshots of the virtual machine.")
        },
    )
}

fn at_most(fact: &Fact<i64>, property: &str, most: i64, what: &str) -> Verdict {
    fact.judge(property, |count| {
        let observed = format!("{count} {what}");
        if *count <= most {
            Verdict::met(observed)
        } else {
            Verdict::unmet(observed, format!("the hosts protect at most {most}"))
                .by_hand(format!("Power the virtual machine off and give it at most {most} {what}."))
        }
    })
}

fn hardware(vm: &Vm) -> Verdict {
    vm.hardware.judge("config.version", |version| {
        let number = version.strip_prefix("vmx-").and_then(|number| number.parse::<u32>().ok());
        match number {
            Some(number) if number >= 7 => Verdict::met(version.as_str()),
            Some(_) => Verdict::unmet(version.as_str(), "older virtual hardware cannot record and replay")
                .by_hand("Upgrade the virtual hardware."),
            None => Verdict::unknown(version.as_str(), "this is no version that this program knows"),
        }
    })
}

/// What of a device stands in the way, if it does.
fn objection(device: &Device, legacy: bool) -> Option<&'static str> {
    let kind = device.kind.as_str();
    let backing = device.backing.as_str();
    match kind {
        // A controller without a device is in most virtual machines, and is left to vSphere's own judgement.
        "VirtualUSB" => Some("USB"),
        "VirtualSoundBlaster16" | "VirtualEnsoniq1371" | "VirtualHdAudioCard" => Some("sound"),
        "VirtualSerialPort" => Some("serial port"),
        "VirtualParallelPort" => Some("parallel port"),
        "VirtualPCIPassthrough" | "VirtualSriovEthernetCard" => Some("PCI passthrough"),
        "VirtualFloppy" if is_physical(backing) => Some("physical floppy"),
        "VirtualCdrom" if is_physical(backing) => Some("physical CD"),
        "VirtualPCNet32" if legacy => Some("vlance network adapter"),
        _ => None,
    }
}

/// Backed by a device of the host, such as `VirtualCdromAtapiBackingInfo` or `VirtualFloppyDeviceBackingInfo`.
fn is_physical(backing: &str) -> bool {
    let of_client = backing.contains("Remote") || backing.contains("Image") || backing.contains("Iso");
    !backing.is_empty() && !of_client
}

fn devices(context: Context, vm: &Vm) -> Verdict {
    vm.devices.judge("config.hardware.device", |devices| {
        let each = devices.iter().filter_map(|device| {
            let what = objection(device, context.is_legacy())?;
            let observed = format!("{} ({what})", device.label);
            Some(Verdict::unmet(observed, "Fault Tolerance protects no such device").by_hand("Remove these devices."))
        });
        all("none", each)
    })
}

fn video_3d(vm: &Vm) -> Verdict {
    vm.devices.judge("config.hardware.device", |devices| {
        if devices.iter().any(|device| device.video_3d == Some(true)) {
            Verdict::unmet("on", "Fault Tolerance protects no 3D video").by_hand("Turn 3D of the video card off.")
        } else {
            Verdict::met("off")
        }
    })
}

fn unwanted(fact: &Fact<bool>, property: &str, why: &str, remedy: &str) -> Verdict {
    fact.judge(property, |on| if *on { Verdict::unmet("on", why).by_hand(remedy) } else { Verdict::met("off") })
}

fn replay_options(vm: &Vm) -> Verdict {
    vm.options.judge("config.extraConfig", |_| {
        let missing: Vec<&str> = REPLAY_OPTIONS.into_iter().filter(|key| !is_true(vm, key)).collect();
        if missing.is_empty() {
            return Verdict::met("all are TRUE");
        }
        let each = missing.iter().map(|key| format!("{key} is {}", vm.option(key).unwrap_or("not set")));
        let options: serde_json::Map<_, _> = missing.iter().map(|key| ((*key).to_owned(), json!("TRUE"))).collect();
        let text = format!("Set {} of {} to TRUE.", missing.join(", "), vm.report.name);
        let mut args = vsphere_module::remedy_vm(&vm.report.moid);
        args.insert("options".to_owned(), json!(options));
        Verdict::unmet(
            each.collect::<Vec<_>>().join(", "),
            "without them a virtual machine on a nested host does not record and replay",
        )
        .remedy(Remedy::call(text, "vmx_option", Some(args)))
    })
}
