use contract::Kind;

use super::depends_on_host;
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

/// The host of the secondary costs a request, so it is read only if the plan depends on it.
#[test]
fn the_host_of_the_secondary_matters_for_turning_off() {
    for state in ["notConfigured", "disabled", "enabled", "needSecondary", "starting", "running"] {
        let seen = observed(state, "poweredOn");
        let depends = |wanted, seen: &_| depends_on_host(wish(wanted), seen);
        assert_eq!(depends(State::Absent, &seen), state != "notConfigured", "{state}");
        assert!(!depends(State::Present, &seen) && !depends(State::Suspended, &seen), "{state}");
        assert!(!depends(State::Absent, &Observed { vcenter: false, ..seen }), "{state}");
    }
}
