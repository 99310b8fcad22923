//! VMkernel adapters (vmknics) and the services they carry: `HostVirtualNicManager`.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::Ipv4Addr;

use crate::session::error::Error;
use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

/// A service, and the vmknics that carry it or could (`VirtualNicManagerNetConfig`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NicService {
    /// Its name in the API (`nicType`): `vmotion`, `faultToleranceLogging`, `management`, …
    pub name: String,
    /// True if several vmknics of a host may carry it. Otherwise selecting one replaces the previous one.
    pub multiple: bool,
    /// The vmknics that may carry it.
    pub candidates: Vec<Vmknic>,
    /// The devices that carry it.
    pub selected: BTreeSet<String>,
}

/// A vmknic (`HostVirtualNic`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vmknic {
    /// Its device, e.g. `vmk1`.
    pub device: String,
    /// Its port group: by name on a standard switch, by key on a distributed switch (`dvportgroup-12`).
    pub portgroup: Option<String>,
    /// Its IPv4 address.
    pub ip: Option<String>,
    /// Its MTU, in bytes.
    pub mtu: Option<u32>,
    /// Its TCP/IP stack (`netStackInstanceKey`, since 5.5): `defaultTcpipStack`, `vmotion`, …
    pub stack: Option<String>,
    /// Its IPv4 subnet mask.
    pub mask: Option<Ipv4Addr>,
    /// The UUID of its distributed switch, if it is on one.
    pub switch: Option<String>,
}

impl NicService {
    /// Reads the property `config.virtualNicManagerInfo` (`HostVirtualNicManagerInfo`).
    pub fn list(info: &Element) -> Vec<Self> {
        info.children("netConfig").filter_map(Self::parse).collect()
    }

    fn parse(config: &Element) -> Option<Self> {
        let found: Vec<(&str, Vmknic)> = config
            .children("candidateVnic")
            .filter_map(|nic| Some((nic.child("key").map_or("", Element::text), Vmknic::parse(nic)?)))
            .collect();
        // The selection refers to keys of candidates, such as `vmotion.key-vim.host.VirtualNic-vmk0`.
        let mut devices = HashMap::new();
        for (key, nic) in &found {
            devices.entry(*key).or_insert(nic.device.as_str());
        }
        let device = |key: &str| {
            devices.get(key).copied().unwrap_or_else(|| key.rsplit("VirtualNic-").next().unwrap_or(key)).to_owned()
        };
        let selected = config.children("selectedVnic").map(|key| device(key.text().trim())).collect();
        Some(Self {
            name: config.child("nicType")?.text().to_owned(),
            multiple: config.child("multiSelectAllowed").and_then(Element::flag).unwrap_or(true),
            candidates: found.into_iter().map(|(_, nic)| nic).collect(),
            selected,
        })
    }
}

impl fmt::Display for Vmknic {
    /// Writes it as a person would name it: `vmk1 (FT, 172.30.0.90)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.device)?;
        match (&self.portgroup, &self.ip) {
            (Some(portgroup), Some(ip)) => write!(f, " ({portgroup}, {ip})"),
            (Some(one), None) | (None, Some(one)) => write!(f, " ({one})"),
            (None, None) => Ok(()),
        }
    }
}

impl Vmknic {
    fn parse(nic: &Element) -> Option<Self> {
        let text = |path| nic.at(path).map(Element::text).filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Self {
            device: text("device")?,
            portgroup: text("portgroup").or_else(|| text("spec/distributedVirtualPort/portgroupKey")),
            ip: text("spec/ip/ipAddress"),
            mtu: text("spec/mtu").and_then(|mtu| mtu.parse().ok()),
            stack: text("spec/netStackInstanceKey"),
            mask: text("spec/ip/subnetMask").and_then(|mask| mask.parse().ok()),
            switch: text("spec/distributedVirtualPort/switchUuid"),
        })
    }

    /// Returns its IPv4 subnet, such as `172.30.0.0/16`; `None` if it has no valid address and mask.
    pub fn subnet(&self) -> Option<String> {
        let ip: Ipv4Addr = self.ip.as_deref()?.parse().ok()?;
        let (ip, mask) = (ip.to_bits(), self.mask?.to_bits());
        (mask != 0).then(|| format!("{}/{}", Ipv4Addr::from_bits(ip & mask), mask.count_ones()))
    }
}

impl Session {
    /// Selects or deselects a vmknic for a service: `SelectVnicForNicType` or `DeselectVnicForNicType` of the host's
    /// `HostVirtualNicManager`. The fault `InvalidArgument` if the device cannot carry it.
    pub async fn select_nic(
        &self,
        manager: &Moref,
        service: &str,
        device: &str,
        select: bool,
    ) -> Result<(), WriteError> {
        self.change(&choose(manager, service, device, select)).await.map(drop)
    }

