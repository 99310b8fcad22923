//! The kinds of the datastores that hold the virtual machine, and its storage policies.

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Datastore, Vm};
use crate::finding::{Finding, all};
use crate::requirement::Requirement;
use crate::storage::files;

pub const ALL: &[Requirement] = &[VVOL, VSAN_MIXED, STORAGE_POLICY];

/// Judges these requirements, which only SMP-FT has.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    if context.is_legacy() {
        return Vec::new();
    }
    let used = used(context, vm);
    let judge = |judge: fn(&[&Datastore]) -> Finding| used.judge("datastore", |used| judge(used));
    vec![
        Check::new(VVOL, &vm.subject, judge(vvol)),
        Check::new(VSAN_MIXED, &vm.subject, judge(vsan_mixed)),
        Check::new(STORAGE_POLICY, &vm.subject, storage_policy(vm)),
    ]
}

/// Returns the datastores of the disks and of the configuration. The property `datastore` also lists those of CD images.
fn used<'a>(context: Context<'a>, vm: &Vm) -> Fact<Vec<&'a Datastore>> {
    let devices = match &vm.devices {
        Fact::Known(devices) => devices,
        Fact::Unset => return Fact::Unset,
        Fact::Hidden(why) => return Fact::Hidden(why.clone()),
    };
    let mut moids = match files(context, vm) {
        Fact::Known(moids) => moids,
        Fact::Unset => return Fact::Unset,
        Fact::Hidden(why) => return Fact::Hidden(why),
    };
    for disk in devices.iter().filter(|device| device.kind == "VirtualDisk") {
        match &disk.store {
            Some(moid) => moids.push(moid.clone()),
            None => return Fact::Hidden(format!("the server does not report the datastore of {}", disk.label)),
        }
    }
    moids.sort_unstable();
    moids.dedup();
    let mut used = Vec::new();
    for moid in moids {
        match context.facts.datastores.iter().find(|it| it.subject.moid == moid) {
            Some(datastore) => used.push(datastore),
            None => return Fact::Hidden(format!("the datastore {moid} is not visible")),
        }
    }
    Fact::Known(used)
}

/// vSphere Availability, "Fault Tolerance Interoperability".
pub const VVOL: Requirement = Requirement::decisive("vvol", "No disk is on a vVols datastore.");

fn vvol(used: &[&Datastore]) -> Finding {
    let each = used.iter().map(|datastore| {
        datastore.kind.judge("summary.type", |kind| {
            if !kind.eq_ignore_ascii_case("vvol") {
                return Finding::met(kind.as_str());
            }
            let observed = format!("{} is a vVols datastore", datastore.subject.name);
            Finding::unmet(observed, "Fault Tolerance does not protect virtual machines on vVols")
                .by_hand("Move the virtual machine to another kind of datastore.")
        })
    });
    all("none", each)
}

/// A virtual machine on vSAN has its secondary on the same vSAN (`FaultToleranceConfigSpec`).
pub const VSAN_MIXED: Requirement =
    Requirement::decisive("vsan-mixed", "The virtual machine is on vSAN as a whole, or not at all.");

fn vsan_mixed(used: &[&Datastore]) -> Finding {
    let mut kinds = Vec::new();
    for datastore in used {
        match &datastore.kind {
            Fact::Known(kind) => kinds.push((datastore.subject.name.as_str(), kind.as_str())),
            other => return other.judge("summary.type", |_| Finding::met("")),
        }
    }
    let observed = kinds.iter().map(|(name, kind)| format!("{name} ({kind})")).collect::<Vec<_>>().join(", ");
    let on_vsan = kinds.iter().filter(|(_, kind)| kind.eq_ignore_ascii_case("vsan")).count();
    if on_vsan == 0 || on_vsan == kinds.len() {
        return Finding::met(observed);
    }
    Finding::unmet(observed, "Fault Tolerance does not protect a virtual machine on vSAN and other datastores")
        .by_hand("Move all files of the virtual machine to vSAN, or all to other datastores.")
}

/// vSphere Availability, "Fault Tolerance Interoperability". The vSphere API does not show storage policies, but vSphere reports
/// them as `unsupportedSPBM`, and `compatibility` adds that reason here.
pub const STORAGE_POLICY: Requirement =
    Requirement::decisive("storage-policy", "vSphere reports no storage policy that Fault Tolerance does not support.");

fn storage_policy(vm: &Vm) -> Finding {
    match &vm.compatibility {
        Fact::Known(_) => Finding::met("none reported"),
        Fact::Unset => Finding::unknown("not asked", "vSphere was not asked"),
        Fact::Hidden(_) if vm.has_ft() => Finding::met("Fault Tolerance is already configured"),
        Fact::Hidden(why) => Finding::unknown("not reported", format!("vSphere does not report it: {why}")),
    }
}
