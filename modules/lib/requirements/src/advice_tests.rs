//! The advice if no two hosts meet everything.

use vsphere::{FtEngine, Version};

use crate::fact::Fact;
use crate::facts::Facts;
use crate::finding::Status;
use crate::pair::HOST_PAIR;
use crate::testing::{issues, judged, known, moids, subject, the};

use FtEngine::Smp;
use Status::Unmet;

const MIGRATE: Option<&str> =
    Some("Fix what is unmet on esxi01, or migrate the virtual machine to one of esxi03, esxi04.");
const TWO: Option<&str> = Some("Provide two hosts that meet every host requirement.");

/// The expected advice, and the change to four hosts.
type Row = (Option<&'static str>, fn(&mut Facts));

/// Makes four hosts. A module could fix the second one.
fn four(facts: &mut Facts) {
    facts.third();
    facts.hosts.push(facts.hosts[2].clone());
    facts.hosts[3].subject = subject("HostSystem", "esxi04", "host-4");
    facts.lose("faultToleranceLogging");
}

/// Breaks these hosts in a way that has no remedy.
fn break_for_good(facts: &mut Facts, hosts: &[usize]) {
    for host in hosts {
        facts.hosts[*host].capability.smp = issues(&["cpuHvDisabled"]);
    }
}

/// Removes the service of the second host from the first one too.
fn lose_at_home(facts: &mut Facts) {
    facts.hosts[0].services = facts.hosts[1].services.clone();
}

#[test]
fn there_is_advice_unless_other_checks_have_remedies_for_hosts_that_are_needed() {
    let rows: &[Row] = &[
        // A remedy for the second host does not help the first.
        (MIGRATE, |it| break_for_good(it, &[0])),
        (None, lose_at_home),
        // A module fixes only one of two causes.
        (MIGRATE, |it| {
            lose_at_home(it);
            break_for_good(it, &[0]);
        }),
        // A fix by hand is as much work as a migration.
        (MIGRATE, |it| it.hosts[0].agent = known("fdmUnreachable")),
        (MIGRATE, |it| it.hosts[0].networks = moids(&[])),
        // No two other hosts are usable.
        (TWO, |it| break_for_good(it, &[0, 2, 3])),
        (TWO, |it| break_for_good(it, &[0, 3])),
        // With the second host fixed, there are two good ones.
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
        let pair = the(&checks, HOST_PAIR);
        assert_eq!(pair.status, Unmet, "row {row}");
        assert_eq!(pair.remedy.as_ref().map(|remedy| remedy.text.as_str()), *expected, "row {row}");
        let why = pair.why.as_ref().unwrap();
        assert!(*expected != MIGRATE || why.contains("runs on esxi01"), "row {row}: {why}");
    }
}
