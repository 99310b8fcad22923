//! The speed of the physical network adapters that Fault Tolerance logging uses.

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Place};
use crate::finding::{Finding, Status};
use crate::group::Groups;
use crate::requirement::Requirement;
use crate::vmknic::{FT_LOGGING, carriers};

pub const ALL: &[Requirement] = &[FT_LOGGING_SPEED];

/// vSphere Availability 8.0 asks for a 10 Gb network from 6.0 on. A lab works with less.
pub const FT_LOGGING_SPEED: Requirement =
    Requirement::advisory("ft-logging-speed", "The uplinks for Fault Tolerance logging have at least 10 Gb/s.");

/// The speed to have, in Mb/s.
const ENOUGH: i64 = 10_000;

/// Judges this requirement, which only SMP-FT has.
pub fn judge(context: Context) -> Option<Check> {
    let Place::Cluster(cluster) = &context.facts.place else { return None };
    (!context.is_legacy()).then(|| {
        let hosts: Vec<&Host> = context.facts.candidates().filter(|host| may_carry(host)).collect();
        Check::new(FT_LOGGING_SPEED, &cluster.subject, speed(&hosts))
    })
}

/// False if no vmknic of the host carries Fault Tolerance logging, as the requirement `ft-logging-nic` reports.
fn may_carry(host: &Host) -> bool {
    host.services.known().and_then(|services| carriers(services, FT_LOGGING)).is_none_or(|found| !found.is_empty())
}

fn speed(hosts: &[&Host]) -> Finding {
    let [mut met, mut unknown, mut unmet] = [Groups::default(), Groups::default(), Groups::default()];
    for host in hosts {
        let (status, reported) = of_host(host);
        let group = match status {
            Status::Met => &mut met,
            Status::Unknown => &mut unknown,
            Status::Unmet => &mut unmet,
        };
        group.add(reported, &host.subject.name);
    }
    if !unmet.is_empty() {
        return Finding::unmet(unmet.describe(), "a slow network slows down the protected virtual machine").by_hand(
            "Use uplinks of 10 Gb/s or more for Fault Tolerance logging. In a nested lab, give the hosts VMXNET3 adapters.",
        );
    }
    if !unknown.is_empty() {
        return Finding::unknown(unknown.describe(), "the speed of some uplinks is not certain");
    }
    if met.is_empty() {
        return Finding::unknown("none", "no vmknic carries Fault Tolerance logging");
    }
    Finding::met(met.describe())
}

fn of_host(host: &Host) -> (Status, String) {
    let speeds = match &host.ft_uplinks {
        Fact::Known(speeds) => speeds,
        Fact::Unset => return (Status::Unknown, "does not report its uplinks".to_owned()),
        Fact::Hidden(why) => return (Status::Unknown, why.clone()),
    };
    let linked = || speeds.iter().copied().filter(|speed| *speed > 0);
    match (linked().min(), linked().max()) {
        (Some(least), Some(most)) if least == most => {
            (if least >= ENOUGH { Status::Met } else { Status::Unmet }, format!("{least} Mb/s"))
        }
        (Some(least), Some(most)) => {
            let status = if least >= ENOUGH {
                Status::Met
            } else if most < ENOUGH {
                Status::Unmet
            } else {
                Status::Unknown
            };
            (status, format!("{least} to {most} Mb/s"))
        }
        _ => (Status::Unmet, "no uplink with a link".to_owned()),
    }
}
