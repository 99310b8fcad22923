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

/// Asks the host for each service of the arguments, because vCenter may go on showing a host as it was before a change. The
/// other services come from the property, which the request that found the host has read.
pub async fn observe(at: Context<'_, VmkernelService>, previous: Option<&Observed>) -> Result<Observed, Error> {
    let host = at.target;
    let mut services = match previous {
        Some(previous) => previous.services.clone(),
        None => shown(&host.found)?,
    };
    let mut property = None;
    for name in at.args.wish.names() {
        let service = match at.session.nic_service(host.manager()?, name).await {
            Ok(service) => service,
            // The host cannot be asked, so only the property counts.
            Err(vsphere::Error::Fault(fault)) if UNASKED.iter().any(|name| fault.is(name)) => {
                if property.is_none() && previous.is_some() {
                    let moref = std::slice::from_ref(&host.found.moref);
                    let again = at.session.read(moref, &[("HostSystem", &PATHS)], &[]).await;
                    let again = again.map_err(vsphere_module::failure)?.pop();
                    property = Some(shown(again.as_ref().unwrap_or(&host.found))?);
                }
                let shown = property.as_ref().unwrap_or(&services);
                shown.iter().find(|service| service.name == name).cloned()
            }
            Err(error) => {
                let mut failure = vsphere_module::failure(error);
                failure.detail.insert_str(0, &format!("reading the service {name} of host {}: ", host.found.name()));
                return Err(failure);
            }
        };
        let place = services.iter().position(|known| known.name == name);
        match (place, service) {
            (Some(place), Some(service)) => services[place] = service,
            (Some(place), None) => drop(services.remove(place)),
            (None, service) => services.extend(service),
        }
    }
    Ok(Observed { host: host.found.name(), asked: at.args.wish.names(), services })
}

/// The faults of a host that cannot be asked.
const UNASKED: [&str; 4] = ["NotSupported", "NotImplemented", "MethodNotFound", "NoPermission"];

/// Returns the services that the property of a host shows.
fn shown(host: &Object) -> Result<Vec<NicService>, Error> {
    vsphere_module::reachable(&host.name(), host.text("runtime.connectionState"))?;
    let info = host.get("config.virtualNicManagerInfo").ok_or_else(|| unreadable(host))?;
    Ok(NicService::list(info))
}
