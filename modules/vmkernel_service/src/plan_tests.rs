use contract::{Change as _, Kind};
use proptest::prelude::*;
use serde_json::json;
use vsphere::{NicService, Vmknic};

use super::{Observed, actual, plan};
use crate::args::{Service, State, Wish};

const VMOTION: &str = "vmotion";
const LOGGING: &str = "faultToleranceLogging";

fn vmknic(device: &str, portgroup: &str) -> Vmknic {
    Vmknic {
        device: device.to_owned(),
        portgroup: Some(portgroup.to_owned()),
        ip: Some("172.30.0.9".to_owned()),
        ..Vmknic::default()
    }
}

fn service(name: &str, multiple: bool, selected: &[&str]) -> NicService {
    NicService {
        name: name.to_owned(),
        multiple,
        candidates: vec![
            vmknic("vmk0", "Management Network"),
            vmknic("vmk1", "FT"),
            vmknic("vmk2", "Lab"),
            vmknic("vmk3", "Lab"),
        ],
        selected: selected.iter().map(|device| (*device).to_owned()).collect(),
    }
}

/// vMotion may be carried by several, FT logging by one.
fn observed(vmotion: &[&str], logging: &[&str]) -> Observed {
    let services =
        vec![service(LOGGING, false, logging), service("management", true, &["vmk0"]), service(VMOTION, true, vmotion)];
    Observed { host: "esxi01".to_owned(), asked: Vec::new(), services }
}

fn wish(device: &str, services: &[Service], state: State) -> Wish {
    Wish { device: Some(device.to_owned()), portgroup: None, services: services.to_vec(), state }
}

fn on(portgroup: &str) -> Wish {
    Wish {
        device: None,
        portgroup: Some(portgroup.to_owned()),
        services: vec![Service::Vmotion],
        state: State::Present,
    }
}

#[test]
fn only_what_differs_is_written_and_what_is_lost_is_told() {
    use Service::{FaultToleranceLogging, Vmotion};
    let both = [Vmotion, FaultToleranceLogging];
    // The carriers of vMotion and FT logging; the wish; the expected write; the vmknic named by the warning; the
    // carriers afterwards.
    for (before, wish, written, loser, after) in [
        (
            (vec![], vec![]),
            wish("vmk1", &both, State::Present),
            vec![VMOTION, LOGGING],
            None,
            (vec!["vmk1"], vec!["vmk1"]),
        ),
        ((vec!["vmk1"], vec!["vmk1"]), wish("vmk1", &both, State::Present), vec![], None, (vec!["vmk1"], vec!["vmk1"])),
        (
            (vec!["vmk0"], vec!["vmk0"]),
            wish("vmk1", &both, State::Present),
            vec![VMOTION, LOGGING],
            Some("vmk0"),
            (vec!["vmk0", "vmk1"], vec!["vmk1"]),
        ),
        (
            (vec!["vmk0"], vec![]),
            wish("vmk1", &[Vmotion, Vmotion], State::Present),
            vec![VMOTION],
            None,
            (vec!["vmk0", "vmk1"], vec![]),
        ),
        ((vec!["vmk0"], vec!["vmk1"]), wish("vmk1", &both, State::Absent), vec![LOGGING], None, (vec!["vmk0"], vec![])),
        ((vec!["vmk0"], vec!["vmk0"]), wish("vmk1", &both, State::Absent), vec![], None, (vec!["vmk0"], vec!["vmk0"])),
        // A port group that two vmknics are on is only ambiguous when it is the port group that is named.
        ((vec![], vec![]), wish("vmk2", &[Vmotion], State::Present), vec![VMOTION], None, (vec!["vmk2"], vec![])),
        ((vec![], vec![]), on("FT"), vec![VMOTION], None, (vec!["vmk1"], vec![])),
    ] {
        let seen = observed(&before.0, &before.1);
        let plan = plan(&wish, &seen).unwrap();
        assert_eq!(plan.change.services, written, "{wish:?} where {before:?}");
        assert_eq!(plan.change.is_empty(), written.is_empty(), "{wish:?} where {before:?}");
        assert_eq!(plan.warnings.len(), usize::from(loser.is_some()));
        if let Some(loser) = loser {
            assert!(plan.warnings[0].contains(loser) && plan.warnings[0].contains(LOGGING), "{:?}", plan.warnings);
        }
        assert_eq!(plan.change.predict(&seen), observed(&after.0, &after.1), "{wish:?} where {before:?}");
    }
}

