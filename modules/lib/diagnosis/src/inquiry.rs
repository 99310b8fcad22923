//! Groups lines into incidents: the lines of one migration are one incident, whichever logs hold them.

use std::cmp::Reverse;
use std::rc::Rc;

use crate::catalogue::{Catalogue, Severity};
use crate::event::Event;
use crate::line;
use crate::migration::Migration;
use crate::scan::Hit;
use crate::status::Status;
use crate::time::Timestamp;

mod event;

/// The number of lines kept per incident: the first and the last ones.
const LINES: usize = 20;
/// The number of incidents kept: the last ones.
const INCIDENTS: usize = 50;
/// A line that names no migration is of one whose last line is so near.
const NEAR: u64 = 5;

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The log's name.
    pub file: Rc<str>,
    /// The line's number in it, from 1.
    pub number: u64,
    /// The line, or the part of it that matters.
    pub text: String,
    /// When it was written, by the clock of the host that wrote it, where it says so.
    pub time: Option<Timestamp>,
}

/// A failure, with the lines and events that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The most telling signature of its lines, as an index into [`Catalogue::signatures`].
    pub signature: usize,
    /// The line that revealed it first, or the event as a line of its source.
    pub told_by: Line,
    /// The migration that failed, where a line names one.
    pub migration: Option<Migration>,
    /// The first status code.
    pub status: Option<Status>,
    /// The first line and the last ones, in the order of the search.
    pub lines: Vec<Line>,
    /// The events, the newest first.
    pub events: Vec<Event>,
    /// The lines before [`told_by`](Self::told_by), where the signature says that they matter.
    pub before: Vec<Line>,
    /// The number of lines.
    pub count: u64,
    /// When the incident was last added to, in the order of the search.
    order: u64,
}

impl Incident {
    /// The earliest time of its lines; without any, of its events, whose clock is another one.
    pub fn first_time(&self) -> Option<Timestamp> {
        let lines = self.lines.iter().filter_map(|line| line.time).min();
        lines.or_else(|| self.events.iter().filter_map(|event| event.time).min())
    }

    /// The latest time of its lines, or else of its events.
    pub fn last_time(&self) -> Option<Timestamp> {
        let lines = self.lines.iter().filter_map(|line| line.time).max();
        lines.or_else(|| self.events.iter().filter_map(|event| event.time).max())
    }

    fn add(&mut self, line: Line, order: u64) {
        if self.lines.len() == LINES {
            self.lines.remove(1);
        }
        self.lines.push(line);
        self.count += 1;
        self.order = order;
    }

    fn is_near(&self, file: &Rc<str>, number: u64) -> bool {
        self.lines.last().is_some_and(|last| Rc::ptr_eq(&last.file, file) && number.abs_diff(last.number) <= NEAR)
    }
}

/// Takes the lines that scanners find, log after log, and then the events.
#[derive(Debug)]
pub struct Inquiry {
    catalogue: Rc<Catalogue>,
    file: Rc<str>,
    /// The number of lines of the log before the part that is read.
    unread: u64,
    incidents: Vec<Incident>,
    order: u64,
    dropped: u64,
}

impl Inquiry {
    /// An inquiry into nothing yet.
    pub fn new(catalogue: &Rc<Catalogue>) -> Self {
        Self {
            catalogue: Rc::clone(catalogue),
            file: "".into(),
            unread: 0,
            incidents: Vec::new(),
            order: 0,
            dropped: 0,
        }
    }

    /// Begins a log: the next lines belong to `file`, whose first `unread` lines are skipped.
    pub fn begin(&mut self, file: &str, unread: u64) {
        self.file = file.into();
        self.unread = unread;
    }

    /// True if no failure was found.
    pub fn found_nothing(&self) -> bool {
        let is_info = |it: &Incident| self.catalogue.signatures()[it.signature].severity == Severity::Info;
        self.incidents.iter().all(is_info)
    }

    /// Takes a line.
    pub fn take(&mut self, hit: &Hit<'_>) {
        self.order += 1;
        let whole = String::from_utf8_lossy(hit.text);
        let migration = Migration::find(&whole);
        let status = Status::first_in(&whole);
        let number = self.unread + hit.number;
        let line = self.line(number, hit.text, hit.at, &whole);
        let order = self.order;
        if let Some(at) = self.place(hit, migration) {
            let before = (hit.signature < self.incidents[at].signature).then(|| self.before(hit));
            let incident = &mut self.incidents[at];
            if let Some(before) = before {
                incident.signature = hit.signature;
                incident.told_by = line.clone();
                incident.before = before;
            }
            incident.status = incident.status.or(status);
            let known = incident.migration;
            incident.migration = known.filter(|known| known.peer.is_some()).or(migration).or(known);
            incident.add(line, order);
        } else {
            self.push(Incident {
                signature: hit.signature,
                told_by: line.clone(),
                migration,
                status,
                before: self.before(hit),
                lines: vec![line],
                events: Vec::new(),
                count: 1,
                order,
            });
        }
    }

    /// Adds an incident, and returns its index.
    fn push(&mut self, incident: Incident) -> usize {
        if self.incidents.len() == INCIDENTS {
            self.drop_one();
        }
        self.incidents.push(incident);
        self.incidents.len() - 1
    }

    /// Returns the index of the incident that a line belongs to, if there is one already.
    fn place(&self, hit: &Hit<'_>, migration: Option<Migration>) -> Option<usize> {
        let signatures = self.catalogue.signatures();
        let near = |incident: &Incident| incident.is_near(&self.file, self.unread + hit.number);
        let same = |incident: &Incident| incident.signature == hit.signature;
        let last = |test: &dyn Fn(&Incident) -> bool| self.incidents.iter().rposition(test);
        if let Some(Migration { id, .. }) = migration {
            // A consequence may have been logged a moment before the line that names the migration.
            return last(&|it| it.migration.is_some_and(|known| known.id == id))
                .or_else(|| last(&|it| it.migration.is_none() && near(it) && signatures[it.signature].follows));
        }
        let follows = signatures[hit.signature].follows;
        last(&|it| near(it) && (same(it) || follows || signatures[it.signature].follows))
            .or_else(|| last(&|it| it.migration.is_none() && same(it)))
    }

    /// Makes room: the incident that tells least and was seen longest ago goes.
    fn drop_one(&mut self) {
        let least = self.incidents.iter().enumerate().max_by_key(|(_, it)| (it.signature, Reverse(it.order)));
        if let Some((at, _)) = least {
            self.incidents.remove(at);
            self.dropped += 1;
        }
    }

    fn line(&self, number: u64, text: &[u8], at: usize, whole: &str) -> Line {
        Line { file: Rc::clone(&self.file), number, text: line::shown(text, at), time: line::time(whole) }
    }

    /// The lines before a hit, as many as its signature asks for.
    fn before(&self, hit: &Hit<'_>) -> Vec<Line> {
        let count = self.catalogue.signatures()[hit.signature].context;
        let lines = line::last_lines(hit.before, count).into_iter();
        lines
            .map(|(back, text)| {
                self.line((self.unread + hit.number).saturating_sub(back), text, 0, &String::from_utf8_lossy(text))
            })
            .collect()
    }

    /// Returns the number of incidents dropped because of the limit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The incidents, the most telling first; of one kind, the one found last.
    pub fn conclude(mut self) -> Vec<Incident> {
        self.incidents.sort_by_key(|it| (it.signature, Reverse(it.order)));
        self.incidents
    }
}

#[cfg(test)]
#[path = "inquiry_tests.rs"]
mod tests;
