//! The arguments.

use contract::{Arguments, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere_module::{Connection, ServerArgs, VmTarget};

/// The module.
pub struct FaultTolerance;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Connection,
    #[serde(flatten)]
    pub target: VmTarget,
    #[serde(flatten)]
    pub wish: Wish,
    /// Name of the host that the secondary is to run on. Only used when this run starts a secondary; otherwise vSphere
    /// chooses.
    #[schemars(length(min = 1))]
    pub secondary_host: Option<String>,
    /// Name of the datastore for the secondary's files and the tie-breaker file. Only used when this run creates a
    /// secondary of SMP-FT (vSphere 6.0 and later); otherwise vSphere chooses.
    #[schemars(length(min = 1))]
    pub datastore: Option<String>,
    /// Seconds after which the run gives up waiting. Starting a secondary copies the memory and, with SMP-FT, the disks
    /// of the virtual machine. With O(allow_power_cycle=true), a minute of that time, or a third of a shorter one, is kept for
    /// powering the virtual machine on again.
    #[serde(default = "vsphere_module::fifteen_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

/// The arguments that decisions depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Wish {
    /// The wanted state.
    #[serde(default)]
    pub state: State,
    /// Whether to wait until the virtual machine is really protected. Without it the run ends when vSphere has accepted
    /// the change.
    #[serde(default = "yes")]
    pub wait: bool,
    /// Whether a running virtual machine may be powered off and on again, if record/replay Fault Tolerance can only be
    /// turned on while it is off.
    #[serde(default)]
    pub allow_power_cycle: bool,
    /// Encryption of the traffic between primary and secondary, on vSphere 7.0 Update 2 (API 7.0.2.0) and later. It is set before
    /// Fault Tolerance is turned on, and cannot change while it is on. Without it, the virtual machine keeps the mode that it
    /// has, which is V(opportunistic) unless somebody changed it. Not used with O(state=absent).
    pub encryption: Option<Encryption>,
}

/// A mode of encryption (`VirtualMachineConfigSpecEncryptedFtModes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// The traffic is not encrypted.
    Disabled,
    /// The traffic is encrypted if both hosts support it.
    Opportunistic,
    /// The traffic is always encrypted: the secondary starts only on a host that supports it. The only mode of an encrypted
    /// virtual machine.
    Required,
}

impl Encryption {
    /// Returns its name in the API.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Disabled => "ftEncryptionDisabled",
            Self::Opportunistic => "ftEncryptionOpportunistic",
            Self::Required => "ftEncryptionRequired",
        }
    }

    /// Returns the mode with that name in the API.
    pub fn of(mode: &str) -> Option<Self> {
        [Self::Disabled, Self::Opportunistic, Self::Required].into_iter().find(|known| known.mode() == mode)
    }

    /// Returns the value of the argument.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Opportunistic => "opportunistic",
            Self::Required => "required",
        }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Fault Tolerance is on: a running virtual machine is protected by a running secondary, one that is off will be
    /// when it is powered on.
    #[default]
    Present,
    /// Fault Tolerance is configured, but the secondary does not run.
    Suspended,
    /// Fault Tolerance is not configured; the secondary is removed.
    Absent,
}

fn yes() -> bool {
    true
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
