//! The size of the virtual machine: virtual CPUs and memory, and the most that hosts protect.

use vsphere::Version;

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Place, Vm};
use crate::finding::Finding;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[VCPUS, MEMORY];

/// Judges these requirements.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    vec![vcpus(context, vm), memory(context, vm)]
}

pub const VCPUS: Requirement =
    Requirement::decisive("vcpus", "The virtual machine has no more virtual CPUs than two hosts protect.");

fn vcpus(context: Context, vm: &Vm) -> Check {
    let most = if context.is_legacy() { 1 } else { MOST_VCPUS.of_two(context) };
    let text = format!("The virtual machine has at most {most} virtual CPU{}.", if most == 1 { "" } else { "s" });
    let finding = at_most(&vm.cpus, "config.hardware.numCPU", most, "virtual CPUs");
    Check::worded(VCPUS, text, &vm.subject, finding)
}

pub const MEMORY: Requirement =
    Requirement::decisive("memory", "The virtual machine has no more memory than two hosts protect.");

fn memory(context: Context, vm: &Vm) -> Check {
    let most = if context.is_legacy() { 65_536 } else { MOST_MEMORY.of_two(context) };
    let text = format!("The virtual machine has at most {} GB of memory.", most / 1024);
    let finding = at_most(&vm.memory_mb, "config.hardware.memoryMB", most, "MB of memory");
    Check::worded(MEMORY, text, &vm.subject, finding)
}

fn at_most(fact: &Fact<i64>, property: &str, most: i64, what: &str) -> Finding {
    fact.judge(property, |count| {
        let observed = format!("{count} {what}");
        if *count <= most {
            Finding::met(observed)
        } else {
            Finding::unmet(observed, format!("the hosts protect at most {most}"))
                .by_hand(format!("Power the virtual machine off and give it at most {most} {what}."))
        }
    })
}

/// Judges whether this host protects a virtual machine of this size. The limits of record/replay Fault Tolerance are the same
/// for every host, and are judged for the virtual machine only.
pub fn of_host(context: Context, vm: &Vm, host: &Host) -> Vec<Finding> {
    if context.is_legacy() {
        return Vec::new();
    }
    vec![
        protects(&vm.cpus, MOST_VCPUS.of(context, host), "virtual CPUs"),
        protects(&vm.memory_mb, MOST_MEMORY.of(context, host), "MB of memory"),
    ]
}

fn protects(fact: &Fact<i64>, most: i64, what: &str) -> Finding {
    fact.judge(what, |count| {
        if *count <= most {
            Finding::met(format!("at most {most}"))
        } else {
            Finding::unmet(format!("at most {most}"), format!("protects at most {most} {what}"))
        }
    })
}

/// The most of something that a host protects with SMP-FT: the number that it reports, else the one of its version.
struct Most {
    reported: fn(&Host) -> &Fact<i64>,
    /// From 6.0.
    early: i64,
    /// From 6.7.
    later: i64,
}

const MOST_VCPUS: Most = Most { reported: |host| &host.capability.max_vcpus, early: 4, later: 8 };
const MOST_MEMORY: Most = Most { reported: |host| &host.capability.max_memory_mb, early: 65_536, later: 131_072 };

impl Most {
    fn of(&self, context: Context, host: &Host) -> i64 {
        (self.reported)(host).known().copied().unwrap_or_else(|| {
            let version = host.version.known().cloned().unwrap_or_else(|| context.version());
            self.by_version(&version)
        })
    }

    /// Returns the most that two hosts protect; the host of a running virtual machine is one of them. Hosts that cannot be
    /// read may protect as much as the newest hosts that the server supports.
    fn of_two(&self, context: Context) -> i64 {
        let facts = context.facts;
        let runs = facts.vm.as_ref().is_some_and(Vm::is_on);
        let home = facts.home().filter(|_| runs);
        let others = facts.candidates().filter(|host| home.is_none_or(|home| home.subject.moid != host.subject.moid));
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
