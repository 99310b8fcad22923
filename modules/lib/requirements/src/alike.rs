//! The properties that the vmknics of different hosts need to have in common: MTU, TCP/IP stack and subnet.

use vsphere::Vmknic;

use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Place};
use crate::finding::{Finding, Status};
use crate::group::Groups;
use crate::requirement::Requirement;
use crate::vmknic::{self, FT_LOGGING, VMOTION};

pub const ALL: &[Requirement] =
    &[VMOTION_MTU, VMOTION_STACK, VMOTION_SUBNET, FT_LOGGING_MTU, FT_LOGGING_STACK, FT_LOGGING_SUBNET];

/// With different MTUs or TCP/IP stacks, vMotion warns, and often fails (KB 432825).
pub const VMOTION_MTU: Requirement =
    Requirement::of_hosts("vmotion-mtu", "The vMotion vmknics of the hosts have the same MTU.");

pub const VMOTION_STACK: Requirement =
    Requirement::of_hosts("vmotion-stack", "The vMotion vmknics of the hosts use the same TCP/IP stack.");

/// vMotion between subnets needs a route (KB 424375), which the API does not show.
pub const VMOTION_SUBNET: Requirement =
    Requirement::advisory("vmotion-subnet", "The vMotion vmknics of the hosts are in the same subnet.");

/// No source says that Fault Tolerance logging fails with different values, so these are advice.
pub const FT_LOGGING_MTU: Requirement =
    Requirement::advisory("ft-logging-mtu", "The Fault Tolerance logging vmknics of the hosts have the same MTU.");

pub const FT_LOGGING_STACK: Requirement = Requirement::advisory(
    "ft-logging-stack",
    "The Fault Tolerance logging vmknics of the hosts use the same TCP/IP stack.",
);

pub const FT_LOGGING_SUBNET: Requirement = Requirement::advisory(
    "ft-logging-subnet",
    "The Fault Tolerance logging vmknics of the hosts are in the same subnet.",
);

/// A property of vmknics that hosts have in common.
struct Common {
    id: Requirement,
    service: &'static str,
    title: &'static str,
    property: Property,
}

/// A property of a vmknic.
#[derive(Clone, Copy, PartialEq)]
enum Property {
    Mtu,
    Stack,
    Subnet,
}

const COMMON: [Common; 6] = [
    Common { id: VMOTION_MTU, service: VMOTION, title: "vMotion", property: Property::Mtu },
    Common { id: VMOTION_STACK, service: VMOTION, title: "vMotion", property: Property::Stack },
    Common { id: VMOTION_SUBNET, service: VMOTION, title: "vMotion", property: Property::Subnet },
    Common { id: FT_LOGGING_MTU, service: FT_LOGGING, title: "Fault Tolerance logging", property: Property::Mtu },
    Common { id: FT_LOGGING_STACK, service: FT_LOGGING, title: "Fault Tolerance logging", property: Property::Stack },
    Common { id: FT_LOGGING_SUBNET, service: FT_LOGGING, title: "Fault Tolerance logging", property: Property::Subnet },
];

/// Judges these requirements, as far as the version has them.
pub fn judge(context: Context) -> Vec<Check> {
    let Place::Cluster(cluster) = &context.facts.place else { return Vec::new() };
    let hosts: Vec<&Host> = context.facts.candidates().collect();
    applicable(context).map(|common| Check::new(common.id, &cluster.subject, common.judge(&hosts))).collect()
}

/// Judges whether two hosts differ in something that keeps vMotion between them from working.
pub fn together(context: Context, one: &Host, other: &Host) -> Status {
    let decisive = applicable(context).filter(|common| common.id.is_of_hosts());
    decisive.map(|common| common.compare(one, other)).max().unwrap_or(Status::Met)
}

/// TCP/IP stacks came with 5.5.
fn applicable(context: Context) -> impl Iterator<Item = &'static Common> {
    let stacks = context.version().at_least(5, 5);
    COMMON.iter().filter(move |common| stacks || common.property != Property::Stack)
}

