use std::collections::BTreeMap;

use contract::{Change as _, Kind, Plan, Scalar};
use proptest::prelude::*;
use serde_json::json;
use vsphere::{HaChange, HaConfig, HaOverride, Moref};

use super::{Agent, Change, Observed, Since, missing, not_ready, settling};
use crate::args::{State, Wish};
use crate::details::{HaOption, HaVm, actual_options};

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
        options: Vec::new(),
        vms: Vec::new(),
        since_6_5: true,
        agents: Vec::new(),
        protected: Vec::new(),
    }
}

fn wish(on: bool, host_monitoring: Option<bool>, admission_control: Option<bool>) -> Wish {
    Wish {
        state: if on { State::Enabled } else { State::Disabled },
        host_monitoring,
        admission_control,
        advanced_options: BTreeMap::new(),
        vm_restart_priority: BTreeMap::new(),
    }
}

fn plan(wish: &Wish, observed: &Observed) -> Plan<Change> {
    super::plan(wish, observed).unwrap()
}

fn scalars(values: &[(&str, Scalar)]) -> BTreeMap<String, Scalar> {
    values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn text(value: &str) -> Scalar {
    Scalar::Text(value.to_owned())
}

/// Reads the options of `wish` in a cluster that has these.
fn with_options(wish: &Wish, options: &[(&str, &str)]) -> Observed {
    let all: Vec<_> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let options = wish.advanced_options.keys().map(|asked| HaOption::find(asked, &all)).collect();
    Observed { options, ..observed(config(YES, YES, YES)) }
}

/// Reads the virtual machines of `wish` in a cluster that has these overrides.
fn with_overrides(wish: &Wish, overrides: &[(&str, Option<&str>)], ft: bool) -> Observed {
    let overrides: Vec<_> = overrides.iter().map(|(vm, priority)| an_override(vm, *priority, true)).collect();
    let vm = |asked: &String| HaVm {
        asked: asked.clone(),
        name: format!("name of {asked}"),
        moref: Moref::new("VirtualMachine", asked.to_lowercase()),
        ft,
        priority: String::new(),
        exists: false,
    };
    let vms = wish.vm_restart_priority.keys().map(|asked| vm(asked).with(&overrides)).collect();
    Observed { vms, ..observed(config(YES, YES, YES)) }
}

fn an_override(vm: &str, priority: Option<&str>, exists: bool) -> HaOverride {
    HaOverride { vm: Moref::new("VirtualMachine", vm), restart_priority: priority.map(str::to_owned), exists }
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
        assert_eq!(plan.change.write.config, written, "{wish:?} where {is:?}");
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
    let write = HaChange { config: config(YES, NO, None), ..HaChange::default() };
    let change = Change { write, untold: false, settling: false };
    for (is, expected) in [
        (config(YES, NO, YES), vec![]),
        (config(NO, NO, YES), vec!["dasConfig.enabled"]),
        (config(NO, YES, YES), vec!["dasConfig.enabled", "dasConfig.hostMonitoring"]),
        (config(None, None, None), vec![]),
    ] {
        assert_eq!(missing(&observed(is), &change), expected, "{is:?}");
    }
}

#[test]
fn only_options_that_are_named_and_differ_are_written() {
    let asked = |value: Scalar| scalars(&[("das.One", value)]);
    let one = |value: &str| vec![("das.one".to_owned(), value.to_owned())];
    // The options of the cluster; the wanted value; what is written.
    for (options, wanted, written) in [
        (vec![("das.one", "1"), ("das.other", "x")], text("1"), vec![]),
        (vec![("das.one", "1")], Scalar::Int(2), one("2")),
        (vec![("das.one", "TRUE")], Scalar::Bool(true), vec![]),
        (vec![("das.one", "x")], text("X"), one("X")),
        (vec![("das.one", "1")], text(""), one("")),
        (vec![("das.one", "1")], Scalar::Null, one("")),
        (vec![("das.one", "")], Scalar::Null, vec![]),
        (vec![], text(""), vec![]),
        (vec![], text("1"), vec![("das.One".to_owned(), "1".to_owned())]),
    ] {
        let wish = Wish { advanced_options: asked(wanted.clone()), ..wish(true, None, None) };
        let seen = with_options(&wish, &options);
        let plan = plan(&wish, &seen);
        assert_eq!(plan.change.write.options, written, "{wanted:?} where {options:?}");
        assert_eq!(plan.change.is_empty(), written.is_empty());
        let ignored: Vec<String> = written.iter().map(|(key, _)| format!("the advanced option {key}")).collect();
        assert_eq!(missing(&seen, &plan.change), ignored);
        assert!(missing(&plan.change.predict(&seen), &plan.change).is_empty());
        // The report shows an unchanged value as the user gave it.
        let actual = actual_options(&wish.advanced_options, &seen.options);
        assert_eq!(actual["das.One"] == json!(wanted), written.is_empty(), "{actual:?}");
    }
}

#[test]
fn only_priorities_that_are_named_and_differ_are_written() {
    let asked = |priority| scalars(&[("vm-1", text(priority))]);
    // The override of the virtual machine; the wanted priority; what is written; whether that warns with Fault Tolerance.
    for (is, wanted, written, warns) in [
        (None, "cluster", None, false),
        (None, "disabled", Some(an_override("vm-1", Some("disabled"), false)), true),
        (Some(None), "cluster", None, false),
        (Some(None), "low", Some(an_override("vm-1", Some("low"), true)), false),
        (Some(Some("disabled")), "disabled", None, false),
        (Some(Some("disabled")), "cluster", Some(an_override("vm-1", None, true)), false),
    ] {
        let wish = Wish { vm_restart_priority: asked(wanted), ..wish(true, None, None) };
        let overrides: Vec<_> = is.iter().map(|priority| ("vm-1", *priority)).collect();
        for ft in [false, true] {
            let seen = with_overrides(&wish, &overrides, ft);
            let plan = plan(&wish, &seen);
            assert_eq!(
                plan.change.write.overrides,
                written.iter().cloned().collect::<Vec<_>>(),
                "{wanted} where {is:?}"
            );
            let told = plan.warnings.iter().any(|warning| warning.contains("name of vm-1"));
            assert_eq!(told, ft && warns, "{:?}", plan.warnings);
            assert_eq!(missing(&seen, &plan.change).is_empty(), written.is_none());
            assert!(missing(&plan.change.predict(&seen), &plan.change).is_empty());
        }
    }
}

#[test]
fn priorities_that_cannot_be_set_are_refused() {
    let asked = |vms: &[&str]| {
        let vms: Vec<_> = vms.iter().map(|vm| (*vm, text("highest"))).collect();
        Wish { vm_restart_priority: scalars(&vms), ..wish(true, None, None) }
    };
    for (wish, since_6_5, kind) in [
        (asked(&["vm-1"]), true, None),
        (asked(&["vm-1"]), false, Some(Kind::Unsupported)),
        // Both are the same virtual machine.
        (asked(&["VM-1", "vm-1"]), true, Some(Kind::InvalidArguments)),
    ] {
        let seen = Observed { since_6_5, ..with_overrides(&wish, &[], false) };
        assert_eq!(super::plan(&wish, &seen).err().map(|error| error.kind), kind, "{wish:?}");
    }
}

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        is in (any::<Option<bool>>(), any::<Option<bool>>(), any::<Option<bool>>()),
        on in any::<bool>(),
        monitoring in any::<Option<bool>>(),
        control in any::<Option<bool>>(),
        options in proptest::collection::btree_map("das\\.[a-cA-C]", "|1|true|TRUE", 0..3),
        wanted in proptest::collection::btree_map("das\\.[a-c]", "|1|True|2", 0..3),
        overridden in proptest::option::of(proptest::option::of("disabled|low")),
        priority in proptest::option::of("disabled|low|cluster"),
    ) {
        let texts = |texts: BTreeMap<String, String>| texts.into_iter().map(|(key, text)| (key, Scalar::Text(text)));
        let priority = priority.map(|priority| ("vm-1".to_owned(), Scalar::Text(priority)));
        let wish = Wish {
            advanced_options: texts(wanted).collect(),
            vm_restart_priority: priority.into_iter().collect(),
            ..wish(on, monitoring, control)
        };
        let options: Vec<_> = options.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let overrides: Vec<_> = overridden.iter().map(|priority| ("vm-1", priority.as_deref())).collect();
        let seen = Observed {
            options: with_options(&wish, &options).options,
            vms: with_overrides(&wish, &overrides, false).vms,
            ..observed(config(is.0, is.1, is.2))
        };
        let planned = plan(&wish, &seen);
        let after = planned.change.predict(&seen);
        prop_assert!(plan(&wish, &after).change.is_empty());
        prop_assert!(missing(&after, &planned.change).is_empty());
    }
}
