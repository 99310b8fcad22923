//! The reasons that vSphere gives against Fault Tolerance (`VmFaultToleranceConfigIssue.reason` and the issues of hosts), and
//! which requirement each is about. The set is open: what is not known here is told as it came.

use vsphere::Fault;
use vsphere_module::Remedy;

use crate::check::{Check, Id, Status, Verdict};
use crate::facts::{Fact, Vm};

/// Reasons that lie in the hardware as the host sees it.
pub const HARDWARE: [&str; 8] = [
    "ftUnsupportedHardware",
    "cpuHvUnsupported",
    "cpuHwmmuUnsupported",
    "cpuHvDisabled",
    "incompatibleCpu",
    "hvDisabled",
    "cpuidLimitSet",
    "oldBIOS",
];

/// What a reason means.
pub fn meaning(reason: &str) -> String {
    match reason {
        "haAgentIssue" => "the agent of vSphere HA on the host has a problem",
        "haNotEnabled" => "vSphere HA of the cluster is off",
        "hostInactive" => "the host is in maintenance mode, in standby or not connected",
        "missingVMotionNic" => "vMotion is not licensed, or no vmknic is set up for it",
        "missingFTLoggingNic" => "no vmknic is set up for Fault Tolerance logging",
        "ftUnsupportedHardware" => "the hardware of the host does not support Fault Tolerance",
        "ftUnsupportedProduct" | "unsupportedProduct" | "incompatibleProduct" => {
            "the product on the host does not support Fault Tolerance of this kind"
        }
        "cpuHvUnsupported" => "the processors have no hardware virtualization",
        "cpuHwmmuUnsupported" => "the processors have no virtualization of the memory management",
        "cpuHvDisabled" | "hvDisabled" => "hardware virtualization is off in the BIOS",
        "incompatibleCpu" => "the processors do not support record and replay",
        "cpuidLimitSet" => "the BIOS limits CPUID",
        "oldBIOS" => "the BIOS is too old",
        "vMotionNotLicensed" => "vMotion is not licensed",
        "ftNotLicensed" => "Fault Tolerance is not licensed",
        "insufficientBandwidth" => "the network for Fault Tolerance logging is too slow",
        "verifySSLCertificateFlagNotSet" => "vCenter Server does not check the certificates of hosts",
        "recordReplayNotSupported" => "the virtual machine does not support record and replay",
        "replayNotSupported" => "the virtual machine cannot be replayed as it runs",
        "multipleVCPU" | "tooManyVCPUs" => "the virtual machine has too many virtual CPUs",
        "tooMuchMemory" => "the virtual machine has too much memory",
        "thinDisk" => "the virtual machine has a thin disk",
        "hasSnapshots" => "the virtual machine has snapshots",
        "hasLocalDisk" => "a disk of the virtual machine is on a local datastore",
        "hasUnsupportedDisk" => "a disk of the virtual machine is of a kind that cannot be protected",
        "hasLinkedCloneDisk" => "a disk of the virtual machine is a linked clone",
        "hasNestedHVConfiguration" => "the virtual machine has nested hardware virtualization or VBS",
        "hasEFIFirmware" => "the virtual machine has EFI firmware",
        "hasVFlashConfiguration" => "the virtual machine uses flash read cache",
        "video3dEnabled" => "the virtual machine has 3D video",
        "templateVm" => "it is a template",
        "ftSecondaryVm" => "it is a secondary",
        "moreThanOneSecondary" => "it has a secondary already",
        "esxAgentVm" => "it is a virtual machine of an ESX agent",
        "noConfig" => "its configuration cannot be read",
        other => return format!("vSphere says {other}"),
    }
    .to_owned()
}

/// Which other check of a host is about this issue.
pub fn host_requirement(reason: &str) -> Option<Id> {
    Some(match reason {
        "missingVMotionNic" => Id::VmotionNic,
        "missingFTLoggingNic" => Id::FtLoggingNic,
        "haAgentIssue" => Id::HaAgent,
        "haNotEnabled" => Id::HaEnabled,
        "hostInactive" => Id::HostConnected,
        _ => return None,
    })
}

