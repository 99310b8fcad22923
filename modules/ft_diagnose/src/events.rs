//! Events through the API: of the virtual machine and its secondary, of their hosts, and of their cluster.

use std::collections::HashSet;

use contract::{Error, Kind};
use diagnosis::{Event, STARTS, Timestamp};
use vsphere::{FoundVm, Moref, Object};
use vsphere_module::{Server, failure};

use crate::examine::Examination;

/// Without a start of a secondary, older events are not about what happens now.
const DAY: i64 = 86_400;

/// Reads the events since `since`, else since the last start of a secondary, else of the last day by the server's clock. Returns
/// this time; `None` if there is no event.
///
/// Hosts and clusters have events of many other things, so theirs are only read since one of the first two.
pub async fn examine(
    server: &Server,
    pair: &[&FoundVm],
    hosts: &[&Object],
    since: Option<Timestamp>,
    examination: &mut Examination,
) -> Result<Option<Timestamp>, Error> {
    let mut reader = Reader { server, seen: HashSet::new(), vms: pair.iter().map(|vm| &vm.vm.moref).collect() };
    let mut events = Vec::new();
    for vm in pair {
        let source = format!("events of virtual machine {}", vm.vm.name());
        match reader.read(&vm.vm.moref, since, examination).await {
            Ok(found) => events.push((source, found)),
            Err(error) => examination.refuse(&source, error),
        }
    }
    let all = events.iter().flat_map(|(_, events)| events);
    let started = all.filter(|event| STARTS.contains(&event.kind.as_str())).filter_map(time).max();
    let mut from = since.or(started);
    if from.is_some() {
        let cluster = pair.first().and_then(|vm| vm.cluster.as_ref());
        let others = hosts.iter().map(|host| ("host", *host)).chain(cluster.map(|cluster| ("cluster", cluster)));
        for (what, object) in others {
            let source = format!("events of {what} {}", object.name());
            match reader.read(&object.moref, from, examination).await {
                Ok(found) => events.push((source, found)),
                Err(error) => examination.refuse(&source, error),
            }
        }
    }
    if from.is_none() && events.iter().any(|(_, events)| !events.is_empty()) {
        from = Some(now(server).await?.seconds_before(DAY));
    }
    for (source, events) in events {
        let events = (1..).zip(events).map(|(number, event)| known(event, &source, number));
        examination.take_events(&source, events.collect(), from);
    }
    Ok(from)
}

/// Reads the server's clock.
async fn now(server: &Server) -> Result<Timestamp, Error> {
    let text = server.current_time().await.map_err(failure)?;
    text.parse()
        .map_err(|wrong| Error::new(Kind::Unsupported, format!("the clock of the server cannot be read: {wrong}")))
}

/// Reads events of several objects, each event once.
struct Reader<'a> {
    server: &'a Server,
    seen: HashSet<i64>,
    vms: Vec<&'a Moref>,
}

impl Reader<'_> {
    async fn read(
        &mut self,
        object: &Moref,
        since: Option<Timestamp>,
        examination: &Examination,
    ) -> Result<Vec<vsphere::Event>, Error> {
        let kinds: Vec<&str> = examination.event_kinds().into_iter().chain(STARTS).collect();
        let since = since.map(|since| since.to_string());
        let mut events = self.server.events(object, &kinds, since.as_deref()).await.map_err(failure)?;
        // A host has the events of all its virtual machines.
        events.retain(|event| event.vm.as_ref().is_none_or(|vm| self.vms.contains(&vm)));
        events.retain(|event| self.seen.insert(event.key));
        Ok(events)
    }
}

fn time(event: &vsphere::Event) -> Option<Timestamp> {
    Timestamp::parse_prefix(&event.created).map(|(time, _)| time)
}

/// The event as a diagnosis knows it.
fn known(event: vsphere::Event, source: &str, number: u64) -> Event {
    Event {
        time: time(&event),
        details: event.texts(),
        kind: event.kind,
        reason: event.reason,
        text: event.message,
        source: source.to_owned(),
        number,
    }
}
