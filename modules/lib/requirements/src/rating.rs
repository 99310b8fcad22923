//! Rates hosts for one measure, alone and as pairs. A primary and its secondary need two hosts, so a host that does not meet
//! a requirement matters only if it is needed; and two hosts that each meet a different half of the requirements are no pair.

use vsphere_module::Remedy;

use crate::context::Context;
use crate::facts::{Facts, Host, Place};
use crate::finding::{Finding, Status, join};

/// A host and the findings about it.
pub struct RatedHost<'a> {
    /// The host.
    pub host: &'a Host,
    /// The worst status of the findings.
    pub status: Status,
    /// The findings that are not met.
    findings: Vec<Finding>,
}

impl<'a> RatedHost<'a> {
    /// Rates a host. A host that is out of service is not judged: it is unmet.
    pub fn new(host: &'a Host, judge: impl FnOnce() -> Vec<Finding>) -> Self {
        let findings = match host.out_of_service() {
            Some(why) => vec![Finding::unmet(why.as_str(), why.as_str())],
            None if host.is_in_service() => judge(),
            None => {
                let unknown = Finding::unknown("not reported", "it does not report whether it is in service");
                [vec![unknown], judge()].concat()
            }
        };
        Self::of(host, findings)
    }

    /// Rates a host by these findings alone.
    pub fn of(host: &'a Host, mut findings: Vec<Finding>) -> Self {
        // Met ones say nothing, and a large cluster has very many.
        findings.retain(|finding| finding.status != Status::Met);
        findings.shrink_to_fit();
        let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Met);
        Self { host, status, findings }
    }

    /// True if remedies of this kind would fix every unmet finding.
    pub fn can_be_fixed(&self, by: impl Fn(&Remedy) -> bool) -> bool {
        let mut unmet = self.findings.iter().filter(|finding| finding.status == Status::Unmet);
        unmet.all(|finding| finding.remedy.as_ref().is_some_and(&by))
    }

    /// Returns the host's name and the reasons for its status.
    fn why(&self) -> String {
        let worst = self.findings.iter().filter(|finding| finding.status == self.status);
        format!("{}: {}", self.host.subject.name, join(worst.filter_map(|finding| finding.why.as_deref())))
    }
}

/// The host that has to be one of the two.
pub enum Home<'a> {
    /// Any host: the virtual machine does not run, or none was named.
    Any,
    /// The host that the virtual machine runs on.
    At(&'a Host),
    /// The virtual machine runs on a host that cannot be read.
    Unseen,
}

impl<'a> Home<'a> {
    /// Finds the host.
    pub fn of(facts: &'a Facts) -> Self {
        match &facts.vm {
            Some(vm) if vm.is_on() => facts.home().map_or(Self::Unseen, Self::At),
            _ => Self::Any,
        }
    }
}

/// Returns how many hosts, at least, exist but cannot be read.
fn unseen(context: Context) -> usize {
    match (&context.facts.place, Home::of(context.facts)) {
        // Any two hosts of a hidden cluster may be the pair.
        (Place::Hidden(_), _) => 2,
        (_, Home::Unseen) => 1,
        _ => 0,
    }
}

/// True if any two hosts that could be the pair are `good`. The host of a running virtual machine is always one of them. `None`
/// stands for a host that cannot be read.
pub fn any_pair<'r, 'a>(
    context: Context,
    hosts: &'r [RatedHost<'a>],
    mut good: impl FnMut([Option<&'r RatedHost<'a>>; 2]) -> bool,
) -> bool {
    let home = Home::of(context.facts);
    let is_home = |rated: Option<&RatedHost>| match home {
        Home::Any => true,
        Home::At(home) => rated.is_some_and(|rated| rated.host.subject.moid == home.subject.moid),
        Home::Unseen => rated.is_none(),
    };
    let (homes, others): (Vec<_>, Vec<_>) =
        hosts.iter().map(Some).chain(std::iter::repeat_n(None, unseen(context))).partition(|rated| is_home(*rated));
    homes.iter().enumerate().any(|(at, one)| {
        let mut rest = homes[at + 1..].iter().chain(&others);
        rest.any(|other| good([*one, *other]))
    })
}

/// Returns the status of the best pair; `None` if there are no two hosts. `together` judges what two hosts have in common.
pub fn best(context: Context, hosts: &[RatedHost], together: impl Fn(&Host, &Host) -> Status) -> Option<Status> {
    let status = |rated: Option<&RatedHost>| rated.map_or(Status::Unknown, |rated| rated.status);
    let mut best = None;
    any_pair(context, hosts, |[one, other]| {
        let apart = status(one).max(status(other));
        // A large cluster has millions of pairs: those that are no better anyway are not compared.
        if best.is_none_or(|best| apart < best) {
            let both = one.zip(other).map_or(Status::Met, |(one, other)| together(one.host, other.host));
            let judged = apart.max(both);
            best = Some(best.map_or(judged, |best| judged.min(best)));
        }
        best == Some(Status::Met)
    });
    best
}

/// Returns the status of the best pair, if each host is judged alone.
pub fn best_apart(context: Context, hosts: &[RatedHost]) -> Option<Status> {
    best(context, hosts, |_, _| Status::Met)
}

/// Returns the status of the best pair. With a single host, which the requirement `usable-hosts` reports already, returns
/// the status of that one.
pub fn best_apart_or_only(context: Context, hosts: &[RatedHost]) -> Option<Status> {
    best_apart(context, hosts).or_else(|| hosts.iter().map(|rated| rated.status).max())
}

/// Counts the good hosts and says what is wrong with the first of the others.
pub fn describe(context: Context, hosts: &[RatedHost]) -> String {
    const MOST: usize = 3;
    if hosts.is_empty() && unseen(context) > 0 {
        return "no host can be read".to_owned();
    }
    let (good, others): (Vec<&RatedHost>, Vec<&RatedHost>) =
        hosts.iter().partition(|rated| rated.status == Status::Met);
    let mut parts = vec![format!("{} of {} hosts", good.len(), hosts.len())];
    parts.extend(others.iter().take(MOST).map(|rated| rated.why()));
    if others.len() > MOST {
        parts.push(format!("and {} more", others.len() - MOST));
    }
    if unseen(context) > 0 {
        parts.push("others cannot be read".to_owned());
    }
    parts.join("; ")
}