#[test]
fn without_device_and_portgroup_the_vmknic_is_chosen_only_where_there_is_no_choice() {
    // The carriers of vMotion; the device of the vmknics that may carry it; the vmknic that is meant.
    for (vmotion, candidates, meant) in [
        (&[][..], &["vmk1"][..], Ok("vmk1")),
        (&["vmk2"], &["vmk0", "vmk1", "vmk2"], Ok("vmk2")),
        (&[], &[], Err(Kind::NotFound)),
        (&[], &["vmk0", "vmk1"], Err(Kind::Ambiguous)),
    ] {
        let mut seen = observed(vmotion, &[]);
        seen.services[2].candidates.retain(|nic| candidates.contains(&nic.device.as_str()));
        let wish = Wish { device: None, ..wish("", &[Service::Vmotion], State::Present) };
        let found = seen.vmknic(&wish).map(|nic| nic.device.clone()).map_err(|error| error.kind);
        assert_eq!(found, meant.map(str::to_owned), "{vmotion:?} {candidates:?}");
        if meant == Err(Kind::Ambiguous) {
            let told = seen.vmknic(&wish).unwrap_err().message();
            assert!(told.contains("vmk0 (Management Network, 172.30.0.9), vmk1 (FT, 172.30.0.9)"), "{told}");
        }
    }
}

#[test]
fn what_a_vmknic_carries_is_told_with_all_its_services() {
    let seen = observed(&["vmk0", "vmk1"], &["vmk1"]);
    assert_eq!(seen.carried("vmk0"), ["management", VMOTION]);
    assert_eq!(seen.carried("vmk1"), [LOGGING, VMOTION]);
    assert!(seen.carried("vmk2").is_empty());
}

#[test]
fn what_is_carried_is_told_in_the_terms_of_the_arguments() {
    use Service::{FaultToleranceLogging, Vmotion};
    let none = observed(&[], &[]);
    let one = observed(&["vmk1"], &[]);
    let both = observed(&["vmk1"], &["vmk1"]);
    let cases = [
        (State::Present, vec![&both], vec![Vmotion, FaultToleranceLogging], State::Present),
        (State::Present, vec![&both, &one], vec![Vmotion], State::Present),
        (State::Present, vec![&one, &none], vec![Vmotion], State::Present),
        // The services that were asked for are absent.
        (State::Present, vec![&none], vec![Vmotion, FaultToleranceLogging], State::Absent),
        (State::Absent, vec![&none], vec![Vmotion, FaultToleranceLogging], State::Absent),
        (State::Absent, vec![&none, &one], vec![Vmotion], State::Present),
    ];
    for (state, hosts, services, told) in cases {
        let actual = actual(&wish("vmk1", &[Vmotion, FaultToleranceLogging], state), &hosts);
        assert_eq!(json!(actual), json!({ "services": services, "state": told }), "{state:?} {hosts:?}");
    }
    assert!(actual(&wish("vmk9", &[Vmotion], State::Present), &[&both]).is_empty());
    assert!(actual(&wish("vmk1", &[Vmotion], State::Present), &[]).is_empty());
}

#[test]
fn a_vmknic_that_is_not_meant_or_not_there_is_an_error_that_lists_those_that_are() {
    let one_service = |name: &str| Observed { services: vec![service(name, true, &[])], ..observed(&[], &[]) };
    let mut own_stack = observed(&[], &[]);
    own_stack.services[0].candidates.retain(|nic| nic.device != "vmk1");
    let no_nics = Observed {
        services: vec![NicService { candidates: Vec::new(), ..service(VMOTION, true, &[]) }],
        ..observed(&[], &[])
    };
    let all = "vmk0 (Management Network, 172.30.0.9), vmk1 (FT, 172.30.0.9)";
    for (seen, wish, kind, says) in [
        (observed(&[], &[]), wish("vmk9", &[Service::Vmotion], State::Present), Kind::NotFound, all),
        (observed(&[], &[]), wish("vmk9", &[Service::Vmotion], State::Absent), Kind::NotFound, all),
        (observed(&[], &[]), on("lab"), Kind::NotFound, all),
        (observed(&[], &[]), on("Lab"), Kind::Ambiguous, "vmk2 (Lab, 172.30.0.9), vmk3 (Lab, 172.30.0.9)"),
        (one_service(LOGGING), on("FT"), Kind::Unsupported, "does not support the service vmotion"),
        (
            own_stack,
            wish("vmk1", &[Service::Vmotion, Service::FaultToleranceLogging], State::Present),
            Kind::NotFound,
            "no vmknic vmk1 that can carry faultToleranceLogging",
        ),
        (no_nics, on("FT"), Kind::NotFound, "Add a vmknic"),
    ] {
        let error = plan(&wish, &seen).unwrap_err();
        assert_eq!(error.kind, kind, "{wish:?}");
        assert!(error.message().contains(says) && error.message().contains("esxi01"), "{}", error.message());
    }
}

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        vmotion in proptest::sample::subsequence(vec!["vmk0", "vmk1", "vmk2"], 0..3),
        logging in proptest::sample::subsequence(vec!["vmk0", "vmk1", "vmk2"], 0..2),
        device in proptest::sample::select(vec!["vmk0", "vmk1", "vmk2", "vmk9"]),
        services in proptest::sample::subsequence(vec![Service::Vmotion, Service::FaultToleranceLogging], 1..=2),
        absent in any::<bool>(),
    ) {
        let wish = wish(device, &services, if absent { State::Absent } else { State::Present });
        let seen = observed(&vmotion, &logging);
        if let Ok(planned) = plan(&wish, &seen) {
            let after = planned.change.predict(&seen);
            prop_assert!(plan(&wish, &after).unwrap().change.is_empty());
        }
    }
}
