use std::collections::BTreeMap;

use contract::{Change as _, Scalar};
use proptest::prelude::*;
use vsphere::{FtInfo, Moref, Version};
use vsphere_module::VmReport;

use super::{Observed, plan};
use crate::args::State;
use crate::check::option_problems;
use crate::options::{Found, predict};

fn observed(there: &[(&str, &str, Option<&str>)], version: &str, power: &str) -> Observed {
    Observed {
        moref: Moref::new("VirtualMachine", "vm-63"),
        vm: VmReport {
            name: "inner".to_owned(),
            moid: "vm-63".to_owned(),
            instance_uuid: None,
            power_state: Some(power.to_owned()),
        },
        template: false,
        ft: None,
        change_version: Some("1".to_owned()),
        options: there
            .iter()
            .map(|(asked, key, value)| Found {
                asked: (*asked).to_owned(),
                key: (*key).to_owned(),
                value: value.map(str::to_owned),
            })
            .collect(),
        uses_legacy_ft: false,
        host: Some("esxi01".to_owned()),
        host_version: Some(Version::parse(version)),
    }
}

fn options(wanted: &[(&str, Scalar)]) -> BTreeMap<String, Scalar> {
    wanted.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

#[test]
fn only_the_difference_is_written() {
    // wanted, spelling and value there, state, what is written
    type Case = (Scalar, &'static str, Option<&'static str>, State, Option<Option<&'static str>>);
    let cases: Vec<Case> = vec![
        (text("true"), "replay.allowFT", None, State::Present, Some(Some("true"))),
        (text("true"), "replay.allowFT", Some("FALSE"), State::Present, Some(Some("true"))),
        (text("true"), "replay.allowFT", Some("TRUE"), State::Present, None),
        (Scalar::Bool(true), "replay.allowFT", Some("true"), State::Present, None),
        (Scalar::Bool(true), "replay.allowFT", None, State::Present, Some(Some("TRUE"))),
        (text("true"), "Replay.AllowFT", Some("false"), State::Present, Some(Some("true"))),
        (text("Word"), "replay.allowFT", Some("word"), State::Present, Some(Some("Word"))),
        (Scalar::Int(1), "replay.allowFT", Some("1"), State::Present, None),
        (Scalar::Float(1.5), "replay.allowFT", Some("1"), State::Present, Some(Some("1.5"))),
        (text("x"), "replay.allowFT", Some(""), State::Present, Some(Some("x"))),
        (Scalar::Null, "replay.allowFT", Some("true"), State::Absent, Some(None)),
        (text("other"), "REPLAY.allowft", Some("true"), State::Absent, Some(None)),
        (Scalar::Null, "replay.allowFT", None, State::Absent, None),
        (Scalar::Null, "replay.allowFT", Some(""), State::Absent, None),
    ];
    for (wanted, key, there, state, written) in cases {
        let observed = observed(&[("replay.allowFT", key, there)], "5.0", "poweredOff");
        let plan = plan(&options(&[("replay.allowFT", wanted.clone())]), state, &observed).unwrap();
        let expected: Vec<_> = written.map(|value| (key.to_owned(), value.map(str::to_owned))).into_iter().collect();
        assert_eq!(plan.change.options, expected, "{wanted:?} where {key} is {there:?}, {state:?}");
    }
}

#[test]
fn record_replay_options_are_told_to_mean_nothing_where_they_do() {
    let cases = [
        ("4.1.0", None, false),
        ("5.5.0", None, false),
        ("6.0.0", None, true),
        ("6.0.0", Some(text("TRUE")), false),
        ("6.5.0", Some(text("TRUE")), true),
        ("8.0.3", None, true),
    ];
    for (version, legacy, warned) in cases {
        let mut wanted = options(&[("replay.supported", text("true"))]);
        wanted.extend(legacy.clone().map(|value| ("vm.uselegacyft".to_owned(), value)));
        let seen = observed(&[("replay.supported", "replay.supported", None)], version, "poweredOff");
        assert_eq!(!plan(&wanted, State::Present, &seen).unwrap().warnings.is_empty(), warned, "{version} {legacy:?}");
    }
    for (keys, says) in [
        (&["replay.supported"][..], "replay.supported has no effect on esxi01: it belongs to"),
        (
            &["replay.allowFT", "replay.supported"],
            "replay.allowFT, replay.supported have no effect on esxi01: they belong to",
        ),
    ] {
        let wanted = options(&keys.iter().map(|key| (*key, text("true"))).collect::<Vec<_>>());
        let there: Vec<_> = keys.iter().map(|key| (*key, *key, None)).collect();
        let warnings = plan(&wanted, State::Present, &observed(&there, "8.0", "poweredOff")).unwrap().warnings;
        assert!(warnings[0].starts_with(says), "{warnings:?}");
    }
    let other = options(&[("guestinfo.x", text("1"))]);
    let seen = observed(&[("guestinfo.x", "guestinfo.x", None)], "8.0", "poweredOff");
    assert_eq!(plan(&other, State::Present, &seen).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn a_suspended_machine_is_left_alone_unless_there_is_nothing_to_do() {
    let wanted = options(&[("a", text("1"))]);
    let to_do = plan(&wanted, State::Present, &observed(&[("a", "a", None)], "5.0", "suspended")).unwrap();
    let done = plan(&wanted, State::Present, &observed(&[("a", "a", Some("1"))], "5.0", "suspended")).unwrap();
    assert_eq!((to_do.blockers.len(), done.blockers.len()), (1, 0));
}

#[test]
fn a_secondary_is_not_changed() {
    let wanted = options(&[("a", text("1"))]);
    let ft = Some(FtInfo {
        role: 2,
        instance_uuids: Vec::new(),
        secondaries: Vec::new(),
        primary: Some(Moref::new("VirtualMachine", "vm-63")),
        orphaned: false,
    });
    let to_do = Observed { ft: ft.clone(), ..observed(&[("a", "a", None)], "5.0", "poweredOn") };
    assert!(plan(&wanted, State::Present, &to_do).unwrap_err().message().contains("vm-63"));
    let done = Observed { ft, ..observed(&[("a", "a", Some("1"))], "5.0", "poweredOn") };
    assert!(plan(&wanted, State::Present, &done).unwrap().change.is_empty());
}

#[test]
fn options_that_cannot_be_meant_are_refused() {
    let cases = [
        (options(&[]), State::Present, "at least one"),
        (options(&[("a b", text("1"))]), State::Present, "`a b` is not the name"),
        (options(&[("a=", text("1"))]), State::Absent, "is not the name"),
        (options(&[("a", text(""))]), State::Present, "state: absent"),
        (options(&[("a", Scalar::Null)]), State::Present, "state: absent"),
        (options(&[("A.b", text("1")), ("a.B", text("2"))]), State::Present, "the same option"),
    ];
    for (options, state, expected) in cases {
        let told = option_problems(&options, state).join("; ");
        assert!(told.contains(expected), "{options:?}: {told}");
    }
    assert_eq!(option_problems(&options(&[("a", Scalar::Null)]), State::Absent), Vec::<String>::new());
}

fn any_scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Int),
        "[a-zA-Z]{1,5}|true|TRUE|false".prop_map(Scalar::Text)
    ]
}

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        wanted in proptest::collection::btree_map("[a-d]\\.[x-z]", any_scalar(), 1..6),
        there in proptest::collection::vec(proptest::option::of("[a-z]{0,3}|TRUE|False"), 6),
        absent in any::<bool>(),
    ) {
        let state = if absent { State::Absent } else { State::Present };
        let there: Vec<_> = wanted.keys().zip(&there).map(|(key, value)| (key.as_str(), key.as_str(), value.as_deref())).collect();
        let seen = observed(&there, "5.0", "poweredOff");
        let change = plan(&wanted, state, &seen).unwrap().change;
        let mut after = seen.clone();
        predict(&mut after.options, &change.options);
        prop_assert!(plan(&wanted, state, &after).unwrap().change.is_empty());
        // Nothing that has its value already is written again.
        for (key, value) in &change.options {
            let found = seen.options.iter().find(|found| found.key == *key);
            prop_assert_ne!(found.map(|found| &found.value), Some(value));
        }
    }
}
