//! `EventManager` and `EventHistoryCollector`.

use crate::fault::{Fault, Result};
use crate::model::clock;
use crate::model::event::{Event, EventFilter, History};
use crate::soap::envelope::{Reply, reference};
use crate::soap::node::Node;
use crate::value::{Ref, Value};
use crate::world::World;

use super::call::{Ctx, Outcome, done, void};

/// The size of the latest page, and the largest one.
const PAGE: usize = 10;
const LARGEST: usize = 1000;

/// `QueryEvents`.
pub fn query(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let filter = filter(ctx)?;
    let events = ctx.world.events_of(&filter);
    Ok(list(&filter, &events))
}

/// `CreateCollectorForEvents`.
pub fn create(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let filter = filter(ctx)?;
    if filter.most.is_some() {
        return Err(Fault::invalid_argument("filter.maxCount"));
    }
    let moid = format!("session[{}]{}", ctx.session_key(), crate::random::uuid());
    let mut history = History { session: ctx.session_key(), filter, page: PAGE, position: 0 };
    history.position = history.before_latest(ctx.world);
    ctx.world.histories.insert(moid.clone(), history);
    done(Ref::new("EventHistoryCollector", &moid))
}

/// `SetCollectorPageSize`.
pub fn page_size(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let size = count(ctx)?;
    let mut history = own(ctx)?;
    history.page = size;
    history.position = history.before_latest(ctx.world);
    keep(ctx, history)
}

/// `ResetCollector`: the next read goes back from the latest page.
pub fn reset(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let mut history = own(ctx)?;
    history.position = history.before_latest(ctx.world);
    keep(ctx, history)
}

/// `RewindCollector`: the next read begins with the oldest event.
pub fn rewind(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let history = own(ctx)?;
    keep(ctx, History { position: 0, ..history })
}

/// `ReadNextEvents`.
pub fn next(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let (most, mut history) = (count(ctx)?, own(ctx)?);
    let events = ctx.world.events_of(&history.filter);
    let from = history.position.min(events.len());
    let until = (from + most).min(events.len());
    let reply = list(&history.filter, &events[from..until]);
    history.position = until;
    keep(ctx, history).map(|_| reply)
}

/// `ReadPreviousEvents`, the newest first.
pub fn previous(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let (most, mut history) = (count(ctx)?, own(ctx)?);
    let events = ctx.world.events_of(&history.filter);
    let until = history.position.min(events.len());
    let from = until.saturating_sub(most);
    let mut page = events[from..until].to_vec();
    page.reverse();
    let reply = list(&history.filter, &page);
    history.position = from;
    keep(ctx, history).map(|_| reply)
}

/// `DestroyCollector`.
pub fn destroy(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    ctx.world.histories.remove(&ctx.this.moid);
    void()
}

impl History {
    fn before_latest(&self, world: &World) -> usize {
        world.events_of(&self.filter).len().saturating_sub(self.page)
    }
}

fn own(ctx: &Ctx<'_>) -> Result<History> {
    ctx.world.histories.get(&ctx.this.moid).cloned().ok_or_else(|| Fault::not_found(&ctx.this))
}

fn keep(ctx: &mut Ctx<'_>, history: History) -> Result<Outcome> {
    ctx.world.histories.insert(ctx.this.moid.clone(), history);
    void()
}

fn count(ctx: &Ctx<'_>) -> Result<usize> {
    let count = ctx.text("maxCount").and_then(|text| text.parse().ok());
    count.filter(|count| (1..=LARGEST).contains(count)).ok_or_else(|| Fault::invalid_argument("maxCount"))
}

fn list(filter: &EventFilter, events: &[&Event]) -> Outcome {
    let events = events.iter().map(|event| event.shown(filter)).collect();
    Outcome::Done(Reply::Value(Value::List("Event", events)))
}

/// Reads `EventFilterSpec`.
fn filter(ctx: &Ctx<'_>) -> Result<EventFilter> {
    let spec = ctx.call.args.child("filter").ok_or_else(|| Fault::invalid_argument("filter"))?;
    let texts = |node: &Node, name: &'static str| -> Vec<String> {
        node.all(name).map(|node| node.text.trim().to_owned()).collect()
    };
    let entity = spec.child("entity").map(|by| {
        let entity = by.child("entity").map_or_else(|| Ref::new("", ""), reference);
        let entity = crate::property::resolve(ctx.world, &entity)?;
        Ok((entity.moid, by.value("recursion").unwrap_or_default().to_owned()))
    });
    let time = |name: &'static str| spec.child("time").and_then(|by| by.value(name)).and_then(clock::parse);
    let by_user = spec.child("userName");
    let mut users = by_user.map(|by| texts(by, "userList")).unwrap_or_default();
    users.extend(by_user.filter(|by| by.flag("systemUser")).map(|_| String::new()));
    let most =
        spec.value("maxCount").map(|text| text.parse::<usize>().map_err(|_| Fault::invalid_argument("maxCount")));
    let filter = EventFilter {
        entity: entity.transpose()?,
        begin: time("beginTime"),
        end: time("endTime"),
        users,
        types: texts(spec, "type"),
        ids: texts(spec, "eventTypeId"),
        categories: texts(spec, "category"),
        bare: spec.flag("disableFullMessage"),
        most: most.transpose()?,
    };
    if !filter.types.is_empty() && !filter.ids.is_empty() {
        return Err(Fault::invalid_argument("filter.type"));
    }
    Ok(filter)
}
