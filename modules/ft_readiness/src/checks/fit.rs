//! What the virtual machine asks of a host that is to run it or its secondary.

use vsphere::Version;

use super::Context;
use super::pair::{Seat, best_apart};
use crate::check::{Status, Verdict};
use crate::facts::{Fact, Host, Place, Vm};

/// Everything that it asks of this host.
pub fn judge(context: Context, vm: &Vm, host: &Host) -> Vec<Verdict> {
    let mut verdicts = vec![
        reaches(context, "datastore", &files(context, vm), &host.datastores),
        reaches(context, "network", &vm.networks, &host.networks),
    ];
    // What record/replay protects at most is the same for every host, and is judged of the virtual machine.
    if !context.is_legacy() {
        verdicts.push(at_most(&vm.cpus, VCPUS.of(context, host), "virtual CPUs"));
        verdicts.push(at_most(&vm.memory_mb, MEMORY.of(context, host), "MB of memory"));
    }
    if context.version().at_least(5, 0) {
        verdicts.push(vm.firmware.judge("config.firmware", |firmware| has_firmware(firmware, host)));
    }
    verdicts
}

/// The datastores that both hosts have to reach. Record/replay shares all files. SMP-FT copies the disks, to wherever the
/// other host has room, and shares what is left: the configuration, and the metadata by which the two settle who goes on.
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
    // Without Fault Tolerance there may be no metadata yet, or an empty path.
    for path in [path].into_iter().chain(vm.metadata.known().filter(|path| !path.is_empty())) {
        let name = path.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or("", |(name, _)| name);
        let Some(datastore) = facts.datastores.iter().find(|it| it.object.name == name) else {
            return Fact::Hidden(format!("{path} is on none of those that the virtual machine is said to use"));
        };
        if !moids.contains(&datastore.object.moid) {
            moids.push(datastore.object.moid.clone());
        }
    }
    Fact::Known(moids)
}

/// Whether a host has everything of one kind that is used.
pub fn reaches(context: Context, what: &str, used: &Fact<Vec<String>>, own: &Fact<Vec<String>>) -> Verdict {
    used.judge(what, |used| {
        own.judge(what, |own| {
            let lacking: Vec<String> =
                used.iter().filter(|moid| !own.contains(moid)).map(|moid| context.facts.name_of(moid)).collect();
            if lacking.is_empty() {
                return Verdict::met("all of them");
            }
            let lacks = format!("lacks the {what} {}", lacking.join(", "));
            Verdict::unmet(lacks.as_str(), lacks.as_str())
        })
    })
}

/// The most of something that a host protects with SMP-FT: as it tells, else as its version does.
pub struct Most {
    told: fn(&Host) -> &Fact<i64>,
    /// From 6.0.
    early: i64,
    /// From 6.7.
    later: i64,
}

pub const VCPUS: Most = Most { told: |host| &host.capability.max_vcpus, early: 4, later: 8 };
pub const MEMORY: Most = Most { told: |host| &host.capability.max_memory_mb, early: 65_536, later: 131_072 };

impl Most {
    fn of(&self, context: Context, host: &Host) -> i64 {
        (self.told)(host).known().copied().unwrap_or_else(|| {
            let version = host.version.known().cloned().unwrap_or_else(|| context.version());
            self.by_version(&version)
        })
    }

    /// The most that two hosts protect, that of a running virtual machine among them. Hosts that cannot be read may protect
    /// what the newest do that the server knows.
    pub fn of_two(&self, context: Context) -> i64 {
        let facts = context.facts;
        let runs = facts.vm.as_ref().is_some_and(Vm::is_on);
        let home = facts.home().filter(|_| runs);
        let others = facts.candidates().filter(|host| home.is_none_or(|home| home.object.moid != host.object.moid));
        let mut all: Vec<i64> = others.map(|host| self.of(context, host)).collect();
        all.sort_unstable_by_key(|most| std::cmp::Reverse(*most));
        match (home, &all[..]) {
            (Some(home), others) => others.first().copied().unwrap_or(i64::MAX).min(self.of(context, home)),
            (None, _) if matches!(facts.place, Place::Hidden(_)) => self.by_version(&facts.server),
            // It runs on a host that cannot be read.
            (None, [best, ..]) if runs => *best,
            (None, [_, second, ..]) => *second,
            (None, [only]) => *only,
            (None, []) => self.by_version(&context.version()),
        }
    }

    fn by_version(&self, version: &Version) -> i64 {
        if version.at_least(6, 7) { self.later } else { self.early }
    }
}

fn at_most(fact: &Fact<i64>, most: i64, what: &str) -> Verdict {
    fact.judge(what, |count| {
        if *count <= most {
            Verdict::met(format!("at most {most}"))
        } else {
            Verdict::unmet(format!("at most {most}"), format!("protects at most {most} {what}"))
        }
    })
}

fn has_firmware(firmware: &str, host: &Host) -> Verdict {
    if firmware == "bios" {
        return Verdict::met("bios");
    }
    host.capability.efi.judge("capability.ftEfiSupported", |supported| {
        if *supported {
            Verdict::met(firmware)
        } else {
            Verdict::unmet(firmware, format!("supports no {firmware} firmware with Fault Tolerance"))
        }
    })
}

/// Whether two hosts protect a virtual machine with its firmware.
pub fn firmware(context: Context, vm: &Vm) -> Verdict {
    vm.firmware.judge("config.firmware", |firmware| {
        if firmware == "bios" {
            return Verdict::met("bios");
        }
        let hosts = context.facts.candidates();
        let seats: Vec<Seat> = hosts.map(|host| Seat::new(host, || vec![has_firmware(firmware, host)])).collect();
        // With one host there is no pair, which is said of the cluster: then that one counts.
        let status = best_apart(context, &seats).or_else(|| seats.iter().map(Seat::status).max());
        match status {
            Some(Status::Met) => Verdict::met(firmware.as_str()),
            Some(Status::Unmet) => Verdict::unmet(
                firmware.as_str(),
                "too few hosts support such firmware with Fault Tolerance (capability.ftEfiSupported)",
            ),
            _ => Verdict::unknown(
                firmware.as_str(),
                "not every host tells whether it supports that (capability.ftEfiSupported)",
            ),
        }
    })
}
