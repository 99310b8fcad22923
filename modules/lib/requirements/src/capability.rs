//! The capabilities that a host reports.

use crate::check::Check;
use crate::cluster::HA_ENABLED;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Support};
use crate::finding::{Finding, Status};
use crate::host::{HA_AGENT, HOST_CONNECTED, has_agent};
use crate::network::{FT_LOGGING_NIC, VMOTION_NIC};
use crate::reason::{HARDWARE, meaning};
use crate::replay;
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[HOST_CAPABILITY, HOST_REPLAY];

/// Judges these requirements. `checks` are the other checks of the host.
pub fn judge(context: Context, host: &Host, checks: &[Check]) -> Vec<Check> {
    let mut own = vec![Check::new(HOST_CAPABILITY, &host.subject, fault_tolerance(context, host, checks))];
    if context.is_legacy() {
        own.push(Check::new(HOST_REPLAY, &host.subject, record_and_replay(context, host)));
    }
    own
}

pub const HOST_CAPABILITY: Requirement = Requirement::of_hosts("host-capability", "The host supports Fault Tolerance.");

fn fault_tolerance(context: Context, host: &Host, checks: &[Check]) -> Finding {
    let (flag, list) = if context.is_legacy() {
        ("capability.ftSupported", "ftCompatibilityIssues")
    } else {
        ("capability.smpFtSupported", "smpFtCompatibilityIssues")
    };
    let is = |id: Requirement, bad: fn(Status) -> bool| checks.iter().any(|check| check.id == id && bad(check.status));
    let is_reported = |issue: &str| match requirement(issue) {
        Some(HA_AGENT) if !has_agent(context) => true,
        Some(HA_ENABLED) => !has_agent(context),
        // While its agent starts, a host reports an issue with it.
        Some(HA_AGENT) => is(HA_AGENT, |status| status != Status::Met),
        Some(id) => is(id, |status| status == Status::Unmet),
        None => false,
    };
    let bypassed = replay::bypass_hardware(context, host);
    supported(host.capability.of(context.engine), flag, list, bypassed, is_reported)
}

/// Returns the requirement that an issue of a host is about, if another one than its capability.
pub fn requirement(issue: &str) -> Option<Requirement> {
    Some(match issue {
        "missingVMotionNic" => VMOTION_NIC,
        "missingFTLoggingNic" => FT_LOGGING_NIC,
        "haAgentIssue" => HA_AGENT,
        "haNotEnabled" => HA_ENABLED,
        "hostInactive" => HOST_CONNECTED,
        _ => return None,
    })
}

pub const HOST_REPLAY: Requirement = Requirement::of_hosts("host-replay", "The host supports record and replay.");

fn record_and_replay(context: Context, host: &Host) -> Finding {
    let bypassed = replay::bypass_hardware(context, host);
    let (flag, list) = ("capability.recordReplaySupported", "replayCompatibilityIssues");
    supported(&host.capability.replay, flag, list, bypassed, |_| false)
}

/// Judges a capability. Issues that another check reports (`is_reported`) do not count.
fn supported(support: &Support, flag: &str, list: &str, bypassed: bool, is_reported: impl Fn(&str) -> bool) -> Finding {
    let (reported, rest): (Vec<&str>, Vec<&str>) =
        support.issues().iter().map(String::as_str).partition(|issue| is_reported(issue));
    if !rest.is_empty() {
        let observed = rest.join(", ");
        let why = rest.iter().map(|issue| meaning(issue)).collect::<Vec<_>>().join("; ");
        if bypassed && rest.iter().all(|issue| HARDWARE.contains(issue)) {
            return Finding::unknown(observed, format!("{why}; {BYPASS}"));
        }
        return Finding::unmet(observed, why);
    }
    if let Fact::Hidden(why) = &support.issues {
        return Finding::unknown("not readable", format!("capability.{list} cannot be read: {why}"));
    }
    support.supported.judge(flag, |supported| match (supported, reported.is_empty()) {
        (true, _) => Finding::met("supported"),
        (false, false) => Finding::met(format!("only {}, which another check reports", reported.join(", "))),
        (false, true) if bypassed => Finding::unknown(format!("{flag} is false"), BYPASS),
        (false, true) => Finding::unmet(format!("{flag} is false"), "the host gives no reason"),
    })
}

/// Why the hardware of a nested host does not decide.
const BYPASS: &str = "the options of the virtual machine override that, and only turning Fault Tolerance on shows \
                      whether it works";
