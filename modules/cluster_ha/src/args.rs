//! The arguments.

use std::collections::BTreeMap;

use contract::{Arguments, Rule, Scalar};
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
    /// The wanted state.
    #[serde(default)]
    pub state: State,
    /// Whether vSphere refuses to power on what could not be restarted after the failure of a host. Unless given, it stays
    /// as it is.
    pub admission_control: Option<bool>,
    /// Whether vSphere HA notices the failure of a host and restarts its virtual machines. Unless given, it stays as it is.
    pub host_monitoring: Option<bool>,
    /// Advanced options of vSphere HA, names to values, such as V(das.ignoreRedundantNetWarning). An empty value removes the
    /// option; options that are not named stay. Names are found whatever their case, and an existing one keeps its spelling.
    /// V(true) and V(TRUE) are the same value. Some options only take effect when vSphere HA is configured on the hosts again.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["advanced_settings"]))]
    pub advanced_options: BTreeMap<String, Scalar>,
    /// Overrides of the restart priority for virtual machines of the cluster: names or managed object ids to V(disabled),
    /// V(lowest), V(low), V(medium), V(high), V(highest), or V(cluster) for the default of the cluster. V(disabled) turns vSphere
    /// HA off for the virtual machine, and Fault Tolerance needs it. V(lowest) and V(highest) need vSphere 6.5. Other overrides
    /// stay as they are.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = { "enum": PRIORITIES }))]
    pub vm_restart_priority: BTreeMap<String, Scalar>,
}

/// The restart priority that is left to the cluster.
pub const CLUSTER: &str = "cluster";
/// The restart priorities that vSphere knows since 6.5.
pub const SINCE_6_5: [&str; 2] = ["lowest", "highest"];
const PRIORITIES: [&str; 7] = ["disabled", "lowest", "low", "medium", "high", "highest", CLUSTER];

impl Wish {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut seen = BTreeMap::new();
        for key in self.advanced_options.keys() {
            if key.is_empty() || key.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
                problems.push(format!(
                    "`advanced_options`: `{}` is not the name of an option; names look like `das.ignoreRedundantNetWarning`",
                    key.escape_debug()
                ));
            }
            if let Some(other) = seen.insert(key.to_ascii_lowercase(), key) {
                problems.push(format!(
                    "`advanced_options`: `{other}` and `{key}` are the same option: names are not case-sensitive"
                ));
            }
        }
        for (vm, priority) in &self.vm_restart_priority {
            if !PRIORITIES.contains(&priority.to_string().as_str()) {
                let priorities = PRIORITIES.join(", ");
                problems.push(format!(
                    "`vm_restart_priority`: `{vm}` has the value `{priority}`; use one of: {priorities}"
                ));
            }
        }
        problems
    }
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
        let mut problems = self.connection.problems();
        problems.extend(self.wish.problems());
        problems
    }
}

impl ServerArgs for Args {
    fn connection(&self) -> &Connection {
        &self.connection
    }
}
