//! What is known of a pair of virtual machines.

use vsphere::{FtInfo, FtState, Moref};
use vsphere_module::VmReport;

use crate::Action;

/// One half of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Half {
    pub moref: Moref,
    pub vm: VmReport,
    /// Name of the host that it runs on.
    pub host: Option<String>,
    /// `runtime.bootTime`: another one is another start.
    pub boot: Option<String>,
    pub state: FtState,
    /// `runtime.needSecondaryReason`.
    pub reason: Option<String>,
    pub ft: Option<FtInfo>,
}

impl Half {
    pub fn label(&self) -> String {
        format!("{} ({})", self.vm.name, self.vm.moid)
    }

    /// `vm-70 on esxi02`.
    pub fn place(&self) -> String {
        match &self.host {
            Some(host) => format!("{} on {host}", self.vm.moid),
            None => self.vm.moid.clone(),
        }
    }

    pub fn is_primary(&self) -> bool {
        self.ft.as_ref().is_some_and(|ft| ft.role == 1)
    }
}

/// What was read of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The primary. While the roles change, nobody may be; then the one that was.
    pub primary: Half,
    pub secondary: Option<Half>,
    /// Whether the server is a vCenter Server; an ESXi host cannot manage Fault Tolerance.
    pub vcenter: bool,
    /// The cluster's name, and whether vSphere HA is on; `None` inside: the server does not say.
    pub cluster: Option<(String, Option<bool>)>,
    /// What this run has done to the pair, or has begun to do. No state shows it afterwards.
    pub done: Option<Action>,
}

impl Observed {
    pub fn label(&self) -> String {
        self.primary.label()
    }

    /// Either half is not running in Fault Tolerance.
    pub fn is_out_of_step(&self) -> bool {
        let mut halves = std::iter::once(&self.primary).chain(&self.secondary);
        self.secondary.is_none() || halves.any(|half| half.state != FtState::Running)
    }
}
