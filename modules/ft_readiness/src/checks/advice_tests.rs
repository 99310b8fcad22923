//! What is said to be done where no two hosts meet everything.

use vsphere::{FtEngine, Version};

use super::pair_tests::{moids, the};
use super::tests::judged;
use crate::check::{Id, Status};
use crate::facts::{Fact, Facts};
use crate::testing::{issues, known, object};

use FtEngine::Smp;
use Status::Unmet;

const LEAVE: Option<&str> = Some("Give esxi01 what it lacks, or migrate the virtual machine to one of esxi03, esxi04.");
const TWO: Option<&str> = Some("Have two hosts meet all that is required of a host.");

/// What is advised, and what is changed of four hosts before.
type Row = (Option<&'static str>, fn(&mut Facts));

/// Four hosts, the second of which lacks what a module could give it.
fn four(facts: &mut Facts) {
    facts.third();
    facts.hosts.push(facts.hosts[2].clone());
    facts.hosts[3].object = object("HostSystem", "esxi04", "host-4");
    facts.lose("faultToleranceLogging");
}

/// These hosts lack what nobody has a remedy for.
fn break_for_good(facts: &mut Facts, hosts: &[usize]) {
    for host in hosts {
        facts.hosts[*host].capability.smp = issues(&["cpuHvDisabled"]);
    }
}

/// Nothing carries the service on the first host.
fn lose_at_home(facts: &mut Facts) {
    facts.hosts[0].services = facts.hosts[1].services.clone();
}

#[test]
fn what_to_do_is_said_unless_other_checks_say_it_of_hosts_that_are_needed() {
    let rows: &[Row] = &[
        // What the second lacks has nothing to do with it.
        (LEAVE, |it| break_for_good(it, &[0])),
        (None, lose_at_home),
        // Only half of it would be mended.
        (LEAVE, |it| {
            lose_at_home(it);
            break_for_good(it, &[0]);
        }),
        // By hand it is as much work as to migrate.
        (LEAVE, |it| it.hosts[0].agent = known("fdmUnreachable")),
        (LEAVE, |it| it.hosts[0].networks = moids(&[])),
        // There is nowhere to go.
        (TWO, |it| break_for_good(it, &[0, 2, 3])),
        (TWO, |it| break_for_good(it, &[0, 3])),
        // With the second mended, there are two.
        (None, |it| break_for_good(it, &[2, 3])),
        (TWO, |it| break_for_good(it, &[1, 2, 3])),
        (TWO, |it| {
            break_for_good(it, &[1, 2]);
            it.hosts.truncate(3);
            it.machine().power = known("poweredOff");
        }),
        (None, |it| {
            break_for_good(it, &[2, 3]);
            it.machine().power = known("poweredOff");
        }),
        (None, |it| {
            lose_at_home(it);
            break_for_good(it, &[2, 3]);
        }),
        (None, |it| it.hosts.iter_mut().for_each(|host| host.networks = moids(&[]))),
        (None, |it| it.hosts.iter_mut().for_each(|host| host.version = Fact::Known(Version::parse("5.5.0")))),
        // The others differ from the first.
        (None, |it| it.hosts[0].ft_version = known("4.0.0")),
    ];
    for (row, (expected, change)) in rows.iter().enumerate() {
        let checks = judged(Smp, |it| {
            four(it);
            change(it);
        });
        let pair = the(&checks, Id::HostPair);
        assert_eq!(pair.status, Unmet, "row {row}");
        assert_eq!(pair.remedy.as_ref().map(|remedy| remedy.text.as_str()), *expected, "row {row}");
        let why = pair.why.as_ref().unwrap();
        assert!(*expected != LEAVE || why.contains("runs on esxi01"), "row {row}: {why}");
    }
}
