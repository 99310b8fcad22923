//! vmknics and the services they carry: vMotion, FT logging, management.

use crate::config::Scenario;
use crate::fault::{Fault, Result};
use crate::value::Data;

/// The services that a vmknic can carry (`HostVirtualNicManagerNicType`).
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
    /// Its MTU, in bytes.
    pub mtu: u32,
    /// Its TCP/IP stack.
    pub stack: String,
    /// The services that it may carry.
    pub candidate_of: &'static [&'static str],
}

/// A service and the device of a vmknic that carries it.
pub type Service = (&'static str, &'static str);

/// The vmknics of a host. Their addresses contain the host's place in the cluster. The last one is for storage only.
pub fn vmknics(scenario: Scenario, place: u16) -> Vec<Vmknic> {
    const LAB: &[&str] = &["faultToleranceLogging", "vmotion"];
    let nic = |device, portgroup: &str, last: u8, candidate_of| Vmknic {
        device,
        portgroup: portgroup.to_owned(),
        // 4,096 places, all in one subnet.
        address: format!("172.{}.{}.{last}", 16 + (14 + place / 256) % 16, place % 256),
        mtu: if scenario == Scenario::OuterMtu { 9000 } else { 1500 },
        stack: "defaultTcpipStack".to_owned(),
        candidate_of,
    };
    vec![
        nic("vmk0", "Management Network", 80, &TYPES),
        nic("vmk1", "FT", 90, &TYPES),
        nic("vmk2", "Lab", 100, LAB),
        nic("vmk3", "Storage", 110, &[]),
    ]
}

/// The services of a new host: management and vMotion on vmk0, FT logging on vmk1, unless the scenario omits them.
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

/// The key of a vmknic in the configuration of a service.
pub fn key(service: &str, device: &str) -> String {
    format!("{service}.key-vim.host.VirtualNic-{device}")
}

/// The service of this name, or `InvalidArgument`.
pub fn service(name: &str) -> Result<&'static str> {
    let found = TYPES.iter().find(|kind| **kind == name);
    found.copied().ok_or_else(|| Fault::invalid_argument("nicType"))
}

impl Vmknic {
    /// `HostVirtualNic` under this key.
    pub fn value(&self, key: String) -> Data {
        let address = Data::new("HostIpConfig")
            .with("dhcp", false)
            .with("ipAddress", &self.address)
            .with("subnetMask", "255.240.0.0");
        Data::new("HostVirtualNic")
            .with("device", self.device)
            .with("key", key)
            .with("portgroup", &self.portgroup)
            .with(
                "spec",
                Data::new("HostVirtualNicSpec")
                    .with("ip", address)
                    .with("mtu", i32::try_from(self.mtu).unwrap_or(i32::MAX))
                    .with("netStackInstanceKey", &self.stack),
            )
    }
}
