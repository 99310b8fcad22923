//! The state of a pair of virtual machines.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};
use vsphere::{FtInfo, FtState, Moref};
use vsphere_module::{Named, VmReport};

use crate::args::Action;

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
    /// `vm-70 on esxi02`.
    pub fn place(&self) -> String {
        match &self.host {
            Some(host) => format!("{} on {host}", self.vm.moid),
            None => self.vm.moid.clone(),
        }
    }

    pub fn is_primary(&self) -> bool {
        self.ft.as_ref().is_some_and(|ft| !ft.is_secondary())
    }
}

/// The pair as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The primary. While the roles change there may be none; then the previous one.
    pub primary: Half,
    pub secondary: Option<Half>,
    /// The server is a vCenter Server; an ESXi host cannot manage Fault Tolerance.
    pub vcenter: bool,
    /// The cluster's name, and whether vSphere HA is on; `None` inside: the server does not say.
    pub cluster: Option<(String, Option<bool>)>,
    /// The action that this run has done or begun. No state shows it afterwards.
    pub done: Option<Action>,
}

impl Observed {
    /// Either half is not running in Fault Tolerance.
    pub fn is_out_of_step(&self) -> bool {
        let mut halves = std::iter::once(&self.primary).chain(&self.secondary);
        self.secondary.is_none() || halves.any(|half| half.state != FtState::Running)
    }
}

impl Named for Observed {
    const UNREAD: &'static str = "the virtual machine";

    fn label(&self) -> String {
        self.primary.vm.label()
    }
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        let place = |half: &Half| json!({ "moid": half.vm.moid, "host": half.host });
        json!({
            "fault_tolerance": self.primary.state.name(),
            "primary": place(&self.primary),
            "secondary": self.secondary.as_ref().map(place),
            // Otherwise a restarted secondary would show no difference.
            "done": self.done,
        })
    }
}

/// The state that a run keeps between its steps.
#[derive(Default)]
pub struct Memory {
    /// The action that this run has done or begun.
    pub done: Cell<Option<Action>>,
    /// Why its end was not seen, if it was not: then only the pair shows what became of it.
    pub doubt: RefCell<Option<String>>,
    /// Nothing showed that the secondary was restarted, although vSphere says that it did.
    pub unseen: Cell<bool>,
}
