//! The state of a virtual machine and its Fault Tolerance.

use serde_json::{Value, json};
pub use vsphere::FtState;
use vsphere::{Fault, FtEngine, FtInfo, FtPlacement, Moref, Version};
use vsphere_module::{Engine, Named, VmReport};

use crate::args::Encryption;

/// The state read from the virtual machine, its host and its cluster.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools)] // independent facts, each read from a property of its own
pub struct Observed {
    pub moref: Moref,
    pub vm: VmReport,
    pub state: FtState,
    /// `runtime.needSecondaryReason`.
    pub reason: Option<String>,
    pub ft: Option<FtInfo>,
    pub template: bool,
    /// The server is a vCenter Server; an ESXi host cannot manage Fault Tolerance.
    pub vcenter: bool,
    /// The API version spoken with the server.
    pub spoken: Version,
    pub host_version: Version,
    /// `vm.useLegacyFt` is set.
    pub uses_legacy_ft: bool,
    /// The cluster's name, and whether vSphere HA is on; `None` inside: the server does not say.
    pub cluster: Option<(String, Option<bool>)>,
    pub host: Option<String>,
    /// The host is itself a virtual machine.
    pub nested: bool,
    /// The problems that `QueryFaultToleranceCompatibility` reports; `None` if it was not or could not be asked.
    pub issues: Option<Vec<Fault>>,
    /// Why it could not be asked.
    pub unasked: Option<String>,
    /// A datastore was asked for.
    pub wants_datastore: bool,
    /// The host for the secondary, if one was asked for and the secondary is to be started.
    pub secondary_host: Option<Moref>,
    /// The datastore for its files, likewise.
    pub placement: Option<FtPlacement>,
    /// The encryption of Fault Tolerance; `None` if the server does not have it, or in a mode of a newer release.
    pub encryption: Option<Encryption>,
    /// The virtual machine is encrypted (`config.keyId`), or has a virtual TPM, which needs that.
    pub encrypted: bool,
    /// The host of the secondary, if the plan depends on it and the host is out of service.
    pub lost_host: Option<LostHost>,
}

/// A host that cannot run virtual machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostHost {
    pub name: String,
    /// Its state as a predicate: `is not responding`.
    pub state: String,
}

/// The first release with encryption of Fault Tolerance, as a version of the API and of ESXi.
pub const ENCRYPTION_SINCE: &str = "7.0.2";

impl Observed {
    /// Returns the engine that is used here. An older server manages a newer host as one of its own age.
    pub fn engine(&self) -> Engine {
        let version = (&self.host_version).min(&self.spoken);
        FtEngine::of_host(version, self.uses_legacy_ft).into()
    }

    /// True if host and server have `CreateSecondaryVMEx_Task`.
    pub fn has_ex(&self) -> bool {
        self.host_version.at_least(6, 0) && self.spoken.at_least(6, 0)
    }

    /// True if host and server have encryption of Fault Tolerance.
    pub fn has_encryption(&self) -> bool {
        (&self.host_version).min(&self.spoken) >= &Version::parse(ENCRYPTION_SINCE)
    }

    pub fn power(&self) -> &str {
        self.vm.power_state.as_deref().unwrap_or_default()
    }

    /// The secondary of a primary.
    pub fn secondary(&self) -> Option<&Moref> {
        self.ft.as_ref()?.secondaries.first()
    }

    pub fn is_secondary(&self) -> bool {
        self.ft.as_ref().is_some_and(FtInfo::is_secondary)
    }
}

impl Named for Observed {
    const UNREAD: &'static str = "the virtual machine";

    fn label(&self) -> String {
        self.vm.label()
    }
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        let mut view = json!({ "fault_tolerance": self.state.name(), "power_state": self.vm.power_state });
        if let Some(encryption) = self.encryption {
            view["encryption"] = json!(encryption);
        }
        view
    }

    fn aftermath(&self, now: &Self) -> Option<String> {
        let off = self.power() == "poweredOn" && now.power() == "poweredOff";
        off.then(|| format!("{} is powered off now; vm_power powers it on", now.label()))
    }
}
