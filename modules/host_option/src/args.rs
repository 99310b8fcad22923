//! The arguments.

use std::collections::BTreeMap;

use contract::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere_module::{Connection, HostTarget};

/// The module.
pub struct HostOption;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    /// How the hosts are reached. Unless given: V(api) where there is a O(hostname), else V(shell) where one of its
    /// tools is on PATH.
    pub connection: Option<Access>,
    #[serde(flatten)]
    pub server: Option<Connection>,
    #[serde(flatten)]
    pub target: HostTarget,
    /// The options, names to values: V(Migrate.VMotionStreamDisable) as the API names it, or
    /// V(/Migrate/VMotionStreamDisable) as the shell does. With O(state=default) the values do not matter and may be empty.
    #[schemars(extend("minProperties" = 1))]
    pub options: BTreeMap<String, Scalar>,
    /// The wanted state.
    #[serde(default)]
    pub state: State,
    /// The behaviour for an option that a host's build does not have.
    #[serde(default)]
    pub missing: Missing,
    /// Seconds after which the run gives up waiting for vSphere, or for the shell's tools.
    #[serde(default = "vsphere_module::five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

/// How the hosts are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Through the vSphere API of O(hostname).
    Api,
    /// With esxcli or esxcfg-advcfg, on the ESXi shell of the one host that this runs on. Needs no network and no password.
    Shell,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The options have these values.
    #[default]
    Present,
    /// The options have the defaults that the host itself names.
    Default,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is an error.
    #[default]
    Fail,
    /// It is a warning, and the option is left out on that host.
    Skip,
}
