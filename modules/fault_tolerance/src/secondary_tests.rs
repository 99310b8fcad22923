use contract::Kind;

use super::{awaits_lost_secondary, depends_on_host};
use crate::args::State;
use crate::plan::{Step, plan};
use crate::state::{LostHost, Observed};
use crate::testing::{observed, wish};

#[test]
fn turning_off_waits_for_a_secondary_that_is_starting() {
    for (state, waits) in [("starting", true), ("running", false), ("needSecondary", false), ("disabled", false)] {
        let change = plan(wish(State::Absent), &observed(state, "poweredOn")).unwrap().change;
        assert_eq!((change.after_start, change.steps.as_slice()), (waits, [Step::TurnOff].as_slice()), "{state}");
    }
}

/// vSphere cannot turn Fault Tolerance off while the host of the secondary is out of service; nothing else is held up.
#[test]
fn a_lost_host_is_only_in_the_way_of_turning_it_off() {
    let lost = Some(LostHost { name: "esxi02".to_owned(), state: "is in maintenance mode".to_owned() });
    for (state, first) in
        [("running", "Suspend"), ("starting", "Suspend"), ("needSecondary", "Suspend"), ("disabled", "Resume it")]
    {
        let seen = Observed { lost_host: lost.clone(), ..observed(state, "poweredOn") };
        let (kind, why, remedy) = plan(wish(State::Absent), &seen).unwrap().blockers.remove(0);
        assert!(kind == Kind::Conflict && why.contains("esxi02, which is in maintenance mode"), "{why}");
        let remedy = remedy.unwrap();
        assert!(remedy.starts_with(first) && remedy.ends_with("turn it off with `state: absent`."), "{remedy}");
        for wanted in [State::Present, State::Suspended] {
            assert!(plan(wish(wanted), &seen).unwrap().blockers.is_empty(), "{wanted:?} from {state}");
        }
    }
}

/// The host of the secondary costs a request, so it is read only if the plan or a warning depends on it.
#[test]
fn the_host_of_the_secondary_matters_for_turning_off_and_for_a_lost_secondary() {
    let states = ["notConfigured", "disabled", "enabled", "needSecondary", "starting", "running"];
    for state in states {
        let seen = observed(state, "poweredOn");
        let on = state != "notConfigured";
        // A secondary that was starting has started, or the look is the first one, or it shows the same again.
        let before =
            [None, Some(&observed(if state == "starting" { "running" } else { "starting" }, "poweredOn")), Some(&seen)];
        let present = state == "needSecondary";
        for (wanted, expected) in [
            (State::Absent, [on, on, false]),
            (State::Suspended, [false; 3]),
            (State::Present, [present, false, false]),
        ] {
            let depends = before.map(|previous| depends_on_host(wish(wanted), &seen, previous));
            assert_eq!(depends, expected, "{wanted:?} from {state}");
        }
        let hidden = Observed { vcenter: false, ..seen.clone() };
        assert!(!depends_on_host(wish(State::Absent), &hidden, None));
    }
}

#[test]
fn a_lost_secondary_is_worth_a_warning_and_one_that_comes_is_not() {
    let lost = || LostHost { name: "esxi02".to_owned(), state: "is not responding".to_owned() };
    for (state, reason, host, says) in [
        ("needSecondary", Some("lostConnection"), None, Some("it has no secondary (lostConnection)")),
        ("needSecondary", Some("lostConnection"), Some(lost()), Some("its last one, esxi02, is not responding")),
        ("needSecondary", Some("initializing"), Some(lost()), Some("esxi02, is not responding")),
        ("needSecondary", None, None, Some("because it has no secondary")),
        ("needSecondary", Some("initializing"), None, None),
        ("needSecondary", Some("userAction"), None, None),
        ("starting", Some("lostConnection"), None, None),
    ] {
        let seen = Observed { reason: reason.map(str::to_owned), lost_host: host, ..observed(state, "poweredOn") };
        let told = awaits_lost_secondary(&seen);
        match (&told, says) {
            (Some(told), Some(says)) => assert!(told.contains(says), "{told}"),
            (told, says) => assert_eq!(told.is_some(), says.is_some(), "{state}, {reason:?}: {told:?}"),
        }
    }
}
