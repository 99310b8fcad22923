//! The networks: the vmknics of the hosts for vMotion and Fault Tolerance logging, and the networks of the virtual machine.

use serde_json::json;
use vsphere_module::{Remedy, RemedyHosts};

use crate::access::two_hosts_reach;
use crate::check::Check;
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Host, Place, Support, Vm};
use crate::finding::Finding;
use crate::reason::meaning;
use crate::requirement::Requirement;
use crate::vmknic;

pub const ALL: &[Requirement] = &[VMOTION_NIC, FT_LOGGING_NIC, NETWORK_ACCESS];

pub const VMOTION_NIC: Requirement = Requirement::of_hosts("vmotion-nic", "A vmknic of the host carries vMotion.");

pub const FT_LOGGING_NIC: Requirement =
    Requirement::of_hosts("ft-logging-nic", "A vmknic of the host carries Fault Tolerance logging.");

/// Judges the requirements of a host.
pub fn of_host(context: Context, host: &Host) -> Vec<Check> {
    let support = host.capability.of(context.engine);
    let vmotion =
        Service { name: vmknic::VMOTION, title: "vMotion", enabled: &host.vmotion, issue: "missingVMotionNic" };
    let logging = Service {
        name: vmknic::FT_LOGGING,
        title: "Fault Tolerance logging",
        enabled: &host.ft_logging,
        issue: "missingFTLoggingNic",
    };
    vec![
        Check::new(VMOTION_NIC, &host.subject, vmotion.judge(host, support)),
        Check::new(FT_LOGGING_NIC, &host.subject, logging.judge(host, support)),
    ]
}

/// A service that a vmknic has to carry.
struct Service<'a> {
    name: &'static str,
    title: &'static str,
    /// The service is on, according to the host's summary.
    enabled: &'a Fact<bool>,
    /// The issue that the host reports without it.
    issue: &'static str,
}

impl Service<'_> {
    fn judge(&self, host: &Host, support: &Support) -> Finding {
        let reported = support.issues().iter().any(|issue| issue == self.issue);
        let carriers = host.services.known().and_then(|services| vmknic::carriers(services, self.name));
        let carried = carriers.as_ref().map(|carriers| !carriers.is_empty());
        match carried.or(self.enabled.known().copied()) {
            Some(true) if reported => Finding::unmet(
                format!("{} carries it, but the host reports {}", carriers.unwrap_or_default().join(", "), self.issue),
                meaning(self.issue),
            ),
            Some(true) => Finding::met(carriers.map_or("on".to_owned(), |carriers| carriers.join(", "))),
            Some(false) => {
                Finding::unmet("none", format!("no vmknic carries {}", self.title)).remedy(self.remedy(host))
            }
            None if reported => Finding::unmet(self.issue, meaning(self.issue)).remedy(self.remedy(host)),
            None => host.services.judge("config.virtualNicManagerInfo", |_| {
                let why = format!("the host does not report which vmknics carry {}", self.title);
                Finding::unknown("not reported", why)
            }),
        }
    }

    fn remedy(&self, host: &Host) -> Remedy {
        let services = host.services.known().map(Vec::as_slice).unwrap_or_default();
        if let Some(device) = vmknic::choice(services, self.name) {
            let mut args = RemedyHosts::Names(vec![host.subject.name.clone()]).args();
            args.insert("device".to_owned(), json!(device));
            args.insert("services".to_owned(), json!([self.name]));
            args.insert("state".to_owned(), json!("present"));
            return Remedy::call(format!("Let {device} carry {}.", self.title), "vmkernel_service", Some(args));
        }
        match vmknic::candidates(services, self.name) {
            [] => Remedy::advice(format!("Add a vmknic to the host, and have it carry {}.", self.title)),
            several => {
                let text = format!("Let one of these vmknics carry {}: {}.", self.title, vmknic::describe(several));
                Remedy::call(text, "vmkernel_service", None)
            }
        }
    }
}

pub const NETWORK_ACCESS: Requirement =
    Requirement::decisive("network-access", "At least two hosts in service reach the networks of the virtual machine.");

/// Judges the requirement of the virtual machine.
pub fn of_vm(context: Context, vm: &Vm) -> Option<Check> {
    // On a standalone host, the requirement `cluster` reports that there is no other host.
    if context.facts.place == Place::Standalone {
        return None;
    }
    let finding = two_hosts_reach(context, "network", &vm.networks, |host| &host.networks);
    Some(Check::new(NETWORK_ACCESS, &vm.subject, finding))
}
