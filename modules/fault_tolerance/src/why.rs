//! Why a secondary does not run: what the newest events of the virtual machine say.

use std::rc::Rc;

use contract::Error;
use diagnosis::{Catalogue, Event, Inquiry, STARTS, Timestamp};
use vsphere_module::At;

use crate::args::FaultTolerance;
use crate::state::Observed;

/// Adds the reason that events give since the last start of a secondary to a failure. One request; if it fails, the failure
/// stays as it is.
pub async fn explained(at: At<'_, FaultTolerance>, observed: &Observed, mut error: Error) -> Error {
    let Ok(catalogue) = Catalogue::known() else { return error };
    let kinds: Vec<&str> = catalogue.event_kinds().into_iter().chain(STARTS).collect();
    let Ok(events) = at.session.events(&observed.moref, &kinds, None).await else { return error };
    if let Some(reason) = reason(catalogue, events) {
        error.detail = format!("{}; the events say: {reason}", error.detail);
    }
    error
}

/// The most telling of the events that are newer than the last start.
fn reason(catalogue: Catalogue, events: Vec<vsphere::Event>) -> Option<String> {
    let catalogue = Rc::new(catalogue);
    let mut inquiry = Inquiry::new(&catalogue);
    let recent = events.into_iter().take_while(|event| !STARTS.contains(&event.kind.as_str()));
    let recent: Vec<_> = (1..).zip(recent).collect();
    for (number, event) in recent.into_iter().rev() {
        inquiry.take_event(Event {
            time: Timestamp::parse_prefix(&event.created).map(|(time, _)| time),
            details: event.texts(),
            kind: event.kind,
            reason: event.reason,
            text: event.message,
            source: String::new(),
            number,
        });
    }
    let incident = inquiry.conclude().into_iter().next()?;
    let title = &catalogue.signatures()[incident.signature].title;
    let event = incident.events.iter().find(|event| event.number == incident.told_by.number)?;
    let time = event.time.map(|time| format!(" at {time}")).unwrap_or_default();
    let reason = event.plain_reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("{title} ({}{time}{reason})", event.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, reason: Option<&str>, message: &str) -> vsphere::Event {
        vsphere::Event {
            kind: kind.to_owned(),
            created: "2026-01-31T12:00:00Z".to_owned(),
            reason: reason.map(str::to_owned),
            message: message.to_owned(),
            ..vsphere::Event::default()
        }
    }

    #[test]
    fn the_most_telling_event_since_the_last_start_gives_the_reason() {
        let failed = || event("VmFailedStartingSecondaryEvent", Some("migrateFailed"), "");
        let keepalive = || event("VmMessageErrorEvent", None, "failed to read stream keepalive");
        let start = || event("VmStartingSecondaryEvent", None, "");
        let told = "(VmFailedStartingSecondaryEvent at 2026-01-31T12:00:00.000Z: the migration that starts the secondary failed)";
        let cases = [
            (vec![failed(), start()], Some(format!("The Fault Tolerance secondary failed to start {told}"))),
            (
                vec![failed(), keepalive(), start()],
                Some("A vMotion stream lost its peer (VmMessageErrorEvent at 2026-01-31T12:00:00.000Z)".to_owned()),
            ),
            (vec![start(), failed()], None),
            (vec![], None),
        ];
        for (events, expected) in cases {
            assert_eq!(reason(Catalogue::known().unwrap(), events.clone()), expected, "{events:?}");
        }
    }
}
