use contract::{Change as _, Kind};
use vsphere::{FtInfo, FtState, Moref};
use vsphere_module::{Awaited, VmReport};

use super::{Change, Looks, judge, plan, restarted, unseen};
use crate::args::Action::{RestartSecondary, TestFailover};
use crate::state::{Half, Observed};

fn moref(id: &str) -> Moref {
    Moref::new("VirtualMachine", id)
}

fn half(id: &str, role: i32, state: &str) -> Half {
    let peer = moref(if id == "vm-63" { "vm-70" } else { "vm-63" });
    Half {
        moref: moref(id),
        vm: VmReport {
            name: "inner".to_owned(),
            moid: id.to_owned(),
            instance_uuid: None,
            power_state: Some("poweredOn".to_owned()),
        },
        host: Some(format!("host of {id}")),
        boot: None,
        state: FtState::of(state),
        reason: Some("userAction".to_owned()),
        ft: Some(FtInfo {
            role,
            instance_uuids: Vec::new(),
            secondaries: if role == 1 { vec![peer.clone()] } else { Vec::new() },
            primary: (role != 1).then_some(peer),
            orphaned: false,
        }),
    }
}

/// A pair of these two, the primary first.
fn pair(primary: &str, secondary: &str, state: &str) -> Observed {
    Observed {
        primary: half(primary, 1, state),
        secondary: Some(half(secondary, 2, state)),
        vcenter: true,
        cluster: Some(("Cluster".to_owned(), Some(true))),
        done: None,
    }
}

fn before() -> Observed {
    pair("vm-63", "vm-70", "running")
}

#[test]
fn only_a_pair_that_runs_under_ha_is_acted_upon() {
    let alone =
        Observed { primary: Half { ft: None, ..half("vm-63", 1, "notConfigured") }, secondary: None, ..before() };
    let ha = |on| Observed { cluster: Some(("Cluster".to_owned(), on)), ..before() };
    // Current state and the names in the blocker; empty if nothing blocks.
    let cases: Vec<(Observed, &[&str])> = vec![
        (before(), &[]),
        (ha(None), &[]),
        (Observed { cluster: None, ..before() }, &[]),
        (ha(Some(false)), &["HA is off", "Cluster", "cluster_ha"]),
        (alone, &["notConfigured", "fault_tolerance"]),
        (pair("vm-63", "vm-70", "disabled"), &["disabled", "Resume"]),
        (pair("vm-63", "vm-70", "enabled"), &["enabled", "vm_power"]),
        (pair("vm-63", "vm-70", "needSecondary"), &["needSecondary (userAction)", "Wait"]),
        (pair("vm-63", "vm-70", "starting"), &["starting", "Wait"]),
        (pair("vm-63", "vm-70", "ofTomorrow"), &["ofTomorrow"]),
    ];
    for (seen, words) in cases {
        for action in [TestFailover, RestartSecondary] {
            let plan = plan(action, &seen).unwrap();
            assert_eq!(plan.change, Change::Act(action));
            assert_eq!(plan.blockers.is_empty(), words.is_empty(), "{:?}", plan.blockers);
            for (kind, why, remedy) in &plan.blockers {
                let told = format!("{why}. {}", remedy.as_deref().unwrap_or_default());
                assert_eq!(*kind, Kind::Conflict);
                assert!(words.iter().all(|word| told.contains(word)), "{told}");
                // The reason is that of a missing secondary; vSphere may still show it when that has passed.
                assert_eq!(told.contains("userAction"), told.contains("needSecondary"), "{told}");
            }
        }
    }
}

#[test]
fn what_can_never_work_is_an_error() {
    let secondary = Observed { primary: half("vm-70", 2, "running"), secondary: None, ..before() };
    let mut orphan = secondary.clone();
    orphan.primary.ft.as_mut().unwrap().orphaned = true;
    let esxi = Observed { vcenter: false, ..before() };
    for (seen, kind, says) in [
        (secondary, Kind::Conflict, "moid: vm-63"),
        (orphan, Kind::Conflict, "orphaned"),
        (esxi, Kind::Unsupported, "vCenter Server"),
    ] {
        let error = plan(TestFailover, &seen).unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.message().contains(says), "{}", error.message());
    }
}