/// Which other checks of the virtual machine this may be about; the first that is there has it, one that is unmet before others.
fn requirements(fault: &Fault) -> &'static [Id] {
    match (fault.name.as_str(), reason_of(fault)) {
        ("VmMonitorIncompatibleForFaultTolerance", _) | (_, "replayNotSupported") => &[Id::VmPower],
        ("FaultToleranceNeedsThickDisk", _) | (_, "thinDisk") => &[Id::DiskFormat],
        ("NotSupportedDeviceForFT" | "VmFaultToleranceInvalidFileBacking", _) => &[Id::Devices],
        (_, "haNotEnabled") => &[Id::HaEnabled],
        (_, "recordReplayNotSupported") => &[Id::ReplayOptions],
        (_, "templateVm") => &[Id::VmTemplate],
        (_, "ftSecondaryVm" | "moreThanOneSecondary") => &[Id::VmRole],
        (_, "multipleVCPU" | "tooManyVCPUs") => &[Id::Vcpus],
        (_, "tooMuchMemory") => &[Id::Memory],
        (_, "hasSnapshots") => &[Id::Snapshot],
        (_, "hasLocalDisk") => &[Id::SharedStorage],
        (_, "video3dEnabled") => &[Id::Video3d],
        (_, "hasNestedHVConfiguration") => &[Id::NestedHv, Id::Vbs],
        (_, "hasEFIFirmware") => &[Id::Firmware],
        (_, "hasUnsupportedDisk") => &[Id::DiskRdm, Id::DiskMode],
        (_, "noConfig") => &[Id::VmAccessible],
        _ => &[],
    }
}

fn reason_of(fault: &Fault) -> &str {
    fault.fields.get("reason").map_or("", String::as_str)
}

/// What vSphere itself holds against the virtual machine joins the checks that are about the same, and what is left is a check
/// of its own.
pub fn judge(vm: &Vm, checks: &mut Vec<Check>) {
    let mut rest: Vec<String> = Vec::new();
    let verdict = match &vm.compatibility {
        Fact::Known(faults) => {
            for fault in faults.iter().flat_map(Fault::leaves) {
                let wanted = requirements(fault);
                // Of several that it may be about, only one that found it too is made to say it.
                let about =
                    |check: &Check| wanted.contains(&check.id) && (wanted.len() == 1 || check.status == Status::Unmet);
                match checks.iter().position(about) {
                    Some(at) => checks[at].object_to(&told(fault), remedy(fault, vm)),
                    None => rest.push(told(fault)),
                }
            }
            if rest.is_empty() {
                let fine = if faults.is_empty() { "nothing" } else { "nothing that other checks do not say" };
                Verdict::met(fine)
            } else {
                let why = "vSphere would not turn Fault Tolerance on for the virtual machine as it is";
                Verdict::unmet(join(&rest), why)
            }
        }
        Fact::Unset => Verdict::unknown("not asked", "vSphere was not asked"),
        Fact::Hidden(why) => Verdict::unknown("not told", format!("vSphere does not say: {why}")),
    };
    checks.push(Check::new(Id::Compatibility, "vSphere finds nothing in the virtual machine.", &vm.object, verdict));
}

/// The fault in words.
fn told(fault: &Fault) -> String {
    match reason_of(fault) {
        "" => fault.describe(),
        reason if !fault.message.is_empty() => {
            format!("vSphere says {reason}: {}", fault.message.trim_end_matches('.'))
        }
        reason => format!("vSphere says {reason}"),
    }
}

/// What helps against a fault, where the check that it joins cannot know.
fn remedy(fault: &Fault, vm: &Vm) -> Option<Remedy> {
    let off = fault.is("VmMonitorIncompatibleForFaultTolerance") || reason_of(fault) == "replayNotSupported";
    (off && vm.is_on()).then(|| super::vm::power_off(vm))
}

/// The texts, each once.
pub fn join(texts: &[String]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for text in texts {
        if !once.contains(&text.as_str()) {
            once.push(text);
        }
    }
    once.join("; ")
}
