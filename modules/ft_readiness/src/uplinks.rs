//! Finds the uplinks that Fault Tolerance logging uses: from the vmknic to its switch, and from there to the physical adapters.

use std::collections::HashMap;

use requirements::Fact;
use vsphere::{Element, NicService, Object, Vmknic};

use crate::property::fact;

/// The service, as the API names it.
pub const FT_LOGGING: &str = "faultToleranceLogging";
/// The keys of port groups begin with this, and end with the name.
const PORTGROUP: &str = "key-vim.host.PortGroup-";

/// Returns the link speeds of the uplinks, in Mb/s; 0 for an uplink without a link.
pub fn speeds(host: &Object, services: &Fact<Vec<NicService>>) -> Fact<Vec<i64>> {
    let Some(service) = services.known().and_then(|all| all.iter().find(|own| own.name == FT_LOGGING)) else {
        return Fact::Unset;
    };
    let [adapters, standard, distributed] =
        ["pnic", "vswitch", "proxySwitch"].map(|name| fact(host, &format!("config.network.{name}")));
    let adapters = match adapters {
        Fact::Known(adapters) => adapters,
        Fact::Unset => return Fact::Unset,
        Fact::Hidden(why) => return Fact::Hidden(why),
    };
    let adapters: HashMap<&str, i64> = adapters.all().iter().filter_map(adapter).collect();
    let mut speeds = Vec::new();
    for device in &service.selected {
        let Some(nic) = service.candidates.iter().find(|nic| nic.device == *device) else {
            return Fact::Hidden(format!("{device} is not reported"));
        };
        let switches = if nic.switch.is_some() { &distributed } else { &standard };
        let switch = switches.known().and_then(|all| all.all().iter().find(|switch| connects(switch, nic)));
        let Some(switch) = switch else {
            let why = if let Fact::Hidden(why) = switches { why } else { "its switch is not reported" };
            return Fact::Hidden(format!("the uplinks of {} cannot be found: {why}", nic.device));
        };
        speeds.extend(switch.children("pnic").filter_map(|key| adapters.get(key.text())));
    }
    Fact::Known(speeds)
}

/// Returns the key and the speed of a physical adapter (`PhysicalNic`).
fn adapter(adapter: &Element) -> Option<(&str, i64)> {
    let speed = adapter.at("linkSpeed/speedMb").and_then(Element::int).unwrap_or(0);
    Some((adapter.child("key")?.text(), speed))
}

/// True if the vmknic is on this switch (`HostProxySwitch` or `HostVirtualSwitch`).
fn connects(switch: &Element, nic: &Vmknic) -> bool {
    match (&nic.switch, &nic.portgroup) {
        (Some(uuid), _) => switch.child("dvsUuid").is_some_and(|own| own.text() == uuid),
        (None, Some(name)) => {
            switch.children("portgroup").any(|key| key.text().strip_prefix(PORTGROUP) == Some(name.as_str()))
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(network: &str) -> Object {
        let text = format!(r#"<objects><obj type="HostSystem">host-1</obj>{network}</objects>"#);
        Object::parse(Element::parse(&text).unwrap()).unwrap()
    }

    fn property(name: &str, value: &str) -> String {
        format!("<propSet><name>config.network.{name}</name><val>{value}</val></propSet>")
    }

    fn vmknics(nic: Vmknic) -> Fact<Vec<NicService>> {
        let selected = [nic.device.clone()].into();
        Fact::Known(vec![NicService { name: FT_LOGGING.to_owned(), multiple: true, candidates: vec![nic], selected }])
    }

    #[test]
    fn the_way_from_a_vmknic_leads_over_its_switch_to_the_adapters() {
        let adapters = property(
            "pnic",
            "<PhysicalNic><key>a</key><linkSpeed><speedMb>10000</speedMb></linkSpeed></PhysicalNic>\
             <PhysicalNic><key>b</key></PhysicalNic>\
             <PhysicalNic><key>c</key><linkSpeed><speedMb>1000</speedMb></linkSpeed></PhysicalNic>",
        );
        let standard = property(
            "vswitch",
            "<HostVirtualSwitch><portgroup>key-vim.host.PortGroup-VM Network</portgroup><pnic>c</pnic></HostVirtualSwitch>\
             <HostVirtualSwitch><portgroup>key-vim.host.PortGroup-FT</portgroup><pnic>a</pnic><pnic>b</pnic></HostVirtualSwitch>",
        );
        let distributed =
            property("proxySwitch", "<HostProxySwitch><dvsUuid>50 2c</dvsUuid><pnic>c</pnic></HostProxySwitch>");
        let whole = [adapters.as_str(), &standard, &distributed].concat();
        let nic = |portgroup: &str, switch: Option<&str>| Vmknic {
            device: "vmk1".to_owned(),
            portgroup: Some(portgroup.to_owned()),
            switch: switch.map(str::to_owned),
            ..Vmknic::default()
        };
        let missing = || Fact::Hidden("the uplinks of vmk1 cannot be found: its switch is not reported".to_owned());
        for (network, nic, expected) in [
            (whole.as_str(), nic("FT", None), Fact::Known(vec![10_000, 0])),
            (&whole, nic("VM Network", None), Fact::Known(vec![1000])),
            (&whole, nic("dvportgroup-7", Some("50 2c")), Fact::Known(vec![1000])),
            (&whole, nic("Elsewhere", None), missing()),
            (&whole, nic("dvportgroup-7", Some("50 2d")), missing()),
            (&adapters, nic("FT", None), missing()),
            (&standard, nic("FT", None), Fact::Unset),
        ] {
            assert_eq!(speeds(&host(network), &vmknics(nic.clone())), expected, "{nic:?}");
        }
        assert_eq!(speeds(&host(&whole), &Fact::Known(Vec::new())), Fact::Unset);
    }
}
