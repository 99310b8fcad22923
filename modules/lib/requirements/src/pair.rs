//! Two hosts that meet all requirements at once: the judgement, and the advice if there are none.

use crate::access;
use crate::alike;
use crate::check::Check;
use crate::cluster::USABLE_HOSTS;
use crate::context::Context;
use crate::facts::{Facts, Host, Place};
use crate::finding::{Finding, Status};
use crate::hardware::{self, FIRMWARE};
use crate::limit::{self, FT_VM_LIMIT};
use crate::network::NETWORK_ACCESS;
use crate::probe::Outcome;
use crate::rating::{Home, RatedHost, any_pair, best, best_apart, describe};
use crate::requirement::Requirement;
use crate::reservation::{self, HOST_MEMORY};
use crate::size::{self, MEMORY, VCPUS};
use crate::storage::{DATASTORE_ACCESS, files};
use crate::versions;

pub const HOST_PAIR: Requirement = Requirement::decisive("host-pair", "Two hosts meet every host requirement.");

pub const ALL: &[Requirement] = &[HOST_PAIR];

/// Judges whether two hosts meet everything. `hosts` are the hosts with their own checks, `others` are all other checks.
pub fn judge(context: Context, hosts: &[(&Host, Vec<Check>)], others: &[Check]) -> Option<Check> {
    let facts = context.facts;
    let subject = match (&facts.place, &facts.vm) {
        (Place::Cluster(cluster), _) => &cluster.subject,
        (Place::Hidden(_), Some(vm)) => &vm.subject,
        // A host in no cluster is alone. The requirement `cluster` reports that.
        _ => return None,
    };
    let rated: Vec<RatedHost> =
        hosts.iter().map(|(host, checks)| RatedHost::new(host, || everything(context, host, checks))).collect();
    let alike =
        |one: &Host, other: &Host| versions::ft_version(&[one, other]).status.max(alike::together(context, one, other));
    let network = Outcome::of(facts);
    let together = |one: &Host, other: &Host| match network.as_ref().map_or(Status::Met, |it| it.together(one, other)) {
        // A large cluster has millions of pairs.
        Status::Unmet => Status::Unmet,
        reach => reach.max(alike(one, other)),
    };
    let observed = describe(context, &rated);
    let status = best(context, &rated, together);
    let by_network = network.as_ref().filter(|_| status != best(context, &rated, alike));
    let finding = match (status, by_network) {
        (Some(Status::Met), _) => Finding::met(observed),
        (Some(Status::Unknown), Some(network)) => match network.part() {
            Some(part) => Finding::unknown(
                format!("{observed}, but only {part} were probed"),
                "no two hosts that meet everything are known to reach each other over both networks",
            ),
            None => Finding::unknown(observed, "the network between the hosts could not be probed"),
        },
        (Some(Status::Unmet), Some(network)) => {
            let large = if network.only_large_fail() { " with packets as large as the MTU" } else { "" };
            let part = network.part().map(|part| format!(" ({part} were probed)")).unwrap_or_default();
            let why = format!("no two hosts that meet everything reach each other over both networks{large}");
            Finding::unmet(format!("{observed}, but no two reach each other{large}{part}"), why)
        }
        (Some(Status::Unknown), None) => {
            Finding::unknown(observed, "some hosts do not report everything that is required")
        }
        (Some(Status::Unmet), None) | (None, _) => {
            let finding = Finding::unmet(observed, why(context, &rated));
            match advice(context, &rated, others) {
                Some(advice) => finding.by_hand(advice),
                None => finding,
            }
        }
    };
    let text = HOST_PAIR.text;
    let required = if matches!(Home::of(facts), Home::Any) {
        text.to_owned()
    } else {
        format!("{}, and the virtual machine runs on one of them.", text.trim_end_matches('.'))
    };
    Some(Check::worded(HOST_PAIR, required, subject, finding))
}

/// Returns all findings about one host.
fn everything(context: Context, host: &Host, checks: &[Check]) -> Vec<Finding> {
    let engine = versions::has_engine(context.engine, host);
    if engine.status == Status::Unmet {
        // Everything else follows from that.
        return vec![engine];
    }
    let mut findings: Vec<Finding> = checks.iter().map(Check::finding).collect();
    findings.push(engine);
    if let Some(vm) = &context.facts.vm {
        findings.push(access::reaches(context, "datastore", &files(context, vm), &host.datastores));
        findings.push(access::reaches(context, "network", &vm.networks, &host.networks));
        findings.extend(size::of_host(context, vm, host));
        findings.push(reservation::of_host(context, vm, host));
        findings.extend(hardware::of_host(context, vm, host));
    }
    if matches!(context.facts.place, Place::Cluster(_)) {
        findings.push(limit::room(context, host));
    }
    findings
}

/// True if this check is about any two hosts and has a remedy of its own.
fn says_what_to_do(check: &Check) -> bool {
    const OF_TWO: [Requirement; 8] =
        [USABLE_HOSTS, FT_VM_LIMIT, VCPUS, MEMORY, HOST_MEMORY, FIRMWARE, DATASTORE_ACCESS, NETWORK_ACCESS];
    OF_TWO.contains(&check.id) && check.remedy.is_some()
}

/// Returns the host that the virtual machine runs on, if that host does not meet everything.
fn bad_home<'r, 'a>(facts: &Facts, hosts: &'r [RatedHost<'a>]) -> Option<&'r RatedHost<'a>> {
    let Home::At(home) = Home::of(facts) else { return None };
    let rated = hosts.iter().find(|rated| rated.host.subject.moid == home.subject.moid)?;
    (rated.status == Status::Unmet).then_some(rated)
}

fn why(context: Context, hosts: &[RatedHost]) -> String {
    if let Some(home) = bad_home(context.facts, hosts) {
        return format!("the virtual machine runs on {}, which does not meet everything", home.host.subject.name);
    }
    if best_apart(context, hosts).is_some_and(|status| status != Status::Unmet) {
        return "no two hosts that meet everything have the same version of Fault Tolerance and alike vMotion vmknics"
            .to_owned();
    }
    "the primary and the secondary run on different hosts, and each host has to meet everything".to_owned()
}

/// Returns what to do, unless other checks say it.
///
/// If the virtual machine could run elsewhere, migrating it is an alternative to fixing its host, unless modules can fix
/// everything there. Otherwise nothing is missing if the remedies of other checks give two good hosts. Remedies for hosts
/// that are not needed do not count.
fn advice(context: Context, hosts: &[RatedHost], others: &[Check]) -> Option<String> {
    let usable: Vec<&str> = hosts
        .iter()
        .filter(|rated| rated.status != Status::Unmet)
        .map(|rated| rated.host.subject.name.as_str())
        .collect();
    if let Some(home) = bad_home(context.facts, hosts).filter(|_| usable.len() >= 2) {
        let name = &home.host.subject.name;
        let usable = usable.join(", ");
        return (!home.can_be_fixed(|remedy| remedy.module.is_some()))
            .then(|| format!("Fix what is unmet on {name}, or migrate the virtual machine to one of {usable}."));
    }
    let would_do = |pair: [Option<&RatedHost>; 2]| pair.into_iter().flatten().all(|rated| rated.can_be_fixed(|_| true));
    let is_said = others.iter().any(says_what_to_do) || any_pair(context, hosts, would_do);
    (!is_said).then(|| "Provide two hosts that meet every host requirement.".to_owned())
}
