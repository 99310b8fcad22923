//! What vSphere itself reports against the virtual machine (`QueryFaultToleranceCompatibility`).

use vsphere::Fault;
use vsphere_module::Remedy;

use crate::check::Check;
use crate::cluster::HA_ENABLED;
use crate::datastore::STORAGE_POLICY;
use crate::disk::LINKED_CLONE;
use crate::fact::Fact;
use crate::facts::Vm;
use crate::finding::{Finding, Status, join};
use crate::hardware::{DEVICES, FIRMWARE, NESTED_HV, VBS, VIDEO_3D};
use crate::power::power_off;
use crate::replay::REPLAY_OPTIONS;
use crate::requirement::Requirement;
use crate::size::{MEMORY, VCPUS};
use crate::storage::{DISK_FORMAT, DISK_MODE, DISK_RDM, SHARED_STORAGE};
use crate::vm::{SNAPSHOT, VM_ACCESSIBLE, VM_POWER, VM_ROLE, VM_TEMPLATE};

pub const ALL: &[Requirement] = &[COMPATIBILITY];

pub const COMPATIBILITY: Requirement =
    Requirement::decisive("compatibility", "vSphere reports nothing against the virtual machine.");

/// Adds each fault to the check that is about the same. Judges this requirement by the faults that are left.
pub fn judge(vm: &Vm, checks: &mut Vec<Check>) {
    let mut rest: Vec<String> = Vec::new();
    let finding = match &vm.compatibility {
        Fact::Known(faults) => {
            for fault in faults.iter().flat_map(Fault::leaves) {
                let wanted = requirements(fault);
                // If a fault may be about several requirements, it is added to one that is unmet anyway.
                let about =
                    |check: &Check| wanted.contains(&check.id) && (wanted.len() == 1 || check.status == Status::Unmet);
                match checks.iter().position(about) {
                    Some(at) => checks[at].add_reason(&describe(fault), remedy(fault, vm)),
                    None => rest.push(describe(fault)),
                }
            }
            if rest.is_empty() {
                let fine = if faults.is_empty() { "nothing" } else { "nothing that other checks do not report" };
                Finding::met(fine)
            } else {
                let why = "vSphere refuses to turn Fault Tolerance on for the virtual machine as it is";
                Finding::unmet(join(rest.iter().map(String::as_str)), why)
            }
        }
        Fact::Unset => Finding::unknown("not asked", "vSphere was not asked"),
        Fact::Hidden(why) => Finding::unknown("not reported", format!("vSphere does not report it: {why}")),
    };
    checks.push(Check::new(COMPATIBILITY, &vm.subject, finding));
}

/// Returns the other requirements that a fault may be about.
fn requirements(fault: &Fault) -> &'static [Requirement] {
    match (fault.name.as_str(), reason(fault)) {
        ("VmMonitorIncompatibleForFaultTolerance", _) | (_, "replayNotSupported") => &[VM_POWER],
        ("FaultToleranceNeedsThickDisk", _) | (_, "thinDisk") => &[DISK_FORMAT],
        ("NotSupportedDeviceForFT" | "VmFaultToleranceInvalidFileBacking", _) => &[DEVICES],
        (_, "haNotEnabled") => &[HA_ENABLED],
        (_, "recordReplayNotSupported") => &[REPLAY_OPTIONS],
        (_, "templateVm") => &[VM_TEMPLATE],
        (_, "ftSecondaryVm" | "moreThanOneSecondary") => &[VM_ROLE],
        (_, "multipleVCPU" | "tooManyVCPUs") => &[VCPUS],
        (_, "tooMuchMemory") => &[MEMORY],
        (_, "hasSnapshots") => &[SNAPSHOT],
        (_, "hasLocalDisk") => &[SHARED_STORAGE],
        (_, "video3dEnabled") => &[VIDEO_3D],
        (_, "hasNestedHVConfiguration") => &[NESTED_HV, VBS],
        (_, "hasEFIFirmware") => &[FIRMWARE],
        (_, "hasUnsupportedDisk") => &[DISK_RDM, DISK_MODE],
        (_, "hasLinkedCloneDisk") => &[LINKED_CLONE],
        (_, "unsupportedSPBM") => &[STORAGE_POLICY],
        (_, "noConfig") => &[VM_ACCESSIBLE],
        _ => &[],
    }
}

fn reason(fault: &Fault) -> &str {
    fault.fields.get("reason").map_or("", String::as_str)
}

fn describe(fault: &Fault) -> String {
    match reason(fault) {
        "" => fault.describe(),
        reason if !fault.message.is_empty() => {
            format!("vSphere reports {reason}: {}", fault.message.trim_end_matches('.'))
        }
        reason => format!("vSphere reports {reason}"),
    }
}

/// Returns the remedy for a fault, if the check that it is added to may have none.
fn remedy(fault: &Fault, vm: &Vm) -> Option<Remedy> {
    let off = fault.is("VmMonitorIncompatibleForFaultTolerance") || reason(fault) == "replayNotSupported";
    (off && vm.is_on()).then(|| power_off(vm))
}
