//! Two hosts that meet everything, and hosts that are not needed.

use std::collections::BTreeSet;

use vsphere::{FtEngine, Version};

use crate::check::Check;
use crate::fact::Fact;
use crate::facts::{Datastore, Facts, Place};
use crate::finding::Status;
use crate::hardware::FIRMWARE;
use crate::host::{HA_AGENT, HOST_CONNECTED, HOST_MAINTENANCE};
use crate::judgement::Judgement;
use crate::network::{FT_LOGGING_NIC, NETWORK_ACCESS, VMOTION_NIC};
use crate::pair::HOST_PAIR;
use crate::requirement::Requirement;
use crate::size::VCPUS;
use crate::storage::{DATASTORE_ACCESS, SHARED_STORAGE};
use crate::testing::{Row, hidden, hold, issues, judged, known, lab, moids, subject, the};
use crate::versions::{ENGINE, FT_VERSION};

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

/// Adds a datastore, with a disk of the virtual machine, that only the host of the virtual machine has.
fn spread(facts: &mut Facts) {
    let second = subject("Datastore", "ds2", "datastore-2");
    let datastore = Datastore { subject: second, ..facts.datastores[0].clone() };
    facts.datastores.push(datastore);
    facts.machine().datastores = moids(&["datastore-1", "datastore-2"]);
    facts.hosts[0].datastores = moids(&["datastore-1", "datastore-2"]);
}

/// Powers the virtual machine off, and hides its cluster except for this number of hosts.
fn hide(facts: &mut Facts, hosts: usize) {
    facts.place = Place::Hidden("no right".to_owned());
    facts.hosts.truncate(hosts);
    facts.machine().power = known("poweredOff");
}

