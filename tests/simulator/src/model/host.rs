//! An ESXi host and its vmknics, as `HostVirtualNicManager` shows and changes them.

use crate::fault::{Fault, Result};
use crate::value::{Data, Value};

use super::nics::{Service, TYPES, Vmknic, key, service};
use super::options::HostOption;

/// The prefix of the moid of a host's `ReflectManagedMethodExecuter`.
pub const EXECUTER: &str = "ManagedMethodExecuter-";
/// The prefix of the moid of a host's `InternalDynamicTypeManager`.
pub const MANAGER: &str = "DynamicTypeManager-";

/// An ESXi host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its advanced options.
    pub options: Vec<HostOption>,
    /// `runtime.connectionState`.
    pub connection: String,
    /// `runtime.inMaintenanceMode`.
    pub maintenance: bool,
    /// `runtime.powerState`.
    pub power: String,
    /// Moids of the datastores and networks that it cannot reach.
    pub lacks: Vec<String>,
    /// Hardware UUID.
    pub uuid: String,
    /// Its vmknics.
    pub vmknics: Vec<Vmknic>,
    /// The services and the vmknics that carry them.
    pub nics: Vec<Service>,
    /// The services as `config` still shows them while it lags behind.
    pub shown_nics: Option<Vec<Service>>,
    /// For how many milliseconds `config` shows the old services after a change.
    pub nic_lag: u64,
    /// The largest packet, in bytes, that the outer port group of the nested host carries; 0 if it drops everything.
    pub outer_mtu: u32,
    /// `speedMb` of its only physical adapter; `None` without a link.
    pub link_speed: Option<i32>,
    /// Memory in MB.
    pub memory: i32,
    /// `overallMemoryUsage`, in MB.
    pub used_memory: i32,
    /// True if several vmknics may carry FT logging.
    pub ft_multi_select: bool,
    /// The state that its HA agent stays in, unless it is healthy; empty if the agent reports none.
    pub agent: Option<String>,
    /// Its build number, if it differs from the release's.
    pub build: Option<String>,
    /// The version of its FT engine (`featureVersion`).
    pub feature_version: String,
    /// Further FT issues. Their words may be newer than any client.
    pub issues: Vec<String>,
    /// The key of vmkernel.log in `DiagnosticManager`: `messages` on the oldest releases.
    pub vmkernel_key: String,
    /// Lines of vmkernel.log.
    pub vmkernel_log: Vec<String>,
}

impl Host {
    /// True if it can reach this datastore or network.
    pub fn reaches(&self, moid: &str) -> bool {
        !self.lacks.iter().any(|lacked| lacked == moid)
    }

    /// True if it can run virtual machines.
    pub fn in_service(&self) -> bool {
        self.connection == "connected" && self.power == "poweredOn" && !self.maintenance
    }
}

impl Host {
    /// True if a vmknic carries the service.
    pub fn carries(&self, service: &str) -> bool {
        self.nics.iter().any(|(kind, _)| *kind == service)
    }

    /// The services that FT misses, in the words of `HostCapability.ftCompatibilityIssues`.
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

    /// `VirtualNicManagerNetConfig` with these selected. It names vmknics by keys, not by devices.
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
        // If only one may be selected, the new one replaces the old one.
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

    /// `config.network`: one switch with all port groups, its uplink, and all vmknics.
    pub fn network_info(&self) -> Data {
        const UPLINK: &str = "key-vim.host.PhysicalNic-vmnic0";
        let groups = self.vmknics.iter().map(|nic| nic.portgroup.as_str()).chain(["VM Network"]);
        let groups = groups.map(|name| format!("key-vim.host.PortGroup-{name}").into()).collect();
        let switch = Data::new("HostVirtualSwitch")
            .with("name", "vSwitch0")
            .with("key", "key-vim.host.VirtualSwitch-vSwitch0")
            .with("numPorts", 128)
            .with("numPortsAvailable", 120)
            .with("mtu", 1500)
            .list("portgroup", "string", groups)
            .list("pnic", "string", vec![UPLINK.into()])
            .with("spec", Data::new("HostVirtualSwitchSpec").with("numPorts", 128));
        let link = |speed| Data::new("PhysicalNicLinkInfo").with("speedMb", speed).with("duplex", true);
        let uplink = Data::new("PhysicalNic")
            .with("key", UPLINK)
            .with("device", "vmnic0")
            .with("pci", "0000:0b:00.0")
            .with("driver", "nvmxnet3")
            .opt("linkSpeed", self.link_speed.map(link))
            .with("spec", Data::new("PhysicalNicSpec"))
            .with("wakeOnLanSupported", false)
            .with("mac", "00:50:56:00:01:00");
        let nics = self.vmknics.iter().map(|nic| nic.value(format!("key-vim.host.VirtualNic-{}", nic.device)).into());
        Data::new("HostNetworkInfo")
            .list("vswitch", "HostVirtualSwitch", vec![switch.into()])
            .list("pnic", "PhysicalNic", vec![uplink.into()])
            .list("vnic", "HostVirtualNic", nics.collect())
    }
}
