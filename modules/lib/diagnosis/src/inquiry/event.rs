//! Adds events to incidents: an event and the log lines of one failure are one incident.

use super::{Incident, Inquiry, LINES};
use crate::event::Event;
use crate::inquiry::Line;
use crate::line;
use crate::migration::Migration;
use crate::status::Status;
use crate::time::Timestamp;

/// The most seconds between an event and a log line of the same incident. The article's logs and the clock of vCenter Server
/// are 203 seconds apart.
const CLOSE: i64 = 300;

impl Inquiry {
    /// Takes an event, unless it shows no known failure. Take the oldest first.
    pub fn take_event(&mut self, event: Event) {
        let whole =
            std::iter::once(&event.text).chain(&event.details).map(String::as_str).collect::<Vec<_>>().join("\n");
        let lower = whole.to_ascii_lowercase();
        let by_text = self.catalogue.borne_by(lower.as_bytes());
        let by_kind = self.catalogue.shown_by(&event.kind, event.reason.as_deref());
        // Earlier signatures are more telling.
        let Some(signature) = by_text.into_iter().chain(by_kind).min() else { return };
        self.order += 1;
        let migration = Migration::find(&whole);
        let status = Status::first_in(&whole);
        let told_by = Line {
            file: event.source.as_str().into(),
            number: event.number,
            text: line::shown(event.text.as_bytes(), 0),
            time: event.time,
        };
        let at = self.place_of_event(signature, migration, event.time).unwrap_or_else(|| {
            let fresh = Incident {
                signature,
                told_by: told_by.clone(),
                migration: None,
                status: None,
                lines: Vec::new(),
                events: Vec::new(),
                before: Vec::new(),
                count: 0,
                order: 0,
            };
            self.push(fresh)
        });
        let order = self.order;
        let incident = &mut self.incidents[at];
        // Of events that tell the same, the newest one names the incident; a log line tells more.
        if signature < incident.signature || signature == incident.signature && incident.lines.is_empty() {
            (incident.signature, incident.told_by, incident.before) = (signature, told_by, Vec::new());
        }
        incident.migration = incident.migration.or(migration);
        incident.status = incident.status.or(status);
        // The newest events are kept, and the one that names the incident.
        if incident.events.len() == LINES {
            let names =
                |event: &Event| event.number == incident.told_by.number && event.source == *incident.told_by.file;
            let oldest = if names(&incident.events[LINES - 1]) { LINES - 2 } else { LINES - 1 };
            incident.events.remove(oldest);
        }
        incident.events.insert(0, event);
        incident.order = order;
    }

    /// Returns the index of the incident that an event belongs to: the same migration, or the closest one with the same cause,
    /// or of which one follows the other.
    fn place_of_event(&self, signature: usize, migration: Option<Migration>, time: Option<Timestamp>) -> Option<usize> {
        let signatures = self.catalogue.signatures();
        let id = |migration: Option<Migration>| migration.map(|migration| migration.id);
        let same_migration = |it: &Incident| id(migration).is_some() && id(it.migration) == id(migration);
        if let Some(at) = self.incidents.iter().rposition(same_migration) {
            return Some(at);
        }
        let related = |it: &Incident| {
            let other_migration = id(migration).is_some() && id(it.migration).is_some();
            let follows = signatures[signature].follows || signatures[it.signature].follows;
            !other_migration && (it.signature == signature || follows)
        };
        let candidates = self.incidents.iter().enumerate().filter(|(_, it)| related(it));
        let close = candidates.filter_map(|(at, it)| Some((it.seconds_from(time?)?, at)));
        let closest = close.filter(|(seconds, _)| *seconds <= CLOSE).min();
        let timeless = || {
            let same = |it: &Incident| it.signature == signature && it.times().next().is_none();
            self.incidents.iter().rposition(same)
        };
        closest.map(|(_, at)| at).or_else(timeless)
    }
}

impl Incident {
    /// All times that are known of it, by any clock.
    fn times(&self) -> impl Iterator<Item = Timestamp> {
        let lines = self.lines.iter().filter_map(|line| line.time);
        let events = self.events.iter().filter_map(|event| event.time);
        // vCenter Server, whose clock the events have, made the id.
        lines.chain(events).chain(self.migration.map(|migration| migration.started()))
    }

