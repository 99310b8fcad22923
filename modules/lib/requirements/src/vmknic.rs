//! Chooses the vmknic of a host that should carry a service.

use vsphere::{NicService, Vmknic};

/// vMotion, as the API names it.
pub const VMOTION: &str = "vmotion";
/// Fault Tolerance logging, as the API names it.
pub const FT_LOGGING: &str = "faultToleranceLogging";
const MANAGEMENT: &str = "management";

/// Returns the devices that carry the service; `None` if the host does not report the service.
pub fn carriers<'a>(services: &'a [NicService], service: &str) -> Option<Vec<&'a str>> {
    let found = services.iter().find(|own| own.name == service)?;
    Some(found.selected.iter().map(String::as_str).collect())
}

/// Returns the vmknics that may carry the service.
pub fn candidates<'a>(services: &'a [NicService], service: &str) -> &'a [Vmknic] {
    services.iter().find(|own| own.name == service).map(|own| own.candidates.as_slice()).unwrap_or_default()
}

/// Returns the vmknic that should obviously carry the service, if there is exactly one by these rules, in this order:
/// vmknics for storage never; the vmknic for management only if there is no other; the only candidate; the one whose port
/// group is named after the service; for FT logging the one with vMotion, for vMotion the one without FT logging.
pub fn choice<'a>(services: &'a [NicService], service: &str) -> Option<&'a str> {
    let carries = |device: &str, name: &str| {
        services.iter().any(|own| own.name == name && own.selected.iter().any(|selected| selected == device))
    };
    let all: Vec<&Vmknic> = candidates(services, service).iter().collect();
    let all: Vec<&Vmknic> = all.into_iter().filter(|nic| !serves_storage(services, nic)).collect();
    let apart: Vec<&Vmknic> = all.iter().copied().filter(|nic| !carries(&nic.device, MANAGEMENT)).collect();
    let pool = if apart.is_empty() { all } else { apart };
    let only = |nics: Vec<&'a Vmknic>| if let [nic] = nics[..] { Some(nic.device.as_str()) } else { None };
    let that_fit = |fits: &dyn Fn(&Vmknic) -> bool| pool.iter().copied().filter(|nic| fits(nic)).collect();
    only(pool.clone()).or_else(|| only(that_fit(&|nic| is_named_after(nic, service)))).or_else(|| {
        if service == FT_LOGGING {
            return only(that_fit(&|nic| carries(&nic.device, VMOTION)));
        }
        let logging = choice(services, FT_LOGGING);
        only(that_fit(&|nic| !carries(&nic.device, FT_LOGGING) && Some(nic.device.as_str()) != logging))
    })
}

/// True if a vmknic carries another service than these three, or if its port group is named after storage.
fn serves_storage(services: &[NicService], nic: &Vmknic) -> bool {
    let others = services.iter().filter(|own| ![VMOTION, FT_LOGGING, MANAGEMENT].contains(&own.name.as_str()));
    let name = nic.portgroup.as_deref().unwrap_or_default().to_lowercase();
    others.flat_map(|own| &own.selected).any(|device| *device == nic.device)
        || ["iscsi", "nfs", "vsan", "storage", "replication"].iter().any(|word| name.contains(word))
}

fn is_named_after(nic: &Vmknic, service: &str) -> bool {
    let name = nic.portgroup.as_deref().unwrap_or_default().to_lowercase();
    if service == VMOTION {
        return name.contains("vmotion");
    }
    name.contains("fault") || name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ft" || word == "ftlogging")
}

/// Lists vmknics with their port groups and addresses.
pub fn describe(nics: &[Vmknic]) -> String {
    nics.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// vmknics as `device:port group`, and which carry what: `device=service`.
    fn services(nics: &str, carried: &str) -> Vec<NicService> {
        let nics: Vec<Vmknic> = nics
            .split_whitespace()
            .map(|nic| {
                let (device, portgroup) = nic.split_once(':').unwrap();
                Vmknic { device: device.to_owned(), portgroup: Some(portgroup.to_owned()), ..Vmknic::default() }
            })
            .collect();
        [VMOTION, FT_LOGGING, MANAGEMENT, "vsan"]
            .into_iter()
            .map(|name| NicService {
                name: name.to_owned(),
                multiple: true,
                candidates: nics.clone(),
                selected: carried
                    .split_whitespace()
                    .filter_map(|pair| pair.split_once('='))
                    .filter(|(_, service)| *service == name)
                    .map(|(device, _)| device.to_owned())
                    .collect(),
            })
            .collect()
    }

    #[test]
    fn a_service_goes_where_it_obviously_belongs() {
        let mgmt = "vmk0=management";
        for (nics, carried, vmotion, logging) in [
            ("", "", None, None),
            ("vmk0:Management", mgmt, Some("vmk0"), Some("vmk0")),
            ("vmk0:Management vmk1:Other", mgmt, Some("vmk1"), Some("vmk1")),
            ("vmk0:Management vmk1:FT vmk2:Lab", mgmt, Some("vmk2"), Some("vmk1")),
            ("vmk0:Management vmk1:A vmk2:vMotion", mgmt, Some("vmk2"), None),
            ("vmk0:Management vmk1:A vmk2:B", "vmk0=management vmk1=vmotion", Some("vmk2"), Some("vmk1")),
            ("vmk0:Management vmk1:A vmk2:B", "vmk0=management vmk1=faultToleranceLogging", Some("vmk2"), None),
            ("vmk0:Management vmk1:A vmk2:Draft", mgmt, None, None),
            ("vmk0:Management vmk1:FaultTolerance vmk2:A", mgmt, Some("vmk2"), Some("vmk1")),
            ("vmk0:Management vmk1:Lab-FTlogging vmk2:A", mgmt, Some("vmk2"), Some("vmk1")),
            // Storage keeps its vmknics, even if only the one for management is left, or none.
            ("vmk0:Management vmk1:iSCSI-A vmk2:Lab", mgmt, Some("vmk2"), Some("vmk2")),
            ("vmk0:Management vmk1:iSCSI-A", mgmt, Some("vmk0"), Some("vmk0")),
            ("vmk0:NFS", mgmt, None, None),
            ("vmk0:Management vmk1:A vmk2:B", "vmk0=management vmk1=vsan", Some("vmk2"), Some("vmk2")),
        ] {
            let services = services(nics, carried);
            assert_eq!(choice(&services, VMOTION), vmotion, "{nics}");
            assert_eq!(choice(&services, FT_LOGGING), logging, "{nics}");
        }
    }

    #[test]
    fn a_service_goes_only_where_the_host_lets_it() {
        let mut services = services("vmk1:A vmk2:B", "");
        services[0].candidates.truncate(1);
        services[1].candidates.remove(0);
        assert_eq!((choice(&services, VMOTION), choice(&services, FT_LOGGING)), (Some("vmk1"), Some("vmk2")));
    }
}
