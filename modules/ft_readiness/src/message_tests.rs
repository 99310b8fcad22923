//! The one sentence, for each way that a judgement may go.

use vsphere::FtEngine::Smp;

use crate::facts::{Fact, Facts, Place};
use crate::message::message;
use crate::plan::judge;
use crate::testing::{issues, known, lab};

#[test]
fn the_message_names_the_first_thing_in_the_way() {
    let mut facts = lab(Smp);
    let say = |facts: &Facts| message("inner (vm-63)", &judge(facts, None));
    let count = judge(&facts, None).counts.met;
    assert_eq!(
        say(&facts),
        format!("inner (vm-63) is ready for Fault Tolerance (SMP-FT): {count} requirements are met.")
    );
    facts.third().agent = Fact::Unset;
    facts.third().capability.smp = issues(&["missingFTLoggingNic"]);
    let end = "requirements are met, 1 is unmet by hosts that are not needed, and of 1 it cannot be told.";
    assert!(say(&facts).ends_with(end), "{}", say(&facts));
    facts.hosts.truncate(2);
    facts.machine().snapshot = Fact::Known(());
    facts.cluster().ha = Fact::Known(false);
    assert_eq!(
        say(&facts),
        "inner (vm-63) is not ready for Fault Tolerance (SMP-FT): \"vSphere HA of the cluster is on\" does not hold for \
         cluster Cluster (off); 1 more requirement is in the way."
    );
}

/// What is changed of a good lab, what the message then contains, and how it ends.
type Row = (fn(&mut Facts), &'static str, &'static str);

#[test]
fn the_message_calls_nothing_ready_of_which_it_cannot_be_told() {
    let rows: &[Row] = &[
        (
            |it| it.machine().template = Fact::Unset,
            "but of 1 requirement it cannot be told, first of all \"The virtual machine is no template\" for virtual \
             machine inner (not told): ",
            "are met.",
        ),
        (
            |it| {
                it.machine().template = Fact::Unset;
                it.third().agent = known("fdmUnreachable");
            },
            "but of 1 requirement it cannot be told, ",
            "are met, 1 is unmet by hosts that are not needed.",
        ),
        // Whether that one is needed depends on the other.
        (
            |it| {
                it.third().agent = known("fdmUnreachable");
                it.second().agent = known("election");
            },
            "but of 2 requirements it cannot be told, first of all \"Two hosts meet ",
            "are met, 1 is unmet by hosts that may be needed.",
        ),
        (
            |it| {
                it.place = Place::Hidden("NoPermission".to_owned());
                it.hosts.clear();
            },
            "but of 4 requirements it cannot be told, first of all \"The virtual machine is in a cluster\" ",
            "are met.",
        ),
    ];
    for (row, (change, middle, end)) in rows.iter().enumerate() {
        let mut facts = lab(Smp);
        change(&mut facts);
        let judgement = judge(&facts, None);
        let said = message("inner (vm-63)", &judgement);
        let start = "Nothing is known to be in the way of Fault Tolerance (SMP-FT) for inner (vm-63), ";
        assert!(judgement.is_ready(), "row {row}");
        assert!(said.starts_with(start) && said.contains(middle) && said.ends_with(end), "row {row}: {said}");
    }
}

#[test]
fn host_monitoring_is_not_in_the_way_and_blamed_on_no_host() {
    let mut facts = lab(Smp);
    facts.cluster().host_monitoring = known("disabled");
    let judgement = judge(&facts, None);
    assert!(judgement.is_ready());
    let said = message("inner", &judgement);
    let end = "requirements are met, \"Host monitoring of vSphere HA is on\", without which it can be turned on, does not hold \
               for cluster Cluster (off).";
    assert!(said.starts_with("inner is ready for ") && said.ends_with(end), "{said}");
    let modules: Vec<_> = judgement.remedies.iter().map(|step| step.module.as_deref()).collect();
    assert_eq!(modules, [Some("cluster_ha")]);
}
