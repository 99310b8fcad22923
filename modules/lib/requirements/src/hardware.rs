//! The virtual hardware and the firmware of the virtual machine.

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Device, Host, Vm};
use crate::finding::{Finding, Status, all};
use crate::rating::{RatedHost, best_apart_or_only};
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[HARDWARE_VERSION, DEVICES, VIDEO_3D, NPIV, NESTED_HV, VBS, TPM, FIRMWARE];

/// Judges these requirements, as far as the engine and the version have them.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    let version = context.version();
    let mut checks = Vec::new();
    let mut add = |requirement, finding| checks.push(Check::new(requirement, &vm.subject, finding));
    if context.is_legacy() {
        add(HARDWARE_VERSION, hardware_version(vm));
    }
    add(DEVICES, devices(context, vm));
    add(VIDEO_3D, video_3d(vm));
    add(NPIV, npiv(vm));
    if version.at_least(5, 1) {
        add(NESTED_HV, nested_hv(vm));
    }
    if version.at_least(6, 7) {
        add(VBS, vbs(vm));
        add(TPM, tpm(context, vm));
    }
    if version.at_least(5, 0) {
        add(FIRMWARE, firmware(context, vm));
    }
    checks
}

pub const HARDWARE_VERSION: Requirement =
    Requirement::decisive("hardware-version", "The virtual hardware has version 7 or later.");

fn hardware_version(vm: &Vm) -> Finding {
    vm.hardware.judge("config.version", |version| {
        let number = version.strip_prefix("vmx-").and_then(|number| number.parse::<u32>().ok());
        match number {
            Some(number) if number >= 7 => Finding::met(version.as_str()),
            Some(_) => Finding::unmet(version.as_str(), "older virtual hardware cannot record and replay")
                .by_hand("Upgrade the virtual hardware."),
            None => Finding::unknown(version.as_str(), "this program does not know this version"),
        }
    })
}

pub const DEVICES: Requirement =
    Requirement::decisive("devices", "The virtual machine has no device that Fault Tolerance cannot protect.");

fn devices(context: Context, vm: &Vm) -> Finding {
    vm.devices.judge("config.hardware.device", |devices| {
        let each = devices.iter().filter_map(|device| {
            let what = unprotected(device, context.is_legacy())?;
            let observed = format!("{} ({what})", device.label);
            Some(
                Finding::unmet(observed, "Fault Tolerance cannot protect such a device")
                    .by_hand("Remove these devices."),
            )
        });
        all("none", each)
    })
}

