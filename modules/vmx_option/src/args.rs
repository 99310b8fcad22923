//! The arguments.

use std::collections::BTreeMap;
use std::path::PathBuf;

use contract::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere_module::{Connection, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Option<Connection>,
    #[serde(flatten)]
    pub target: VmTarget,
    /// Path of the virtual machine's .vmx file, on the machine where this runs, such as
    /// V(/vmfs/volumes/datastore1/inner/inner.vmx) on an ESXi shell: the file is edited, and no server is needed.
    /// Everything in it but the options stays as it is, to the byte. The virtual machine must be powered off.
    #[schemars(with = "Option<String>", length(min = 1))]
    pub path: Option<PathBuf>,
    /// Whether a copy of the old file is kept beside it, named after the time (UTC): V(inner.vmx.2026-11-22_181500.bak).
    #[serde(default)]
    pub backup: bool,
    /// Whether the file may be a symbolic link, and what it leads to is edited.
    #[serde(default)]
    pub follow: bool,
    /// Whether the host is to read the file again after a change (C(vim-cmd vmsvc/reload)), without which it goes on with
    /// the options that it knows. Only on an ESXi shell.
    #[serde(default)]
    pub reload: bool,
    /// The options, names to values. Names are found whatever their case, and an existing one keeps its spelling.
    /// V(true) and V(TRUE) are the same value; a YAML boolean is written as V(TRUE) or V(FALSE).
    /// With O(state=absent) the values do not matter and may be empty.
    #[schemars(extend("minProperties" = 1))]
    pub options: BTreeMap<String, Scalar>,
    /// The wanted state.
    #[serde(default)]
    pub state: State,
    /// Seconds after which the run gives up waiting for vSphere, for C(vim-cmd), or for another run that writes in the same
    /// directory.
    #[serde(default = "vsphere_module::five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The options have these values.
    #[default]
    Present,
    /// The options are not set.
    Absent,
}
