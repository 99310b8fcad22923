//! A virtual machine of the cluster, as the report lists it.

use schemars::JsonSchema;
use serde::Serialize;

/// One virtual machine. A property that cannot be read is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedVm {
    /// Its name, which a secondary shares with its primary; its managed object id, if the name cannot be read.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
    /// Name of the host that it is on.
    pub host: Option<String>,
    /// Its number of virtual CPUs.
    pub vcpus: Option<u64>,
    /// V(poweredOn), V(poweredOff) or V(suspended).
    pub power_state: Option<String>,
    /// The state of its Fault Tolerance, as vSphere names it: V(notConfigured), V(disabled), V(enabled), V(needSecondary),
    /// V(starting) or V(running).
    pub ft_state: Option<String>,
    /// Its role in a pair; null if it is in none.
    pub role: Option<Role>,
}

/// The role of a virtual machine in a Fault Tolerance pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The virtual machine that is protected.
    Primary,
    /// The virtual machine that protects the primary.
    Secondary,
}
