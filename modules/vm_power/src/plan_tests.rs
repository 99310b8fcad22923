use contract::{Change as _, Kind};
use proptest::prelude::*;
use vsphere::{FtInfo, Moref};
use vsphere_module::{Power, VmReport};

use super::{Guest, Observed, State, Step, Wish};

fn observed(power: Option<&str>) -> Observed {
    Observed {
        moref: Moref::new("VirtualMachine", "vm-63"),
        vm: VmReport {
            name: "inner".to_owned(),
            moid: "vm-63".to_owned(),
            instance_uuid: None,
            power_state: power.map(str::to_owned),
        },
        template: false,
        ft: None,
        ft_suspended: false,
        question: None,
        guest: Guest::Listens,
    }
}

fn plan(state: State, observed: &Observed) -> Result<contract::Plan<super::Change>, contract::Error> {
    super::plan(&Wish { state, force: false }, observed)
}

fn ask(then_off: bool, closing: bool) -> Step {
    Step::AskGuest { then_off, closing }
}

fn pair(role: i32) -> FtInfo {
    FtInfo {
        role,
        instance_uuids: Vec::new(),
        secondaries: if role == 1 { vec![Moref::new("VirtualMachine", "vm-70")] } else { Vec::new() },
        primary: (role != 1).then(|| Moref::new("VirtualMachine", "vm-63")),
        orphaned: false,
    }
}

#[test]
fn presses_the_button_only_where_it_must() {
    let cases = [
        (State::PoweredOn, Some("poweredOn"), Ok(None)),
        (State::PoweredOn, Some("poweredOff"), Ok(Some(Step::Switch(Power::On)))),
        (State::PoweredOn, Some("suspended"), Ok(Some(Step::Switch(Power::On)))),
        (State::PoweredOff, Some("poweredOn"), Ok(Some(Step::Switch(Power::Off)))),
        (State::PoweredOff, Some("poweredOff"), Ok(None)),
        (State::PoweredOff, Some("suspended"), Ok(Some(Step::Switch(Power::Off)))),
        (State::PoweredOn, None, Err(Kind::Conflict)),
        (State::ShutDown, Some("poweredOn"), Ok(Some(ask(false, false)))),
        (State::ShutDown, Some("poweredOff"), Ok(None)),
        (State::ShutDown, Some("suspended"), Ok(Some(ask(false, false)))),
        (State::ShutDown, None, Err(Kind::Conflict)),
    ];
    for (state, power, expected) in cases {
        let planned = plan(state, &observed(power)).map(|plan| plan.change).map_err(|error| error.kind);
        assert_eq!(planned.map(|change| change.0), expected, "{state:?} where it is {power:?}");
        assert_eq!(planned.is_ok_and(|change| change.is_empty()), expected == Ok(None));
    }
}

#[test]
fn a_suspended_machine_has_to_be_resumed_first() {
    for guest in [Guest::Listens, Guest::WithoutTools] {
        let seen = Observed { guest, ..observed(Some("suspended")) };
        for (state, force, step, why) in [
            (State::PoweredOn, false, Step::Switch(Power::On), None),
            (State::PoweredOff, false, Step::Switch(Power::Off), Some("would discard its memory")),
            (State::ShutDown, false, ask(false, false), Some("so its guest cannot shut down")),
            (State::ShutDown, true, ask(true, false), Some("so its guest cannot shut down")),
        ] {
            let plan = super::plan(&Wish { state, force }, &seen).unwrap();
            assert_eq!((plan.change.0, plan.warnings.len()), (Some(step), 0), "{state:?}");
            let told: Vec<_> = plan.blockers.iter().map(|(_, text, _)| text.as_str()).collect();
            assert!(told.len() == usize::from(why.is_some()) && told.iter().all(|it| it.contains(why.unwrap())));
        }
    }
}

