//! A judgement in one sentence.

use vsphere_module::Engine;

use crate::check::Check;
use crate::finding::Status;
use crate::judgement::{Judgement, Standing};
use crate::pair::HOST_PAIR;

impl Judgement {
    /// Says in one sentence whether `subject` is ready. Names the first blocker, or else the first requirement that could not
    /// be checked. Says first if Fault Tolerance is already on, because nothing is then needed to turn it on.
    pub fn summary(&self, subject: &str) -> String {
        let engine = Engine::from(self.engine).title();
        let checks = &self.checks;
        let start = match &self.standing {
            Standing::Off => format!("{subject} is not ready for {engine}"),
            Standing::On(state) => format!("{engine} of {subject} is already on ({state}), but no secondary runs"),
            Standing::Protected => return format!("{subject} is already protected by {engine}."),
        };
        let mut blockers = checks.iter().filter(|check| check.is_blocker());
        if let Some(first) = blockers.next() {
            let more = match blockers.count() {
                0 => String::new(),
                1 => "; 1 more blocker".to_owned(),
                more => format!("; {more} more blockers"),
            };
            return format!("{start}: unmet requirement {}{more}.", quoted(first));
        }
        if let Standing::On(_) = self.standing {
            return format!("{start}; no unmet requirement was found.");
        }
        let met = match self.counts.met {
            1 => "1 requirement is met".to_owned(),
            met => format!("{met} requirements are met"),
        };
        let unmet = unmet(checks);
        let unknown = match self.counts.unknown {
            0 => String::new(),
            1 => "1 requirement could not be checked".to_owned(),
            more => format!("{more} requirements could not be checked"),
        };
        if let Some(first) = checks.iter().find(|check| check.may_be_blocker()) {
            return format!(
                "No blocker of {engine} found for {subject}, but {unknown}; first: {}. {met}{unmet}.",
                quoted(first)
            );
        }
        let unknown = if unknown.is_empty() { unknown } else { format!(", {unknown}") };
        format!("{subject} is ready for {engine}: {met}{unmet}{unknown}.")
    }
}

/// Returns the requirement, the object that has to meet it, and what there is.
fn quoted(check: &Check) -> String {
    format!("\"{}\" of {} ({})", check.required.trim_end_matches('.'), check.object.title(), check.observed)
}

/// Describes what is unmet but no blocker. Hosts are certainly not needed if two others are known to be good.
fn unmet(checks: &[Check]) -> String {
    let (of_hosts, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().filter(|check| check.status == Status::Unmet).partition(|check| check.id.is_of_hosts());
    let needed = if checks.iter().any(|check| check.id == HOST_PAIR && check.status == Status::Met) {
        "are not"
    } else {
        "may be"
    };
    let hosts = match of_hosts.len() {
        0 => String::new(),
        1 => format!(", 1 is unmet on hosts that {needed} needed"),
        more => format!(", {more} are unmet on hosts that {needed} needed"),
    };
    let others = match others[..] {
        [] => String::new(),
        [one] => format!(", {} is unmet but no blocker", quoted(one)),
        [first, ..] => format!(", {} and {} more are unmet but no blockers", quoted(first), others.len() - 1),
    };
    hosts + &others
}