    /// How many seconds lie between a time and the incident.
    fn seconds_from(&self, time: Timestamp) -> Option<i64> {
        self.times().map(|known| time.seconds_after(known).abs()).min()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use crate::catalogue::Catalogue;
    use crate::event::Event;
    use crate::inquiry::{Incident, Inquiry};
    use crate::scan::Scanner;
    use crate::time::Timestamp;

    const KEEPALIVE: &str =
        "vMotion migration [ac1e0050:1312133702562144] failed to read stream keepalive: Connection closed";
    const LOG: &str = "2011-07-31T17:31:39.314Z| vcpu-0| ";

    /// An event: its type with its reason, its time, and its text.
    fn event(kind: &str, time: &str, text: &str) -> Event {
        let (kind, reason) =
            kind.split_once(':').map_or((kind, None), |(kind, reason)| (kind, Some(reason.to_owned())));
        Event {
            kind: kind.to_owned(),
            reason,
            time: Timestamp::parse_prefix(time).map(|(time, _)| time),
            text: text.to_owned(),
            details: Vec::new(),
            source: "events".to_owned(),
            number: 1,
        }
    }

    fn found(log: &str, events: Vec<Event>) -> (Rc<Catalogue>, Vec<Incident>) {
        let catalogue = Rc::new(Catalogue::known().unwrap());
        let mut inquiry = Inquiry::new(&catalogue);
        inquiry.begin("vmware.log", 0);
        let mut scanner = Scanner::new(&catalogue);
        while scanner.step(&mut log.as_bytes(), &mut |hit| inquiry.take(hit)).unwrap() {}
        for event in events {
            inquiry.take_event(event);
        }
        (catalogue, inquiry.conclude())
    }

    /// The signature of each incident, with its numbers of lines and events.
    fn brief(log: &str, events: Vec<Event>) -> Vec<String> {
        let (catalogue, incidents) = found(log, events);
        let brief = |it: &Incident| {
            format!("{} {}+{}", catalogue.signatures()[it.signature].id, it.lines.len(), it.events.len())
        };
        incidents.iter().map(brief).collect()
    }

    #[test]
    fn the_events_and_the_lines_of_one_failure_are_one_incident() {
        let failed = |time| event("VmFailedStartingSecondaryEvent:migrateFailed", time, "failed");
        let message = |time| event("VmMessageErrorEvent", time, KEEPALIVE);
        let line = format!("{LOG}{KEEPALIVE}\n");
        let unnamed = format!("{LOG}failed to read stream keepalive\n");
        let cases: Vec<(&str, Vec<Event>, &[&str])> = vec![
            ("", vec![failed("2011-07-31T17:35:04Z")], &["secondary_start 0+1"]),
            ("", vec![failed("2011-07-31T17:35:04Z"), message("2011-07-31T17:35:03Z")], &["stream_keepalive 0+2"]),
            // The clock of the host is 203 seconds late, as in the article.
            (&line, vec![failed("2011-07-31T17:35:04Z"), message("2011-07-31T17:35:03Z")], &["stream_keepalive 1+2"]),
            (&unnamed, vec![failed("2011-07-31T17:31:45Z")], &["stream_keepalive 1+1"]),
            // Another time, another incident.
            (&unnamed, vec![failed("2011-07-31T18:31:45Z")], &["stream_keepalive 1+0", "secondary_start 0+1"]),
            (&line, vec![failed("2011-08-31T17:35:04Z")], &["stream_keepalive 1+0", "secondary_start 0+1"]),
            // The same cause without a time in the log is the same incident.
            (
                "failed to read stream keepalive\n",
                vec![event("VmMessageErrorEvent", "2011-07-31T17:35:03Z", "failed to read stream keepalive")],
                &["stream_keepalive 1+1"],
            ),
            // Another cause at the same time is another incident; a consequence is none.
            (
                &line,
                vec![event("VmFailedStartingSecondaryEvent:loginFailed", "2011-07-31T17:35:04Z", "")],
                &["stream_keepalive 1+0", "secondary_login 0+1"],
            ),
            (
                &line,
                vec![
                    event("VmSecondaryDisabledBySystemEvent", "2011-07-31T17:36:04Z", ""),
                    event("VmTimedoutStartingSecondaryEvent", "2011-07-31T17:35:14Z", ""),
                ],
                &["stream_keepalive 1+2"],
            ),
            // No failure.
            (
                "",
                vec![
                    event("VmStartingSecondaryEvent", "2011-07-31T17:35:04Z", ""),
                    event("VmPrimaryFailoverEvent:userAction", "2011-07-31T17:35:04Z", ""),
                    event("VmMessageErrorEvent", "2011-07-31T17:35:04Z", "The disk is full"),
                ],
                &[],
            ),
        ];
        for (log, events, expected) in cases {
            assert_eq!(brief(log, events.clone()), expected, "{log} {events:?}");
        }
    }

    #[test]
    fn an_event_without_a_log_shows_migration_and_status() {
        let text = format!("{KEEPALIVE} (0xbad003f)");
        let (_, incidents) = found("", vec![event("VmMessageErrorEvent", "2011-07-31T17:35:03Z", &text)]);
        let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
        assert_eq!(incident.migration.map(|it| it.id), Some(1_312_133_702_562_144));
        assert_eq!(incident.status.map(crate::Status::hex), Some("0xbad003f".to_owned()));
        assert_eq!((&*incident.told_by.file, incident.told_by.number, incident.count), ("events", 1, 0));
        assert_eq!(incident.first_time().map(|it| it.to_string()), Some("2011-07-31T17:35:03.000Z".to_owned()));
    }

    #[test]
    fn a_reason_is_told_in_plain_words() {
        let reason = |kind: &str| event(kind, "", "").plain_reason().map(str::to_owned);
        assert_eq!(reason("VmFailedStartingSecondaryEvent:loginFailed").unwrap(), "the login to the host failed");
        assert_eq!(reason("VmFailedStartingSecondaryEvent:ofTomorrow").unwrap(), "ofTomorrow");
        assert_eq!(reason("VmNoCompatibleHostForSecondaryEvent"), None);
        let disabled = Event { details: vec!["gone".to_owned()], ..event("VmSecondaryDisabledBySystemEvent", "", "") };
        assert_eq!(disabled.plain_reason(), Some("gone"));
    }
}
