//! The summary, for each kind of judgement.

use crate::fact::Fact;
use crate::facts::{Facts, Place};
use crate::judgement::Judgement;
use crate::testing::{issues, known, lab};

use vsphere::{FtEngine::Smp, FtInfo};

#[test]
fn the_summary_names_the_first_blocker() {
    let mut facts = lab(Smp);
    facts.third();
    let say = |facts: &Facts| Judgement::of(facts, None).summary("inner (vm-63)");
    let count = Judgement::of(&facts, None).counts.met;
    assert_eq!(
        say(&facts),
        format!("inner (vm-63) is ready for Fault Tolerance (SMP-FT): {count} requirements are met.")
    );
    facts.third().agent = Fact::Unset;
    facts.third().capability.smp = issues(&["missingFTLoggingNic"]);
    let end = "requirements are met, 1 is unmet on hosts that are not needed, 1 requirement could not be checked.";
    assert!(say(&facts).ends_with(end), "{}", say(&facts));
    facts.hosts.truncate(2);
    facts.machine().snapshot = Fact::Known(());
    facts.cluster().ha = Fact::Known(false);
    assert_eq!(
        say(&facts),
        "inner (vm-63) is not ready for Fault Tolerance (SMP-FT): unmet requirement \"vSphere HA of the cluster is on\" \
         of cluster Cluster (off); 1 more blocker."
    );
}

/// The change to a good lab, a part of the summary, and its end.
type Row = (fn(&mut Facts), &'static str, &'static str);

#[test]
fn the_summary_does_not_say_ready_if_something_could_not_be_checked() {
    let rows: &[Row] = &[
        (
            |it| it.machine().template = Fact::Unset,
            "but 1 requirement could not be checked; first: \"The virtual machine is not a template\" of virtual machine \
             inner (not reported). ",
            "are met.",
        ),
        (
            |it| {
                it.machine().template = Fact::Unset;
                it.third().agent = known("fdmUnreachable");
            },
            "but 1 requirement could not be checked; ",
            "are met, 1 is unmet on hosts that are not needed.",
        ),
        // The third host is needed if the second one is bad.
        (
            |it| {
                it.third().agent = known("fdmUnreachable");
                it.second().agent = known("election");
            },
            "but 2 requirements could not be checked; first: \"Two hosts meet ",
            "are met, 1 is unmet on hosts that may be needed.",
        ),
        (
            |it| {
                it.place = Place::Hidden("NoPermission".to_owned());
                it.hosts.clear();
            },
            "but 5 requirements could not be checked; first: \"The virtual machine is in a cluster\" ",
            "are met.",
        ),
    ];
    for (row, (change, middle, end)) in rows.iter().enumerate() {
        let mut facts = lab(Smp);
        facts.third();
        change(&mut facts);
        let judgement = Judgement::of(&facts, None);
        let said = judgement.summary("inner (vm-63)");
        let start = "No blocker of Fault Tolerance (SMP-FT) found for inner (vm-63), ";
        assert!(judgement.is_ready(), "row {row}");
        assert!(said.starts_with(start) && said.contains(middle) && said.ends_with(end), "row {row}: {said}");
    }
}

#[test]
fn host_monitoring_is_no_blocker_and_not_counted_as_one_of_hosts() {
    let mut facts = lab(Smp);
    facts.third();
    facts.cluster().host_monitoring = known("disabled");
    let judgement = Judgement::of(&facts, None);
    assert!(judgement.is_ready());
    let said = judgement.summary("inner");
    let end = "requirements are met, \"Host monitoring of vSphere HA is on\" of cluster Cluster (off) is unmet but no blocker.";
    assert!(said.starts_with("inner is ready for ") && said.ends_with(end), "{said}");
    let modules: Vec<_> = judgement.remedies.iter().map(|step| step.module.as_deref()).collect();
    assert_eq!(modules, [Some("cluster_ha")]);
}

#[test]
fn advice_becomes_warnings() {
    let mut facts = lab(Smp);
    facts.cluster().host_monitoring = known("disabled");
    facts.second().ft_uplinks = Fact::Known(vec![1000]);
    let judgement = Judgement::of(&facts, None);
    let said = judgement.summary("inner");
    let end = "\"Host monitoring of vSphere HA is on\" of cluster Cluster (off) and 2 more are unmet but no blockers.";
    assert!(said.ends_with(end), "{said}");
    assert_eq!(
        judgement.warnings(),
        [
            "cluster Cluster: without it, vSphere HA restarts no virtual machine after a host failure (off)",
            "cluster Cluster: after the failure of one of two hosts, no other host can take the new secondary (2 of 2 hosts)",
            "cluster Cluster: a slow network slows down the protected virtual machine (esxi02: 1000 Mb/s)",
        ]
    );
}

#[test]
fn a_virtual_machine_with_fault_tolerance_needs_nothing_to_turn_it_on() {
    let primary =
        || FtInfo { role: 1, instance_uuids: Vec::new(), secondaries: Vec::new(), primary: None, orphaned: false };
    for (state, role, ready, expected) in [
        ("running", Some(1), true, "inner is already protected by Fault Tolerance (SMP-FT)."),
        ("running", None, true, "inner is already protected by Fault Tolerance (SMP-FT)."),
        ("running", Some(2), false, "inner is not ready for Fault Tolerance (SMP-FT): unmet "),
        (
            "needSecondary",
            Some(1),
            false,
            "Fault Tolerance (SMP-FT) of inner is already on (needSecondary), but no secondary runs: unmet requirement \"Th",
        ),
        ("disabled", Some(1), false, "inner is not ready for Fault Tolerance (SMP-FT): unmet "),
    ] {
        let mut facts = lab(Smp);
        facts.machine().ft_state = known(state);
        facts.machine().ft = role.map_or(Fact::Unset, |role| Fact::Known(FtInfo { role, ..primary() }));
        facts.machine().snapshot = Fact::Known(());
        let judgement = Judgement::of(&facts, None);
        let said = judgement.summary("inner");
        assert!(judgement.is_ready() == ready && said.starts_with(expected), "{state}: {said}");
    }
    let mut facts = lab(Smp);
    facts.machine().ft_state = known("starting");
    let said = Judgement::of(&facts, None).summary("inner");
    assert!(
        said.ends_with("is already on (starting), but no secondary runs; no unmet requirement was found."),
        "{said}"
    );
}
