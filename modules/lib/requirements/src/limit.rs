//! The limits of a host: two advanced options of vSphere HA limit the virtual machines with Fault Tolerance, primaries and
//! secondaries alike, and their virtual CPUs.

use crate::check::Check;
use crate::context::Context;
use crate::facts::{Cluster, Host, Place, Vm};
use crate::finding::{Finding, Status, all};
use crate::listed_vm::ListedVm;
use crate::rating::{RatedHost, best_apart_or_only, describe};
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[FT_VM_LIMIT];

/// Judges this requirement.
pub fn judge(context: Context) -> Option<Check> {
    let Place::Cluster(cluster) = &context.facts.place else { return None };
    Some(Check::new(FT_VM_LIMIT, &cluster.subject, ft_vm_limit(context, cluster)))
}

pub const FT_VM_LIMIT: Requirement =
    Requirement::decisive("ft-vm-limit", "Two hosts have room for another virtual machine with Fault Tolerance.");

fn ft_vm_limit(context: Context, cluster: &Cluster) -> Finding {
    if is_counted(context) {
        return Finding::met("Fault Tolerance is already configured for this virtual machine");
    }
    cluster.options.judge("dasConfig.option", |options| {
        let limits: Vec<String> = limits(context).iter().map(|limit| limit.describe(options)).collect();
        let hosts = context.facts.candidates();
        let rated: Vec<RatedHost> = hosts.map(|host| RatedHost::new(host, || vec![room(context, host)])).collect();
        let observed = format!("{}: room on {}", limits.join(", "), describe(context, &rated));
        match best_apart_or_only(context, &rated) {
            Some(Status::Met) => Finding::met(observed),
            Some(Status::Unmet) => Finding::unmet(observed, "primary and secondary each count on their own host")
                .by_hand("Turn Fault Tolerance off for other virtual machines, migrate them, or raise these limits."),
            _ => Finding::unknown(observed, "the number that counts on the hosts is not certain"),
        }
    })
}

/// One limit.
struct Limit {
    /// The name of the option, in lower case. The case does not matter.
    key: &'static str,
    default: u64,
    what: &'static str,
    /// How much a virtual machine counts, if it is known.
    weight: fn(&ListedVm) -> Option<u64>,
    /// The same for the virtual machine that is to be protected.
    own: fn(&Vm) -> Option<u64>,
}

const VMS: Limit =
    Limit { key: "das.maxftvmsperhost", default: 4, what: "virtual machines", weight: |_| Some(1), own: |_| Some(1) };

/// Since 6.0. Record/replay Fault Tolerance protects one virtual CPU only.
const VCPUS: Limit = Limit {
    key: "das.maxftvcpusperhost",
    default: 8,
    what: "virtual CPUs",
    weight: |vm| vm.vcpus,
    own: |vm| vm.cpus.known().and_then(|count| u64::try_from(*count).ok()),
};

fn limits(context: Context) -> &'static [Limit] {
    if context.is_legacy() { &[VMS] } else { &[VMS, VCPUS] }
}

/// Judges whether this host has room for another primary or secondary.
pub fn room(context: Context, host: &Host) -> Finding {
    let Place::Cluster(cluster) = &context.facts.place else {
        return Finding::unknown("not reported", "the limits of its cluster cannot be read");
    };
    if is_counted(context) {
        return Finding::met("already counted");
    }
    cluster.options.judge("dasConfig.option", |options| {
        all("room", limits(context).iter().map(|limit| limit.judge(context, options, host)))
    })
}

/// True if the virtual machine has its pair already.
fn is_counted(context: Context) -> bool {
    context.facts.vm.as_ref().is_some_and(Vm::has_ft)
}

impl Limit {
    fn set<'a>(&self, options: &'a [(String, String)]) -> Option<&'a str> {
        let found = options.iter().find(|(name, _)| name.eq_ignore_ascii_case(self.key));
        found.map(|(_, value)| value.trim())
    }

    fn describe(&self, options: &[(String, String)]) -> String {
        match self.set(options) {
            Some("0") => format!("{} is 0 (no limit)", self.key),
            Some(value) => format!("{} is {value}", self.key),
            None => format!("{} is not set (default {})", self.key, self.default),
        }
    }

    fn judge(&self, context: Context, options: &[(String, String)], host: &Host) -> Finding {
        let Some(most) = self.set(options).map_or(Some(self.default), |value| value.parse().ok()) else {
            return Finding::unknown(self.describe(options), format!("{} is not a number", self.key));
        };
        if most == 0 {
            return Finding::met("no limit");
        }
        let named = context.facts.vm.as_ref();
        let own = named.map_or(Some(1), self.own);
        // `possible` is `None` once a virtual machine of unknown weight may count.
        let (mut certain, mut possible) = (0_u64, Some(0));
        for vm in context.facts.vms.iter().filter(|vm| named.is_none_or(|named| named.subject.moid != vm.moid)) {
            let weight = (self.weight)(vm);
            match count(vm, &host.subject.name) {
                Count::Certain => certain = weight.unwrap_or(1).saturating_add(certain),
                Count::Possible => {}
                Count::None => continue,
            }
            possible = possible.zip(weight).map(|(sum, weight): (u64, u64)| sum.saturating_add(weight));
        }
        let Self { key, what, .. } = self;
        let has = format!("has {certain} {what} with Fault Tolerance");
        if certain.saturating_add(own.unwrap_or(1)) > most {
            return Finding::unmet(has.as_str(), format!("{has}, and {key} is {most}"));
        }
        if possible.zip(own).is_some_and(|(sum, own)| sum.saturating_add(own) <= most) {
            return Finding::met(has);
        }
        Finding::unknown(has, format!("the number of {what} with Fault Tolerance on it is not certain"))
    }
}

/// How a virtual machine counts on a host.
enum Count {
    /// It runs there with Fault Tolerance.
    Certain,
    /// It may count: it does not run but its Fault Tolerance is configured, or a property is unknown.
    Possible,
    /// It does not count.
    None,
}

fn count(vm: &ListedVm, host: &str) -> Count {
    let here = vm.host.as_deref().map(|own| own == host);
    let state = vm.ft_state.as_deref();
    if here == Some(false) || (state == Some("notConfigured") && vm.role.is_none()) {
        return Count::None;
    }
    let runs = vm.power_state.as_deref() == Some("poweredOn")
        && state.is_some_and(|state| ["needSecondary", "starting", "running"].contains(&state));
    if here == Some(true) && runs { Count::Certain } else { Count::Possible }
}
