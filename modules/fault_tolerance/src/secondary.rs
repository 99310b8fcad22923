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
/// out of service.
pub fn depends_on_host(wish: Wish, observed: &Observed) -> bool {
    let turns_off = wish.state == State::Absent && observed.state != FtState::NotConfigured;
    turns_off && observed.vcenter && !observed.is_secondary()
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

#[cfg(test)]
#[path = "secondary_tests.rs"]
mod tests;
