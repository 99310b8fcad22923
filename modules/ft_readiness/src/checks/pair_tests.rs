//! Two hosts that meet everything, and hosts that are not needed.

use std::collections::BTreeSet;

use vsphere::{FtEngine, Version};

use super::tests::{Row, hidden, hold, judged};
use crate::check::{Check, Id, Status};
use crate::facts::{Datastore, Fact, Facts, Place};
use crate::plan::judge;
use crate::testing::{issues, known, lab, object};

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

pub fn moids(moids: &[&str]) -> Fact<Vec<String>> {
    Fact::Known(moids.iter().map(|moid| (*moid).to_owned()).collect())
}

/// A second datastore, with a disk of the virtual machine, that only its own host has.
fn spread(facts: &mut Facts) {
    let second = object("Datastore", "ds2", "datastore-2");
    facts.datastores.push(Datastore { object: second, accessible: Fact::Known(true), shared: Fact::Known(true) });
    facts.machine().datastores = moids(&["datastore-1", "datastore-2"]);
    facts.hosts[0].datastores = moids(&["datastore-1", "datastore-2"]);
}

/// The virtual machine is off, and of its cluster only so many hosts can be read.
fn hide(facts: &mut Facts, hosts: usize) {
    facts.place = Place::Hidden("no right".to_owned());
    facts.hosts.truncate(hosts);
    facts.machine().power = known("poweredOff");
}

pub const PAIR: &[Row] = &[
    (Id::HostPair, Smp, Unmet, |it| it.hosts.truncate(1)),
    (Id::HostPair, Smp, Unmet, |it| it.lose("vmotion")),
    (Id::HostPair, Smp, Met, |it| {
        it.third();
        it.lose("vmotion");
    }),
    (Id::HostPair, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (Id::HostPair, Smp, Unmet, |it| it.second().power = known("standBy")),
    (Id::HostPair, Smp, Unknown, |it| it.second().connection = hidden()),
    (Id::HostPair, Smp, Unknown, |it| it.second().agent = known("election")),
    (Id::HostPair, Smp, Unmet, |it| it.second().ft_version = known("4.0.0")),
    (Id::HostPair, Smp, Met, |it| it.third().ft_version = known("4.0.0")),
    (Id::HostPair, Smp, Met, |it| it.third().version = Fact::Known(Version::parse("5.5.0"))),
    (Id::HostPair, Legacy, Unmet, |it| it.second().version = Fact::Known(Version::parse("6.5.0"))),
    // The others make a pair, and the virtual machine runs on none of them.
    (Id::HostPair, Smp, Unmet, |it| {
        it.third();
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
    }),
    (Id::HostPair, Smp, Met, |it| {
        it.third();
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
        it.machine().power = known("poweredOff");
    }),
    (Id::HostPair, Smp, Unmet, |it| {
        it.third().ft_version = known("4.0.0");
        it.second().ft_version = known("4.0.0");
    }),
    (Id::HostPair, Smp, Met, |it| {
        it.third().ft_version = known("4.0.0");
        it.second().ft_version = known("4.0.0");
        it.machine().power = known("poweredOff");
    }),
    // It runs on a host that this user may not see.
    (Id::HostPair, Smp, Unknown, |it| it.machine().host = Some("host-9".to_owned())),
    (Id::Vcpus, Smp, Met, |it| {
        it.machine().host = Some("host-9".to_owned());
        it.machine().cpus = Fact::Known(8);
        it.second().capability.max_vcpus = Fact::Known(2);
    }),
    (Id::HostPair, Smp, Unknown, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.truncate(1);
    }),
    (Id::HostPair, Smp, Unknown, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.clear();
    }),
    (Id::HostPair, Smp, Unmet, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.truncate(1);
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
    }),
    (Id::NetworkAccess, Smp, Unknown, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.truncate(1);
    }),
    // It is off, and any two of the hosts that cannot be read may be the pair.
    (Id::HostPair, Smp, Unknown, |it| hide(it, 1)),
    (Id::HostPair, Smp, Unknown, |it| hide(it, 0)),
    (Id::HostPair, Legacy, Unknown, |it| hide(it, 0)),
    (Id::DatastoreAccess, Smp, Unknown, |it| hide(it, 1)),
    (Id::DatastoreAccess, Legacy, Unknown, |it| hide(it, 0)),
    (Id::NetworkAccess, Smp, Unknown, |it| hide(it, 0)),
    (Id::HostPair, Smp, Unknown, |it| {
        hide(it, 1);
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
    }),
    (Id::NetworkAccess, Smp, Unknown, |it| {
        hide(it, 1);
        it.hosts[0].networks = moids(&[]);
    }),
    (Id::Firmware, Smp, Unknown, |it| {
        hide(it, 1);
        it.machine().firmware = known("efi");
        it.hosts[0].capability.efi = Fact::Known(false);
    }),
    (Id::Vcpus, Smp, Met, |it| {
        hide(it, 1);
        it.machine().cpus = Fact::Known(4);
        it.hosts[0].capability.max_vcpus = Fact::Known(2);
    }),
    (Id::Vcpus, Smp, Unmet, |it| {
        hide(it, 1);
        it.machine().cpus = Fact::Known(9);
    }),
    // SMP-FT copies the disks, record/replay shares them.
    (Id::DatastoreAccess, Smp, Met, spread),
    (Id::SharedStorage, Smp, Met, |it| {
        spread(it);
        it.datastores[1].shared = Fact::Known(false);
    }),
    (Id::HostPair, Smp, Met, spread),
    (Id::DatastoreAccess, Legacy, Unmet, spread),
    (Id::HostPair, Legacy, Unmet, spread),
    (Id::DatastoreAccess, Smp, Unmet, |it| {
        spread(it);
        it.machine().metadata = known("[ds2] inner/shared");
    }),
    (Id::DatastoreAccess, Smp, Met, |it| it.machine().metadata = known("[ds] inner/shared")),
    (Id::DatastoreAccess, Smp, Unknown, |it| it.machine().metadata = known("[elsewhere] inner/shared")),
    (Id::DatastoreAccess, Smp, Unknown, |it| it.machine().vmx = hidden()),
    // A host that is out of service reaches nothing, whatever it has mounted.
    (Id::DatastoreAccess, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (Id::NetworkAccess, Smp, Unmet, |it| it.second().connection = known("notResponding")),
    (Id::NetworkAccess, Smp, Unmet, |it| it.second().power = known("standBy")),
    // What one host more cannot do is no matter where two can.
    (Id::Vcpus, Smp, Met, |it| {
        it.machine().cpus = Fact::Known(8);
        it.third().capability.max_vcpus = Fact::Known(2);
    }),
    (Id::Vcpus, Smp, Unmet, |it| {
        it.machine().cpus = Fact::Known(8);
        it.third();
        it.hosts[0].capability.max_vcpus = Fact::Known(2);
    }),
    // It is off and may be powered on anywhere, but both halves need a host.
    (Id::Vcpus, Smp, Unmet, |it| {
        it.machine().power = known("poweredOff");
        it.machine().cpus = Fact::Known(8);
        it.second().capability.max_vcpus = Fact::Known(2);
    }),
    (Id::HostPair, Smp, Unmet, |it| {
        it.machine().memory_mb = Fact::Known(4096);
        it.second().capability.max_memory_mb = Fact::Known(2048);
    }),
    (Id::Firmware, Smp, Met, |it| {
        it.machine().firmware = known("efi");
        it.third().capability.efi = Fact::Known(false);
    }),
    (Id::Firmware, Smp, Met, |it| {
        it.machine().firmware = known("efi");
        it.hosts.truncate(1);
    }),
];

