//! `HostVirtualNicManager` and `DiagnosticManager`.

use crate::fault::{Fault, Result};
use crate::value::{Data, Ref, Value};
use crate::world::entity::{Body, Host};

use super::{Ctx, Outcome, Reply, done, void};

/// vCenter gives no more lines at once.
const MOST_LINES: usize = 500;

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
    nic_host(ctx)?.select_nic(&service, &device, select)?;
    void()
}

/// `QueryDescriptions`: the logs of a host.
pub fn descriptions(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    log_host(ctx)?;
    let description = Data::new("DiagnosticManagerLogDescriptor")
        .with("key", "vmkernel")
        .with("fileName", "/var/log/vmkernel.log")
        .with("creator", "vmkernel")
        .with("format", "plain")
        .with("mimeType", "text/plain")
        .with("info", Data::new("Description").with("label", "vmkernel log").with("summary", "vmkernel log"));
    let list = Value::List("DiagnosticManagerLogDescriptor", vec![description.into()]);
    Ok(Outcome::Done(Reply::Value(list)))
}

/// The host whose log is meant: it must be named on vCenter, and is the only one on ESXi.
fn log_host(ctx: &Ctx<'_>) -> Result<Ref> {
    match ctx.reference("host")? {
        Some(host) => Ok(host),
        None if ctx.world.config.direct => Ok(Ref::new("HostSystem", "ha-host")),
        None => Err(Fault::invalid_argument("host")),
    }
}

/// `BrowseDiagnosticLog`: lines are counted from 1; a start behind the end gives where the end is.
pub fn browse(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let host = log_host(ctx)?;
    if ctx.text("key") != Some("vmkernel") {
        return Err(Fault::invalid_argument("key"));
    }
    let number = |name: &str| ctx.text(name).and_then(|text| text.parse::<usize>().ok());
    let lines: &[String] = ctx.world.host(&host.moid).map_or(&[], |host| &host.vmkernel_log);
    let start = number("start").unwrap_or(1).max(1);
    let most = number("lines").unwrap_or(MOST_LINES).min(MOST_LINES);
    let text: Vec<Value> = lines.iter().skip(start - 1).take(most).map(Value::from).collect();
    let first = start.min(lines.len() + 1);
    let last = first + text.len() - 1;
    let int = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    done(
        Data::new("DiagnosticManagerLogHeader")
            .with("lineStart", int(first))
            .with("lineEnd", int(last))
            .list("lineText", "string", text),
    )
}
