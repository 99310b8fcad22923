//! The decision whether to act on the pair, and the judgement when that is over.

use contract::{Error, Kind, Plan};
use vsphere::FtState;
use vsphere_module::{Awaited, Named as _};

use crate::args::Action;
use crate::state::{Half, Observed};

/// The action to take: never nothing, since the caller asks for the action itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Act(Action),
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        false
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let Self::Act(action) = *self;
        let mut after = Observed { done: Some(action), ..observed.clone() };
        if action == Action::TestFailover
            && let Some(secondary) = after.secondary.as_mut()
        {
            std::mem::swap(&mut after.primary, secondary);
        }
        after
    }
}

/// Decides.
pub fn plan(action: Action, observed: &Observed) -> Result<Plan<Change>, Error> {
    vsphere_module::not_a_secondary(&observed.label(), observed.primary.ft.as_ref())?;
    if !observed.vcenter {
        return Err(Error::new(
            Kind::Unsupported,
            "Fault Tolerance is managed by vCenter Server; this is an ESXi host",
        )
        .hint("Set `hostname` to the vCenter Server that manages this host."));
    }
    let mut plan = Plan::from(Change::Act(action));
    let mut block = |why: String, remedy: String| plan.blockers.push((Kind::Conflict, why, Some(remedy)));
    if observed.primary.state != FtState::Running || observed.secondary.is_none() {
        block(
            format!(
                "Fault Tolerance of {} is in the state {}, and only a pair in the state running can {}",
                observed.label(),
                told(&observed.primary),
                action.verb()
            ),
            remedy(&observed.primary.state).to_owned(),
        );
    }
    if let Some((cluster, Some(false))) = &observed.cluster {
        block(
            format!("vSphere HA is off for the cluster {cluster}; without it no pair can {}", action.verb()),
            "Turn vSphere HA on for the cluster first, with cluster_ha.".to_owned(),
        );
    }
    Ok(plan)
}

/// The state, and why a secondary is needed.
fn told(half: &Half) -> String {
    match &half.reason {
        Some(reason) if half.state == FtState::NeedSecondary => format!("{} ({reason})", half.state.name()),
        _ => half.state.name().to_owned(),
    }
}

fn remedy(state: &FtState) -> &'static str {
    match state {
        FtState::NotConfigured => "Turn Fault Tolerance on first, with fault_tolerance.",
        FtState::Disabled => "Resume Fault Tolerance first, with fault_tolerance and `state: present`.",
        FtState::Enabled => "Power the virtual machine on first, with vm_power.",
        FtState::NeedSecondary | FtState::Starting => {
            "Wait until it is protected, with fault_tolerance and `state: present`."
        }
        FtState::Running | FtState::Other(_) => "Check its Fault Tolerance in the vSphere Client.",
    }
}

/// The hint where it is not known whether vSphere acted.
pub const LOOK_FIRST: &str =
    "This module always acts: check the pair with ft_readiness or fault_tolerance before you run it again.";

/// The beginning of a failure message if the effect was not seen.
pub const NOT_KNOWN: &str = "it is not known";

/// The progress of the reads of a pair since vSphere was asked to act.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    /// The server may still show the state from before, which then means nothing.
    pub lagging: bool,
    /// The pair was seen out of the state running since.
    pub left: bool,
    /// Why no task said that it was done, if none did.
    pub doubt: Option<&'a str>,
}

/// Judges whether `action` has led away from `before`. The state from before may still be shown for a while
/// after the task has ended.
///
/// A restart of which nothing shows is over when the server lags no longer: the pair runs, and the task said that it was
/// done. If no task did, it is not known.
pub fn judge(action: Action, now: &Observed, before: &Observed, looks: Looks<'_>) -> Awaited {
    let Looks { lagging, left, doubt } = looks;
    let label = now.label();
    let lost = |kind: Kind, text: String, remedy: &str| Awaited::Failed(Error::new(kind, text).hint(remedy));
    match &now.primary.state {
        FtState::Running => match action {
            Action::TestFailover if swapped(now, before) => Awaited::Reached,
            Action::RestartSecondary if left || restarted(now, before) => Awaited::Reached,
            Action::RestartSecondary if !lagging => match doubt {
                None => Awaited::Reached,
                Some(doubt) => lost(
                    Kind::Conflict,
                    format!(
                        "{NOT_KNOWN} whether vSphere restarted the secondary of {label}: {doubt}, and nothing showed a \
                         restart"
                    ),
                    LOOK_FIRST,
                ),
            },
            Action::TestFailover if !lagging => match doubt {
                None => lost(
                    Kind::Fault,
                    format!(
                        "vSphere finished the test failover of {label}, but {} is still its primary",
                        now.primary.place()
                    ),
                    "Check the events of the virtual machine.",
                ),
                Some(doubt) => lost(
                    Kind::Conflict,
                    format!(
                        "{NOT_KNOWN} whether vSphere failed over {label}: {doubt}, and {} is still its primary",
                        now.primary.place()
                    ),
                    LOOK_FIRST,
                ),
            },
            Action::TestFailover => Awaited::Pending("running, with the roles as before".to_owned()),
            Action::RestartSecondary => Awaited::Pending("running, with the secondary as before".to_owned()),
        },
        FtState::Disabled => lost(
            Kind::Fault,
            format!("vSphere suspended Fault Tolerance of {label}, because its secondary could not be started"),
            "Check the events of the virtual machine, fix the cause, then resume Fault Tolerance with fault_tolerance.",
        ),
        FtState::NotConfigured => lost(
            Kind::Conflict,
            format!("Fault Tolerance of {label} was turned off during the run"),
            "Turn it on again with fault_tolerance if this was not intended.",
        ),
        _ => Awaited::Pending(told(&now.primary)),
    }
}

/// True if the old secondary is the primary: the same virtual machine, or whatever runs in its place. Which one is the
/// secondary now does not matter: vSphere may start another, elsewhere.
fn swapped(now: &Observed, before: &Observed) -> bool {
    let Some(second) = &before.secondary else { return false };
    let place = now.primary.host.is_some()
        && now.primary.host == second.host
        && before.primary.host.as_ref().is_some_and(|host| now.primary.host.as_ref() != Some(host));
    now.primary.is_primary() && (now.primary.moref == second.moref || place)
}

/// The secondary is another one, elsewhere, or was started since.
pub fn restarted(now: &Observed, before: &Observed) -> bool {
    let differs = |now: &Option<String>, before: &Option<String>| now.is_some() && before.is_some() && now != before;
    match (&now.secondary, &before.secondary) {
        (Some(now), Some(before)) => {
            // One that had no start time was not started before.
            let booted = now.boot.is_some() && now.boot != before.boot;
            now.moref != before.moref || differs(&now.host, &before.host) || booted
        }
        (now, _) => now.is_some(),
    }
}

/// Returns the warning about a restart that was not seen within `seconds`.
pub fn unseen(now: &Observed, seconds: u64) -> String {
    format!(
        "vSphere reported that it restarted the secondary of {}, but no restart showed within {seconds} s: its id, host and start time (runtime.bootTime) are the same as before, and its state was always running. Check the events of the virtual machine",
        now.label()
    )
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
