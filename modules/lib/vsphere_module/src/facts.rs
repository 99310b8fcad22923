//! Facts about hosts and clusters that several modules read.

use vsphere::{HaConfig, Object};

/// True if vSphere HA of the cluster is on; `None` if the server does not report it. Needs `configurationEx`.
pub fn ha_enabled(cluster: &Object) -> Option<bool> {
    HaConfig::parse(cluster.get("configurationEx")?).enabled
}

/// True if the host is itself a virtual machine: its hardware is VMware's. Needs `summary.hardware`.
pub fn is_nested(host: &Object) -> bool {
    host.text("summary.hardware.vendor").is_some_and(|vendor| vendor.starts_with("VMware"))
}
