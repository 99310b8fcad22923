//! The wanted power, the power that is there, and what to do about it.

use contract::{Error, Kind, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vsphere::{FtInfo, Moref, Object, VmPaths};
use vsphere_module::{Named, Power, VmReport};

/// The arguments that decisions depend on.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Wish {
    /// What is to be true.
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The virtual machine runs. A suspended one is resumed.
    PoweredOn,
    /// The virtual machine is off. The guest is not asked to shut down: this is the power button held.
    PoweredOff,
}

impl State {
    pub fn power(self) -> Power {
        match self {
            Self::PoweredOn => Power::On,
            Self::PoweredOff => Power::Off,
        }
    }
}

/// The properties that [`Observed::of`] needs.
pub const PATHS: VmPaths<'static> = VmPaths {
    vm: &[
        "name",
        "config.instanceUuid",
        "runtime.powerState",
        "runtime.connectionState",
        "config.template",
        "runtime.question",
        "runtime.faultToleranceState",
    ],
    host: &[],
    cluster: &[],
};

/// The state read from the virtual machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub moref: Moref,
    pub vm: VmReport,
    pub template: bool,
    pub ft: Option<FtInfo>,
    /// Its secondaries may not run.
    pub ft_suspended: bool,
    /// The question that it waits for an answer to.
    pub question: Option<String>,
}

impl Observed {
    pub fn of(vm: &Object) -> Self {
        let question = vm.get("runtime.question").and_then(|question| question.child("text"));
        Self {
            moref: vm.moref.clone(),
            vm: VmReport::of(vm),
            template: vsphere_module::is_template(vm),
            ft: vsphere_module::ft_role(vm),
            ft_suspended: vm.text("runtime.faultToleranceState") == Some("disabled"),
            question: question.map(|text| text.text().to_owned()),
        }
    }

    /// The state that describes it; none for a suspended machine, for example.
    pub fn state(&self) -> Option<State> {
        match self.vm.power_state.as_deref() {
            Some("poweredOn") => Some(State::PoweredOn),
            Some("poweredOff") => Some(State::PoweredOff),
            _ => None,
        }
    }

    pub fn secondaries(&self) -> u32 {
        let primary = self.ft.as_ref().filter(|ft| !ft.is_secondary() && !self.ft_suspended);
        primary.map_or(0, |ft| u32::try_from(ft.secondaries.len()).unwrap_or(u32::MAX))
    }

    /// Says which secondaries are switched with it.
    pub fn company(&self, power: Power) -> &'static str {
        match (self.secondaries(), power) {
            (0, _) => "",
            (1, Power::On) => "; its secondary starts with it",
            (1, Power::Off) => "; its secondary stops with it",
            (_, Power::On) => "; its secondaries start with it",
            (_, Power::Off) => "; its secondaries stop with it",
        }
    }
}

impl Named for Observed {
    const UNREAD: &'static str = "the virtual machine";

    fn label(&self) -> String {
        self.vm.label()
    }
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        json!({ "power_state": self.vm.power_state })
    }
}

/// The position to switch the power to, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change(pub Option<Power>);

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        if let Some(power) = self.0 {
            after.vm.power_state = Some(power.state().to_owned());
        }
        after
    }
}

/// Decides.
pub fn plan(state: State, observed: &Observed) -> Result<Plan<Change>, Error> {
    let name = &observed.vm.name;
    let conflict = |text: String, remedy: &str| Err(Error::new(Kind::Conflict, text).hint(remedy));
    let power = match (state, observed.vm.power_state.as_deref()) {
        (State::PoweredOn, Some("poweredOn")) | (State::PoweredOff, Some("poweredOff")) => None,
        (State::PoweredOn, Some("poweredOff" | "suspended")) => Some(Power::On),
        (State::PoweredOff, Some("poweredOn")) => Some(Power::Off),
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
    if power.is_some() && observed.template {
        return conflict(
            format!("{name} is a template, which cannot be powered on or off"),
            "Convert it to a virtual machine first.",
        );
    }
    if power.is_some() {
        vsphere_module::not_a_secondary(&observed.label(), observed.ft.as_ref())?;
    }
    let mut plan = Plan::from(Change(power));
    if let Some(question) = &observed.question {
        let asks = format!("virtual machine {name} waits for an answer to: {question}");
        if power.is_some() {
            plan.blockers.push((Kind::Conflict, asks, Some("Answer it in the vSphere Client.".to_owned())));
        } else {
            plan.warnings.push(asks);
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use contract::{Change as _, Kind};
    use proptest::prelude::*;
    use vsphere::{FtInfo, Moref};
    use vsphere_module::{Power, VmReport};

    use super::{Observed, State, plan};

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
            (State::PoweredOn, Some("poweredOff"), Ok(Some(Power::On))),
            (State::PoweredOn, Some("suspended"), Ok(Some(Power::On))),
            (State::PoweredOff, Some("poweredOn"), Ok(Some(Power::Off))),
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
        assert_eq!(plan(State::PoweredOff, &primary).unwrap().change.0, Some(Power::Off));
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
                let after = planned.change.predict(&seen);
                prop_assert!(plan(state, &after).unwrap().change.is_empty());
            }
        }
    }
}
