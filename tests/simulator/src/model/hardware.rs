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
    /// Its CD drive.
    pub cdrom: Drive,
    /// The memory that it has reserved without FT, in MB.
    pub reserved: i32,
    /// True if it has World Wide Names for NPIV.
    pub npiv: bool,
    /// The storage policy that FT does not support, if it has one.
    pub policy: Option<String>,
    /// Keys of removed devices.
    pub removed: Vec<i32>,
    /// Types of added devices, such as `VirtualUSB`.
    pub added: Vec<String>,
    /// Names of its snapshots, the oldest first.
    pub snapshots: Vec<String>,
}

/// A CD drive.
#[derive(Clone, Debug)]
pub struct Drive {
    /// The medium: `iso`, `remote` (the client's device) or `physical` (the host's).
    pub media: String,
    /// The moid of the datastore of the image, if it differs from the VM's.
    pub store: Option<String>,
    /// `connected`.
    pub connected: bool,
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
    /// `capacityInKB`.
    pub size: i64,
    /// True for the disk of a linked clone.
    pub linked: bool,
    /// `iofilter`: the ids of its I/O filters.
    pub filters: Vec<String>,
    /// The number of further disks of the same kind.
    pub more: i32,
}

impl Hardware {
    /// The hardware of a new VM on this release.
    pub fn new(personality: Personality) -> Self {
        Self {
            version: personality.hardware().to_owned(),
            firmware: "bios".into(),
            nested_hv: false,
            vbs: false,
            disk: Disk {
                thin: false,
                eager: true,
                mode: "persistent".into(),
                rdm: None,
                store: None,
                size: 1_048_576,
                linked: false,
                filters: Vec::new(),
                more: 0,
            },
            cdrom: Drive { media: "remote".into(), store: None, connected: false },
            reserved: 0,
            npiv: false,
            policy: None,
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
