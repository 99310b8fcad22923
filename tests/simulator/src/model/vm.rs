//! A virtual machine and its power.

use crate::value::Value;

use super::hardware::Hardware;
use super::pair::{Pair, State};

/// Power (`VirtualMachinePowerState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Off
    Off,
    /// On
    On,
    /// Suspended
    Suspended,
}

impl Power {
    /// The word that the API uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "poweredOff",
            Self::On => "poweredOn",
            Self::Suspended => "suspended",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::On, Self::Suspended].into_iter().find(|power| power.word() == word)
    }

    /// The state as a value of the API.
    pub fn value(self) -> Value {
        Value::Enum("VirtualMachinePowerState", self.word().into())
    }
}

/// VMware Tools in the guest of a VM that is powered on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    /// Runs and does what it is asked
    Running,
    /// Does not run
    NotRunning,
    /// Runs, but the guest ignores requests
    Ignoring,
}

impl Tools {
    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "running" => Self::Running,
            "not-running" => Self::NotRunning,
            "ignoring" => Self::Ignoring,
            _ => return None,
        })
    }
}

/// A virtual machine.
#[derive(Clone, Debug)]
pub struct Vm {
    /// True for a template.
    pub template: bool,
    /// Its power.
    pub power: Power,
    /// When it was last powered on, in milliseconds since the start; the source of `runtime.bootTime`.
    pub booted: u64,
    /// `runtime.connectionState`.
    pub connection: String,
    /// BIOS UUID.
    pub uuid: String,
    /// vCenter's own UUID, which differs between primary and secondary.
    pub instance_uuid: String,
    /// Counts changes: the source of `config.changeVersion`.
    pub change: u64,
    /// `config.extraConfig`, in order.
    pub extra: Vec<(String, String)>,
    /// The extra config that the running VMX process read at power-on.
    pub effective: Vec<(String, String)>,
    /// Memory in MB.
    pub memory: i32,
    /// Virtual CPUs.
    pub cpus: i32,
    /// Disk, devices, firmware, snapshots.
    pub hardware: Hardware,
    /// Guest id.
    pub guest: String,
    /// The host it runs on or is registered on.
    pub host: String,
    /// The datastore of its files.
    pub datastore: String,
    /// The resource pool.
    pub pool: String,
    /// The directory of its files.
    pub directory: String,
    /// The question that it waits to be answered.
    pub question: Option<String>,
    /// The task that works on it.
    pub busy: Option<String>,
    /// VMware Tools.
    pub tools: Tools,
    /// True while the guest shuts down.
    pub shutting_down: bool,
    /// Fault tolerance, if it is configured.
    pub ft: Option<Pair>,
    /// `config.ftEncryptionMode`, on releases that have it.
    pub ft_encryption: String,
    /// True if the VM is encrypted (`config.keyId`).
    pub encrypted: bool,
    /// Paths of properties that nobody has the privilege to read.
    pub unreadable: Vec<String>,
    /// Lines of vmware.log.
    pub vmware_log: Vec<String>,
    /// Numbers and lines of vmware-N.log, the oldest first.
    pub rotated_logs: Vec<(u32, Vec<String>)>,
}

/// Looks up a key as the VMX dictionary does, ignoring case.
pub fn lookup<'a>(extra: &'a [(String, String)], key: &str) -> Option<&'a str> {
    extra.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}

impl Vm {
    /// True if an option is TRUE in this set.
    pub fn says(set: &[(String, String)], key: &str) -> bool {
        lookup(set, key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// True if its configuration can be read.
    pub fn accessible(&self) -> bool {
        !matches!(self.connection.as_str(), "inaccessible" | "orphaned" | "invalid" | "disconnected")
    }

    /// True if VMware Tools runs in the guest.
    pub fn runs_tools(&self) -> bool {
        self.power == Power::On && self.tools != Tools::NotRunning
    }

    /// Powers it on at this time. The VMX process reads its options now.
    pub fn start(&mut self, now: u64) {
        self.power = Power::On;
        self.shutting_down = false;
        self.booted = now;
        self.effective.clone_from(&self.extra);
        self.change += 1;
    }
}

impl Vm {
    /// The moids of the datastores that hold its files.
    pub fn stores(&self) -> Vec<&str> {
        let disk = self.hardware.disk.store.as_deref().filter(|store| *store != self.datastore);
        [self.datastore.as_str()].into_iter().chain(disk).collect()
    }

    /// The moids of the datastores that it uses (`datastore`): also that of the image in its CD drive.
    pub fn used_stores(&self) -> Vec<&str> {
        let mut stores = self.stores();
        let image = self.hardware.cdrom.store.as_deref().filter(|store| !stores.contains(store));
        stores.extend(image);
        stores
    }
}

impl Vm {
    /// The memory that it has reserved, in MB. FT reserves all of it.
    pub fn reserved(&self) -> i32 {
        if self.ft.is_some() { self.memory } else { self.hardware.reserved }
    }

    /// `runtime.faultToleranceState`.
    pub fn ft_state(&self) -> &'static str {
        match &self.ft {
            None => "notConfigured",
            // A secondary never needs a secondary itself. While it is off, it is enabled.
            Some(pair) if pair.secondary() && pair.state == State::NeedSecondary => "enabled",
            Some(pair) => pair.state.word(),
        }
    }
}

/// True if the article's three options are all TRUE in this set.
pub fn replay_options(set: &[(String, String)]) -> bool {
    ["replay.supported", "replay.allowFT", "replay.allowBTOnly"].iter().all(|key| Vm::says(set, key))
}
