//! Properties of `EventManager` and `EventHistoryCollector`.

use crate::model::event::{Event, EventFilter, History};
use crate::value::{Data, Value};
use crate::world::World;
use crate::world::events::category;

impl Event {
    /// The event as a client with this filter gets it.
    pub fn shown(&self, filter: &EventFilter) -> Value {
        let mut data = self.data.clone();
        data.fields.retain(|(name, _)| !filter.bare || name != "fullFormattedMessage");
        data.into()
    }
}

impl History {
    /// `latestPage`: the newest events, the newest first.
    pub fn latest_page(&self, world: &World) -> Value {
        let events = world.events_of(&self.filter);
        let page = events.iter().rev().take(self.page);
        Value::List("Event", page.map(|event| event.shown(&self.filter)).collect())
    }
}

/// `EventManager.description`: the categories, and the types of the events so far.
pub fn description(world: &World) -> Data {
    let element = |key: &str| Data::new("ElementDescription").with("label", key).with("summary", key).with("key", key);
    let categories = ["info", "warning", "error", "user"].map(|key| element(key).into()).to_vec();
    let mut kinds: Vec<(&str, &'static str)> = Vec::new();
    for event in &world.events {
        let kind = event.data.kind.as_ref();
        if !kinds.iter().any(|(own, _)| *own == kind) {
            kinds.push((kind, category(&event.data)));
        }
    }
    let details = kinds.into_iter().map(|(kind, category)| {
        let format = |data: Data, name: &'static str| data.with(name, kind);
        let data = Data::new("EventDescriptionEventDetail")
            .with("key", kind)
            .with("description", kind)
            .with("category", category);
        let names = ["formatOnDatacenter", "formatOnComputeResource", "formatOnHost", "formatOnVm", "fullFormat"];
        names.into_iter().fold(data, format).into()
    });
    Data::new("EventDescription").with("category", Value::List("ElementDescription", categories)).list(
        "eventInfo",
        "EventDescriptionEventDetail",
        details.collect(),
    )
}
