//! What is said of a judgement, in one sentence.

use vsphere::FtEngine;

use crate::check::{Check, Id, Status};
use crate::plan::Judgement;

/// The one sentence: ready, the first thing that is in the way, or the first of which it cannot be told.
pub fn message(subject: &str, judgement: &Judgement) -> String {
    let engine = title(judgement.engine);
    let checks = &judgement.checks;
    let mut in_the_way = checks.iter().filter(|check| check.is_in_the_way());
    if let Some(first) = in_the_way.next() {
        let more = match in_the_way.count() {
            0 => String::new(),
            1 => "; 1 more requirement is in the way".to_owned(),
            more => format!("; {more} more requirements are in the way"),
        };
        let (required, place, observed) = parts(first);
        return format!(
            "{subject} is not ready for {engine}: {required} does not hold for {place} ({observed}){more}."
        );
    }
    let met = judgement.counts.met;
    let unmet = unmet(checks);
    let unknown = judgement.counts.unknown;
    if let Some(first) = checks.iter().find(|check| check.may_be_in_the_way()) {
        let untold = match unknown {
            1 => "1 requirement".to_owned(),
            more => format!("{more} requirements"),
        };
        let (required, place, observed) = parts(first);
        return format!(
            "Nothing is known to be in the way of {engine} for {subject}, but of {untold} it cannot be told, first of all \
             {required} for {place} ({observed}): {met} are met{unmet}."
        );
    }
    let untold = if unknown == 0 { String::new() } else { format!(", and of {unknown} it cannot be told") };
    format!("{subject} is ready for {engine}: {met} requirements are met{unmet}{untold}.")
}

/// What is required, of what, and what there is instead.
fn parts(check: &Check) -> (String, String, &str) {
    (format!("\"{}\"", check.required.trim_end_matches('.')), check.object.title(), &check.observed)
}

/// What is unmet and not in the way, in words: hosts are only spare while two others are known to do.
fn unmet(checks: &[Check]) -> String {
    let (of_hosts, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().filter(|check| check.status == Status::Unmet).partition(|check| check.id.is_of_hosts());
    let needed = if checks.iter().any(|check| check.id == Id::HostPair && check.status == Status::Met) {
        "are not"
    } else {
        "may be"
    };
    let hosts = match of_hosts.len() {
        0 => String::new(),
        1 => format!(", 1 is unmet by hosts that {needed} needed"),
        more => format!(", {more} are unmet by hosts that {needed} needed"),
    };
    let others = others.into_iter().map(|check| {
        let (required, place, observed) = parts(check);
        format!(", {required}, without which it can be turned on, does not hold for {place} ({observed})")
    });
    hosts + &others.collect::<String>()
}

fn title(engine: FtEngine) -> &'static str {
    match engine {
        FtEngine::Legacy => "Fault Tolerance (record/replay)",
        FtEngine::Smp => "Fault Tolerance (SMP-FT)",
    }
}
