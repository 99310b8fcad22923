use contract::{Change as _, Kind, Plan};
use proptest::prelude::*;
use std::collections::BTreeMap;
use vsphere::{Cause, Fault, FtInfo, Version};
use vsphere_module::Engine;

use super::{Awaited, Change, Goal, Step, judge, may_start_secondary, plan};
use crate::args::{Encryption, State, Wish};
use crate::state::{FtState, Observed};
use crate::testing::{encrypting, modern, observed, role, wish};

const STATES: [(&str, &str); 10] = [
    ("notConfigured", "poweredOff"),
    ("notConfigured", "poweredOn"),
    ("disabled", "poweredOff"),
    ("disabled", "poweredOn"),
    ("enabled", "poweredOff"),
    ("enabled", "poweredOn"),
    ("needSecondary", "poweredOn"),
    ("starting", "poweredOn"),
    ("running", "poweredOn"),
    ("notConfigured", "suspended"),
];

fn fault(name: &str, reason: &str) -> Fault {
    Fault {
        name: name.to_owned(),
        message: String::new(),
        fields: BTreeMap::from([("reason".to_owned(), reason.to_owned())]),
        messages: Vec::new(),
        causes: Vec::new(),
    }
}

/// The idempotence table: what is done, and what is waited for, from every state for every wish.
#[test]
fn every_state_leads_to_every_wish() {
    use Goal::{Disabled, Enabled, NotConfigured, Running};
    use Step::{Create, Disable, Enable, TurnOff};
    type Row = (&'static str, &'static str, [(&'static [Step], Option<Goal>); 3]);
    let on_off: (&[Step], Option<Goal>) = (&[Disable], Some(Disabled));
    let off: (&[Step], Option<Goal>) = (&[TurnOff], Some(NotConfigured));
    let nothing: (&[Step], Option<Goal>) = (&[], None);
    let table: [Row; 9] = [
        // observed                        present                        suspended                             absent
        ("notConfigured", "poweredOff", [(&[Create], Some(Enabled)), (&[Create, Disable], Some(Disabled)), nothing]),
        ("notConfigured", "poweredOn", [(&[Create], Some(Running)), (&[Create, Disable], Some(Disabled)), nothing]),
        ("disabled", "poweredOff", [(&[Enable], Some(Enabled)), nothing, off]),
        ("disabled", "poweredOn", [(&[Enable], Some(Running)), nothing, off]),
        ("enabled", "poweredOff", [nothing, on_off, off]),
        ("enabled", "poweredOn", [(&[], Some(Running)), on_off, off]),
        ("needSecondary", "poweredOn", [(&[], Some(Running)), on_off, off]),
        ("starting", "poweredOn", [(&[], Some(Running)), on_off, off]),
        ("running", "poweredOn", [nothing, on_off, off]),
    ];
    for (state, power, wishes) in table {
        for (wanted, (steps, goal)) in [State::Present, State::Suspended, State::Absent].into_iter().zip(wishes) {
            let plan = plan(wish(wanted), &observed(state, power)).unwrap();
            assert_eq!(
                (plan.change.steps.as_slice(), plan.change.goal),
                (steps, goal),
                "{wanted:?} from {state}, {power}"
            );
            // Ansible's `changed`, and whether a run without a change still waits.
            assert_eq!((plan.change.is_empty(), plan.change.waits()), (steps.is_empty(), goal.is_some()));
            assert!(plan.blockers.is_empty(), "{wanted:?} from {state}, {power}: {:?}", plan.blockers);
            // Check mode reports the state that the run would end in.
            let reported = match goal {
                Some(Running) if !steps.is_empty() => "running",
                Some(Enabled) => "enabled",
                Some(Disabled) => "disabled",
                Some(NotConfigured) => "notConfigured",
                _ => state,
            };
            assert_eq!(plan.change.predict(&observed(state, power)).state, FtState::of(reported), "{wanted:?}");
        }
    }
}

#[test]
fn a_suspended_machine_is_only_in_the_way_of_turning_it_on() {
    for (wanted, blocked) in [(State::Present, true), (State::Suspended, true), (State::Absent, false)] {
        let plan = plan(wish(wanted), &observed("notConfigured", "suspended")).unwrap();
        assert_eq!(!plan.blockers.is_empty(), blocked, "{wanted:?}");
    }
}

#[test]
fn a_secondary_and_an_orphan_are_recognised_whatever_is_wanted() {
    let orphan = FtInfo { orphaned: true, ..role(2) };
    for (ft, says) in [(role(2), "moid: vm-63"), (orphan, "Unregister the virtual machine")] {
        for wanted in [State::Present, State::Suspended, State::Absent] {
            let seen = Observed { ft: Some(ft.clone()), ..observed("running", "poweredOn") };
            let error = plan(wish(wanted), &seen).unwrap_err();
            assert!(error.kind == Kind::Conflict && error.message().contains(says), "{wanted:?}: {}", error.message());
        }
    }
}

#[test]
fn what_stands_in_the_way_is_told_only_where_something_is_to_be_done() {
    let base = || observed("notConfigured", "poweredOn");
    let cases: Vec<(Observed, &str)> = vec![
        (
            Observed { cluster: Some(("Cluster".to_owned(), Some(false))), ..base() },
            "vSphere HA is off for the cluster Cluster",
        ),
        (Observed { cluster: None, ..base() }, "not in a cluster"),
        (Observed { vcenter: false, ..base() }, "ESXi host"),
        (Observed { template: true, ..base() }, "template"),
        (Observed { wants_datastore: true, ..base() }, "`datastore`"),
    ];
    for (seen, says) in cases {
        let told = match plan(wish(State::Present), &seen) {
            Ok(plan) => plan.blockers.into_iter().map(|(_, why, _)| why).collect::<Vec<_>>().join("; "),
            Err(error) => error.message(),
        };
        assert!(told.contains(says), "{told}");
        let nothing = plan(wish(State::Absent), &seen).unwrap();
        assert!(nothing.change.is_empty() && nothing.blockers.is_empty(), "{says}");
    }
    // A server that does not say whether HA is on is not taken to say no.
    let unknown = Observed { cluster: Some(("Cluster".to_owned(), None)), ..base() };
    assert!(plan(wish(State::Present), &unknown).unwrap().blockers.is_empty());
}

/// vSphere is asked where a secondary can run only if this run may start one; the question costs a request.
#[test]
fn placement_matters_only_where_a_secondary_may_be_started() {
    let unprotected = || observed("notConfigured", "poweredOn");
    let cases = [
        // Current state; whether `present`, `suspended` and `absent` may start a secondary.
        (unprotected(), [true, true, false]),
        (observed("disabled", "poweredOff"), [true, false, false]),
        (observed("enabled", "poweredOff"), [false, false, false]),
        (observed("needSecondary", "poweredOn"), [false, false, false]),
        (observed("running", "poweredOn"), [false, false, false]),
        (Observed { vcenter: false, ..unprotected() }, [false, false, false]),
        (Observed { template: true, ..unprotected() }, [false, false, false]),
        (Observed { ft: Some(role(2)), ..unprotected() }, [false, false, false]),
    ];
    for (seen, expected) in cases {
        let may =
            [State::Present, State::Suspended, State::Absent].map(|state| may_start_secondary(wish(state), &seen));
        assert_eq!(may, expected, "{seen:?}");
    }
}

/// A fault that goes away while the machine is off is answered with a power cycle; any other one is only reported.
#[test]
fn a_power_cycle_is_offered_only_for_faults_that_it_removes() {
    let other = || fault("VmFaultToleranceConfigIssue", "hasSnapshots");
    let around = |fault: Fault| Fault { causes: vec![Cause { role: "error".to_owned(), fault }], ..other() };
    let monitor = || Fault { name: "VmMonitorIncompatibleForFaultTolerance".to_owned(), ..other() };
    let replay = || fault("VmFaultToleranceConfigIssue", "replayNotSupported");
    for (issue, removed) in [
        (replay(), true),
        (monitor(), true),
        (around(replay()), true),
        (around(monitor()), true),
        (other(), false),
        (around(other()), false),
        (Fault::default(), false),
    ] {
        let seen = Observed { issues: Some(vec![issue.clone()]), ..observed("notConfigured", "poweredOn") };
        let refused = plan(wish(State::Present), &seen).unwrap();
        assert_eq!(refused.warnings[0].contains("`allow_power_cycle: true`"), removed, "{:?}", refused.warnings);
        let allowed = plan(Wish { allow_power_cycle: true, ..wish(State::Present) }, &seen).unwrap();
        assert_eq!(allowed.change.steps.contains(&Step::PowerOff), removed, "{issue:?}");
        // The cycle removes it, so there is nothing to warn of.
        assert_eq!(allowed.warnings.is_empty(), removed, "{:?}", allowed.warnings);
    }
}

#[test]
fn a_power_cycle_is_made_only_on_request() {
    let allowed = Wish { allow_power_cycle: true, ..wish(State::Present) };
    let must_be_off = Some(vec![fault("VmFaultToleranceConfigIssue", "replayNotSupported")]);
    let seen = Observed { issues: must_be_off, ..observed("notConfigured", "poweredOn") };

    let without = plan(wish(State::Present), &seen).unwrap();
    assert_eq!(without.change.steps, [Step::Create]);
    assert!(
        !without.change.cycle_if_refused && without.warnings[0].contains("allow_power_cycle"),
        "{:?}",
        without.warnings
    );

    let with = plan(allowed, &seen).unwrap();
    assert_eq!(with.change.steps, [Step::PowerOff, Step::Create, Step::PowerOn]);
    assert_eq!(with.warnings, Vec::<String>::new());

    let suspended = Wish { state: State::Suspended, ..allowed };
    let steps = [Step::PowerOff, Step::Create, Step::Disable, Step::PowerOn];
    assert_eq!(plan(suspended, &seen).unwrap().change.steps, steps);

    // vSphere could not be asked beforehand: the plan says what to do if it refuses.
    let unasked = plan(allowed, &observed("notConfigured", "poweredOn")).unwrap();
    assert!(unasked.change.cycle_if_refused && unasked.change.steps == [Step::Create]);
    // SMP-FT is turned on while the machine runs, unless vSphere objects. Without the privilege to ask, that shows later.
    let unasked = modern(observed("notConfigured", "poweredOn"));
    let asked = Observed { issues: Some(Vec::new()), ..unasked.clone() };
    assert!(plan(allowed, &unasked).unwrap().change.cycle_if_refused);
    assert!(!plan(allowed, &asked).unwrap().change.cycle_if_refused);
    // It is off already.
    assert!(!plan(allowed, &observed("notConfigured", "poweredOff")).unwrap().change.cycle_if_refused);
}

#[test]
fn the_older_of_host_and_server_decides_the_engine() {
    use Engine::{Legacy, Smp};
    for (host, server, asked, engine, ex) in [
        ("5.0.0", "5.0.0", false, Legacy, false),
        ("5.5.0", "6.5.0", false, Legacy, false),
        ("6.0.0", "5.5.0", false, Legacy, false),
        ("6.0.0", "6.0.0", false, Smp, true),
        ("6.0.0", "6.7.0", true, Legacy, true),
        ("6.7.0", "8.0.2", true, Smp, true),
    ] {
        let seen = Observed {
            host_version: Version::parse(host),
            spoken: Version::parse(server),
            uses_legacy_ft: asked,
            ..observed("notConfigured", "poweredOn")
        };
        assert_eq!((seen.engine(), seen.has_ex()), (engine, ex), "host {host}, server {server}, asked {asked}");
    }
}

#[test]
fn a_nested_host_is_a_warning_and_never_in_the_way() {
    let seen = Observed { nested: true, ..observed("notConfigured", "poweredOn") };
    let planned = plan(wish(State::Present), &seen).unwrap();
    assert!(planned.warnings[0].contains("VMware does not support nested") && planned.blockers.is_empty());
    let done = Observed { nested: true, ..observed("running", "poweredOn") };
    assert_eq!(plan(wish(State::Present), &done).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn without_waiting_the_run_ends_when_the_change_is_accepted() {
    let hasty = Wish { wait: false, ..wish(State::Present) };
    assert_eq!(plan(hasty, &observed("notConfigured", "poweredOn")).unwrap().change.goal, None);
    assert!(!plan(hasty, &observed("needSecondary", "poweredOn")).unwrap().change.waits());
}

#[test]
fn a_state_of_a_later_release_survives() {
    let seen = observed("quantumEntangled", "poweredOn");
    assert!(plan(wish(State::Present), &seen).unwrap_err().detail.contains("quantumEntangled"));
    assert_eq!(plan(wish(State::Absent), &seen).unwrap().change.steps, [Step::TurnOff]);
}

#[test]
fn waiting_ends_when_it_is_so_or_cannot_become_so() {
    let cases = [
        (Goal::Running, "running", "poweredOn", "reached"),
        (Goal::Running, "starting", "poweredOn", "waiting"),
        (Goal::Running, "needSecondary", "poweredOn", "waiting"),
        (Goal::Running, "disabled", "poweredOn", "lost"),
        (Goal::Running, "notConfigured", "poweredOn", "lost"),
        (Goal::Running, "enabled", "poweredOff", "lost"),
        (Goal::Enabled, "enabled", "poweredOff", "reached"),
        (Goal::Enabled, "starting", "poweredOn", "reached"),
        (Goal::Disabled, "disabled", "poweredOn", "reached"),
        (Goal::Disabled, "needSecondary", "poweredOn", "waiting"),
        (Goal::NotConfigured, "notConfigured", "poweredOn", "reached"),
        (Goal::NotConfigured, "disabled", "poweredOn", "waiting"),
    ];
    for (goal, state, power, expected) in cases {
        let verdict = match judge(goal, &observed(state, power), None) {
            Awaited::Reached => "reached",
            Awaited::Pending(_) => "waiting",
            Awaited::Failed(_) => "lost",
        };
        assert_eq!(verdict, expected, "{goal:?} at {state}, {power}");
    }
}

#[test]
fn the_reason_for_a_missing_secondary_is_shown_while_waiting() {
    for (state, expected) in [("needSecondary", "needSecondary (userAction)"), ("starting", "starting")] {
        let seen = Observed { reason: Some("userAction".to_owned()), ..observed(state, "poweredOn") };
        let Awaited::Pending(shown) = judge(Goal::Running, &seen, None) else { panic!("{state} is not the end") };
        assert_eq!(shown, expected);
    }
}

#[test]
fn a_state_from_before_the_operation_is_no_answer_yet() {
    for (goal, state) in
        [(Goal::Running, "disabled"), (Goal::Running, "notConfigured"), (Goal::Disabled, "notConfigured")]
    {
        let before = observed(state, "poweredOn");
        assert!(matches!(judge(goal, &before, Some(&before)), Awaited::Pending(_)), "{goal:?} from {state}");
        // Another state than before is an answer.
        let other = observed("running", "poweredOn");
        assert!(matches!(judge(goal, &before, Some(&other)), Awaited::Failed(_)), "{goal:?} to {state}");
    }
}

const MODES: [Encryption; 3] = [Encryption::Disabled, Encryption::Opportunistic, Encryption::Required];

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        at in 0..STATES.len(),
        wanted in prop_oneof![Just(State::Present), Just(State::Suspended), Just(State::Absent)],
        allow_power_cycle in any::<bool>(),
        wait in any::<bool>(),
        refused in any::<bool>(),
        smp in any::<bool>(),
        now in proptest::option::of(proptest::sample::select(&MODES[..])),
        encryption in proptest::option::of(proptest::sample::select(&MODES[..])),
    ) {
        let wish = Wish { state: wanted, wait, allow_power_cycle, encryption };
        let (state, power) = STATES[at];
        let issues = refused.then(|| vec![fault("VmFaultToleranceConfigIssue", "replayNotSupported")]);
        let seen = Observed { issues, ..observed(state, power) };
        let seen = if smp { modern(seen) } else { seen };
        let seen = now.map_or_else(|| seen.clone(), |now| encrypting(now, seen.clone()));
        // Without this mode in this release, or while it is on, there is nothing to plan.
        let Ok(Plan { change, .. }) = plan(wish, &seen) else {
            prop_assert!(encryption.is_some() && encryption != now);
            return Ok(());
        };
        let after = change.predict(&seen);
        let again = plan(wish, &after).unwrap().change;
        prop_assert_eq!(&again, &Change { steps: Vec::new(), goal: again.goal, cycle_if_refused: false, after_start: again.after_start });
        prop_assert!(change.is_empty() || change.goal.is_none_or(|goal| matches!(judge(goal, &after, None), Awaited::Reached)));
    }
}
