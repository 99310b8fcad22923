//! vmknics and the services they carry: vMotion, FT logging, management.

use crate::config::Scenario;
use crate::fault::{Fault, Result};
use crate::value::{Data, Value};

use super::entity::Host;

/// The services there are (`HostVirtualNicManagerNicType`).
pub const TYPES: [&str; 3] = ["faultToleranceLogging", "management", "vmotion"];

/// A vmknic of a host.
#[derive(Clone, Debug)]
pub struct Vmknic {
    /// The device, such as `vmk1`.
    pub device: &'static str,
    /// Its port group.
    pub portgroup: String,
    /// Its IPv4 address.
    pub address: String,
    /// The services that it may carry.
    pub candidate_of: &'static [&'static str],
}

/// A service and the device of a vmknic that carries it.
pub type Service = (&'static str, &'static str);

/// The vmknics of a host, whose place in the cluster is part of their addresses. The last one is for storage only.
pub fn vmknics(place: u16) -> Vec<Vmknic> {
    const LAB: &[&str] = &["faultToleranceLogging", "vmotion"];
    let nic = |device, portgroup: &str, last: u8, candidate_of| Vmknic {
        device,
        portgroup: portgroup.to_owned(),
        address: format!("172.30.{place}.{last}"),
        candidate_of,
    };
    vec![
        nic("vmk0", "Management Network", 80, &TYPES),
        nic("vmk1", "FT", 90, &TYPES),
        nic("vmk2", "Lab", 100, LAB),
        nic("vmk3", "Storage", 110, &[]),
    ]
}

/// What a host starts with: vmk0 for management and vMotion, vmk1 for FT logging, where the scenario leaves them that.
pub fn services(scenario: Scenario, place: u16) -> Vec<Service> {
    let mut services = vec![("management", "vmk0")];
    if scenario != Scenario::Bare {
        services.push(("vmotion", "vmk0"));
        if scenario != Scenario::NoFtNic || place != 1 {
            services.push(("faultToleranceLogging", "vmk1"));
        }
    }
    services
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

impl Vmknic {
    /// `HostVirtualNic` under this key.
    pub fn value(&self, key: String) -> Data {
        let address = Data::new("HostIpConfig")
            .with("dhcp", false)
            .with("ipAddress", &self.address)
            .with("subnetMask", "255.255.0.0");
        Data::new("HostVirtualNic")
            .with("device", self.device)
            .with("key", key)
            .with("portgroup", &self.portgroup)
            .with("spec", Data::new("HostVirtualNicSpec").with("ip", address))
    }
}

impl Host {
    /// Whether some vmknic carries the service.
    pub fn carries(&self, service: &str) -> bool {
        self.nics.iter().any(|(kind, _)| *kind == service)
    }

    /// What keeps the host from FT, in the words of `HostCapability.ftCompatibilityIssues`.
    pub fn missing_nics(&self) -> impl Iterator<Item = &'static str> {
        [("vmotion", "missingVMotionNic"), ("faultToleranceLogging", "missingFTLoggingNic")]
            .into_iter()
            .filter(|(service, _)| !self.carries(service))
            .map(|(_, reason)| reason)
    }

    /// `QueryNetConfig`.
    pub fn query_net_config(&self, name: &str) -> Result<Data> {
        Ok(self.net_config(service(name)?, &self.nics))
    }

    /// `multiSelectAllowed`: several vmknics may carry vMotion (from 5.0 on), and FT logging on late releases.
    fn multi_select(&self, service: &str) -> bool {
        service != "faultToleranceLogging" || self.ft_multi_select
    }

    /// `VirtualNicManagerNetConfig` where these are chosen: they are told by keys, not by devices.
    fn net_config(&self, service: &str, chosen: &[Service]) -> Data {
        let candidates = self.vmknics.iter().filter(|nic| nic.candidate_of.contains(&service));
        let candidates = candidates.map(|nic| nic.value(key(service, nic.device)).into());
        let selected = chosen.iter().filter(|(kind, _)| *kind == service);
        let selected = selected.map(|(kind, device)| key(kind, device).into()).collect();
        Data::new("VirtualNicManagerNetConfig")
            .with("nicType", service)
            .with("multiSelectAllowed", self.multi_select(service))
            .list("candidateVnic", "HostVirtualNic", candidates.collect())
            .list("selectedVnic", "string", selected)
    }

    /// `SelectVnicForNicType` and `DeselectVnicForNicType`.
    pub fn select_nic(&mut self, name: &str, device: &str, select: bool) -> Result<()> {
        let service = service(name)?;
        let nic = self.vmknics.iter().find(|nic| nic.device == device && nic.candidate_of.contains(&service));
        let device = nic.ok_or_else(|| Fault::invalid_argument("device"))?.device;
        if self.nic_lag > 0 {
            self.shown_nics.get_or_insert_with(|| self.nics.clone());
        }
        // Where only one may be selected, the new one takes its place.
        let alone = select && !self.multi_select(service);
        self.nics.retain(|(kind, own)| *kind != service || (*own != device && !alone));
        if select {
            self.nics.push((service, device));
        }
        Ok(())
    }

    /// `HostVirtualNicManager.info`.
    pub fn nic_info(&self) -> Value {
        self.info(&self.nics)
    }

    /// `config.virtualNicManagerInfo`, which may lag behind.
    pub fn shown_nic_info(&self) -> Value {
        self.info(self.shown_nics.as_ref().unwrap_or(&self.nics))
    }

    fn info(&self, chosen: &[Service]) -> Value {
        let configs = TYPES.iter().map(|kind| self.net_config(kind, chosen).into()).collect();
        Data::new("HostVirtualNicManagerInfo").list("netConfig", "VirtualNicManagerNetConfig", configs).into()
    }

    /// `config.network`: every vmknic, whatever it may carry.
    pub fn network_info(&self) -> Data {
        let nics = self.vmknics.iter().map(|nic| nic.value(format!("key-vim.host.VirtualNic-{}", nic.device)).into());
        Data::new("HostNetworkInfo").list("vnic", "HostVirtualNic", nics.collect())
    }
}
