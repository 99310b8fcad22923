//! The result.

use diagnosis::{Event, Incident, Line, Signature, Target};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use vsphere_module::{Remedy, RemedyHosts, VmReport, remedy_vm};

use crate::examine::Source;
use crate::observe::Found;

/// The largest difference, in seconds, between an id and its log line that clock noise explains.
const SKEW: i64 = 60;

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// Whether no known failure was found in what was read. Findings of the severity V(info) are no failures.
    pub healthy: bool,
    /// The failures, the most telling first: causes before what follows from them; of one kind, the one found last.
    pub findings: Vec<Finding>,
    /// The logs and events, in the order in which they were read.
    pub sources: Vec<Source>,
    /// The events that may concern Fault Tolerance, the newest first, fifty at most; also those from before RV(events_since),
    /// which lead to no finding.
    pub events: Vec<EventReport>,
    /// The time from which on events lead to findings, in UTC: O(since), else the last start of a secondary, else 24 hours before
    /// this run, by the clock of the server; null without O(since) if the virtual machine has no event.
    pub events_since: Option<String>,
    /// The virtual machine; null in a run on a text or a file, and if it was not found.
    pub vm: Option<VmReport>,
    /// The version of ESXi that the remedies are for; null if it is not known.
    pub version: Option<String>,
}

/// A failure.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// The name of the signature, such as V(stream_keepalive).
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// The failure, in a few words.
    pub title: String,
    /// Why it happens.
    pub cause: String,
    /// The evidence for the signature and its cause.
    pub basis: Basis,
    /// Where they are from.
    pub source: String,
    /// The logs in which it has been seen.
    pub logs: Vec<String>,
    /// How many lines show it.
    pub count: u64,
    /// The log with the line that told it first, or the source of the event that did.
    pub file: String,
    /// The number of that line or event, from 1.
    pub line: u64,
    /// The earliest time of the lines, in UTC, or else of the events; null if none has date, time and zone, as in ESXi 4.
    pub first_time: Option<String>,
    /// The latest time of the lines, or else of the events.
    pub last_time: Option<String>,
    /// The migration that failed; null if no line names it.
    pub migration: Option<MigrationReport>,
    /// The VMkernel status; null if no line has one.
    pub status: Option<StatusReport>,
    /// The first line and the last ones, twenty at most.
    pub lines: Vec<LineReport>,
    /// The events that show it, the newest first, twenty at most.
    pub events: Vec<EventReport>,
    /// Lines before the first that say why, for a signature that does not.
    pub before: Vec<LineReport>,
    /// Other observations in the lines, which prove nothing alone; null if there are none.
    pub note: Option<String>,
    /// The remedies, the most likely one first.
    pub remedies: Vec<Advice>,
}

/// A remedy, and how far it can be relied on.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Advice {
    #[serde(flatten)]
    pub remedy: Remedy,
    /// The evidence for this advice.
    pub basis: Basis,
    /// Where it is from.
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Fault Tolerance or a migration failed because of it.
    Error,
    /// It can be so with everything working.
    Warning,
    /// It is no failure, but it helps to read the log.
    Info,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The source says so.
    Documented,
    /// Experience says so; it is not documented.
    Knowledge,
}