#[test]
fn the_waiting_ends_when_the_pair_runs_again_and_is_another() {
    let swapped = |state| pair("vm-70", "vm-63", state);
    let mut elsewhere = before();
    elsewhere.secondary.as_mut().unwrap().host = Some("another".to_owned());
    let mut booted = before();
    booted.secondary.as_mut().unwrap().boot = Some("2026-01-01T00:00:00Z".to_owned());
    // Two secondaries: the roles are on their way.
    let between = Observed { primary: half("vm-63", 2, "running"), ..before() };
    let state = |state| pair("vm-63", "vm-70", state);
    // A third one is the secondary now, or the old primary is gone from the pair for a moment.
    let third = Observed { secondary: Some(half("vm-99", 2, "running")), ..swapped("running") };
    let alone = Observed { secondary: None, ..swapped("running") };
    // Another virtual machine, where the secondary was; and the old primary somewhere else.
    let mut replaced = pair("vm-88", "vm-63", "running");
    replaced.primary.host = before().secondary.unwrap().host;
    let mut moved = before();
    moved.primary.host = Some("another".to_owned());
    let mut untold = before();
    untold.secondary.as_mut().unwrap().host = None;
    // The action; what is seen; whether what was before may still be shown; whether it was seen not to run; the verdict.
    for (action, now, lagging, left, expected) in vec![
        (TestFailover, swapped("running"), true, false, "reached"),
        (TestFailover, third, true, false, "reached"),
        (TestFailover, alone, true, false, "reached"),
        (TestFailover, replaced, true, false, "reached"),
        (TestFailover, moved, true, true, "waiting"),
        (TestFailover, swapped("needSecondary"), true, true, "waiting"),
        (TestFailover, swapped("starting"), false, true, "waiting"),
        (TestFailover, before(), true, true, "waiting"),
        (TestFailover, before(), false, true, "lost"),
        (TestFailover, between.clone(), true, true, "waiting"),
        (TestFailover, swapped("disabled"), true, true, "lost"),
        (TestFailover, swapped("notConfigured"), true, true, "lost"),
        (TestFailover, swapped("ofTomorrow"), true, true, "waiting"),
        (RestartSecondary, before(), true, false, "waiting"),
        (RestartSecondary, untold, true, false, "waiting"),
        (RestartSecondary, before(), true, true, "reached"),
        (RestartSecondary, before(), false, false, "reached"),
        (RestartSecondary, elsewhere, true, false, "reached"),
        (RestartSecondary, booted, true, false, "reached"),
        (RestartSecondary, state("needSecondary"), true, true, "waiting"),
        (RestartSecondary, state("starting"), true, true, "waiting"),
        (RestartSecondary, state("enabled"), true, true, "waiting"),
        (RestartSecondary, state("disabled"), false, true, "lost"),
    ] {
        let verdict = judge(action, &now, &before(), Looks { lagging, left, doubt: None });
        let told = match &verdict {
            Awaited::Reached => "reached",
            Awaited::Pending(_) => "waiting",
            Awaited::Failed(_) => "lost",
        };
        assert_eq!(told, expected, "{action:?} {:?} {lagging} {left}: {verdict:?}", now.primary);
    }
}

#[test]
fn a_failover_that_no_task_told_of_and_no_role_shows_is_not_known() {
    let judged = |lagging| {
        judge(TestFailover, &before(), &before(), Looks { lagging, left: false, doubt: Some("it forgot the task") })
    };
    assert!(matches!(judged(true), Awaited::Pending(_)));
    let Awaited::Failed(error) = judged(false) else { panic!("the roles are as before, and nobody says more") };
    assert!(error.message().contains("not known") && error.message().contains("always acts"), "{error:?}");
}

