//! Reading logs and events, wherever they are from, and what was read of each.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::Instant;

use contract::{Error, Kind};
use diagnosis::{Catalogue, Event, Incident, Inquiry, Scanner, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// The number of events that a result lists.
const EVENTS: usize = 50;

/// A log or a list of events that was read, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Source {
    /// Its path, its datastore path, or the host and the path there; V(text) for O(text). Events are named by their object,
    /// such as V(events of virtual machine inner).
    pub file: String,
    /// How many lines of it were read, or how many events.
    pub lines: u64,
    /// How many bytes were read; of a compressed log, those that it holds, and of one in UTF-16, those of its
    /// text in UTF-8; 0 for events.
    pub bytes: u64,
    /// How much comes before what was read, in bytes, or in lines for a host's log; null if the server does not say, and for
    /// events. Where it is not 0, only the end of the log was read, and lines of a datastore file are counted from there.
    pub skipped: Option<u64>,
    /// Why it could not be read, or not to its end; null if it was.
    pub error: Option<String>,
}

/// The findings from the logs and events.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// The failures, the most telling first.
    pub incidents: Vec<Incident>,
    /// The number of findings that were dropped.
    pub dropped: u64,
    /// The logs and events.
    pub sources: Vec<Source>,
    /// The newest events, the newest first.
    pub events: Vec<Event>,
}

/// An examination under way.
pub struct Examination {
    catalogue: Rc<Catalogue>,
    inquiry: Inquiry,
    sources: Vec<Source>,
    events: Vec<Event>,
    /// Why the first source that could not be read could not.
    refused: Option<Error>,
    /// True once a log or an event was read.
    has_read: bool,
    deadline: Instant,
}

impl Examination {
    /// Looks for the signatures of `catalogue`, until `deadline`.
    pub fn new(catalogue: &Rc<Catalogue>, deadline: Instant) -> Self {
        let inquiry = Inquiry::new(catalogue);
        Self {
            catalogue: Rc::clone(catalogue),
            inquiry,
            sources: Vec::new(),
            events: Vec::new(),
            refused: None,
            has_read: false,
            deadline,
        }
    }

    /// True if no failure was found so far.
    pub fn found_nothing(&self) -> bool {
        self.inquiry.found_nothing()
    }

    /// Reads a log to its end. Damage on the way is noted; what was found before it counts. Only running out of time is an
    /// error.
    ///
    /// `skipped` is how much comes before it, and `unread` how many lines, where that is known.
    pub async fn read(
        &mut self,
        file: &str,
        reader: &mut dyn Read,
        skipped: Option<u64>,
        unread: u64,
    ) -> Result<(), Error> {
        self.inquiry.begin(file, unread);
        let mut scanner = Scanner::new(&self.catalogue);
        let error = loop {
            match scanner.step(reader, &mut |hit| self.inquiry.take(hit)) {
                Ok(false) => break None,
                Err(error) => break Some(damage(&error)),
                Ok(true) => {}
            }
            if Instant::now() >= self.deadline {
                let detail = format!("the `timeout` ended before all of {file} was read");
                return Err(Error::new(Kind::Timeout, detail).hint("Set a longer `timeout`."));
            }
            // Signals are heard between blocks.
            tokio::task::yield_now().await;
        };
        self.has_read |= scanner.lines() > 0 || error.is_none();
        self.sources.push(Source {
            file: file.to_owned(),
            lines: scanner.lines(),
            bytes: scanner.bytes(),
            skipped,
            error,
        });
        Ok(())
    }

    /// The events that may show a failure.
    pub fn event_kinds(&self) -> BTreeSet<&str> {
        self.catalogue.event_kinds()
    }

    /// Takes the events of an object, the newest first. Only those since `from` count as findings. Take the logs before.
    pub fn take_events(&mut self, source: &str, events: Vec<Event>, from: Option<Timestamp>) {
        self.events.extend(events.iter().cloned());
        let recent: Vec<Event> = events.into_iter().filter(|event| from.is_none() || event.time >= from).collect();
        let lines = recent.len() as u64;
        self.has_read |= lines > 0;
        for event in recent.into_iter().rev() {
            self.inquiry.take_event(event);
        }
        self.sources.push(Source { file: source.to_owned(), lines, bytes: 0, skipped: None, error: None });
    }

    /// Notes a log or events that cannot be read.
    pub fn refuse(&mut self, file: &str, error: Error) {
        let detail = error.message();
        let source = Source { file: file.to_owned(), lines: 0, bytes: 0, skipped: None, error: Some(detail) };
        self.sources.push(source);
        self.refused.get_or_insert(error);
    }

    /// Returns the findings. Fails if something was refused and nothing else was read: that there are no events proves nothing.
    pub fn conclude(mut self) -> Result<Examined, Error> {
        self.events.sort_by_key(|event| std::cmp::Reverse(event.time));
        self.events.truncate(EVENTS);
        match self.refused {
            Some(error) if !self.has_read => Err(error),
            _ => Ok(Examined {
                dropped: self.inquiry.dropped(),
                incidents: self.inquiry.conclude(),
                sources: self.sources,
                events: self.events,
            }),
        }
    }
}

/// Returns the problem of a log, in plain words.
fn damage(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is truncated".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => format!("it is damaged ({error})"),
        _ => error.to_string(),
    }
}
