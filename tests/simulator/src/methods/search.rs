//! `SearchIndex`.

use crate::fault::Result;
use crate::model::entity::Body;
use crate::soap::envelope::Reply;
use crate::value::{Ref, Value};
use crate::world::World;

use super::call::{Ctx, Outcome, done, void};

/// Returns the object, or nothing if there is none that the user may see.
fn found(ctx: &Ctx<'_>, object: Option<Ref>) -> Result<Outcome> {
    object.filter(|object| ctx.world.visible(object).is_ok()).map_or_else(void, done)
}

/// Decodes the escapes in names: `%2f`, `%5c` and `%25`.
fn unescape(name: &str) -> String {
    name.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\").replace("%25", "%")
}

/// `FindByInventoryPath`. Returns nothing, and no fault, if there is no such object.
pub fn by_path(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let path = ctx.text("inventoryPath").unwrap_or_default();
    let mut moid = ctx.world.root().to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        match child_of(ctx.world, &moid, &unescape(part)) {
            Some(child) => moid = child.moid,
            None => return void(),
        }
    }
    found(ctx, ctx.world.reference(&moid))
}

fn child_of(world: &World, moid: &str, name: &str) -> Option<Ref> {
    world.children(moid).into_iter().find(|child| world.name(&child.moid) == name)
}

/// `FindChild`.
pub fn child(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let entity = ctx.need_reference("entity")?;
    let name = unescape(ctx.text("name").unwrap_or_default());
    found(ctx, child_of(ctx.world, &entity.moid, &name))
}

/// True if an entity is below another one.
fn below(world: &World, moid: &str, ancestor: Option<&Ref>) -> bool {
    let Some(ancestor) = ancestor else {
        return true;
    };
    let mut moid = moid;
    loop {
        if moid == ancestor.moid {
            return true;
        }
        match world.entities.get(moid).and_then(|e| e.parent.as_deref()) {
            Some(parent) => moid = parent,
            None => return false,
        }
    }
}

fn uuids(ctx: &Ctx<'_>) -> Result<Vec<Ref>> {
    let datacenter = ctx.reference("datacenter")?;
    let uuid = ctx.text("uuid").unwrap_or_default();
    let vms = ctx.call.args.flag("vmSearch");
    let instance = ctx.call.args.flag("instanceUuid");
    let world = &ctx.world;
    let matches = |moid: &str| match &world.entities[moid].body {
        Body::Vm(vm) if vms && instance => vm.instance_uuid.eq_ignore_ascii_case(uuid),
        Body::Vm(vm) if vms => vm.uuid.eq_ignore_ascii_case(uuid),
        Body::Host(host) if !vms => host.uuid.eq_ignore_ascii_case(uuid),
        _ => false,
    };
    Ok(world
        .entities
        .keys()
        .filter(|moid| matches(moid) && below(world, moid, datacenter.as_ref()))
        .filter_map(|moid| world.reference(moid))
        .collect())
}

/// `FindByUuid`.
pub fn by_uuid(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    found(ctx, uuids(ctx)?.into_iter().next())
}

/// `FindAllByUuid`.
pub fn all_by_uuid(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    list(ctx, uuids(ctx)?)
}

#[expect(clippy::unnecessary_wraps, reason = "every handler ends in it")]
fn list(ctx: &Ctx<'_>, found: Vec<Ref>) -> Result<Outcome> {
    let found = found.into_iter().filter(|object| ctx.world.visible(object).is_ok());
    Ok(Outcome::Done(Reply::Value(Value::refs(found))))
}

fn dns(ctx: &Ctx<'_>) -> Result<Vec<Ref>> {
    let datacenter = ctx.reference("datacenter")?;
    let name = ctx.text("dnsName").unwrap_or_default();
    // VMs have no VMware Tools, and so no DNS name.
    let hosts = if ctx.call.args.flag("vmSearch") { "" } else { "HostSystem" };
    Ok(ctx
        .world
        .moids(hosts)
        .filter(|moid| ctx.world.name(moid).eq_ignore_ascii_case(name))
        .filter(|moid| below(ctx.world, moid, datacenter.as_ref()))
        .filter_map(|moid| ctx.world.reference(moid))
        .collect())
}

/// `FindByDnsName`.
pub fn by_dns(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    found(ctx, dns(ctx)?.into_iter().next())
}

/// `FindAllByDnsName`.
pub fn all_by_dns(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    list(ctx, dns(ctx)?)
}

/// `FindByIp`. The first host has 172.30.0.80.
pub fn by_ip(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let hosts = ctx.world.of_kind("HostSystem");
    let number: Option<usize> =
        ctx.text("ip").and_then(|ip| ip.strip_prefix("172.30.0.8")).and_then(|digits| digits.parse().ok());
    let wanted = number.filter(|_| !ctx.call.args.flag("vmSearch"));
    found(ctx, wanted.and_then(|number| hosts.get(number)).map(|moid| Ref::new("HostSystem", moid)))
}

/// `FindByDatastorePath`.
pub fn by_datastore_path(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let datacenter = ctx.need_reference("datacenter")?;
    let path = ctx.text("path").unwrap_or_default();
    let world = &ctx.world;
    let vm = world.of_kind("VirtualMachine").into_iter().find(|moid| {
        let own = world
            .vm(moid)
            .map(|vm| format!("[{}] {}/{}.vmx", world.name(&vm.datastore), vm.directory, world.name(moid)));
        own.as_deref() == Some(path) && below(world, moid, Some(&datacenter))
    });
    found(ctx, vm.map(|moid| Ref::new("VirtualMachine", &moid)))
}
