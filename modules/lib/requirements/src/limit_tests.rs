//! The limits of Fault Tolerance on a host.

use vsphere::FtEngine;

use crate::fact::Fact;
use crate::facts::Facts;
use crate::finding::Status;
use crate::limit::FT_VM_LIMIT;
use crate::pair::HOST_PAIR;
use crate::testing::{Row, hidden, hold, known};

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

/// Sets no limit, so that the defaults apply.
fn by_default(facts: &mut Facts) {
    facts.cluster().options = Fact::Known(Vec::new());
}

/// Runs this number of virtual machines with Fault Tolerance on the host.
fn protect(facts: &mut Facts, count: usize, host: &str, vcpus: u64) {
    for _ in 0..count {
        facts.protect(host, vcpus);
    }
}

fn set(facts: &mut Facts, key: &str, value: &str) {
    facts.cluster().options = Fact::Known(vec![(key.to_owned(), value.to_owned())]);
}

pub const LIMIT_ROWS: &[Row] = &[
    (FT_VM_LIMIT, Smp, Met, by_default),
    (FT_VM_LIMIT, Smp, Unknown, |it| it.cluster().options = Fact::Unset),
    (FT_VM_LIMIT, Smp, Unknown, |it| set(it, "das.maxFtVmsPerHost", "many")),
    (FT_VM_LIMIT, Smp, Met, |it| {
        it.cluster().options = Fact::Unset;
        it.machine().ft_state = known("running");
    }),
    (FT_VM_LIMIT, Smp, Met, |it| {
        by_default(it);
        protect(it, 3, "esxi01", 1);
    }),
    (FT_VM_LIMIT, Smp, Unmet, |it| {
        by_default(it);
        protect(it, 4, "esxi01", 1);
    }),
    // There is no limit of virtual machines, but one of virtual CPUs.
    (FT_VM_LIMIT, Smp, Unmet, |it| {
        protect(it, 4, "esxi01", 2);
    }),
    (FT_VM_LIMIT, Smp, Unmet, |it| it.machine().cpus = Fact::Known(9)),
    (FT_VM_LIMIT, Legacy, Met, |it| {
        protect(it, 9, "esxi01", 1);
    }),
    (FT_VM_LIMIT, Smp, Met, |it| {
        set(it, "das.MaxFtVcpusPerHost", " 0 ");
        protect(it, 3, "esxi02", 8);
    }),
    // Two other hosts have room, but not the host of the virtual machine.
    (FT_VM_LIMIT, Smp, Unmet, |it| {
        it.third();
        it.protect("esxi01", 8);
    }),
    (HOST_PAIR, Smp, Unmet, |it| {
        it.third();
        it.protect("esxi01", 8);
    }),
    (FT_VM_LIMIT, Smp, Met, |it| {
        it.third();
        it.protect("esxi02", 8);
    }),
    // The virtual machine may count or not.
    (FT_VM_LIMIT, Smp, Unknown, |it| it.protect("esxi02", 8).power_state = Some("poweredOff".to_owned())),
    (FT_VM_LIMIT, Smp, Unknown, |it| it.protect("esxi02", 8).host = None),
    (FT_VM_LIMIT, Smp, Unknown, |it| it.protect("esxi02", 1).vcpus = None),
    (FT_VM_LIMIT, Smp, Unknown, |it| it.machine().cpus = hidden()),
    (FT_VM_LIMIT, Smp, Met, |it| {
        let other = it.protect("esxi02", 8);
        (other.ft_state, other.role) = (Some("notConfigured".to_owned()), None);
    }),
    (FT_VM_LIMIT, Smp, Unknown, |it| it.protect("esxi02", 8).ft_state = Some("notConfigured".to_owned())),
    (FT_VM_LIMIT, Smp, Unmet, |it| it.protect("esxi02", 8).role = None),
    (FT_VM_LIMIT, Smp, Unknown, |it| it.protect("esxi02", 8).ft_state = Some("enabled".to_owned())),
    // The virtual machine itself is in the list, and does not count twice.
    (FT_VM_LIMIT, Smp, Met, |it| it.protect("esxi01", 8).moid = "vm-63".to_owned()),
];

#[test]
fn the_virtual_machines_with_fault_tolerance_are_counted() {
    hold(LIMIT_ROWS);
}
