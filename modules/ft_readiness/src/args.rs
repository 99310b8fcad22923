//! The arguments.

use contract::{Arguments, Rule};
use schemars::JsonSchema;
use serde::Deserialize;
use vsphere::FtEngine;
use vsphere_module::{Connection, Engine, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Connection,
    #[serde(flatten)]
    pub target: VmTarget,
    /// Name of the cluster to examine. Not needed with a virtual machine, whose own cluster is examined.
    #[schemars(extend("x-aliases" = ["cluster"]), length(min = 1))]
    pub cluster_name: Option<String>,
    /// The engine of Fault Tolerance. The default is the one that vSphere would use for this version of ESXi and this virtual
    /// machine.
    engine: Option<Engine>,
    /// Let each host ping the vMotion and Fault Tolerance logging vmknics of the other hosts.
    #[serde(default)]
    pub probe_network: bool,
    /// Fail if RV(ready) would be false. The result still has the whole report.
    #[serde(default)]
    pub fail_unless_ready: bool,
    /// Seconds after which the run stops waiting for vSphere.
    #[serde(default = "vsphere_module::five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

impl Args {
    pub fn engine(&self) -> Option<FtEngine> {
        self.engine.map(Into::into)
    }

    /// Returns the datacenter that the cluster is known to be in, if one was given.
    pub fn cluster_datacenter(&self) -> Option<&str> {
        if self.cluster_name.is_some() { self.target.datacenter() } else { self.target.home() }
    }
}

impl Arguments for Args {
    const RULES: &'static [Rule] = &[
        Rule::AtLeastOne(&["name", "uuid", "moid", "cluster_name"]),
        Rule::AtMostOne(&["name", "uuid", "moid"]),
        vsphere_module::INSTANCE_UUID_NEEDS_UUID,
        vsphere_module::FOLDER_NEEDS_NAME,
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
    ];

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn check(&self) -> Vec<String> {
        self.connection.problems()
    }
}
