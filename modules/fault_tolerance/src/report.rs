//! The result.

use contract::Run;
use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::{Engine, Named as _, VmReport};

use crate::args::{Encryption, State, Wish};
use crate::state::{FtState, Observed};

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// The virtual machine; null if it was not found.
    pub vm: Option<VmReport>,
    /// V(notConfigured), V(disabled), V(enabled), V(needSecondary), V(starting) or V(running), before.
    pub ft_state_before: Option<String>,
    /// The same after this run, or as it would be had this not been a check run.
    pub ft_state: Option<String>,
    /// Why a running virtual machine has no secondary, in vSphere's words; null unless it needs one.
    pub need_secondary_reason: Option<String>,
    /// V(legacy) for record/replay Fault Tolerance, V(smp) for SMP-FT: what this host and server use.
    pub engine: Option<Engine>,
    /// The encryption of the traffic between primary and secondary; null before vSphere 7.0 Update 2, which does not have it.
    pub encryption: Option<Encryption>,
    /// The secondary; null if there is none.
    pub secondary: Option<SecondaryReport>,
}

#[derive(Serialize, JsonSchema)]
pub struct SecondaryReport {
    /// Its managed object id. Its name is that of the primary.
    pub moid: String,
    /// Its instance UUID.
    pub instance_uuid: Option<String>,
}

pub fn report(before: &Observed, now: &Observed) -> Report {
    Report {
        vm: Some(now.vm.clone()),
        ft_state_before: Some(before.state.name().to_owned()),
        ft_state: Some(now.state.name().to_owned()),
        need_secondary_reason: now.reason.clone().filter(|_| now.state == FtState::NeedSecondary),
        engine: Some(now.engine()),
        encryption: now.encryption,
        secondary: now.ft.as_ref().and_then(|ft| {
            let secondary = ft.secondaries.first()?;
            Some(SecondaryReport { moid: secondary.id.clone(), instance_uuid: ft.instance_uuids.get(1).cloned() })
        }),
    }
}

pub fn message(wish: Wish, now: &Observed, changed: bool, run: &Run) -> String {
    let label = now.label();
    let engine = now.engine().title();
    let done = match (wish.state, now.state.clone()) {
        (State::Present, FtState::Enabled) => {
            format!("{engine} is on for {label}, which is powered off; its secondary starts with it")
        }
        (State::Present, FtState::Running) => format!("{label} is protected by {engine}"),
        (State::Present, other) if run.check && !changed => {
            return format!("{label} is not protected yet ({}); a real run would wait until it is.", other.name());
        }
        (State::Present, other) => {
            format!("{engine} is on for {label}, which is not protected yet: {}", other.name())
        }
        (State::Suspended, _) => format!("{engine} is suspended for {label}"),
        (State::Absent, _) => format!("Fault Tolerance is not configured for {label}"),
    };
    match (changed, run.check) {
        (true, true) => format!("After a real run: {done}."),
        (true, false) => format!("{done}."),
        (false, _) => format!("No change: {done}."),
    }
}
