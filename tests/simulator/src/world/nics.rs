//! vmknics and the services they carry: vMotion, FT logging, management.

use crate::fault::{Fault, Result};
use crate::value::{Data, Value};

use super::entity::Host;

/// The services there are (`HostVirtualNicManagerNicType`).
pub const TYPES: [&str; 3] = ["faultToleranceLogging", "management", "vmotion"];

/// The vmknics of every host: device, port group, last part of the address.
const DEVICES: [(&str, &str, u8); 2] = [("vmk0", "Management Network", 80), ("vmk1", "FT", 90)];

/// A service and a vmknic that carries it.
pub type Service = (&'static str, &'static str);

/// What a host starts with: vmk0 for management and vMotion, vmk1 for FT logging.
pub fn services() -> Vec<Service> {
    vec![("management", "vmk0"), ("vmotion", "vmk0"), ("faultToleranceLogging", "vmk1")]
}

/// The moid of the host's `HostVirtualNicManager`.
pub fn manager(host: &str) -> String {
    format!("virtualNicManager-{host}")
}

fn key(service: &str, device: &str) -> String {
    format!("{service}.key-vim.host.VirtualNic-{device}")
}

/// The service of this name, or `InvalidArgument`.
fn service(name: &str) -> Result<&'static str> {
    let found = TYPES.iter().find(|kind| **kind == name);
    found.copied().ok_or_else(|| Fault::invalid_argument("nicType"))
}

impl Host {
    /// Whether some vmknic carries the service.
    pub fn carries(&self, service: &str) -> bool {
        self.nics.iter().any(|(kind, _)| *kind == service)
    }

    /// What keeps the host from FT, in the words of `HostCapability.ftCompatibilityIssues`.
    pub fn missing_nics(&self) -> Vec<&'static str> {
        [("vmotion", "missingVMotionNic"), ("faultToleranceLogging", "missingFTLoggingNic")]
            .into_iter()
            .filter(|(service, _)| !self.carries(service))
            .map(|(_, reason)| reason)
            .collect()
    }

    /// `QueryNetConfig`.
    pub fn query_net_config(&self, name: &str) -> Result<Data> {
        Ok(self.net_config(service(name)?))
    }

    /// `VirtualNicManagerNetConfig`: what is selected is told by keys, not by devices.
    pub fn net_config(&self, service: &str) -> Data {
        let candidates = DEVICES.iter().map(|(device, group, last)| {
            let address = Data::new("HostIpConfig")
                .with("dhcp", false)
                .with("ipAddress", format!("172.30.0.{last}"))
                .with("subnetMask", "255.255.255.0");
            Data::new("HostVirtualNic")
                .with("device", *device)
                .with("key", key(service, device))
                .with("portgroup", *group)
                .with("spec", Data::new("HostVirtualNicSpec").with("ip", address))
                .into()
        });
        let selected = self.nics.iter().filter(|(kind, _)| *kind == service);
        let selected = selected.map(|(kind, device)| key(kind, device).into()).collect();
        Data::new("VirtualNicManagerNetConfig")
            .with("nicType", service)
            .with("multiSelectAllowed", service != "faultToleranceLogging")
            .list("candidateVnic", "HostVirtualNic", candidates.collect())
            .list("selectedVnic", "string", selected)
    }

    /// `SelectVnicForNicType` and `DeselectVnicForNicType`.
    pub fn select_nic(&mut self, name: &str, device: &str, select: bool) -> Result<()> {
        let service = service(name)?;
        let (device, _, _) =
            DEVICES.iter().find(|(own, _, _)| *own == device).ok_or_else(|| Fault::invalid_argument("device"))?;
        // Where only one may be selected, the new one takes its place.
        let single = service == "faultToleranceLogging";
        self.nics.retain(|(kind, own)| *kind != service || (own != device && !(select && single)));
        if select {
            self.nics.push((service, device));
        }
        Ok(())
    }

    /// `HostVirtualNicManager.info`.
    pub fn nic_info(&self) -> Value {
        let configs = TYPES.iter().map(|kind| self.net_config(kind).into()).collect();
        Data::new("HostVirtualNicManagerInfo").list("netConfig", "VirtualNicManagerNetConfig", configs).into()
    }
}
