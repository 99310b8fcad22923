//! The arguments.

use contract::{Arguments, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere_module::{Connection, ServerArgs, VmTarget};

/// The module.
pub struct FtFailover;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Connection,
    #[serde(flatten)]
    pub target: VmTarget,
    /// The action to take.
    pub action: Action,
    /// Seconds after which the run gives up waiting. Starting a secondary copies the memory of the virtual machine.
    #[serde(default = "vsphere_module::fifteen_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The secondary takes over and becomes the primary; the old primary becomes its secondary.
    TestFailover,
    /// The secondary is ended and started anew, maybe on another host. The virtual machine is unprotected meanwhile.
    RestartSecondary,
}

impl Action {
    /// Returns the verb phrase for this action; its subject is the pair.
    pub fn verb(self) -> &'static str {
        match self {
            Self::TestFailover => "fail over",
            Self::RestartSecondary => "get its secondary restarted",
        }
    }
}

impl Arguments for Args {
    const RULES: &'static [Rule] = vsphere_module::VM_RULES;

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
