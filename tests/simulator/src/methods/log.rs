//! `DiagnosticManager`: logs of hosts and of vCenter.

use crate::fault::{Fault, Result};
use crate::soap::envelope::Reply;
use crate::value::{Data, Ref, Value};
use crate::world::World;

use super::call::{Ctx, Outcome, done};

/// The key of vCenter's own log.
const VPXD: &str = "vpxd:vpxd.log";

/// The most lines in one reply, of vCenter and of an ESXi host.
const MOST_LINES: (usize, usize) = (500, 1000);

/// The owner of the log: the given host, or vCenter (`None`) without a host. On an ESXi host, it is that host.
fn owner(ctx: &Ctx<'_>) -> Result<Option<Ref>> {
    let Some(host) = ctx.reference("host")? else {
        return Ok(ctx.world.config.direct.then(|| Ref::new("HostSystem", "ha-host")));
    };
    let connected = ctx.world.host(&host.moid).is_some_and(|host| host.connection == "connected");
    if connected {
        Ok(Some(host))
    } else {
        Err(Fault::new("HostNotConnected", "Unable to communicate with the remote host, since it is disconnected."))
    }
}

/// Keys and files of an owner's logs.
fn logs(world: &World, owner: Option<&Ref>) -> Vec<(String, String)> {
    let Some(host) = owner.and_then(|host| world.host(&host.moid)) else {
        return vec![(VPXD.into(), "/var/log/vmware/vpx/vpxd.log".into())];
    };
    let keys = ["hostd", &host.vmkernel_key, "vpxa"];
    keys.map(|key| (key.to_owned(), format!("/var/log/{key}.log"))).to_vec()
}

/// `QueryDescriptions`.
pub fn descriptions(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let owner = owner(ctx)?;
    let list = logs(ctx.world, owner.as_ref()).into_iter().map(|(key, file)| {
        let creator = key.split(':').next().unwrap_or_default().to_owned();
        let info = Data::new("Description").with("label", &creator).with("summary", format!("{creator} log"));
        Data::new("DiagnosticManagerLogDescriptor")
            .with("key", key)
            .with("fileName", file)
            .with("creator", creator)
            .with("format", "plain")
            .with("mimeType", "text/plain")
            .with("info", info)
            .into()
    });
    Ok(Outcome::Done(Reply::Value(Value::List("DiagnosticManagerLogDescriptor", list.collect()))))
}

/// `BrowseDiagnosticLog`. Lines count from 1. A start behind the end returns no lines, but where the log ends.
pub fn browse(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let owner = owner(ctx)?;
    let key = ctx.text("key").unwrap_or_default();
    if !logs(ctx.world, owner.as_ref()).iter().any(|(own, _)| own == key) {
        return Err(Fault::invalid_argument("key"));
    }
    let host = owner.as_ref().and_then(|host| ctx.world.host(&host.moid));
    let lines: &[String] = host.filter(|host| host.vmkernel_key == key).map_or(&[], |host| &host.vmkernel_log);
    let limit = if ctx.world.config.direct { MOST_LINES.1 } else { MOST_LINES.0 };
    let number = |name: &str| ctx.text(name).and_then(|text| text.parse::<usize>().ok());
    let start = number("start").unwrap_or(1).max(1);
    let most = number("lines").unwrap_or(limit).min(limit);
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
