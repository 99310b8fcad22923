use contract::Change as _;
use proptest::prelude::*;
use vsphere::{HaConfig, Moref};

use super::{Agent, Change, Observed, Since, missing, not_ready, plan, settling};
use crate::args::{State, Wish};

const NO: Option<bool> = Some(false);
const YES: Option<bool> = Some(true);

fn config(enabled: Option<bool>, host_monitoring: Option<bool>, admission_control: Option<bool>) -> HaConfig {
    HaConfig { enabled, host_monitoring, admission_control }
}

fn observed(config: HaConfig) -> Observed {
    Observed {
        moref: Moref::new("ClusterComputeResource", "domain-c7"),
        name: "Lab".to_owned(),
        config,
        agents: Vec::new(),
        protected: Vec::new(),
    }
}

fn wish(on: bool, host_monitoring: Option<bool>, admission_control: Option<bool>) -> Wish {
    Wish { state: if on { State::Enabled } else { State::Disabled }, host_monitoring, admission_control }
}

fn agents(states: &[(Option<&str>, bool)]) -> Vec<Agent> {
    let agent = |(at, (state, expected)): (usize, &(Option<&str>, bool))| {
        Agent::new(format!("esxi0{at}"), state.map(str::to_owned), *expected)
    };
    states.iter().enumerate().map(agent).collect()
}

#[test]
fn only_what_is_named_and_differs_is_written() {
    // Current state, wanted state, expected write.
    for (is, wish, written) in [
        (config(NO, YES, YES), wish(true, None, None), config(YES, None, None)),
        (config(YES, YES, YES), wish(true, None, None), HaConfig::default()),
        (config(YES, YES, YES), wish(true, YES, NO), config(None, None, NO)),
        (config(YES, NO, NO), wish(false, YES, None), config(NO, YES, None)),
        (config(NO, NO, NO), wish(false, None, None), HaConfig::default()),
        (config(None, None, None), wish(true, None, None), config(YES, None, None)),
        (config(None, None, None), wish(false, None, None), HaConfig::default()),
        (config(YES, None, None), wish(true, YES, YES), config(None, YES, YES)),
    ] {
        let plan = plan(&wish, &observed(is));
        assert_eq!(plan.change.config, written, "{wish:?} where {is:?}");
        assert_eq!(plan.change.is_empty(), written == HaConfig::default(), "{wish:?} where {is:?}");
        let told = plan.warnings.iter().any(|warning| warning.contains("does not report whether vSphere HA is on"));
        assert_eq!(told, is.enabled.is_none(), "{:?}", plan.warnings);
    }
}

#[test]
fn what_the_server_does_not_tell_is_written_and_counts_when_it_shows() {
    // Current state, wanted state, expected tentative flag, settings named by the warnings.
    for (is, wish, tentative, named) in [
        (config(YES, YES, YES), wish(true, NO, NO), false, vec![]),
        (config(YES, None, YES), wish(true, NO, NO), false, vec!["dasConfig.hostMonitoring"]),
        (config(YES, None, YES), wish(true, NO, YES), true, vec!["dasConfig.hostMonitoring"]),
        (
            config(NO, None, None),
            wish(false, YES, YES),
            true,
            vec!["dasConfig.hostMonitoring", "dasConfig.admissionControlEnabled"],
        ),
        (config(None, None, None), wish(true, None, None), true, vec!["whether vSphere HA is on"]),
        (config(YES, None, None), wish(true, None, None), false, vec![]),
    ] {
        let plan = plan(&wish, &observed(is));
        assert_eq!(plan.change.is_tentative(), tentative, "{wish:?} where {is:?}");
        assert_eq!(plan.warnings.len(), named.len(), "{:?}", plan.warnings);
        for (warning, named) in plan.warnings.iter().zip(named) {
            assert!(warning.contains(named), "{warning}");
        }
    }
}

#[test]
fn turning_it_off_warns_of_what_depends_on_it() {
    let protecting = Observed { protected: vec!["inner".to_owned()], ..observed(config(YES, YES, YES)) };
    for (seen, wish, warns) in [
        (&protecting, wish(false, None, None), true),
        (&protecting, wish(true, None, None), false),
        (&observed(config(YES, YES, YES)), wish(false, None, None), false),
        (&Observed { config: config(NO, YES, YES), ..protecting.clone() }, wish(false, None, None), false),
    ] {
        let plan = plan(&wish, seen);
        assert_eq!(plan.warnings.iter().any(|warning| warning.contains("inner")), warns, "{:?}", plan.warnings);
    }
}