#[test]
fn a_restart_that_no_task_told_of_and_nothing_shows_is_not_known() {
    let mut booted = before();
    booted.secondary.as_mut().unwrap().boot = Some("2026-01-01T00:00:00Z".to_owned());
    // Observed state; whether the old state may still be shown; whether it was seen not running; the verdict.
    for (now, lagging, left, expected) in [
        (before(), true, false, "waiting"),
        (before(), false, false, "lost"),
        (before(), false, true, "reached"),
        (booted.clone(), true, false, "reached"),
        (booted, false, false, "reached"),
        (pair("vm-63", "vm-70", "starting"), false, true, "waiting"),
    ] {
        let verdict =
            judge(RestartSecondary, &now, &before(), Looks { lagging, left, doubt: Some("it forgot the task") });
        let told = match &verdict {
            Awaited::Reached => "reached",
            Awaited::Pending(_) => "waiting",
            Awaited::Failed(error) => {
                assert!(error.message().contains("not known") && error.message().contains("always acts"), "{error:?}");
                "lost"
            }
        };
        assert_eq!(told, expected, "{lagging} {left}: {verdict:?}");
    }
}

/// A restart counts as seen if the secondary has another id, host or start time. A value missing from one of the two
/// reads proves nothing, except a first start time.
#[test]
fn a_restarted_secondary_has_another_id_host_or_start_time() {
    const FIRST: Option<&str> = Some("2026-01-01T00:00:00Z");
    const SECOND: Option<&str> = Some("2026-01-02T00:00:00Z");
    type Secondary = Option<(&'static str, Option<&'static str>, Option<&'static str>)>;
    let seen = |secondary: Secondary| {
        let secondary = secondary.map(|(id, host, boot)| Half {
            host: host.map(str::to_owned),
            boot: boot.map(str::to_owned),
            ..half(id, 2, "running")
        });
        Observed { secondary, ..before() }
    };
    let (here, there) = (Some("esxi01"), Some("esxi02"));
    let cases: [(Secondary, Secondary, bool); 11] = [
        (Some(("vm-70", here, FIRST)), Some(("vm-70", here, FIRST)), false),
        (Some(("vm-70", here, None)), Some(("vm-70", here, None)), false),
        (Some(("vm-70", here, FIRST)), Some(("vm-71", here, FIRST)), true),
        (Some(("vm-70", here, FIRST)), Some(("vm-70", there, FIRST)), true),
        (Some(("vm-70", here, FIRST)), Some(("vm-70", here, SECOND)), true),
        (Some(("vm-70", here, None)), Some(("vm-70", here, FIRST)), true),
        (Some(("vm-70", here, FIRST)), Some(("vm-70", here, None)), false),
        (Some(("vm-70", None, FIRST)), Some(("vm-70", here, FIRST)), false),
        (Some(("vm-70", here, FIRST)), Some(("vm-70", None, FIRST)), false),
        (None, Some(("vm-70", here, FIRST)), true),
        (Some(("vm-70", here, FIRST)), None, false),
    ];
    for (before, now, expected) in cases {
        assert_eq!(restarted(&seen(now), &seen(before)), expected, "{before:?}, then {now:?}");
    }
}

#[test]
fn an_unseen_restart_is_reported_with_the_machine_and_the_time() {
    let text = unseen(&before(), 90);
    assert!(text.contains("inner (vm-63)") && text.contains("within 90 s"), "{text}");
}

#[test]
fn a_pair_is_out_of_step_when_either_half_is() {
    for (first, second, out) in [
        ("running", Some("running"), false),
        ("needSecondary", Some("running"), true),
        ("running", Some("starting"), true),
        ("running", None, true),
    ] {
        let seen = Observed {
            primary: half("vm-63", 1, first),
            secondary: second.map(|state| half("vm-70", 2, state)),
            ..before()
        };
        assert_eq!(seen.is_out_of_step(), out, "{first} {second:?}");
    }
}

#[test]
fn what_is_foretold_is_what_is_waited_for() {
    for action in [TestFailover, RestartSecondary] {
        let change = plan(action, &before()).unwrap().change;
        assert!(!change.is_empty());
        let mut foretold = change.predict(&before());
        assert_eq!(foretold.done, Some(action));
        // The halves tell their roles themselves.
        foretold.primary.ft = half(&foretold.primary.vm.moid, 1, "running").ft;
        let looks = Looks { lagging: true, left: action == RestartSecondary, doubt: None };
        assert!(matches!(judge(action, &foretold, &before(), looks), Awaited::Reached), "{action:?}");
        // The same may be asked for again, and leads back.
        let again = plan(action, &foretold).unwrap().change.predict(&foretold);
        assert_eq!(again.primary.moref, before().primary.moref);
    }
}
