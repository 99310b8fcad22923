//! What is to be done to the power of a virtual machine.

use contract::{Error, Kind, Plan};
use vsphere::{FtInfo, Moref};
use vsphere_module::VmReport;

use crate::State;

/// What was read of the virtual machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub moref: Moref,
    pub vm: VmReport,
    pub template: bool,
    pub ft: Option<FtInfo>,
    /// Its secondaries may not run.
    pub ft_suspended: bool,
    /// What it asks, if it waits for an answer.
    pub question: Option<String>,
}

impl Observed {
    pub fn secondaries(&self) -> u32 {
        let count =
            self.ft.as_ref().filter(|ft| ft.role == 1 && !self.ft_suspended).map_or(0, |ft| ft.secondaries.len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// Which button to press, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change(pub Option<Step>);

/// A press of the power button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    On,
    Off,
}

impl Step {
    /// The power state that it leads to, by its name in the API.
    pub fn leads_to(self) -> &'static str {
        match self {
            Self::On => "poweredOn",
            Self::Off => "poweredOff",
        }
    }
}

impl contract::Change for Change {
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Decides.
pub fn plan(state: State, observed: &Observed) -> Result<Plan<Change>, Error> {
    let name = &observed.vm.name;
    let conflict = |text: String, remedy: &str| Err(Error::new(Kind::Conflict, text).hint(remedy));
    let step = match (state, observed.vm.power_state.as_deref()) {
        (State::PoweredOn, Some("poweredOn")) | (State::PoweredOff, Some("poweredOff")) => None,
        (State::PoweredOn, Some("poweredOff" | "suspended")) => Some(Step::On),
        (State::PoweredOff, Some("poweredOn")) => Some(Step::Off),
        (State::PoweredOff, Some("suspended")) => {
            return conflict(
                format!("virtual machine {name} is suspended, and powering it off would discard its memory"),
                "Resume it first, with `state: powered_on`.",
            );
        }
        (_, other) => {
            let other = other.unwrap_or("unknown");
            return conflict(
                format!("virtual machine {name} is in the power state {other}"),
                "Check it in the vSphere Client.",
            );
        }
    };
    if step.is_some() && observed.template {
        return conflict(
            format!("{name} is a template, which has no power to switch"),
            "Convert it to a virtual machine first.",
        );
    }
    if let Some(ft) = observed.ft.as_ref().filter(|ft| step.is_some() && ft.role != 1) {
        let primary = ft.primary.as_ref().map(|primary| format!(" ({})", primary.id)).unwrap_or_default();
        return conflict(
            format!("{name} ({}) is a secondary of Fault Tolerance, which follows its primary", observed.vm.moid),
            &format!("Power its primary{primary} instead."),
        );
    }
    let mut plan = Plan::from(Change(step));
    if let Some(question) = &observed.question {
        let asks = format!("virtual machine {name} waits for an answer to: {question}");
        if step.is_some() {
            plan.blockers.push((Kind::Conflict, asks, Some("Answer it in the vSphere Client.".to_owned())));
        } else {
            plan.warnings.push(asks);
        }
    }
    Ok(plan)
}

/// What will be there once `change` is done.
pub fn predict(observed: &Observed, change: Change) -> Observed {
    let mut after = observed.clone();
    if let Some(step) = change.0 {
        after.vm.power_state = Some(step.leads_to().to_owned());
    }
    after
}

#[cfg(test)]
mod tests {
    use contract::{Change as _, Kind};
    use proptest::prelude::*;
    use vsphere::{FtInfo, Moref};
    use vsphere_module::VmReport;

    use super::{Observed, Step, plan, predict};
    use crate::State;

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
        }
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
            (State::PoweredOn, Some("poweredOff"), Ok(Some(Step::On))),
            (State::PoweredOn, Some("suspended"), Ok(Some(Step::On))),
            (State::PoweredOff, Some("poweredOn"), Ok(Some(Step::Off))),
            (State::PoweredOff, Some("poweredOff"), Ok(None)),
            (State::PoweredOff, Some("suspended"), Err(Kind::Conflict)),
            (State::PoweredOn, None, Err(Kind::Conflict)),
        ];
        for (state, power, expected) in cases {
            let planned = plan(state, &observed(power)).map(|plan| plan.change).map_err(|error| error.kind);
            assert_eq!(planned.map(|change| change.0), expected, "{state:?} where it is {power:?}");
            assert_eq!(planned.is_ok_and(|change| change.is_empty()), expected == Ok(None));
        }
    }

    #[test]
    fn a_question_stops_a_change_and_is_repeated() {
        let asks = Observed { question: Some("Did you copy it?".to_owned()), ..observed(Some("poweredOff")) };
        assert!(plan(State::PoweredOn, &asks).unwrap().blockers[0].1.contains("Did you copy it?"));
        assert!(plan(State::PoweredOff, &asks).unwrap().warnings[0].contains("Did you copy it?"));
    }

    #[test]
    fn a_secondary_and_a_template_are_not_switched() {
        let secondary = Observed { ft: Some(pair(2)), ..observed(Some("poweredOn")) };
        assert!(plan(State::PoweredOff, &secondary).unwrap_err().message().contains("vm-63"));
        assert!(plan(State::PoweredOn, &secondary).unwrap().change.is_empty());
        let primary = Observed { ft: Some(pair(1)), ..secondary };
        assert_eq!(plan(State::PoweredOff, &primary).unwrap().change.0, Some(Step::Off));
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
            on in any::<bool>(),
            power in prop_oneof![Just("poweredOn"), Just("poweredOff"), Just("suspended")],
            protected in any::<bool>(),
        ) {
            let state = if on { State::PoweredOn } else { State::PoweredOff };
            let seen = Observed { ft: protected.then(|| pair(1)), ..observed(Some(power)) };
            if let Ok(planned) = plan(state, &seen) {
                let after = predict(&seen, planned.change);
                prop_assert!(plan(state, &after).unwrap().change.is_empty());
            }
        }
    }
}
