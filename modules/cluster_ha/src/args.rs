//! The arguments.

use contract::{Arguments, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere_module::{Connection, ServerArgs};

/// The module.
pub struct ClusterHa;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Connection,
    /// Name of the cluster.
    #[schemars(extend("x-aliases" = ["cluster"]), length(min = 1))]
    pub cluster_name: String,
    /// Datacenter of the cluster. Needed when clusters in several have the name.
    #[schemars(length(min = 1))]
    pub datacenter: Option<String>,
    #[serde(flatten)]
    pub wish: Wish,
    /// Seconds after which the run gives up waiting for vSphere. Agents that are not ready by then are a warning and no failure.
    #[serde(default = "vsphere_module::five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

/// The arguments that decisions depend on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Wish {
    /// What is to be true.
    #[serde(default)]
    pub state: State,
    /// Whether vSphere refuses to power on what could not be restarted after the failure of a host. Unless given, it stays
    /// as it is.
    pub admission_control: Option<bool>,
    /// Whether vSphere HA notices the failure of a host and restarts its virtual machines. Unless given, it stays as it is.
    pub host_monitoring: Option<bool>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// vSphere HA is on.
    #[default]
    Enabled,
    /// vSphere HA is off. Its other settings are kept.
    Disabled,
}

impl Arguments for Args {
    const RULES: &'static [Rule] = &[vsphere_module::PROXY_NEEDS_PORT, vsphere_module::PROXY_NEEDS_HOST];

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn check(&self) -> Vec<String> {
        self.connection.problems()
    }
}

impl ServerArgs for Args {
    fn connection(&self) -> &Connection {
        &self.connection
    }
}
