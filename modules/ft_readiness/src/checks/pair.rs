//! Whether two hosts can have a primary and its secondary. What one host lacks matters only if it is needed, and hosts that
//! each lack something else make no pair: so hosts are judged two at a time, as they would be used.

use vsphere_module::Remedy;

use super::{Context, cluster, fit, limit};
use crate::check::{Check, Id, Status, Verdict};
use crate::facts::{Facts, Host, Place};

/// A host, and everything that was found of it by one measure.
pub struct Seat<'a> {
    pub host: &'a Host,
    verdicts: Vec<Verdict>,
}

impl<'a> Seat<'a> {
    /// What is found of a host counts only while it is in service.
    pub fn new(host: &'a Host, judge: impl FnOnce() -> Vec<Verdict>) -> Self {
        let verdicts = match host.out_of_service() {
            Some(why) => vec![Verdict::unmet(why.as_str(), why.as_str())],
            None if host.is_in_service() => judge(),
            None => {
                let untold = Verdict::unknown("not told", "whether it is in service is not told");
                [vec![untold], judge()].concat()
            }
        };
        Self { host, verdicts }
    }

    pub fn status(&self) -> Status {
        self.verdicts.iter().map(|verdict| verdict.status).max().unwrap_or(Status::Met)
    }

    /// Whether all that it lacks would be mended by remedies of this kind.
    fn would_be_mended(&self, by: impl Fn(&Remedy) -> bool) -> bool {
        let mut unmet = self.verdicts.iter().filter(|verdict| verdict.status == Status::Unmet);
        unmet.all(|verdict| verdict.remedy.as_ref().is_some_and(&by))
    }

    /// Why it is as bad as it is.
    fn why(&self) -> String {
        let worst = self.verdicts.iter().filter(|verdict| verdict.status == self.status());
        let whys: Vec<String> = worst.filter_map(|verdict| verdict.why.clone()).collect();
        format!("{}: {}", self.host.object.name, super::join(&whys))
    }
}

/// Which host has to be one of the two.
enum Home<'a> {
    /// Any: nothing runs.
    Any,
    /// The one that the virtual machine runs on.
    At(&'a Host),
    /// The virtual machine runs on a host that cannot be read.
    Unseen,
}

impl<'a> Home<'a> {
    fn of(facts: &'a Facts) -> Self {
        match &facts.vm {
            Some(vm) if vm.is_on() => facts.home().map_or(Self::Unseen, Self::At),
            _ => Self::Any,
        }
    }
}

/// How many hosts are there, at least, that cannot be read.
fn unseen(context: Context) -> usize {
    match (&context.facts.place, Home::of(context.facts)) {
        // Of a cluster that is hidden any two may be the pair.
        (Place::Hidden(_), _) => 2,
        (_, Home::Unseen) => 1,
        _ => 0,
    }
}

/// Any two hosts that could be the pair, the home of a running virtual machine among them. Those that cannot be read are
/// nothing.
fn pairs<'s, 'a>(context: Context, seats: &'s [Seat<'a>]) -> Vec<[Option<&'s Seat<'a>>; 2]> {
    let home = Home::of(context.facts);
    let is_home = |seat: Option<&Seat>| match home {
        Home::Any => true,
        Home::At(home) => seat.is_some_and(|seat| seat.host.object.moid == home.object.moid),
        Home::Unseen => seat.is_none(),
    };
    let all: Vec<Option<&Seat>> = seats.iter().map(Some).chain(std::iter::repeat_n(None, unseen(context))).collect();
    let pairs = all.iter().enumerate().flat_map(|(at, one)| all[at + 1..].iter().map(move |other| [*one, *other]));
    pairs.filter(|pair| pair.iter().any(|seat| is_home(*seat))).collect()
}

/// How the best two hosts stand; nothing if there are no two. `together` judges what only two of them can have in common.
pub fn best(context: Context, seats: &[Seat], together: impl Fn(&Host, &Host) -> Status) -> Option<Status> {
    let status = |seat: Option<&Seat>| seat.map_or(Status::Unknown, Seat::status);
    let judged = pairs(context, seats).into_iter().map(|[one, other]| {
        let both = one.zip(other).map_or(Status::Met, |(one, other)| together(one.host, other.host));
        status(one).max(status(other)).max(both)
    });
    judged.min()
}

/// The best two by what is found of each alone.
pub fn best_apart(context: Context, seats: &[Seat]) -> Option<Status> {
    best(context, seats, |_, _| Status::Met)
}

/// How many hosts are good, and what is wrong with the first of the others.
pub fn list(context: Context, seats: &[Seat]) -> String {
    const MOST: usize = 3;
    if seats.is_empty() && unseen(context) > 0 {
        return "no host can be read".to_owned();
    }
    let (good, others): (Vec<&Seat>, Vec<&Seat>) = seats.iter().partition(|seat| seat.status() == Status::Met);
    let mut parts = vec![format!("{} of {} hosts", good.len(), seats.len())];
    parts.extend(others.iter().take(MOST).map(|seat| seat.why()));
    if others.len() > MOST {
        parts.push(format!("and {} more", others.len() - MOST));
    }
    if unseen(context) > 0 {
        parts.push("others cannot be read".to_owned());
    }
    parts.join("; ")
}