impl From<diagnosis::Basis> for Basis {
    fn from(basis: diagnosis::Basis) -> Self {
        match basis {
            diagnosis::Basis::Documented => Self::Documented,
            diagnosis::Basis::Knowledge => Self::Knowledge,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MigrationReport {
    /// Its id: microseconds since 1970.
    pub id: u64,
    /// That instant, in UTC, by the clock of whoever started it.
    pub started: String,
    /// The vMotion address that the logs name with it; null if none does.
    pub peer: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusReport {
    /// As logs write it: V(0xbad003f).
    pub hex: String,
    /// As vCenter Server writes it: V(195887167).
    pub decimal: u32,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LineReport {
    /// The log.
    pub file: String,
    /// The number of the line in it, from 1.
    pub line: u64,
    /// The line, or of a long one the 500 characters around what was found.
    pub text: String,
    /// When it was written, in UTC; null if it does not say so with date, time and zone.
    pub time: Option<String>,
}

impl From<&Line> for LineReport {
    fn from(line: &Line) -> Self {
        Self {
            file: line.file.to_string(),
            line: line.number,
            text: line.text.clone(),
            time: line.time.map(|time| time.to_string()),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventReport {
    /// The source that it was read from.
    pub file: String,
    /// The number of the event in it, from 1; the newest is the first.
    pub line: u64,
    /// Its type, such as V(VmFailedStartingSecondaryEvent), or its C(eventTypeId).
    pub event: String,
    /// When it was created, in UTC, by the clock of vCenter Server.
    pub time: Option<String>,
    /// Its reason in plain words; null if it has none.
    pub reason: Option<String>,
    /// The server's own sentence.
    pub text: String,
}

impl From<&Event> for EventReport {
    fn from(event: &Event) -> Self {
        Self {
            file: event.source.clone(),
            line: event.number,
            event: event.kind.clone(),
            time: event.time.map(|time| time.to_string()),
            reason: event.plain_reason().map(str::to_owned),
            text: event.text.clone(),
        }
    }
}

/// The result of a run that read something.
pub fn report(observed: &Found, signatures: &[Signature]) -> Report {
    let findings = observed.examined.incidents.iter().filter_map(|incident| {
        let signature = signatures.get(incident.signature)?;
        Some(finding(incident, signature, observed))
    });
    let findings: Vec<Finding> = findings.collect();
    Report {
        healthy: findings.iter().all(|finding| finding.severity == Severity::Info),
        findings,
        sources: observed.examined.sources.clone(),
        events: observed.examined.events.iter().map(EventReport::from).collect(),
        events_since: observed.events_since.map(|time| time.to_string()),
        vm: observed.vm.clone(),
        version: observed.release.as_ref().map(ToString::to_string),
    }
}

fn finding(incident: &Incident, signature: &Signature, observed: &Found) -> Finding {
    let remedies = signature.remedies.iter().filter(|remedy| remedy.suits(observed.release.as_ref()));
    Finding {
        id: signature.id.clone(),
        severity: match signature.severity {
            diagnosis::Severity::Error => Severity::Error,
            diagnosis::Severity::Warning => Severity::Warning,
            diagnosis::Severity::Info => Severity::Info,
        },
        title: signature.title.clone(),
        cause: signature.cause.clone(),
        basis: signature.basis.into(),
        source: signature.source.clone(),
        logs: signature.logs.clone(),
        count: incident.count,
        file: incident.told_by.file.to_string(),
        line: incident.told_by.number,
        first_time: incident.first_time().map(|time| time.to_string()),
        last_time: incident.last_time().map(|time| time.to_string()),
        migration: incident.migration.map(|migration| MigrationReport {
            id: migration.id,
            started: migration.started().to_string(),
            peer: migration.peer.map(|peer| peer.to_string()),
        }),
        status: incident.status.map(|status| StatusReport { hex: status.hex(), decimal: status.decimal() }),
        lines: incident.lines.iter().map(LineReport::from).collect(),
        events: incident.events.iter().map(EventReport::from).collect(),
        before: incident.before.iter().map(LineReport::from).collect(),
        note: note(incident),
        remedies: remedies
            .map(|remedy| Advice {
                remedy: instructed(remedy, observed.hosts.as_ref(), observed.vm.as_ref()),
                basis: remedy.basis.into(),
                source: remedy.source.clone(),
            })
            .collect(),
    }
}

/// Returns a note about the clocks if they differ. A migration cannot fail before it begins, so such times prove that
/// the clocks differ. A difference alone makes no migration fail. The time from the beginning to the failure says nothing
/// about the clocks.
fn note(incident: &Incident) -> Option<String> {
    let timed = incident.lines.iter().filter_map(|line| Some((line.time?, line)));
    let (logged, line) = timed.min_by_key(|(time, _)| *time)?;
    let later = incident.migration?.started().seconds_after(logged);
    (later > SKEW).then(|| {
        format!(
            "The time in the migration id is {later} seconds after the migration's first log line ({}, line {}): the clocks of vCenter Server and the hosts may differ. Synchronize them; this may or may not be the cause.",
            line.file, line.number
        )
    })
}

/// The remedy with the names of this place.
fn instructed(remedy: &diagnosis::Remedy, hosts: Option<&RemedyHosts>, vm: Option<&VmReport>) -> Remedy {
    let Some(module) = &remedy.module else { return Remedy::advice(remedy.text.clone()) };
    let (place, missing) = match remedy.target {
        Some(Target::Hosts) => (
            hosts.map(RemedyHosts::args),
            " Set `cluster_name` or `esxi_hostname` to get the arguments of the module too.",
        ),
        Some(Target::Cluster) => {
            (hosts.filter(|hosts| matches!(hosts, RemedyHosts::Cluster { .. })).map(RemedyHosts::args), "")
        }
        Some(Target::Vm) => (vm.map(|vm| remedy_vm(&vm.moid)), ""),
        None => (Some(Map::new()), ""),
    };
    match place {
        Some(mut args) => {
            let own: Map<String, Value> = remedy.args.clone().unwrap_or_default();
            args.extend(own);
            Remedy::call(remedy.text.clone(), module, Some(args))
        }
        None => Remedy::call(format!("{}{missing}", remedy.text), module, None),
    }
}

/// One sentence for the whole result.
pub fn message(report: &Report) -> String {
    let read: Vec<&Source> =
        report.sources.iter().filter(|source| source.lines > 0 || source.error.is_none()).collect();
    let lines: u64 = read.iter().map(|source| source.lines).sum();
    let place = match read.as_slice() {
        [only] => only.file.clone(),
        several => format!("{} sources", several.len()),
    };
    let noun = if lines == 1 { "line" } else { "lines" };
    let nothing = format!("No known failure signature in the {lines} {noun} read from {place}.");
    let Some(first) = report.findings.first() else { return nothing };
    let nothing = if report.healthy { format!("{nothing} ") } else { String::new() };
    let more = match report.findings.len() - 1 {
        0 => String::new(),
        1 => " One more finding.".to_owned(),
        count => format!(" {count} more findings."),
    };
    let remedy = first.remedies.first().map(|advice| format!(": {}", advice.remedy.text)).unwrap_or_default();
    let place = match first.events.iter().find(|event| event.file == first.file && event.line == first.line) {
        Some(event) => {
            let time = event.time.as_ref().map(|time| format!(" at {time}")).unwrap_or_default();
            let reason = event.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{}{time}{reason}", event.event)
        }
        None => format!("{}, line {}", first.file, first.line),
    };
    format!("{nothing}{} ({place}){remedy}{more}", first.title)
}

pub fn warnings(found: &Found) -> Vec<String> {
    let unread = found.examined.sources.iter().filter_map(|source| {
        let reason = source.error.as_ref()?;
        // Most of them name the log themselves.
        Some(if reason.contains(&source.file) { reason.clone() } else { format!("{}: {reason}", source.file) })
    });
    let mut warnings: Vec<String> = unread.collect();
    if found.examined.dropped > 0 {
        warnings.push(format!("{} less important findings are left out", found.examined.dropped));
    }
    warnings
}
