//! Reading: the services of every vmknic of a host.

use contract::{Context, Error, Kind};
use vsphere::{Moref, NicService, Object};
use vsphere_module::Server;

use crate::args::Args;
use crate::args::VmkernelService;
use crate::plan::Observed;

/// One host, as it was found.
pub struct Host {
    pub found: Object,
    manager: Option<Moref>,
}

const PATHS: [&str; 4] =
    ["name", "config.virtualNicManagerInfo", "configManager.virtualNicManager", "runtime.connectionState"];

impl Host {
    /// The host's `HostVirtualNicManager`.
    pub fn manager(&self) -> Result<&Moref, Error> {
        self.manager.as_ref().ok_or_else(|| unreadable(&self.found))
    }
}

fn unreadable(host: &Object) -> Error {
    Error::new(Kind::Permission, format!("the vmknics of host {} cannot be read", host.name()))
        .hint("Check that this user may read the host's configuration.")
}

pub async fn targets(args: &Args, server: &Server) -> Result<Vec<Host>, Error> {
    let found = args.target.find(server, &PATHS).await?;
    let host = |found: Object| Host { manager: found.moref("configManager.virtualNicManager"), found };
    Ok(found.into_iter().map(host).collect())
}

pub async fn observe(at: Context<'_, VmkernelService>, previous: Option<&Observed>) -> Result<Observed, Error> {
    // The request that found the host has read it too: the first look costs nothing.
    let again = match previous {
        Some(_) => {
            let moref = std::slice::from_ref(&at.target.found.moref);
            at.session.read(moref, &[("HostSystem", &PATHS)], &[]).await.map_err(vsphere_module::failure)?.pop()
        }
        None => None,
    };
    let now = again.as_ref().unwrap_or(&at.target.found);
    vsphere_module::reachable(&now.name(), now.text("runtime.connectionState"))?;
    let info = now.get("config.virtualNicManagerInfo").ok_or_else(|| unreadable(now))?;
    Ok(Observed { host: now.name(), asked: at.args.wish.names(), services: NicService::list(info) })
}
