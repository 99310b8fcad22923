//! `HostVirtualNicManager`.

use crate::fault::{Fault, Result};
use crate::model::entity::Body;
use crate::model::host::Host;

use super::call::{Ctx, Outcome, done, void};

fn nic_host<'a>(ctx: &'a mut Ctx<'_>) -> Result<&'a mut Host> {
    let moid = ctx.this.moid.strip_prefix("virtualNicManager-").unwrap_or_default();
    match ctx.world.entities.get_mut(moid).map(|entity| &mut entity.body) {
        Some(Body::Host(host)) => Ok(host),
        _ => Err(Fault::not_found(&ctx.this)),
    }
}

/// `QueryNetConfig`.
pub fn query_net_config(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let service = ctx.text("nicType").unwrap_or_default().to_owned();
    done(nic_host(ctx)?.query_net_config(&service)?)
}

/// `SelectVnicForNicType`.
pub fn select(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    choose(ctx, true)
}

/// `DeselectVnicForNicType`.
pub fn deselect(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    choose(ctx, false)
}

fn choose(ctx: &mut Ctx<'_>, select: bool) -> Result<Outcome> {
    let text = |name: &str| ctx.text(name).unwrap_or_default().to_owned();
    let (service, device) = (text("nicType"), text("device"));
    let host = nic_host(ctx)?;
    host.select_nic(&service, &device, select)?;
    let lag = host.nic_lag;
    let moid = ctx.this.moid.trim_start_matches("virtualNicManager-").to_owned();
    ctx.world.after(lag, move |world| {
        if let Some(host) = world.host_mut(&moid) {
            host.shown_nics = None;
        }
    });
    void()
}
