//! The state of the secondary, where it decides what is possible.

use contract::{Blocker, Error, Kind};
use vsphere_module::Named as _;

use crate::args::{State, Wish};
use crate::state::{FtState, Observed};

/// The end of the advice for a secondary whose host is out of service.
const RESUME_AND_TURN_OFF: &str =
    "with `state: present`, which places the secondary on another host, then turn it off with `state: absent`.";

/// Advice if vSphere refuses to turn Fault Tolerance off although nothing was seen that prevents it.
pub const TURN_OFF_NEEDS: &str = "vSphere cannot turn Fault Tolerance off while the secondary is starting, or while its host is in maintenance mode or not connected. Run the task again, or suspend and resume Fault Tolerance first.";

/// True if the plan depends on the host of the secondary, which costs a request: turning off is not possible if that host is
/// out of service, and its loss is why a secondary is missing. A run that reads the same state again knows the first, and only
/// the first look of a run that waits needs the second.
pub fn depends_on_host(wish: Wish, observed: &Observed, previous: Option<&Observed>) -> bool {
    let depends = match (wish.state, &observed.state) {
        (State::Absent, FtState::NotConfigured) => false,
        (State::Absent, state) => previous.is_none_or(|previous| previous.state != *state),
        (State::Present, FtState::NeedSecondary) => previous.is_none() && wish.wait,
        _ => false,
    };
    depends && observed.vcenter && !observed.is_secondary()
}

/// Returns why vSphere cannot turn Fault Tolerance off: the host of the secondary is out of service.
pub fn cannot_turn_off(observed: &Observed) -> Option<Blocker> {
    let host = observed.lost_host.as_ref()?;
    let why = format!(
        "the secondary of {} is on {}, which {}: vSphere cannot turn Fault Tolerance off then",
        observed.label(),
        host.name,
        host.state
    );
    let suspended = observed.state == FtState::Disabled;
    let suspend = if suspended { "Resume it" } else { "Suspend Fault Tolerance with `state: suspended`, resume it" };
    Some((Kind::Conflict, why, Some(format!("{suspend} {RESUME_AND_TURN_OFF}"))))
}

/// Returns the failure if the secondary is still starting when the run ends.
pub fn starting(observed: &Observed) -> Error {
    let text = format!(
        "the secondary of {} is starting, and vSphere cannot turn Fault Tolerance off before it has started",
        observed.label()
    );
    Error::new(Kind::Timeout, text)
        .hint("Set a longer `timeout`, or run the task again when the secondary has started.")
}

/// Returns what a run that starts nothing waits for, if it can take long: a secondary that was lost, not one that this or
/// another client has just stopped or is about to start.
pub fn awaits_lost_secondary(observed: &Observed) -> Option<String> {
    let reason = observed.reason.as_deref();
    let passing = matches!(reason, Some("initializing" | "userAction")) && observed.lost_host.is_none();
    if observed.state != FtState::NeedSecondary || passing {
        return None;
    }
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let host = observed.lost_host.as_ref();
    let host =
        host.map(|host| format!("; the host of its last one, {}, {}", host.name, host.state)).unwrap_or_default();
    Some(format!("{} is not protected, because it has no secondary{reason}{host}", observed.label()))
}

#[cfg(test)]
#[path = "secondary_tests.rs"]
mod tests;
