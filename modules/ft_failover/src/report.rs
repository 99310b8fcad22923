//! The result.

use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::VmReport;

use crate::args::Action;
use crate::state::{Half, Observed};

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// The virtual machine that is the primary now, or would be had this not been a check run; null if it was not found.
    pub vm: Option<VmReport>,
    /// V(notConfigured), V(disabled), V(enabled), V(needSecondary), V(starting) or V(running), before.
    pub ft_state_before: Option<String>,
    /// The same after this run, or as it would be had this not been a check run.
    pub ft_state: Option<String>,
    /// The primary before.
    pub primary_before: Option<HalfReport>,
    /// The primary after this run, or as it would be had this not been a check run.
    pub primary: Option<HalfReport>,
    /// The secondary before; null if there was none.
    pub secondary_before: Option<HalfReport>,
    /// The secondary after this run, or as it would be had this not been a check run; null if there is none.
    pub secondary: Option<HalfReport>,
}

#[derive(Serialize, JsonSchema)]
pub struct HalfReport {
    /// Its managed object id, which it keeps when the roles change.
    pub moid: String,
    /// Name of the host that it runs on; null if it is not told.
    pub host: Option<String>,
}

impl HalfReport {
    fn of(half: &Half) -> Self {
        Self { moid: half.vm.moid.clone(), host: half.host.clone() }
    }
}

pub fn report(before: &Observed, now: &Observed) -> Report {
    Report {
        vm: Some(now.primary.vm.clone()),
        ft_state_before: Some(before.primary.state.name().to_owned()),
        ft_state: Some(now.primary.state.name().to_owned()),
        primary_before: Some(HalfReport::of(&before.primary)),
        primary: Some(HalfReport::of(&now.primary)),
        secondary_before: before.secondary.as_ref().map(HalfReport::of),
        secondary: now.secondary.as_ref().map(HalfReport::of),
    }
}

/// Says what was done; `unseen` is true if nothing showed that the secondary was restarted.
pub fn message(action: Action, now: &Observed, unseen: bool, check: bool) -> String {
    let name = &now.primary.vm.name;
    let primary = now.primary.place();
    let secondary = now.secondary.as_ref().map_or_else(|| "none".to_owned(), Half::place);
    let alone = now.secondary.is_none();
    match (action, check) {
        (Action::TestFailover, false) => {
            format!("{name} failed over: its primary is {primary} now, its secondary {secondary}.")
        }
        // A warning says why a real run would fail.
        (Action::TestFailover, true) if alone => format!("{name} would fail over."),
        (Action::RestartSecondary, true) if alone => format!("Would restart the secondary of {name}."),
        (Action::TestFailover, true) => {
            format!("{name} would fail over: its primary would be {primary}, its secondary {secondary}.")
        }
        (Action::RestartSecondary, false) if unseen => {
            format!(
                "vSphere reported that it restarted the secondary {secondary} of {name}, but nothing else shows the restart."
            )
        }
        (Action::RestartSecondary, false) => {
            format!("{name} is protected again: its secondary {secondary} was restarted.")
        }
        (Action::RestartSecondary, true) => format!("Would restart the secondary {secondary} of {name}."),
    }
}
