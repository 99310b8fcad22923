//! Which vmknic of a host is to carry a service.

use vsphere::{NicService, Vmknic};

pub const VMOTION: &str = "vmotion";
pub const FT_LOGGING: &str = "faultToleranceLogging";
const MANAGEMENT: &str = "management";

/// The devices that carry the service; `None` if the host does not tell of such a service.
pub fn carriers<'a>(services: &'a [NicService], service: &str) -> Option<Vec<&'a str>> {
    let found = services.iter().find(|own| own.name == service)?;
    Some(found.selected.iter().map(String::as_str).collect())
}

/// The vmknics that may carry the service.
pub fn candidates<'a>(services: &'a [NicService], service: &str) -> &'a [Vmknic] {
    services.iter().find(|own| own.name == service).map(|own| own.candidates.as_slice()).unwrap_or_default()
}

/// The one vmknic that the service obviously belongs on, if there is one: the only candidate; not that of the management
/// network, if there are others; the one whose port group is called after the service; FT logging where vMotion is, and
/// vMotion where FT logging is not.
pub fn choice<'a>(services: &'a [NicService], service: &str) -> Option<&'a str> {
    let carries = |device: &str, name: &str| {
        services.iter().any(|own| own.name == name && own.selected.iter().any(|selected| selected == device))
    };
    let all: Vec<&Vmknic> = candidates(services, service).iter().collect();
    // A vmknic of storage or replication is none of Fault Tolerance's, also if it is the only one left.
    let all: Vec<&Vmknic> = all.into_iter().filter(|nic| !serves_storage(services, nic)).collect();
    let apart: Vec<&Vmknic> = all.iter().copied().filter(|nic| !carries(&nic.device, MANAGEMENT)).collect();
    let pool = if apart.is_empty() { all } else { apart };
    let only = |nics: Vec<&'a Vmknic>| if let [nic] = nics[..] { Some(nic.device.as_str()) } else { None };
    let where_ = |fits: &dyn Fn(&Vmknic) -> bool| pool.iter().copied().filter(|nic| fits(nic)).collect();
    only(pool.clone()).or_else(|| only(where_(&|nic| is_called_after(nic, service)))).or_else(|| {
        if service == FT_LOGGING {
            return only(where_(&|nic| carries(&nic.device, VMOTION)));
        }
        let logging = choice(services, FT_LOGGING);
        only(where_(&|nic| !carries(&nic.device, FT_LOGGING) && Some(nic.device.as_str()) != logging))
    })
}

/// Whether a vmknic carries a service of its own besides management, or is called after storage.
fn serves_storage(services: &[NicService], nic: &Vmknic) -> bool {
    let others = services.iter().filter(|own| ![VMOTION, FT_LOGGING, MANAGEMENT].contains(&own.name.as_str()));
    let name = nic.portgroup.as_deref().unwrap_or_default().to_lowercase();
    others.flat_map(|own| &own.selected).any(|device| *device == nic.device)
        || ["iscsi", "nfs", "vsan", "storage", "replication"].iter().any(|word| name.contains(word))
}

fn is_called_after(nic: &Vmknic, service: &str) -> bool {
    let name = nic.portgroup.as_deref().unwrap_or_default().to_lowercase();
    if service == VMOTION {
        return name.contains("vmotion");
    }
    name.contains("fault") || name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ft" || word == "ftlogging")
}

/// The candidates in words.
pub fn list(nics: &[Vmknic]) -> String {
    let each = nics.iter().map(|nic| match &nic.portgroup {
        Some(portgroup) => format!("{} ({portgroup})", nic.device),
        None => nic.device.clone(),
    });
    each.collect::<Vec<_>>().join(", ")
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
                Vmknic { device: device.to_owned(), portgroup: Some(portgroup.to_owned()), ip: None }
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
            // Storage keeps its vmknics, even if that leaves the one for management or none.
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