pub const PAIR_ROWS: &[Row] = &[
    (HOST_PAIR, Smp, Unmet, |it| it.hosts.truncate(1)),
    (HOST_PAIR, Smp, Unmet, |it| it.lose("vmotion")),
    (HOST_PAIR, Smp, Met, |it| {
        it.third();
        it.lose("vmotion");
    }),
    (HOST_PAIR, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (HOST_PAIR, Smp, Unmet, |it| it.second().power = known("standBy")),
    (HOST_PAIR, Smp, Unknown, |it| it.second().connection = hidden()),
    (HOST_PAIR, Smp, Unknown, |it| it.second().agent = known("election")),
    (HOST_PAIR, Smp, Unmet, |it| it.second().ft_version = known("4.0.0")),
    (HOST_PAIR, Smp, Met, |it| it.third().ft_version = known("4.0.0")),
    (HOST_PAIR, Smp, Met, |it| it.third().version = Fact::Known(Version::parse("5.5.0"))),
    (HOST_PAIR, Legacy, Unmet, |it| it.second().version = Fact::Known(Version::parse("6.5.0"))),
    // The others make a pair, but the virtual machine runs on neither.
    (HOST_PAIR, Smp, Unmet, |it| {
        it.third();
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
    }),
    (HOST_PAIR, Smp, Met, |it| {
        it.third();
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
        it.machine().power = known("poweredOff");
    }),
    (HOST_PAIR, Smp, Unmet, |it| {
        it.third().ft_version = known("4.0.0");
        it.second().ft_version = known("4.0.0");
    }),
    (HOST_PAIR, Smp, Met, |it| {
        it.third().ft_version = known("4.0.0");
        it.second().ft_version = known("4.0.0");
        it.machine().power = known("poweredOff");
    }),
    // The virtual machine runs on a host that this user may not see.
    (HOST_PAIR, Smp, Unknown, |it| it.machine().host = Some("host-9".to_owned())),
    (VCPUS, Smp, Met, |it| {
        it.machine().host = Some("host-9".to_owned());
        it.machine().cpus = Fact::Known(8);
        it.second().capability.max_vcpus = Fact::Known(2);
    }),
    (HOST_PAIR, Smp, Unknown, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.truncate(1);
    }),
    (HOST_PAIR, Smp, Unknown, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.clear();
    }),
    (HOST_PAIR, Smp, Unmet, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.truncate(1);
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
    }),
    (NETWORK_ACCESS, Smp, Unknown, |it| {
        it.place = Place::Hidden("no right".to_owned());
        it.hosts.truncate(1);
    }),
    // The virtual machine is off, and any two hosts that cannot be read may be the pair.
    (HOST_PAIR, Smp, Unknown, |it| hide(it, 1)),
    (HOST_PAIR, Smp, Unknown, |it| hide(it, 0)),
    (HOST_PAIR, Legacy, Unknown, |it| hide(it, 0)),
    (DATASTORE_ACCESS, Smp, Unknown, |it| hide(it, 1)),
    (DATASTORE_ACCESS, Legacy, Unknown, |it| hide(it, 0)),
    (NETWORK_ACCESS, Smp, Unknown, |it| hide(it, 0)),
    (HOST_PAIR, Smp, Unknown, |it| {
        hide(it, 1);
        it.hosts[0].capability.smp = issues(&["cpuHvDisabled"]);
    }),
    (NETWORK_ACCESS, Smp, Unknown, |it| {
        hide(it, 1);
        it.hosts[0].networks = moids(&[]);
    }),
    (FIRMWARE, Smp, Unknown, |it| {
        hide(it, 1);
        it.machine().firmware = known("efi");
        it.hosts[0].capability.efi = Fact::Known(false);
    }),
    (VCPUS, Smp, Met, |it| {
        hide(it, 1);
        it.machine().cpus = Fact::Known(4);
        it.hosts[0].capability.max_vcpus = Fact::Known(2);
    }),
    (VCPUS, Smp, Unmet, |it| {
        hide(it, 1);
        it.machine().cpus = Fact::Known(9);
    }),
    // SMP-FT copies the disks, record/replay shares them.
    (DATASTORE_ACCESS, Smp, Met, spread),
    (SHARED_STORAGE, Smp, Met, |it| {
        spread(it);
        it.datastores[1].shared = Fact::Known(false);
    }),
    (HOST_PAIR, Smp, Met, spread),
    (DATASTORE_ACCESS, Legacy, Unmet, spread),
    (HOST_PAIR, Legacy, Unmet, spread),
    (DATASTORE_ACCESS, Smp, Unmet, |it| {
        spread(it);
        it.machine().metadata = known("[ds2] inner/shared");
    }),
    (DATASTORE_ACCESS, Smp, Met, |it| it.machine().metadata = known("[ds] inner/shared")),
    (DATASTORE_ACCESS, Smp, Unknown, |it| it.machine().metadata = known("[elsewhere] inner/shared")),
    (DATASTORE_ACCESS, Smp, Unknown, |it| it.machine().vmx = hidden()),
    // A host that is out of service does not count, whatever it has mounted.
    (DATASTORE_ACCESS, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (NETWORK_ACCESS, Smp, Unmet, |it| it.second().connection = known("notResponding")),
    (NETWORK_ACCESS, Smp, Unmet, |it| it.second().power = known("standBy")),
    // A third host does not matter if two are good.
    (VCPUS, Smp, Met, |it| {
        it.machine().cpus = Fact::Known(8);
        it.third().capability.max_vcpus = Fact::Known(2);
    }),
    (VCPUS, Smp, Unmet, |it| {
        it.machine().cpus = Fact::Known(8);
        it.third();
        it.hosts[0].capability.max_vcpus = Fact::Known(2);
    }),
    // The virtual machine is off and may be powered on anywhere, but primary and secondary both need a host.
    (VCPUS, Smp, Unmet, |it| {
        it.machine().power = known("poweredOff");
        it.machine().cpus = Fact::Known(8);
        it.second().capability.max_vcpus = Fact::Known(2);
    }),
    (HOST_PAIR, Smp, Unmet, |it| {
        it.machine().memory_mb = Fact::Known(4096);
        it.second().capability.max_memory_mb = Fact::Known(2048);
    }),
    (FIRMWARE, Smp, Met, |it| {
        it.machine().firmware = known("efi");
        it.third().capability.efi = Fact::Known(false);
    }),
    (FIRMWARE, Smp, Met, |it| {
        it.machine().firmware = known("efi");
        it.hosts.truncate(1);
    }),
];

