//! The wanted power, the power that is there, and what to do about it.

use contract::{Error, Kind, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vsphere::{FtInfo, Moref, Object};
use vsphere_module::{Named, Power, VmReport};

/// The module.
pub(super) struct VmPower;

/// The arguments that decisions depend on.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Wish {
    /// The wanted state.
    pub state: State,
    /// Whether O(state=shut_down) may power the virtual machine off if VMware Tools does not run, or if the guest still runs
    /// near the end of O(timeout): the last quarter of it, at most 30 seconds, is kept for that. Other states ignore this.
    #[serde(default)]
    pub force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The virtual machine runs. A suspended one is resumed.
    PoweredOn,
    /// The virtual machine is off. The guest is not asked to shut down: this is the power button held.
    PoweredOff,
    /// The virtual machine is off. VMware Tools asks the guest to shut down, and the run waits up to O(timeout) until it has.
    ShutDown,
}

impl State {
    pub fn power(self) -> Power {
        match self {
            Self::PoweredOn => Power::On,
            Self::PoweredOff | Self::ShutDown => Power::Off,
        }
    }

    /// The properties that [`Observed::of`] needs. VMware Tools matters only for a guest that is to shut down.
    pub fn paths(self) -> Vec<&'static str> {
        let guest: &[&str] = if self == Self::ShutDown { &GUEST } else { &[] };
        [&PATHS[..], guest].concat()
    }
}

const PATHS: [&str; 7] = [
    "name",
    "config.instanceUuid",
    "runtime.powerState",
    "runtime.connectionState",
    "config.template",
    "runtime.question",
    "runtime.faultToleranceState",
];
const GUEST: [&str; 2] = ["guest.toolsRunningStatus", "guest.guestState"];

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
    pub guest: Guest,
}

/// The guest, as far as it matters to a request to shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guest {
    /// It can be asked, as far as is known.
    Listens,
    /// VMware Tools does not run (`guest.toolsRunningStatus`).
    WithoutTools,
    /// It is shutting down already (`guest.guestState`), and may have ended VMware Tools.
    ShutsDown,
}

impl Guest {
    fn of(vm: &Object) -> Self {
        match (vm.text("guest.guestState"), vm.text("guest.toolsRunningStatus")) {
            (Some("shuttingDown"), _) => Self::ShutsDown,
            (_, Some("guestToolsNotRunning")) => Self::WithoutTools,
            _ => Self::Listens,
        }
    }
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
            guest: Guest::of(vm),
        }
    }

    /// True if it is suspended. Its guest, and what is known of VMware Tools, is as it was before.
    fn is_suspended(&self) -> bool {
        self.vm.power_state.as_deref() == Some("suspended")
    }

    /// True if the guest runs without VMware Tools.
    fn lacks_tools(&self) -> bool {
        self.guest == Guest::WithoutTools && !self.is_suspended()
    }

    /// True if it is off.
    pub fn is_off(&self) -> bool {
        self.vm.power_state.as_deref() == Some(Power::Off.state())
    }

    /// The state that describes it, as the caller who wants `wanted` names it; none for a suspended machine, for example.
    pub fn state(&self, wanted: State) -> Option<State> {
        match self.vm.power_state.as_deref() {
            Some("poweredOn") => Some(State::PoweredOn),
            Some("poweredOff") if wanted == State::ShutDown => Some(State::ShutDown),
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

/// A way to another power state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Switch the power.
    Switch(Power),
    /// Ask the guest to shut down.
    AskGuest {
        /// Power off if VMware Tools turns out not to run, or if the guest still runs when its time is over.
        then_off: bool,
        /// The guest is shutting down already, so VMware Tools may have ended.
        closing: bool,
    },
}

/// The step to take, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change(pub Option<Step>);

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        if let Some(step) = self.0 {
            let power = if let Step::Switch(power) = step { power } else { Power::Off };
            after.vm.power_state = Some(power.state().to_owned());
        }
        after
    }
}

/// The remedy for a guest that cannot be asked.
pub const NO_TOOLS: &str =
    "Start VMware Tools in the guest, or set `force: true` to power the virtual machine off without asking the guest.";

/// Says that the guest cannot be asked.
pub fn no_tools(name: &str) -> String {
    format!("VMware Tools does not run in virtual machine {name}, so its guest cannot be asked to shut down")
}

/// True if the guest has to shut down by itself.
pub fn asks_guest(wish: &Wish, observed: &Observed) -> bool {
    wish.state == State::ShutDown && !(wish.force && observed.lacks_tools())
}

/// Decides.
pub fn plan(wish: &Wish, observed: &Observed) -> Result<Plan<Change>, Error> {
    let (state, name) = (wish.state, &observed.vm.name);
    let conflict = |text: String, remedy: &str| Err(Error::new(Kind::Conflict, text).hint(remedy));
    let step = match (state, observed.vm.power_state.as_deref()) {
        (State::PoweredOn, Some("poweredOn")) | (State::PoweredOff | State::ShutDown, Some("poweredOff")) => None,
        (State::PoweredOn, Some("poweredOff" | "suspended")) => Some(Step::Switch(Power::On)),
        (State::ShutDown, Some("poweredOn" | "suspended")) if asks_guest(wish, observed) => {
            Some(Step::AskGuest { then_off: wish.force, closing: observed.guest == Guest::ShutsDown })
        }
        (State::PoweredOff | State::ShutDown, Some("poweredOn" | "suspended")) => Some(Step::Switch(Power::Off)),
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
            format!("{name} is a template, which cannot be powered on or off"),
            "Convert it to a virtual machine first.",
        );
    }
    if step.is_some() {
        vsphere_module::not_a_secondary(&observed.label(), observed.ft.as_ref())?;
    }
    let mut plan = Plan::from(Change(step));
    if state != State::PoweredOn && observed.is_suspended() {
        let why = match state {
            State::ShutDown => "so its guest cannot shut down",
            _ => "and powering it off would discard its memory",
        };
        let text = format!("virtual machine {name} is suspended, {why}");
        plan.blockers.push((Kind::Conflict, text, Some("Resume it first, with `state: powered_on`.".to_owned())));
    }
    if state == State::ShutDown && step.is_some() && observed.lacks_tools() {
        if wish.force {
            plan.warnings.push(format!("{}: powering it off", no_tools(name)));
        } else {
            plan.blockers.push((Kind::Conflict, no_tools(name), Some(NO_TOOLS.to_owned())));
        }
    }
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

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