impl Common {
    fn judge(&self, hosts: &[&Host]) -> Finding {
        let mut values = Groups::default();
        let mut unknown = Groups::default();
        for host in hosts {
            match self.value(host) {
                Some(Ok(value)) => values.add(value, &host.subject.name),
                Some(Err(why)) => unknown.add(why, &host.subject.name),
                // The requirements `vmotion-nic` and `ft-logging-nic` report that.
                None => {}
            }
        }
        let observed = values.describe();
        let title = self.title;
        match values.len() {
            0 if unknown.is_empty() => Finding::unknown("none", format!("no vmknic carries {title}")),
            2.. => Finding::unmet(observed, self.why()).by_hand(self.remedy()),
            _ if unknown.is_empty() => Finding::met(values.only()),
            _ => {
                let observed = if observed.is_empty() { "not reported".to_owned() } else { observed };
                Finding::unknown(observed, unknown.describe())
            }
        }
    }

    fn compare(&self, one: &Host, other: &Host) -> Status {
        match (self.value(one), self.value(other)) {
            (None, _) | (_, None) => Status::Met,
            (Some(Ok(one)), Some(Ok(other))) => {
                if one == other {
                    Status::Met
                } else {
                    Status::Unmet
                }
            }
            _ => Status::Unknown,
        }
    }

    /// Returns the values of the vmknics that carry the service, or why they are not known; `None` if no vmknic carries it.
    fn value(&self, host: &Host) -> Option<Result<String, String>> {
        let services = match &host.services {
            Fact::Known(services) => services,
            Fact::Unset => return Some(Err("does not report config.virtualNicManagerInfo".to_owned())),
            Fact::Hidden(why) => return Some(Err(format!("config.virtualNicManagerInfo cannot be read: {why}"))),
        };
        let Some(carriers) = vmknic::carriers(services, self.service) else {
            return Some(Err(format!("does not report which vmknics carry {}", self.title)));
        };
        let candidates = vmknic::candidates(services, self.service);
        let mut values: Vec<String> = Vec::new();
        for device in &carriers {
            let nic = candidates.iter().find(|nic| nic.device == *device);
            match nic.and_then(|nic| self.property.of(nic)) {
                Some(value) => values.push(value),
                None => return Some(Err(format!("does not report the {} of {device}", self.property.title()))),
            }
        }
        values.sort_unstable();
        values.dedup();
        (!values.is_empty()).then(|| Ok(values.join(" and ")))
    }

    fn why(&self) -> String {
        let title = self.title;
        match (self.property, self.id.is_of_hosts()) {
            (Property::Subnet, _) => {
                format!("{title} between subnets works only if the subnets are routed, which the API does not show")
            }
            (property, true) => {
                format!("vMotion between hosts with different {}s often fails", property.title())
            }
            (property, false) => format!("different {}s for {title} may keep packets from arriving", property.title()),
        }
    }

    fn remedy(&self) -> String {
        let title = self.title;
        match self.property {
            Property::Mtu => {
                format!(
                    "Set the same MTU on the {title} vmknics of all hosts, and at least that MTU on their switches."
                )
            }
            Property::Stack => format!("Create the {title} vmknics of all hosts on the same TCP/IP stack."),
            Property::Subnet => {
                format!("Put the {title} vmknics of all hosts into the same subnet, or route between the subnets.")
            }
        }
    }
}

impl Property {
    fn title(self) -> &'static str {
        match self {
            Self::Mtu => "MTU",
            Self::Stack => "TCP/IP stack",
            Self::Subnet => "IPv4 subnet",
        }
    }

    fn of(self, nic: &Vmknic) -> Option<String> {
        match self {
            Self::Mtu => nic.mtu.map(|mtu| mtu.to_string()),
            Self::Stack => nic.stack.clone(),
            Self::Subnet => nic.subnet(),
        }
    }
}
