//! A VM's hardware: disk, devices, firmware and snapshots.

use crate::config::{Personality, Scenario};

/// A VM's hardware, as far as FT asks for it.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// `config.version`, such as `vmx-08`.
    pub version: String,
    /// `config.firmware`: `bios` or `efi`.
    pub firmware: String,
    /// `config.nestedHVEnabled`.
    pub nested_hv: bool,
    /// `config.flags.vbsEnabled`.
    pub vbs: bool,
    /// Its one disk.
    pub disk: Disk,
    /// What is in the CD drive: `iso`, `remote` (the client's device) or `physical` (the host's).
    pub cdrom: String,
    /// Keys of devices that were taken out.
    pub removed: Vec<i32>,
    /// Types of devices that were put in, such as `VirtualUSB`.
    pub added: Vec<String>,
    /// Names of its snapshots, the oldest first.
    pub snapshots: Vec<String>,
}

/// A virtual disk's backing.
#[derive(Clone, Debug)]
pub struct Disk {
    /// `thinProvisioned`.
    pub thin: bool,
    /// `eagerlyScrub`: zeroed throughout when it was made.
    pub eager: bool,
    /// `diskMode`.
    pub mode: String,
    /// `compatibilityMode` of a raw device mapping, if it is one.
    pub rdm: Option<String>,
    /// The moid of its datastore, if that is not the virtual machine's.
    pub store: Option<String>,
}

impl Hardware {
    /// A VM as this release makes it.
    pub fn new(personality: Personality) -> Self {
        Self {
            version: personality.hardware().to_owned(),
            firmware: "bios".into(),
            nested_hv: false,
            vbs: false,
            disk: Disk { thin: false, eager: true, mode: "persistent".into(), rdm: None, store: None },
            cdrom: "remote".into(),
            removed: Vec::new(),
            added: Vec::new(),
            snapshots: Vec::new(),
        }
    }

    /// The same, with what the scenario has against FT.
    #[must_use]
    pub fn in_scenario(mut self, scenario: Scenario) -> Self {
        match scenario {
            Scenario::ThinDisk => (self.disk.thin, self.disk.eager) = (true, false),
            Scenario::NestedHv => self.nested_hv = true,
            Scenario::Snapshot => self.snapshots = vec!["before the upgrade".into()],
            _ => {}
        }
        self
    }

    /// What creating a record/replay secondary does to the disk of a VM that is off.
    pub fn thicken(&mut self) {
        (self.disk.thin, self.disk.eager) = (false, true);
    }
}
