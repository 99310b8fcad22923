//! Shared code of the modules for Fault Tolerance.

use contract::{Error, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere::{FoundVm, FtEngine, FtInfo, FtState, Object};

use crate::facts::ha_enabled;
use crate::{accessible, readable};

/// The kind of Fault Tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Record/replay, vSphere 4 and 5, and 6.0 with C(vm.useLegacyFt).
    Legacy,
    /// SMP-FT (fast checkpointing), vSphere 6.0 and later.
    Smp,
}

impl Engine {
    /// Its name in messages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Legacy => "Fault Tolerance (record/replay)",
            Self::Smp => "Fault Tolerance (SMP-FT)",
        }
    }
}

impl From<FtEngine> for Engine {
    fn from(engine: FtEngine) -> Self {
        match engine {
            FtEngine::Legacy => Self::Legacy,
            FtEngine::Smp => Self::Smp,
        }
    }
}

impl From<Engine> for FtEngine {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Legacy => Self::Legacy,
            Engine::Smp => Self::Smp,
        }
    }
}

/// Checks that all of `paths` of a virtual machine could be read, and returns the state of its Fault Tolerance. Needs
/// `runtime.faultToleranceState` and the properties of [`VmReport::PATHS`](crate::VmReport::PATHS).
pub fn ft_state(vm: &Object, paths: &[&str]) -> Result<FtState, Error> {
    // An orphan is not accessible either; a later check says that it is one.
    if !ft_role(vm).is_some_and(|ft| ft.orphaned) {
        accessible(vm)?;
    }
    readable(vm, paths)?;
    vm.text("runtime.faultToleranceState").map(FtState::of).ok_or_else(|| {
        Error::new(Kind::Unsupported, format!("the server does not report the Fault Tolerance state of {}", vm.name()))
            .hint("This needs vCenter Server 4.1 or later.")
    })
}

/// Returns the name of the virtual machine's cluster, and whether vSphere HA is on; `None` inside: the server does not say.
/// Needs `name` and `configurationEx` of the cluster.
pub fn ha_cluster(found: &FoundVm) -> Option<(String, Option<bool>)> {
    let cluster = found.cluster.as_ref()?;
    Some((cluster.name(), ha_enabled(cluster)))
}

/// Returns the part of a virtual machine in Fault Tolerance, if it has one. Needs `config.ftInfo`, which is always read.
pub fn ft_role(vm: &Object) -> Option<FtInfo> {
    vm.get("config.ftInfo").map(FtInfo::parse)
}

/// Fails for a secondary of Fault Tolerance: every operation goes to its primary.
pub fn not_a_secondary(label: &str, ft: Option<&FtInfo>) -> Result<(), Error> {
    let conflict = |text: String, remedy: String| Err(Error::new(Kind::Conflict, text).hint(remedy));
    let Some(ft) = ft else { return Ok(()) };
    if ft.orphaned {
        return conflict(
            format!("{label} is an orphaned secondary of Fault Tolerance: its primary no longer exists"),
            "Unregister the virtual machine, and delete its files if they are not needed.".to_owned(),
        );
    }
    if ft.is_secondary() {
        let primary = ft.primary.as_ref().map_or_else(String::new, |primary| format!(" with `moid: {}`", primary.id));
        return conflict(
            format!("{label} is the secondary of a Fault Tolerance pair"),
            format!("Select its primary{primary}, or use `name`."),
        );
    }
    Ok(())
}