    /// Reads a service from the host: `QueryNetConfig` of its `HostVirtualNicManager`. Unlike `config.virtualNicManagerInfo`, it
    /// does not lag behind a selection. `None` if the host does not know the service.
    pub async fn nic_service(&self, manager: &Moref, service: &str) -> Result<Option<NicService>, Error> {
        match self.query(&ask(manager, service)).await {
            // The result is optional.
            Ok(response) => Ok(response.child("returnval").and_then(NicService::parse)),
            Err(error) if error.is_fault("InvalidArgument") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn ask(manager: &Moref, service: &str) -> Request {
    let mut request = Request::new("QueryNetConfig", manager);
    request.text("nicType", service);
    request
}

fn choose(manager: &Moref, service: &str, device: &str, select: bool) -> Request {
    let method = if select { "SelectVnicForNicType" } else { "DeselectVnicForNicType" };
    let mut request = Request::new(method, manager);
    request.text("nicType", service);
    request.text("device", device);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nic(device: &str, key: &str, portgroup: &str, spec: &str) -> String {
        format!(
            "<candidateVnic><device>{device}</device><key>{key}</key><portgroup>{portgroup}</portgroup>\
             <spec>{spec}</spec></candidateVnic>"
        )
    }

    #[test]
    fn selected_keys_are_joined_with_devices() {
        let key = |device| format!("vmotion.key-vim.host.VirtualNic-{device}");
        // Selected by the key of a candidate, by a plain name, and by the key of a former candidate.
        for (selected, devices) in [
            (vec![key("vmk0")], vec!["vmk0"]),
            (vec!["odd-7".to_owned()], vec!["vmk7"]),
            (vec!["vmk7".to_owned(), key("vmk0")], vec!["vmk0", "vmk7"]),
            (vec![key("vmk9")], vec!["vmk9"]),
            (vec![], vec![]),
        ] {
            let selected: Vec<String> =
                selected.iter().map(|key| format!("<selectedVnic>{key}</selectedVnic>")).collect();
            let selected = selected.concat();
            let ip = "<ip><dhcp>false</dhcp><ipAddress>172.30.0.80</ipAddress><subnetMask>255.255.0.0</subnetMask></ip>\
                      <mtu>9000</mtu><netStackInstanceKey>vmotion</netStackInstanceKey>";
            let port = "<distributedVirtualPort><switchUuid>50 2c</switchUuid><portgroupKey>dvportgroup-12</portgroupKey></distributedVirtualPort>";
            let info = format!(
                "<val><netConfig><nicType>vmotion</nicType><multiSelectAllowed>false</multiSelectAllowed>{}{}{selected}\
                 </netConfig><netConfig><nicType>brandNew</nicType></netConfig></val>",
                nic("vmk0", &key("vmk0"), "Management &amp; more", ip),
                nic("vmk7", "odd-7", "", port),
            );
            let services = NicService::list(&Element::parse(&info).unwrap());
            let vmknic = |device: &str, portgroup: &str, ip: Option<&str>| Vmknic {
                device: device.to_owned(),
                portgroup: Some(portgroup.to_owned()),
                ip: ip.map(str::to_owned),
                mtu: ip.map(|_| 9000),
                stack: ip.map(|_| "vmotion".to_owned()),
                mask: ip.map(|_| Ipv4Addr::new(255, 255, 0, 0)),
                switch: ip.is_none().then(|| "50 2c".to_owned()),
            };
            assert_eq!(
                services[0].candidates,
                [vmknic("vmk0", "Management & more", Some("172.30.0.80")), vmknic("vmk7", "dvportgroup-12", None)]
            );
            let subnets: Vec<_> = services[0].candidates.iter().map(Vmknic::subnet).collect();
            assert_eq!(subnets, [Some("172.30.0.0/16".to_owned()), None]);
            assert_eq!(services[0].selected, devices.into_iter().map(str::to_owned).collect(), "{selected}");
            assert!(!services[0].multiple && services[1].multiple && services[1].candidates.is_empty());
        }
    }

    #[test]
    fn many_adapters_take_linear_time() {
        let many = 40_000;
        let candidates: String = (0..many).map(|number| nic("vmk0", &format!("key-{number}"), "", "")).collect();
        let selected = format!("<selectedVnic>key-{}</selectedVnic>", many - 1).repeat(many);
        let info = format!("<val><netConfig><nicType>vmotion</nicType>{candidates}{selected}</netConfig></val>");
        let info = Element::parse(&info).unwrap();
        let start = std::time::Instant::now();
        assert_eq!(NicService::list(&info)[0].selected.len(), 1);
        // Comparing each pair takes many times as long.
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[test]
    fn a_choice_is_written_in_the_order_of_the_schema() {
        let manager = Moref::new("HostVirtualNicManager", "manager-9");
        for (select, method) in [(true, "SelectVnicForNicType"), (false, "DeselectVnicForNicType")] {
            let expected = format!(
                r#"<{method} xmlns="urn:vim25"><_this type="HostVirtualNicManager">manager-9</_this><nicType>vmotion</nicType><device>vmk1</device></{method}>"#
            );
            assert_eq!(choose(&manager, "vmotion", "vmk1", select).call(), expected);
        }
        assert_eq!(
            ask(&manager, "vmotion").call(),
            r#"<QueryNetConfig xmlns="urn:vim25"><_this type="HostVirtualNicManager">manager-9</_this><nicType>vmotion</nicType></QueryNetConfig>"#
        );
    }
}
