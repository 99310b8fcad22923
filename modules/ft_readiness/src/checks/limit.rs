//! How much Fault Tolerance a host may have: two advanced options of vSphere HA limit the virtual machines, primaries and
//! secondaries alike, and their virtual CPUs, each by itself.

use super::Context;
use super::pair::{Seat, best_apart, list};
use crate::check::{Status, Verdict, all};
use crate::facts::{Cluster, Host, Place, Vm};
use crate::vms::ListedVm;

struct Limit {
    /// The option, whose name has no case.
    key: &'static str,
    default: u64,
    what: &'static str,
    /// What a virtual machine counts for, if that is told.
    weight: fn(&ListedVm) -> Option<u64>,
    /// The same of the one that is to be protected.
    own: fn(&Vm) -> Option<u64>,
}

const VMS: Limit =
    Limit { key: "das.maxftvmsperhost", default: 4, what: "virtual machines", weight: |_| Some(1), own: |_| Some(1) };

/// Since 6.0; record/replay knows only one virtual CPU.
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

/// Whether two hosts have room for another pair.
pub fn judge(context: Context, cluster: &Cluster) -> Verdict {
    if is_counted(context) {
        return Verdict::met("Fault Tolerance of this virtual machine is configured already");
    }
    cluster.options.judge("dasConfig.option", |options| {
        let told: Vec<String> = limits(context).iter().map(|limit| limit.describe(options)).collect();
        let hosts = context.facts.candidates();
        let seats: Vec<Seat> = hosts.map(|host| Seat::new(host, || vec![room(context, host)])).collect();
        let observed = format!("{}: room on {}", told.join(", "), list(context, &seats));
        // With one host there is no pair, which is said already.
        match best_apart(context, &seats).or_else(|| seats.iter().map(Seat::status).max()) {
            Some(Status::Met) => Verdict::met(observed),
            Some(Status::Unmet) => Verdict::unmet(observed, "primary and secondary count on the host of each")
                .by_hand("Turn Fault Tolerance of other virtual machines off, migrate them, or raise these limits."),
            _ => Verdict::unknown(observed, "how much counts on the hosts already is not certain"),
        }
    })
}

/// Whether this host has room for another primary or secondary.
pub fn room(context: Context, host: &Host) -> Verdict {
    let Place::Cluster(cluster) = &context.facts.place else {
        return Verdict::unknown("not told", "the limits of its cluster cannot be read");
    };
    if is_counted(context) {
        return Verdict::met("counted already");
    }
    cluster.options.judge("dasConfig.option", |options| {
        all("room", limits(context).iter().map(|limit| limit.judge(context, options, host)))
    })
}

/// The virtual machine has its pair already.
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
            Some("0") => format!("{} is 0, which is no limit", self.key),
            Some(value) => format!("{} is {value}", self.key),
            None => format!("{} is not set, which is {}", self.key, self.default),
        }
    }

    fn judge(&self, context: Context, options: &[(String, String)], host: &Host) -> Verdict {
        let Some(most) = self.set(options).map_or(Some(self.default), |value| value.parse().ok()) else {
            return Verdict::unknown(self.describe(options), format!("{} is no number", self.key));
        };
        if most == 0 {
            return Verdict::met("no limit");
        }
        let named = context.facts.vm.as_ref();
        let own = named.map_or(Some(1), self.own);
        let (mut certain, mut possible) = (0_u64, Some(0));
        for vm in context.facts.vms.iter().filter(|vm| named.is_none_or(|named| named.object.moid != vm.moid)) {
            let weight = (self.weight)(vm);
            match count(vm, &host.object.name) {
                Count::Certain => certain = weight.unwrap_or(1).saturating_add(certain),
                Count::Possible => {}
                Count::None => continue,
            }
            possible = possible.zip(weight).map(|(sum, weight): (u64, u64)| sum.saturating_add(weight));
        }
        let Self { key, what, .. } = self;
        let has = format!("has {certain} {what} with Fault Tolerance");
        if certain.saturating_add(own.unwrap_or(1)) > most {
            return Verdict::unmet(has.as_str(), format!("{has}, and {key} is {most}"));
        }
        if possible.zip(own).is_some_and(|(sum, own)| sum.saturating_add(own) <= most) {
            return Verdict::met(has);
        }
        Verdict::unknown(has, format!("how many {what} with Fault Tolerance count on it is not certain"))
    }
}

/// Whether a virtual machine counts on a host.
enum Count {
    /// It runs there, with Fault Tolerance.
    Certain,
    /// It may: it is off or suspended and its Fault Tolerance is not off, or something of it is not told.
    Possible,
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
