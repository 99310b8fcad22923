//! A VM's hardware: disk, devices, firmware and snapshots.

use crate::config::{Personality, Scenario};

/// A VM's hardware, as far as FT depends on it.
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
    /// Its only disk.
    pub disk: Disk,
    /// What is in the CD drive: `iso`, `remote` (the client's device) or `physical` (the host's).
    pub cdrom: String,
    /// Keys of removed devices.
    pub removed: Vec<i32>,
    /// Types of added devices, such as `VirtualUSB`.
    pub added: Vec<String>,
    /// Names of its snapshots, the oldest first.
    pub snapshots: Vec<String>,
}

/// A virtual disk's backing.
#[derive(Clone, Debug)]
pub struct Disk {
    /// `thinProvisioned`.
    pub thin: bool,
    /// `eagerlyScrub`: zeroed when it was created.
    pub eager: bool,
    /// `diskMode`.
    pub mode: String,
    /// `compatibilityMode` of a raw device mapping, if it is one.
    pub rdm: Option<String>,
    /// The moid of its datastore, if it differs from the VM's.
    pub store: Option<String>,
}

impl Hardware {
    /// The hardware of a new VM on this release.
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

    /// The same hardware with the scenario's obstacle to FT.
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

    /// Makes the disk thick and zeroes it, as creating a record/replay secondary does while the VM is off.
    pub fn thicken(&mut self) {
        (self.disk.thin, self.disk.eager) = (false, true);
    }
}