/// The check that says whether all that is required of hosts is met by two of them. `others` are all the other checks.
pub fn judge(context: Context, hosts: &[(&Host, Vec<Check>)], others: &[Check]) -> Option<Check> {
    let facts = context.facts;
    let object = match (&facts.place, &facts.vm) {
        (Place::Cluster(cluster), _) => &cluster.object,
        (Place::Hidden(_), Some(vm)) => &vm.object,
        // A host of its own has no other, and that is said already.
        _ => return None,
    };
    let everything = |host: &Host, checks: &[Check]| {
        let engine = cluster::has_engine(context.engine, host);
        if engine.status == Status::Unmet {
            // All the rest is only that once more.
            return vec![engine];
        }
        let mut verdicts: Vec<Verdict> = checks.iter().map(Check::verdict).collect();
        verdicts.push(engine);
        if let Some(vm) = &facts.vm {
            verdicts.extend(fit::judge(context, vm, host));
        }
        if matches!(facts.place, Place::Cluster(_)) {
            verdicts.push(limit::room(context, host));
        }
        verdicts
    };
    let seats: Vec<Seat> = hosts.iter().map(|(host, checks)| Seat::new(host, || everything(host, checks))).collect();
    let alike = |one: &Host, other: &Host| cluster::ft_version(&[one, other]).status;
    let required = match Home::of(facts) {
        Home::Any => "Two hosts meet everything that is required of a host.",
        _ => "Two hosts meet everything that is required of a host, and the virtual machine runs on one of them.",
    };
    let observed = list(context, &seats);
    let verdict = match best(context, &seats, alike) {
        Some(Status::Met) => Verdict::met(observed),
        Some(Status::Unknown) => Verdict::unknown(observed, "some of what is required of hosts is not told"),
        Some(Status::Unmet) | None => {
            let verdict = Verdict::unmet(observed, why(context, &seats));
            match advice(context, &seats, others) {
                Some(advice) => verdict.by_hand(advice),
                None => verdict,
            }
        }
    };
    Some(Check::new(Id::HostPair, required, object, verdict))
}

/// Whether this is about what any two hosts lack, and has a remedy of its own.
fn says_what_to_do(check: &Check) -> bool {
    const OF_TWO: [Id; 7] =
        [Id::UsableHosts, Id::FtVmLimit, Id::Vcpus, Id::Memory, Id::Firmware, Id::DatastoreAccess, Id::NetworkAccess];
    OF_TWO.contains(&check.id) && check.remedy.is_some()
}

/// The host that the virtual machine runs on, if that one will not do.
fn bad_home<'s, 'a>(facts: &Facts, seats: &'s [Seat<'a>]) -> Option<&'s Seat<'a>> {
    let Home::At(home) = Home::of(facts) else { return None };
    let seat = seats.iter().find(|seat| seat.host.object.moid == home.object.moid)?;
    (seat.status() == Status::Unmet).then_some(seat)
}

fn why(context: Context, seats: &[Seat]) -> String {
    if let Some(home) = bad_home(context.facts, seats) {
        return format!("the virtual machine runs on {}, which does not meet all of it", home.host.object.name);
    }
    if best_apart(context, seats).is_some_and(|status| status != Status::Unmet) {
        return "no two that meet it have the same version of Fault Tolerance".to_owned();
    }
    "primary and secondary run on different hosts, and each of them has to meet all of it".to_owned()
}

/// What to do, unless other checks say it: where the virtual machine could go elsewhere, all that its host lacks has to be
/// done by a module to be the better way; else two hosts that would do after what is said of them are enough. What is said of
/// hosts that are not needed is no way at all.
fn advice(context: Context, seats: &[Seat], others: &[Check]) -> Option<String> {
    let usable: Vec<&str> =
        seats.iter().filter(|seat| seat.status() != Status::Unmet).map(|seat| seat.host.object.name.as_str()).collect();
    if let Some(home) = bad_home(context.facts, seats).filter(|_| usable.len() >= 2) {
        let name = &home.host.object.name;
        let usable = usable.join(", ");
        return (!home.would_be_mended(|remedy| remedy.module.is_some()))
            .then(|| format!("Give {name} what it lacks, or migrate the virtual machine to one of {usable}."));
    }
    let would_do = |pair: [Option<&Seat>; 2]| pair.into_iter().flatten().all(|seat| seat.would_be_mended(|_| true));
    let is_said = others.iter().any(says_what_to_do) || pairs(context, seats).into_iter().any(would_do);
    (!is_said).then(|| "Have two hosts meet all that is required of a host.".to_owned())
}
