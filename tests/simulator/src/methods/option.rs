//! `OptionManager`.

use crate::fault::{Fault, Result};
use crate::model::entity::{Body, Entity};
use crate::model::options::HostOption;
use crate::property::host_of_options;
use crate::soap::envelope::Reply;
use crate::value::Value;

use super::call::{Ctx, Outcome, void};

fn options<'a>(ctx: &'a mut Ctx<'_>) -> &'a mut Vec<HostOption> {
    let host = host_of_options(ctx.world, &ctx.this.moid);
    let world = &mut *ctx.world;
    match host.and_then(|host| world.entities.get_mut(&host)) {
        Some(Entity { body: Body::Host(host), .. }) => &mut host.options,
        _ => &mut world.settings,
    }
}

/// `QueryOptions`: one option by its exact name, a subtree if the name ends in a dot, or all options without a name.
pub fn query(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let name = ctx.text("name").unwrap_or_default().to_owned();
    let wanted = |option: &HostOption| {
        name.is_empty() || if name.ends_with('.') { option.key.starts_with(&name) } else { option.key == name }
    };
    let found: Vec<Value> =
        options(ctx).iter().filter(|option| wanted(option)).map(|option| option.value().into()).collect();
    if found.is_empty() {
        return Err(Fault::invalid_name(&name));
    }
    Ok(Outcome::Done(Reply::Value(Value::List("OptionValue", found))))
}

/// `UpdateOptions`: changes one option after the other. Those before an invalid one stay changed.
pub fn update(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let changes: Vec<(String, Option<String>, String)> = ctx
        .call
        .args
        .all("changedValue")
        .map(|change| {
            let value = change.child("value");
            (
                change.value("key").unwrap_or_default().to_owned(),
                value.and_then(|value| value.xsi_type.clone()),
                value.map(|value| value.text.clone()).unwrap_or_default(),
            )
        })
        .collect();
    for (key, kind, text) in changes {
        options(ctx)
            .iter_mut()
            .find(|option| option.key == key)
            .ok_or_else(|| Fault::invalid_name(&key))?
            .set(kind.as_deref(), &text)?;
    }
    ctx.world.retry_secondaries();
    void()
}
