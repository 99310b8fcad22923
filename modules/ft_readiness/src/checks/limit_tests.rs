//! What hosts have of Fault Tolerance already, and how much of it they may have.

use vsphere::FtEngine;

use super::tests::{Row, hidden, hold};
use crate::check::{Id, Status};
use crate::facts::{Fact, Facts};
use crate::testing::known;

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

/// No limit is lifted, and none is set.
fn by_default(facts: &mut Facts) {
    facts.cluster().options = Fact::Known(Vec::new());
}

/// So many virtual machines with Fault Tolerance run on this host.
fn protect(facts: &mut Facts, count: usize, host: &str, vcpus: u64) {
    for _ in 0..count {
        facts.protect(host, vcpus);
    }
}

fn set(facts: &mut Facts, key: &str, value: &str) {
    facts.cluster().options = Fact::Known(vec![(key.to_owned(), value.to_owned())]);
}

pub const LIMIT: &[Row] = &[
    (Id::FtVmLimit, Smp, Met, by_default),
    (Id::FtVmLimit, Smp, Unknown, |it| it.cluster().options = Fact::Unset),
    (Id::FtVmLimit, Smp, Unknown, |it| set(it, "das.maxFtVmsPerHost", "many")),
    (Id::FtVmLimit, Smp, Met, |it| {
        it.cluster().options = Fact::Unset;
        it.machine().ft_state = known("running");
    }),
    (Id::FtVmLimit, Smp, Met, |it| {
        by_default(it);
        protect(it, 3, "esxi01", 1);
    }),
    (Id::FtVmLimit, Smp, Unmet, |it| {
        by_default(it);
        protect(it, 4, "esxi01", 1);
    }),
    // The limit of virtual machines is lifted, and that of virtual CPUs is not.
    (Id::FtVmLimit, Smp, Unmet, |it| {
        protect(it, 4, "esxi01", 2);
    }),
    (Id::FtVmLimit, Smp, Unmet, |it| it.machine().cpus = Fact::Known(9)),
    (Id::FtVmLimit, Legacy, Met, |it| {
        protect(it, 9, "esxi01", 1);
    }),
    (Id::FtVmLimit, Smp, Met, |it| {
        set(it, "das.MaxFtVcpusPerHost", " 0 ");
        protect(it, 3, "esxi02", 8);
    }),
    // Two others have room, but not the one that the virtual machine runs on.
    (Id::FtVmLimit, Smp, Unmet, |it| {
        it.third();
        it.protect("esxi01", 8);
    }),
    (Id::HostPair, Smp, Unmet, |it| {
        it.third();
        it.protect("esxi01", 8);
    }),
    (Id::FtVmLimit, Smp, Met, |it| {
        it.third();
        it.protect("esxi02", 8);
    }),
    // It may count, or not.
    (Id::FtVmLimit, Smp, Unknown, |it| it.protect("esxi02", 8).power_state = Some("poweredOff".to_owned())),
    (Id::FtVmLimit, Smp, Unknown, |it| it.protect("esxi02", 8).host = None),
    (Id::FtVmLimit, Smp, Unknown, |it| it.protect("esxi02", 1).vcpus = None),
    (Id::FtVmLimit, Smp, Unknown, |it| it.machine().cpus = hidden()),
    (Id::FtVmLimit, Smp, Met, |it| {
        let other = it.protect("esxi02", 8);
        (other.ft_state, other.role) = (Some("notConfigured".to_owned()), None);
    }),
    (Id::FtVmLimit, Smp, Unknown, |it| it.protect("esxi02", 8).ft_state = Some("notConfigured".to_owned())),
    (Id::FtVmLimit, Smp, Unmet, |it| it.protect("esxi02", 8).role = None),
    (Id::FtVmLimit, Smp, Unknown, |it| it.protect("esxi02", 8).ft_state = Some("enabled".to_owned())),
    // It is in the list itself, and is counted once.
    (Id::FtVmLimit, Smp, Met, |it| it.protect("esxi01", 8).moid = "vm-63".to_owned()),
];

#[test]
fn what_is_protected_already_is_counted() {
    hold(LIMIT);
}