#[test]
fn two_hosts_have_to_meet_everything() {
    hold(PAIR_ROWS);
}

fn with(checks: &[Check], status: Status) -> BTreeSet<Requirement> {
    checks.iter().filter(|check| check.status == status).map(|check| check.id).collect()
}

#[test]
fn three_pairs_that_each_meet_a_part_make_no_pair() {
    let checks = judged(Smp, |it| {
        it.third().datastores = moids(&[]);
        it.second().networks = moids(&[]);
    });
    assert_eq!(with(&checks, Unmet), [HOST_PAIR].into());
    let pair = the(&checks, HOST_PAIR);
    assert!(pair.decisive);
    assert_eq!(
        pair.observed,
        "1 of 3 hosts; esxi02: does not reach the network VM Network; esxi03: does not reach the datastore ds"
    );
    assert!(pair.remedy.is_some(), "no other check has a remedy");
}

#[test]
fn a_host_that_is_not_needed_is_reported_but_no_blocker() {
    type Break = fn(&mut Facts);
    let breaks: [(Requirement, Break); 6] = [
        (HOST_MAINTENANCE, |it| it.third().maintenance = Fact::Known(true)),
        (HOST_CONNECTED, |it| it.third().connection = known("notResponding")),
        (HOST_CONNECTED, |it| it.third().power = known("standBy")),
        (HA_AGENT, |it| it.third().agent = known("fdmUnreachable")),
        (ENGINE, |it| it.third().version = Fact::Known(Version::parse("5.5.0"))),
        (FT_VERSION, |it| it.third().ft_version = known("4.0.0")),
    ];
    for (id, spoil) in breaks {
        let mut facts = lab(Smp);
        spoil(&mut facts);
        let judgement = Judgement::of(&facts, None);
        assert!(judgement.is_ready() && judgement.counts.unmet > 0, "{id:?}");
        assert!(with(&judgement.checks, Unmet).contains(&id), "{id:?}");
        assert!(!the(&judgement.checks, id).decisive);
        // If it is needed, the same host is a blocker.
        facts.hosts.remove(1);
        assert!(!Judgement::of(&facts, None).is_ready(), "{id:?}");
    }
}

#[test]
fn no_module_is_named_for_a_host_that_is_out_of_service() {
    for (engine, out) in [(Smp, true), (Smp, false), (Legacy, true), (Legacy, false)] {
        let mut facts = lab(engine);
        facts.third();
        let fourth = facts.hosts[1].clone();
        facts.hosts.push(fourth);
        let third = facts.third();
        third.maintenance = Fact::Known(out);
        let Fact::Known(services) = &mut third.services else { panic!("no services") };
        for own in services {
            own.selected.clear();
        }
        let judgement = Judgement::of(&facts, None);
        assert!(judgement.is_ready());
        assert!(with(&judgement.checks, Unmet).is_superset(&[VMOTION_NIC, FT_LOGGING_NIC].into()));
        let modules: Vec<_> = judgement.remedies.iter().filter_map(|step| step.module.as_deref()).collect();
        assert_eq!(modules.is_empty(), out, "{modules:?}");
        assert!(judgement.remedies.iter().all(|step| step.text.contains("esxi03")));
    }
}

#[test]
fn only_the_first_of_many_hosts_are_named() {
    for (count, end) in [(3, "; esxi03: does not reach the network VM Network"), (32, "; and 29 more")] {
        let checks = judged(Smp, |it| {
            it.third();
            let host = it.hosts[2].clone();
            it.hosts.resize(count, host);
            it.hosts.iter_mut().for_each(|host| host.networks = moids(&[]));
        });
        let observed = &the(&checks, NETWORK_ACCESS).observed;
        assert!(
            observed.starts_with(&format!("0 of {count} hosts; esxi01: ")) && observed.ends_with(end),
            "{observed}"
        );
    }
}