/// Names the kind of a device that cannot be protected.
fn unprotected(device: &Device, legacy: bool) -> Option<&'static str> {
    let kind = device.kind.as_str();
    let backing = device.backing.as_str();
    match kind {
        // Most virtual machines have a controller without a device. Its judgement is left to vSphere.
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

/// True if a device of the host backs it, such as `VirtualCdromAtapiBackingInfo` or `VirtualFloppyDeviceBackingInfo`.
fn is_physical(backing: &str) -> bool {
    let of_client = backing.contains("Remote") || backing.contains("Image") || backing.contains("Iso");
    !backing.is_empty() && !of_client
}

pub const VIDEO_3D: Requirement = Requirement::decisive("video-3d", "The virtual machine has no 3D video.");

fn video_3d(vm: &Vm) -> Finding {
    vm.devices.judge("config.hardware.device", |devices| {
        if devices.iter().any(|device| device.video_3d == Some(true)) {
            Finding::unmet("on", "Fault Tolerance does not protect 3D video").by_hand("Turn off 3D for the video card.")
        } else {
            Finding::met("off")
        }
    })
}

/// vSphere Availability, "Fault Tolerance Interoperability".
pub const NPIV: Requirement =
    Requirement::decisive("npiv", "The virtual machine does not use N-Port ID Virtualization (NPIV).");

fn npiv(vm: &Vm) -> Finding {
    vm.npiv.judge_or(
        "config.npivNodeWorldWideName",
        || Finding::met("no World Wide Names"),
        |()| {
            Finding::unmet("it has World Wide Names", "Fault Tolerance does not support NPIV")
                .by_hand("Power the virtual machine off and remove its World Wide Names (Fibre Channel NPIV).")
        },
    )
}

pub const NESTED_HV: Requirement =
    Requirement::decisive("nested-hv", "Nested hardware virtualization is off for the virtual machine.");

fn nested_hv(vm: &Vm) -> Finding {
    let why = "Fault Tolerance cannot be used with nested hardware virtualization";
    let remedy = "Power the virtual machine off and turn nested hardware virtualization off (nestedHVEnabled).";
    off(&vm.nested_hv, "config.nestedHVEnabled", why, remedy)
}

pub const VBS: Requirement =
    Requirement::decisive("vbs", "Virtualization-based security is off for the virtual machine.");

fn vbs(vm: &Vm) -> Finding {
    let why = "Fault Tolerance cannot be used with virtualization-based security";
    let remedy = "Power the virtual machine off and turn virtualization-based security off (vbsEnabled).";
    off(&vm.vbs, "config.flags.vbsEnabled", why, remedy)
}

fn off(fact: &Fact<bool>, property: &str, why: &str, remedy: &str) -> Finding {
    fact.judge(property, |on| if *on { Finding::unmet("on", why).by_hand(remedy) } else { Finding::met("off") })
}

/// vSphere Availability 7.0 lists the virtual TPM as not supported, and 8.0 does not.
pub const TPM: Requirement =
    Requirement::decisive("tpm", "The virtual machine has no virtual TPM, unless its hosts are of 8.0 or later.");

fn tpm(context: Context, vm: &Vm) -> Finding {
    let version = context.version();
    vm.devices.judge("config.hardware.device", |devices| {
        if !devices.iter().any(|device| device.kind == "VirtualTPM") {
            Finding::met("none")
        } else if version.at_least(8, 0) {
            Finding::met(format!("a virtual TPM on {version}"))
        } else if version.at_least(7, 0) {
            Finding::unmet("a virtual TPM", "Fault Tolerance of vSphere 7.0 does not support a virtual TPM")
                .by_hand("Power the virtual machine off and remove the virtual TPM, or use hosts of 8.0 or later.")
        } else {
            Finding::unknown("a virtual TPM", format!("vSphere {version} does not say whether it is supported"))
        }
    })
}

pub const FIRMWARE: Requirement =
    Requirement::decisive("firmware", "Two hosts support the firmware of the virtual machine with Fault Tolerance.");

fn firmware(context: Context, vm: &Vm) -> Finding {
    vm.firmware.judge("config.firmware", |firmware| {
        if firmware == "bios" {
            return Finding::met("bios");
        }
        let hosts = context.facts.candidates();
        let rated: Vec<RatedHost> = hosts.map(|host| RatedHost::new(host, || vec![supports(firmware, host)])).collect();
        match best_apart_or_only(context, &rated) {
            Some(Status::Met) => Finding::met(firmware.as_str()),
            Some(Status::Unmet) => Finding::unmet(
                firmware.as_str(),
                "too few hosts support this firmware with Fault Tolerance (capability.ftEfiSupported)",
            ),
            _ => Finding::unknown(
                firmware.as_str(),
                "some hosts do not report whether they support this firmware (capability.ftEfiSupported)",
            ),
        }
    })
}

fn supports(firmware: &str, host: &Host) -> Finding {
    if firmware == "bios" {
        return Finding::met("bios");
    }
    host.capability.efi.judge("capability.ftEfiSupported", |supported| {
        if *supported {
            Finding::met(firmware)
        } else {
            Finding::unmet(firmware, format!("does not support {firmware} firmware with Fault Tolerance"))
        }
    })
}

/// Judges whether this host supports the firmware of the virtual machine.
pub fn of_host(context: Context, vm: &Vm, host: &Host) -> Option<Finding> {
    let applies = context.version().at_least(5, 0);
    applies.then(|| vm.firmware.judge("config.firmware", |firmware| supports(firmware, host)))
}
