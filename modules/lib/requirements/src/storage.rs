//! The disks of the virtual machine, and the datastores with its files.

use crate::access::two_hosts_reach;
use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Device, Place, Vm};
use crate::finding::{Finding, all};
use crate::power::power_off;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[DISK_FORMAT, DISK_MODE, DISK_RDM, SHARED_STORAGE, DATASTORE_ACCESS];

/// Judges these requirements, as far as the engine has them.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    let mut checks = Vec::new();
    if context.is_legacy() {
        checks.push(Check::new(DISK_FORMAT, &vm.subject, disks(vm, "eager-zeroed thick", |disk| format(disk, vm))));
    }
    checks.extend([
        Check::new(DISK_MODE, &vm.subject, disks(vm, "persistent", mode)),
        Check::new(DISK_RDM, &vm.subject, disks(vm, "none", rdm)),
        shared_storage(context, vm),
    ]);
    // On a standalone host, the requirement `cluster` reports that there is no other host.
    if context.facts.place != Place::Standalone {
        checks.push(datastore_access(context, vm));
    }
    checks
}

/// Judges every disk. `fine` is what to report if all are met.
pub fn disks(vm: &Vm, fine: &str, judge: impl Fn(&Device) -> Finding) -> Finding {
    vm.devices.judge("config.hardware.device", |devices| {
        all(fine, devices.iter().filter(|device| device.kind == "VirtualDisk").map(judge))
    })
}

pub const DISK_FORMAT: Requirement = Requirement::decisive("disk-format", "The disks are eager-zeroed thick.");

/// Turning Fault Tolerance on converts the disks, if the virtual machine is off.
fn format(disk: &Device, vm: &Vm) -> Finding {
    // Raw device mappings have no format.
    if !disk.backing.contains("Flat") && disk.thin.is_none() && disk.eagerly_scrubbed.is_none() {
        return Finding::met("no format");
    }
    let (format, zeroed) = match (disk.thin, disk.eagerly_scrubbed) {
        (Some(true), _) => ("thin", Some(false)),
        (_, Some(true)) => ("eager-zeroed thick", Some(true)),
        (Some(false), Some(false)) => ("lazily zeroed thick", Some(false)),
        (Some(false), None) => ("thick", None),
        (None, _) => ("of unknown format", None),
    };
    let observed = format!("{} is {format}", disk.label);
    match zeroed {
        Some(true) => Finding::met(observed),
        Some(false) if vm.is_off() => {
            Finding::met(format!("{observed}, and is converted because the virtual machine is off"))
        }
        Some(false) => {
            let finding = Finding::unmet(observed, "disks are converted only while the virtual machine is off");
            if vm.is_on() { finding.remedy(power_off(vm)) } else { finding }
        }
        None => Finding::unknown(observed, "the server does not report whether the disk is zeroed (eagerlyScrub)"),
    }
}

pub const DISK_MODE: Requirement = Requirement::decisive("disk-mode", "The disks are persistent.");

fn mode(disk: &Device) -> Finding {
    let Some(mode) = &disk.mode else { return Finding::met("no mode") };
    match mode.as_str() {
        "persistent" | "independent_persistent" => Finding::met(mode.as_str()),
        other => Finding::unknown(
            format!("{} is {other}", disk.label),
            "this program does not know whether Fault Tolerance protects a disk of this mode",
        ),
    }
}

pub const DISK_RDM: Requirement = Requirement::decisive("disk-rdm", "No disk is a physical raw device mapping.");

fn rdm(disk: &Device) -> Finding {
    match disk.compatibility_mode.as_deref() {
        Some("physicalMode") => Finding::unmet(
            format!("{} is a physical raw device mapping", disk.label),
            "Fault Tolerance does not protect a physical raw device mapping",
        )
        .by_hand("Replace the mapping with a virtual one or with a disk."),
        _ => Finding::met("none"),
    }
}

/// Returns the datastores that both hosts have to reach. Record/replay Fault Tolerance shares all files. SMP-FT copies the
/// disks to any datastore of the other host. It shares the configuration, and the metadata by which primary and secondary
/// agree which one continues.
pub fn files(context: Context, vm: &Vm) -> Fact<Vec<String>> {
    let facts = context.facts;
    if context.is_legacy() || vm.datastores.known().is_none() {
        return vm.datastores.clone();
    }
    let path = match &vm.vmx {
        Fact::Known(path) => path,
        Fact::Unset => return Fact::Unset,
        Fact::Hidden(why) => return Fact::Hidden(why.clone()),
    };
    let mut moids: Vec<String> = Vec::new();
    // While Fault Tolerance is not configured, the path of the metadata may be unset or empty.
    for path in [path].into_iter().chain(vm.metadata.known().filter(|path| !path.is_empty())) {
        let name = path.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(name, _)| name);
        let Some(datastore) = facts.datastores.iter().find(|it| it.subject.name == name) else {
            return Fact::Hidden(format!("{path} is on none of the datastores that the virtual machine reports"));
        };
        if !moids.contains(&datastore.subject.moid) {
            moids.push(datastore.subject.moid.clone());
        }
    }
    Fact::Known(moids)
}

pub const SHARED_STORAGE: Requirement = Requirement::decisive(
    "shared-storage",
    "The files of the virtual machine are on storage that several hosts share.",
);

fn shared_storage(context: Context, vm: &Vm) -> Check {
    let text = if context.is_legacy() {
        SHARED_STORAGE.text
    } else {
        "The configuration of the virtual machine is on storage that several hosts share."
    };
    let finding = files(context, vm).judge("datastore", |moids| on_shared(context, moids));
    Check::worded(SHARED_STORAGE, text, &vm.subject, finding)
}

fn on_shared(context: Context, moids: &[String]) -> Finding {
    let facts = context.facts;
    let mut names = Vec::new();
    let each: Vec<Finding> = moids
        .iter()
        .map(|moid| {
            let Some(datastore) = facts.datastores.iter().find(|it| it.subject.moid == *moid) else {
                return Finding::unknown(moid, "its datastore cannot be read");
            };
            let name = &datastore.subject.name;
            names.push(name.as_str());
            if datastore.accessible == Fact::Known(false) {
                return Finding::unmet(format!("{name} cannot be reached"), "vSphere cannot reach the datastore")
                    .by_hand("Make the datastore reachable again.");
            }
            datastore.shared.judge("summary.multipleHostAccess", |shared| {
                if *shared {
                    Finding::met(name.as_str())
                } else {
                    Finding::unmet(format!("only one host has {name}"), "the host of the secondary must reach it too")
                        .by_hand("Move the virtual machine to a datastore that several hosts share.")
                }
            })
        })
        .collect();
    if each.is_empty() {
        return Finding::unknown("none", "the server reports no datastore of the virtual machine");
    }
    all(&names.join(", "), each)
}

pub const DATASTORE_ACCESS: Requirement = Requirement::decisive(
    "datastore-access",
    "At least two hosts in service reach the datastores of the virtual machine.",
);

fn datastore_access(context: Context, vm: &Vm) -> Check {
    let text = if context.is_legacy() {
        DATASTORE_ACCESS.text
    } else {
        "At least two hosts in service reach the datastore with the configuration of the virtual machine."
    };
    let finding = two_hosts_reach(context, "datastore", &files(context, vm), |host| &host.datastores);
    Check::worded(DATASTORE_ACCESS, text, &vm.subject, finding)
}
