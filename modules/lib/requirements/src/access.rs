//! Which hosts reach the datastores and networks of the virtual machine.

use vsphere_module::Remedy;

use crate::context::Context;
use crate::fact::Fact;
use crate::facts::Host;
use crate::finding::{Finding, Status};
use crate::host::bring_back;
use crate::rating::{RatedHost, best_apart, describe};

/// Judges whether a host has all datastores or networks (`what`) that are used.
pub fn reaches(context: Context, what: &str, used: &Fact<Vec<String>>, own: &Fact<Vec<String>>) -> Finding {
    used.judge(what, |used| {
        own.judge(what, |own| {
            let missing: Vec<String> =
                used.iter().filter(|moid| !own.contains(moid)).map(|moid| context.facts.name_of(moid)).collect();
            if missing.is_empty() {
                return Finding::met("all of them");
            }
            let missing = format!("does not reach the {what} {}", missing.join(", "));
            Finding::unmet(missing.as_str(), missing.as_str())
        })
    })
}

/// Judges whether two hosts have all datastores or networks (`what`) that the virtual machine uses.
pub fn two_hosts_reach(
    context: Context,
    what: &str,
    used: &Fact<Vec<String>>,
    of_host: fn(&Host) -> &Fact<Vec<String>>,
) -> Finding {
    used.judge(what, |_| {
        let hosts = context.facts.hosts.iter();
        let judge = |host: &Host| vec![reaches(context, what, used, of_host(host))];
        let rated: Vec<RatedHost> = hosts.map(|host| RatedHost::new(host, || judge(host))).collect();
        let observed = describe(context, &rated);
        match best_apart(context, &rated) {
            Some(Status::Met) => Finding::met(observed),
            Some(Status::Unknown) => Finding::unknown(observed, format!("some hosts do not report their {what}s")),
            Some(Status::Unmet) | None => {
                let why = format!("primary and secondary need the same {what}s on two hosts in service");
                Finding { remedy: remedy(context, what, judge), ..Finding::unmet(observed, why) }
            }
        }
    })
}

/// Returns what to do if no two hosts have everything: bring back a host that has it, if that would do, or else give hosts what
/// they do not have.
fn remedy(context: Context, what: &str, judge: impl Fn(&Host) -> Vec<Finding>) -> Option<Remedy> {
    let all: Vec<RatedHost> = context.facts.hosts.iter().map(|host| RatedHost::of(host, judge(host))).collect();
    let would_do = best_apart(context, &all).is_some_and(|status| status != Status::Unmet);
    let mut good = all.iter().filter(|rated| rated.status != Status::Unmet);
    let back = good.find_map(|rated| bring_back(rated.host)).filter(|_| would_do);
    let give = || Remedy::advice(format!("Give hosts in service the {what}s that they do not reach."));
    back.or_else(|| all.iter().any(|rated| rated.status == Status::Unmet).then(give))
}