#[test]
fn two_hosts_have_to_meet_everything() {
    hold(PAIR);
}

fn with(checks: &[Check], status: Status) -> BTreeSet<Id> {
    checks.iter().filter(|check| check.status == status).map(|check| check.id).collect()
}

pub fn the(checks: &[Check], id: Id) -> &Check {
    checks.iter().find(|check| check.id == id).unwrap()
}

#[test]
fn three_pairs_that_each_meet_something_make_none() {
    let checks = judged(Smp, |it| {
        it.third().datastores = moids(&[]);
        it.second().networks = moids(&[]);
    });
    assert_eq!(with(&checks, Unmet), [Id::HostPair].into());
    let pair = the(&checks, Id::HostPair);
    assert!(pair.decisive);
    assert_eq!(pair.observed, "1 of 3 hosts; esxi02: lacks the network VM Network; esxi03: lacks the datastore ds");
    assert!(pair.remedy.is_some(), "no other check says what to do");
}

#[test]
fn a_host_that_is_not_needed_is_told_of_and_keeps_nothing_from_being_ready() {
    type Break = fn(&mut Facts);
    let breaks: [(Id, Break); 6] = [
        (Id::HostMaintenance, |it| it.third().maintenance = Fact::Known(true)),
        (Id::HostConnected, |it| it.third().connection = known("notResponding")),
        (Id::HostConnected, |it| it.third().power = known("standBy")),
        (Id::HaAgent, |it| it.third().agent = known("fdmUnreachable")),
        (Id::Engine, |it| it.third().version = Fact::Known(Version::parse("5.5.0"))),
        (Id::FtVersion, |it| it.third().ft_version = known("4.0.0")),
    ];
    for (id, spoil) in breaks {
        let mut facts = lab(Smp);
        spoil(&mut facts);
        let judgement = judge(&facts, None);
        assert!(judgement.is_ready() && judgement.counts.unmet > 0, "{id:?}");
        assert!(with(&judgement.checks, Unmet).contains(&id), "{id:?}");
        assert!(!the(&judgement.checks, id).decisive);
        // Needed, the same host is in the way.
        facts.hosts.remove(1);
        assert!(!judge(&facts, None).is_ready(), "{id:?}");
    }
}

#[test]
fn no_module_is_named_for_a_host_that_is_out_of_service() {
    for (engine, out) in [(Smp, true), (Smp, false), (Legacy, true), (Legacy, false)] {
        let mut facts = lab(engine);
        let third = facts.third();
        third.maintenance = Fact::Known(out);
        let Fact::Known(services) = &mut third.services else { panic!("no services") };
        for own in services {
            own.selected.clear();
        }
        let judgement = judge(&facts, None);
        assert!(judgement.is_ready());
        assert!(with(&judgement.checks, Unmet).is_superset(&[Id::VmotionNic, Id::FtLoggingNic].into()));
        let modules: Vec<_> = judgement.remedies.iter().filter_map(|step| step.module.as_deref()).collect();
        assert_eq!(modules.is_empty(), out, "{modules:?}");
        assert!(judgement.remedies.iter().all(|step| step.text.contains("esxi03")));
    }
}

#[test]
fn of_many_hosts_few_are_named() {
    for (count, end) in [(3, "; esxi03: lacks the network VM Network"), (32, "; and 29 more")] {
        let checks = judged(Smp, |it| {
            it.third();
            let host = it.hosts[2].clone();
            it.hosts.resize(count, host);
            it.hosts.iter_mut().for_each(|host| host.networks = moids(&[]));
        });
        let observed = &the(&checks, Id::NetworkAccess).observed;
        assert!(
            observed.starts_with(&format!("0 of {count} hosts; esxi01: ")) && observed.ends_with(end),
            "{observed}"
        );
    }
}
