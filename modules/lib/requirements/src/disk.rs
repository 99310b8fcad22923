//! The disks that Fault Tolerance does not support: too large, too many, linked clones, or filtered.

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Device, Vm};
use crate::finding::Finding;
use crate::requirement::Requirement;
use crate::storage::disks;

pub const ALL: &[Requirement] = &[DISK_SIZE, DISK_COUNT, LINKED_CLONE, IO_FILTER];

/// Judges these requirements, as far as the engine and the version have them.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    let version = context.version();
    let mut checks = vec![
        Check::new(DISK_SIZE, &vm.subject, disks(vm, "at most 2 TB", size)),
        Check::new(LINKED_CLONE, &vm.subject, disks(vm, "none", |disk| linked_clone(disk, vm))),
    ];
    if version.at_least(5, 5) && !version.at_least(6, 5) {
        checks.push(Check::new(DISK_COUNT, &vm.subject, count(vm)));
    }
    if !context.is_legacy() {
        checks.push(Check::new(IO_FILTER, &vm.subject, disks(vm, "none", io_filter)));
    }
    checks
}

/// vSphere Availability, "Fault Tolerance Requirements, Limits, and Licensing" and "Fault Tolerance Interoperability".
pub const DISK_SIZE: Requirement = Requirement::decisive("disk-size", "No disk is larger than 2 TB.");

const TWO_TB_IN_KB: i64 = 2 << 30;

fn size(disk: &Device) -> Finding {
    let label = &disk.label;
    match disk.size_kb {
        Some(size) if size > TWO_TB_IN_KB => {
            let observed = format!("{label} has {} GB", size >> 20);
            Finding::unmet(observed, "Fault Tolerance does not protect a disk of more than 2 TB")
                .by_hand("Replace the disk with smaller ones.")
        }
        Some(_) => Finding::met(label.as_str()),
        None => Finding::unknown(format!("{label}: not reported"), "the server does not report capacityInKB"),
    }
}

/// vSphere Availability 5.5 and 6.0. Later releases do not list it.
pub const DISK_COUNT: Requirement = Requirement::decisive("disk-count", "The virtual machine has at most 16 disks.");

fn count(vm: &Vm) -> Finding {
    vm.devices.judge("config.hardware.device", |devices| {
        let count = devices.iter().filter(|device| device.kind == "VirtualDisk").count();
        if count <= 16 {
            Finding::met(count.to_string())
        } else {
            Finding::unmet(count.to_string(), "these releases protect at most 16 disks")
                .by_hand("Remove disks from the virtual machine.")
        }
    })
}

/// vSphere Availability, "Fault Tolerance Interoperability".
pub const LINKED_CLONE: Requirement = Requirement::decisive("linked-clone", "No disk is a linked clone.");

/// A snapshot gives its disk a parent too.
fn linked_clone(disk: &Device, vm: &Vm) -> Finding {
    let observed = || format!("{} has a parent disk", disk.label);
    match (disk.native_clone, disk.has_parent, &vm.snapshot) {
        (true, ..) | (_, true, Fact::Unset) => {
            Finding::unmet(observed(), "Fault Tolerance does not protect linked clones")
                .by_hand("Make a full clone of the virtual machine, and protect that.")
        }
        (_, true, _) => Finding::unknown(observed(), "it may be the parent of a snapshot or of a linked clone"),
        _ => Finding::met("none"),
    }
}

/// vSphere Availability, "Fault Tolerance Interoperability".
pub const IO_FILTER: Requirement = Requirement::decisive("io-filter", "No disk has an I/O filter.");

fn io_filter(disk: &Device) -> Finding {
    if disk.filters.is_empty() {
        return Finding::met("none");
    }
    let observed = format!("{} has {}", disk.label, disk.filters.join(", "));
    Finding::unmet(observed, "Fault Tolerance does not protect a disk with an I/O filter")
        .by_hand("Give the disk a storage policy without I/O filters.")
}
