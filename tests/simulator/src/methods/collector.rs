//! `PropertyCollector` and `PropertyFilter`.

use crate::fault::{Fault, Result};
use crate::model::filter::{Collector, Content, Filter, Spec};
use crate::property::{Got, Viewer};
use crate::schema;
use crate::soap::envelope::Reply;
use crate::value::{Data, Ref, Value};

use super::call::{Ctx, Outcome, done, void};

fn read(ctx: &Ctx<'_>) -> Result<Vec<Value>> {
    let viewer = ctx.viewer();
    let mut specs = Vec::new();
    for set in ctx.call.args.all("specSet") {
        specs.push(Spec::parse(set, &viewer).map_err(|fault| hidden(ctx, fault))?);
    }
    if ctx.session.is_none() && !specs.iter().all(Spec::anonymous) {
        return Err(Fault::not_authenticated(&ctx.this));
    }
    Ok(specs.iter().flat_map(|spec| spec.read(&viewer)).map(|content| content.value()).collect())
}

/// Without a session, a caller must not learn which objects exist.
fn hidden(ctx: &Ctx<'_>, fault: Fault) -> Fault {
    if ctx.session.is_none() { Fault::not_authenticated(&ctx.this) } else { fault }
}

/// `RetrieveProperties`.
pub fn retrieve(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    Ok(Outcome::Done(Reply::Value(Value::List("ObjectContent", read(ctx)?))))
}

/// `RetrievePropertiesEx`.
pub fn retrieve_ex(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let objects = read(ctx)?;
    let asked = ctx
        .call
        .args
        .child("options")
        .and_then(|options| options.value("maxObjects"))
        .and_then(|text| text.parse().ok())
        .filter(|count| *count > 0);
    let limit = [asked, ctx.world.config.page].into_iter().flatten().min();
    page(ctx, objects.into_iter(), limit.unwrap_or(usize::MAX))
}

/// The first page. The rest is kept under a token that contains the page size.
fn page(ctx: &mut Ctx<'_>, mut rest: std::vec::IntoIter<Value>, limit: usize) -> Result<Outcome> {
    let objects: Vec<Value> = rest.by_ref().take(limit).collect();
    if objects.is_empty() {
        return void();
    }
    let mut result = Data::new("RetrieveResult");
    if rest.len() > 0 {
        let token = format!("{}-{limit}", ctx.world.number());
        ctx.world.pages.insert(token.clone(), rest);
        result = result.with("token", token);
    }
    done(result.with("objects", Value::List("ObjectContent", objects)))
}

/// `ContinueRetrievePropertiesEx`.
pub fn go_on(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let token = ctx.text("token").unwrap_or_default().to_owned();
    let rest = ctx.world.pages.remove(&token).ok_or_else(|| Fault::invalid_argument("token"))?;
    let limit = token.rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    page(ctx, rest, limit)
}

/// `CancelRetrievePropertiesEx`.
pub fn cancel(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let token = ctx.text("token").unwrap_or_default().to_owned();
    match ctx.world.pages.remove(&token) {
        Some(_) => void(),
        None => Err(Fault::invalid_argument("token")),
    }
}

/// `Fetch`, with which pyvmomi reads single properties.
pub fn fetch(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let path = ctx.text("prop").unwrap_or_default().to_owned();
    let anonymous = matches!(ctx.this.kind.as_str(), "ServiceInstance" | "SessionManager");
    if ctx.session.is_none() && !anonymous {
        return Err(Fault::not_authenticated(&ctx.this));
    }
    if !schema::path_exists(&ctx.this.kind, &path, ctx.version) {
        return Err(Fault::invalid_property(&path));
    }
    match ctx.viewer().get(&ctx.this, &path) {
        Got::Value(value) => Ok(Outcome::Done(Reply::Any(value))),
        Got::Unset => void(),
        Got::Missing(fault) => Err(fault),
    }
}

