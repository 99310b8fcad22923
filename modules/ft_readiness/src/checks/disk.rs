//! What is required of the disks of the virtual machine, of what they lie on, and of who reaches that.

use super::pair::{Seat, best_apart, list};
use super::vm::power_off;
use super::{Context, fit};
use crate::check::{Check, Id, Status, Verdict, all};
use crate::facts::{Device, Fact, Host, Place, Vm};

pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |id, required: &str, verdict| checks.push(Check::new(id, required, &vm.object, verdict));
    let each = |judge: &dyn Fn(&Device) -> Verdict, fine: &str| {
        vm.devices.judge("config.hardware.device", |devices| {
            all(fine, devices.iter().filter(|device| device.kind == "VirtualDisk").map(judge))
        })
    };
    if context.is_legacy() {
        let verdict = each(&|disk| format(disk, vm), "eager-zeroed thick");
        add(Id::DiskFormat, "The disks are eager-zeroed thick.", verdict);
    }
    add(Id::DiskMode, "The disks are persistent.", each(&mode, "persistent"));
    add(Id::DiskRdm, "No disk is a physical raw device mapping.", each(&rdm, "none"));
    let required = if context.is_legacy() {
        "The files of the virtual machine are on storage that several hosts have."
    } else {
        "The configuration of the virtual machine is on storage that several hosts have."
    };
    let files = fit::files(context, vm);
    add(Id::SharedStorage, required, shared(context, &files));
    if context.facts.place == Place::Standalone {
        // There is but one host, and that is said already.
        return checks;
    }
    let required = if context.is_legacy() {
        "At least two hosts in service reach the datastores of the virtual machine."
    } else {
        "At least two hosts in service reach the datastore with the configuration of the virtual machine."
    };
    let verdict = reached(context, "datastore", &files, |host| &host.datastores);
    add(Id::DatastoreAccess, required, verdict);
    let verdict = reached(context, "network", &vm.networks, |host| &host.networks);
    add(Id::NetworkAccess, "At least two hosts in service reach the networks of the virtual machine.", verdict);
    checks
}

/// Turning Fault Tolerance on converts the disks of a virtual machine that is off.
fn format(disk: &Device, vm: &Vm) -> Verdict {
    // Raw device mappings have no format.
    if !disk.backing.contains("Flat") && disk.thin.is_none() && disk.eagerly_scrubbed.is_none() {
        return Verdict::met("no file of blocks");
    }
    let (format, zeroed) = match (disk.thin, disk.eagerly_scrubbed) {
        (Some(true), _) => ("thin", Some(false)),
        (_, Some(true)) => ("eager-zeroed thick", Some(true)),
        (Some(false), Some(false)) => ("lazily zeroed thick", Some(false)),
        (thin, _) => (if thin == Some(false) { "thick" } else { "not told" }, None),
    };
    let observed = format!("{} is {format}", disk.label);
    match zeroed {
        Some(true) => Verdict::met(observed),
        Some(false) if vm.is_off() => {
            Verdict::met(format!("{observed}, and is converted with the virtual machine off"))
        }
        Some(false) => {
            let verdict = Verdict::unmet(observed, "disks are only converted while the virtual machine is off");
            if vm.is_on() { verdict.remedy(power_off(vm)) } else { verdict }
        }
        None => Verdict::unknown(observed, "the server does not tell whether the disk is zeroed (eagerlyScrub)"),
    }
}

fn mode(disk: &Device) -> Verdict {
    let Some(mode) = &disk.mode else { return Verdict::met("no mode") };
    match mode.as_str() {
        "persistent" | "independent_persistent" => Verdict::met(mode.as_str()),
        other => Verdict::unknown(
            format!("{} is {other}", disk.label),
            "whether Fault Tolerance protects a disk of this mode is not known to this program",
        ),
    }
}

fn rdm(disk: &Device) -> Verdict {
    match disk.compatibility_mode.as_deref() {
        Some("physicalMode") => Verdict::unmet(
            format!("{} is a physical raw device mapping", disk.label),
            "Fault Tolerance protects no physical raw device mapping",
        )
        .by_hand("Replace the mapping by a virtual one or by a disk."),
        _ => Verdict::met("none"),
    }
}

/// Whether other hosts can have what both of a pair need.
fn shared(context: Context, files: &Fact<Vec<String>>) -> Verdict {
    files.judge("datastore", |moids| on_shared(context, moids.iter().map(String::as_str)))
}

fn on_shared<'a>(context: Context, moids: impl IntoIterator<Item = &'a str>) -> Verdict {
    let facts = context.facts;
    let mut names = Vec::new();
    let each: Vec<Verdict> = moids
        .into_iter()
        .map(|moid| {
            let Some(datastore) = facts.datastores.iter().find(|it| it.object.moid == moid) else {
                return Verdict::unknown(moid, "its datastore cannot be read");
            };
            let name = &datastore.object.name;
            names.push(name.as_str());
            if datastore.accessible == Fact::Known(false) {
                return Verdict::unmet(format!("{name} cannot be reached"), "vSphere does not reach the datastore")
                    .by_hand("Make the datastore reachable again.");
            }
            datastore.shared.judge("summary.multipleHostAccess", |shared| {
                if *shared {
                    Verdict::met(name.as_str())
                } else {
                    Verdict::unmet(
                        format!("{name} is on one host only"),
                        "the host of the secondary has to reach it too",
                    )
                    .by_hand("Move the virtual machine to a datastore that several hosts have.")
                }
            })
        })
        .collect();
    if each.is_empty() {
        return Verdict::unknown("none", "the server names no datastore of the virtual machine");
    }
    all(&names.join(", "), each)
}

/// Whether two hosts have everything of one kind that the virtual machine uses.
fn reached(
    context: Context,
    what: &str,
    used: &Fact<Vec<String>>,
    of_host: fn(&Host) -> &Fact<Vec<String>>,
) -> Verdict {
    used.judge(what, |_| {
        let hosts = context.facts.hosts.iter();
        let judge = |host: &Host| vec![fit::reaches(context, what, used, of_host(host))];
        let seats: Vec<Seat> = hosts.map(|host| Seat::new(host, || judge(host))).collect();
        let observed = list(context, &seats);
        match best_apart(context, &seats) {
            Some(Status::Met) => Verdict::met(observed),
            Some(Status::Unknown) => Verdict::unknown(observed, format!("which {what}s some hosts have is not told")),
            Some(Status::Unmet) | None => {
                Verdict::unmet(observed, format!("primary and secondary need the same {what}s on two hosts in service"))
                    .by_hand(format!(
                        "Give hosts in service the {what}s that they lack, or take hosts back into service."
                    ))
            }
        }
    })
}