#[test]
fn agents_that_should_run_and_do_not_are_told_by_host_and_state() {
    let (up, second) = ((Some("master"), true), (Some("connectedToMaster"), true));
    let long: &[Since] = &[Since::Moments, Since::NotLong, Since::Long];
    // The agents; how long after turning it on they are waited for; whether a run that finds it on waits; what is said.
    for (states, since, again, says) in [
        (vec![up, second], &long[..0], false, vec![]),
        (vec![up, (Some("election"), true)], long, true, vec!["not ready on esxi01 (election):"]),
        (vec![up, (Some("uninitialized"), true)], long, true, vec!["not ready on esxi01 (uninitialized):"]),
        (vec![up, (Some("retry"), true)], long, true, vec!["not ready on esxi01 (retry):"]),
        (vec![up, (Some("fdmUnreachable"), true)], long, false, vec!["not ready on esxi01 (fdmUnreachable):"]),
        (
            vec![up, (Some("initializationError"), true)],
            &long[..2],
            false,
            vec!["not ready on esxi01 (initializationError):"],
        ),
        (vec![up, (Some("ofTomorrow"), true)], long, false, vec!["not ready on esxi01 (ofTomorrow):"]),
        (vec![up, (None, true)], &long[..2], false, vec!["no state on esxi01,"]),
        (
            vec![(None, true), (Some("election"), true), (None, true)],
            long,
            true,
            vec!["not ready on esxi01 (election):", "no state on esxi00, esxi02,"],
        ),
        // Servers that tell no agent's state.
        (vec![(None, true), (None, true)], &long[..1], false, vec![]),
        (vec![up, (None, false)], &long[..0], false, vec![]),
        (vec![up, (Some("uninitialized"), false)], &long[..0], false, vec![]),
        (vec![(Some("election"), false), (None, true)], &long[..1], false, vec![]),
        (vec![], &long[..0], false, vec![]),
    ] {
        let seen = Observed { agents: agents(&states), ..observed(config(YES, YES, YES)) };
        let waits: Vec<Since> = long.iter().copied().filter(|since| settling(&seen, *since)).collect();
        assert_eq!(waits, since, "{states:?}");
        let told = not_ready(&seen);
        assert_eq!(told.len(), says.len(), "{states:?}: {told:?}");
        assert!(told.iter().zip(says).all(|(told, says)| told.contains(says)), "{told:?}");
        let found = plan(&wish(true, None, None), &seen);
        assert_eq!((found.change.is_empty(), found.change.waits()), (true, again), "{states:?}");
        // The warnings appear whether or not something was written first.
        assert_eq!(found.warnings, told);
        let writes = plan(&wish(true, NO, None), &seen);
        assert_eq!(writes.warnings, if again { vec![] } else { told }, "{states:?}");
        let off = plan(&wish(false, None, None), &seen);
        assert!(off.warnings.is_empty() && !off.change.waits());
    }
}

#[test]
fn what_the_server_ignored_is_named_and_what_it_does_not_tell_is_not() {
    let change = Change { config: config(YES, NO, None), untold: false, settling: false };
    for (is, expected) in [
        (config(YES, NO, YES), vec![]),
        (config(NO, NO, YES), vec!["enabled"]),
        (config(NO, YES, YES), vec!["enabled", "hostMonitoring"]),
        (config(None, None, None), vec![]),
    ] {
        assert_eq!(missing(&observed(is), &change), expected, "{is:?}");
    }
}

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        is in (any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>()),
        on in any::<bool>(),
        monitoring in any::<Option<bool>>(),
        control in any::<Option<bool>>(),
    ) {
        let wish = wish(on, monitoring, control);
        let seen = observed(config(is.0, is.1, is.2));
        let planned = plan(&wish, &seen);
        let after = planned.change.predict(&seen);
        prop_assert!(plan(&wish, &after).change.is_empty());
        prop_assert!(missing(&after, &planned.change).is_empty());
    }
}