/// `CreatePropertyCollector`.
pub fn create_collector(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let session = ctx.session_key();
    let moid = format!("session[{session}]{}", crate::random::uuid());
    let collector = Collector { session, ..Collector::default() };
    ctx.world.collectors.insert(moid.clone(), collector);
    done(Ref::new("PropertyCollector", &moid))
}

/// `DestroyPropertyCollector`. The default collector cannot be destroyed.
pub fn destroy_collector(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    match ctx.world.collectors.remove(&ctx.this.moid) {
        Some(_) => void(),
        None => Err(Fault::not_supported()),
    }
}

/// The collector of a moid. The default collector has separate filters for each session.
fn own(ctx: &Ctx<'_>) -> String {
    if ctx.world.collectors.contains_key(&ctx.this.moid) {
        ctx.this.moid.clone()
    } else {
        format!("{}#{}", ctx.this.moid, ctx.session_key())
    }
}

/// `CreateFilter`.
pub fn create_filter(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let viewer = ctx.viewer();
    let specs = ctx.call.args.all("spec").map(|node| Spec::parse(node, &viewer)).collect::<Result<Vec<_>>>()?;
    let session = ctx.session_key();
    let moid = format!("session[{session}]{}", crate::random::uuid());
    let filter = Filter { specs, reported: std::collections::BTreeMap::<Ref, Content>::new() };
    let collector = ctx.world.collectors.entry(own(ctx)).or_default();
    collector.session = session;
    collector.filters.insert(moid.clone(), filter);
    done(Ref::new("PropertyFilter", &moid))
}

/// `DestroyPropertyFilter`.
pub fn destroy_filter(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    for collector in ctx.world.collectors.values_mut() {
        collector.filters.remove(&ctx.this.moid);
    }
    void()
}

/// `CancelWaitForUpdates`.
pub fn cancel_wait(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let own = own(ctx);
    if let Some(collector) = ctx.world.collectors.get_mut(&own) {
        collector.cancelled = true;
    }
    void()
}

/// `CheckForUpdates`.
pub fn check(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    match updates(ctx)? {
        Some(set) => done(set),
        None => void(),
    }
}

/// `WaitForUpdates` and `WaitForUpdatesEx`.
pub fn wait(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    if let Some(set) = updates(ctx)? {
        return done(set);
    }
    let limit = ctx
        .call
        .args
        .child("options")
        .and_then(|options| options.value("maxWaitSeconds"))
        .and_then(|text| text.parse::<u64>().ok())
        .map_or(u64::MAX, |seconds| seconds.saturating_mul(1000));
    let left = limit.saturating_sub(ctx.world.now.saturating_sub(ctx.started));
    if left == 0 {
        return void();
    }
    Ok(Outcome::Wait(left))
}

fn updates(ctx: &mut Ctx<'_>) -> Result<Option<Data>> {
    let key = own(ctx);
    // Removed from the world while its filters read the world.
    let Some(mut collector) = ctx.world.collectors.remove(&key) else {
        return Ok(None);
    };
    if std::mem::take(&mut collector.cancelled) {
        ctx.world.collectors.insert(key, collector);
        return Err(Fault::new("RequestCanceled", "The request was canceled by a user."));
    }
    let version = ctx.text("version").unwrap_or_default().to_owned();
    let first = version.is_empty() && ctx.started == ctx.world.now;
    if !version.is_empty() && version != collector.version.to_string() {
        ctx.world.collectors.insert(key, collector);
        return Err(Fault::new("InvalidCollectorVersion", "The version is not valid."));
    }
    let viewer: Viewer<'_> = ctx.viewer();
    let mut sets = Vec::new();
    for (moid, filter) in &mut collector.filters {
        if first {
            filter.reported.clear();
        }
        sets.extend(filter.update(moid, &viewer));
    }
    let set = (!sets.is_empty()).then(|| {
        collector.version += 1;
        Data::new("UpdateSet")
            .with("version", collector.version.to_string())
            .list("filterSet", "PropertyFilterUpdate", sets)
            .with("truncated", false)
    });
    ctx.world.collectors.insert(key, collector);
    Ok(set)
}