#[test]
fn a_question_stops_a_change_and_is_repeated() {
    let asks = Observed { question: Some("Did you copy it?".to_owned()), ..observed(Some("poweredOff")) };
    assert!(plan(State::PoweredOn, &asks).unwrap().blockers[0].1.contains("Did you copy it?"));
    assert!(plan(State::PoweredOff, &asks).unwrap().warnings[0].contains("Did you copy it?"));
}

#[test]
fn a_guest_that_cannot_be_asked_is_powered_off_only_by_force() {
    let ask = |then_off, closing| Some(ask(then_off, closing));
    let off = Some(Step::Switch(Power::Off));
    // The guest; force; the step; whether it is barred; whether it warns.
    for (guest, force, step, barred, warns) in [
        (Guest::Listens, false, ask(false, false), false, false),
        (Guest::Listens, true, ask(true, false), false, false),
        (Guest::WithoutTools, false, ask(false, false), true, false),
        (Guest::WithoutTools, true, off, false, true),
        (Guest::ShutsDown, false, ask(false, true), false, false),
        (Guest::ShutsDown, true, ask(true, true), false, false),
    ] {
        let seen = Observed { guest, ..observed(Some("poweredOn")) };
        let plan = super::plan(&Wish { state: State::ShutDown, force }, &seen).unwrap();
        assert_eq!(plan.change.0, step, "{seen:?}");
        assert_eq!((!plan.blockers.is_empty(), !plan.warnings.is_empty()), (barred, warns), "{plan:?}");
        // Only a guest that is to shut down needs VMware Tools.
        let plan = super::plan(&Wish { state: State::PoweredOff, force }, &seen).unwrap();
        assert_eq!((plan.change.0, plan.blockers.len() + plan.warnings.len()), (off, 0), "{plan:?}");
    }
}

#[test]
fn a_secondary_and_a_template_are_not_switched() {
    let secondary = Observed { ft: Some(pair(2)), ..observed(Some("poweredOn")) };
    assert!(plan(State::PoweredOff, &secondary).unwrap_err().message().contains("vm-63"));
    assert!(plan(State::PoweredOn, &secondary).unwrap().change.is_empty());
    let primary = Observed { ft: Some(pair(1)), ..secondary };
    assert_eq!(plan(State::PoweredOff, &primary).unwrap().change.0, Some(Step::Switch(Power::Off)));
    let template = Observed { template: true, ..observed(Some("poweredOff")) };
    assert!(plan(State::PoweredOn, &template).unwrap_err().message().contains("template"));
    assert!(plan(State::PoweredOff, &template).unwrap().change.is_empty());
}

#[test]
fn the_secondaries_of_a_primary_are_counted() {
    let primary = Observed { ft: Some(pair(1)), ..observed(Some("poweredOn")) };
    let secondary = Observed { ft: Some(pair(2)), ..observed(Some("poweredOn")) };
    let suspended = Observed { ft_suspended: true, ..primary.clone() };
    let counts = [&primary, &secondary, &suspended, &observed(None)].map(Observed::secondaries);
    assert_eq!(counts, [1, 0, 0, 0]);
}

proptest! {
    #[test]
    fn planning_again_on_the_planned_state_yields_nothing(
        state in prop_oneof![Just(State::PoweredOn), Just(State::PoweredOff), Just(State::ShutDown)],
        power in prop_oneof![Just("poweredOn"), Just("poweredOff"), Just("suspended")],
        protected in any::<bool>(),
        listens in any::<bool>(),
        force in any::<bool>(),
    ) {
        let wish = Wish { state, force };
        let guest = if listens { Guest::Listens } else { Guest::WithoutTools };
        let seen = Observed { ft: protected.then(|| pair(1)), guest, ..observed(Some(power)) };
        if let Ok(planned) = super::plan(&wish, &seen) {
            let after = planned.change.predict(&seen);
            prop_assert!(super::plan(&wish, &after).unwrap().change.is_empty());
        }
    }
}
