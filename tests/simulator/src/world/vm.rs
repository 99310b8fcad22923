//! Virtual machines: what one holds, and its properties as the API shows them.

use crate::config::Personality;
use crate::value::{Data, Ref, Value};

use super::World;
use super::hardware::Hardware;

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
    /// The API's word.
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

    /// As a value.
    pub fn value(self) -> Value {
        Value::Enum("VirtualMachinePowerState", self.word().into())
    }
}

/// A virtual machine.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Whether it is a template.
    pub template: bool,
    /// Its power.
    pub power: Power,
    /// When it was powered on last, in milliseconds since the start; the source of `runtime.bootTime`.
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
    /// A question that waits for an answer.
    pub question: Option<String>,
    /// The task that holds it.
    pub busy: Option<String>,
    /// Fault tolerance, if it is configured.
    pub ft: Option<crate::ft::Pair>,
    /// Properties that its readers have no privilege for.
    pub unreadable: Vec<String>,
    /// Lines of vmware.log.
    pub vmware_log: Vec<String>,
    /// Numbers and lines of vmware-N.log, the oldest first.
    pub rotated_logs: Vec<(u32, Vec<String>)>,
}

/// Looks a key up as the VMX dictionary does: without regard to case.
pub fn lookup<'a>(extra: &'a [(String, String)], key: &str) -> Option<&'a str> {
    extra.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}

impl Vm {
    /// Whether an option is TRUE in this set.
    pub fn says(set: &[(String, String)], key: &str) -> bool {
        lookup(set, key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether config can be read.
    pub fn accessible(&self) -> bool {
        !matches!(self.connection.as_str(), "inaccessible" | "orphaned" | "invalid" | "disconnected")
    }

    /// Powers it on at this time: the VMX process reads its options now.
    pub fn start(&mut self, now: u64) {
        self.power = Power::On;
        self.booted = now;
        self.effective.clone_from(&self.extra);
        self.change += 1;
    }
}

impl World {
    /// A property of a VM.
    pub fn vm_property(&self, moid: &str, vm: &Vm, name: &str) -> Option<Value> {
        let config = vm.accessible();
        Some(match name {
            "config" if config => self.config_info(moid, vm).into(),
            "runtime" => self.runtime_info(vm).into(),
            "summary" => self.vm_summary(moid, vm).into(),
            "layoutEx" if config => self.layout(moid, vm).into(),
            "capability" => self.vm_capability(vm).into(),
            "guest" => Data::new("GuestInfo")
                .with("toolsStatus", Value::Enum("VirtualMachineToolsStatus", "toolsNotInstalled".into()))
                .with("toolsRunningStatus", "guestToolsNotRunning")
                .with("guestState", "notRunning")
                .into(),
            "guestHeartbeatStatus" => Value::Enum("ManagedEntityStatus", "gray".into()),
            "datastore" => Value::refs(vm.stores().into_iter().map(|moid| Ref::new("Datastore", moid))),
            "network" => Value::refs(self.moids("Network").take(1).map(|m| Ref::new("Network", m))),
            "resourceConfig" => super::hardware::resource_config(moid, vm).into(),
            "snapshot" => self.snapshot_info(moid, vm)?.into(),
            "resourcePool" if !vm.template => Ref::new("ResourcePool", &vm.pool).into(),
            "environmentBrowser" => Ref::new("EnvironmentBrowser", &format!("envbrowser-{moid}")).into(),
            _ => return None,
        })
    }

    /// `config.changeVersion`: opaque to clients, a time on real servers.
    pub fn change_version(&self, vm: &Vm) -> String {
        super::clock::format(self.epoch + vm.change)
    }

    pub(super) fn path(&self, moid: &str, vm: &Vm, extension: &str) -> String {
        let name = self.name(moid);
        format!("[{}] {}/{name}.{extension}", self.name(&vm.datastore), vm.directory)
    }

    fn config_info(&self, moid: &str, vm: &Vm) -> Data {
        let extra = vm
            .extra
            .iter()
            .map(|(key, value)| Data::new("OptionValue").with("key", key).with("value", value).into())
            .collect();
        let directory = format!("[{}] {}/", self.name(&vm.datastore), vm.directory);
        let legacy = self.config.personality.legacy_ft();
        let engine = match &vm.ft {
            None => "unset",
            Some(_) if legacy => "recordReplay",
            Some(_) => "checkpointing",
        };
        Data::new("VirtualMachineConfigInfo")
            .with("changeVersion", self.change_version(vm))
            .with("modified", Value::Time("1970-01-01T00:00:00Z".into()))
            .with("name", self.name(moid))
            .with("guestFullName", "Other Linux (64-bit)")
            .with("version", &vm.hardware.version)
            .with("uuid", &vm.uuid)
            .with("instanceUuid", &vm.instance_uuid)
            .with("template", vm.template)
            .with("guestId", &vm.guest)
            .with("alternateGuestName", "")
            .with(
                "files",
                Data::new("VirtualMachineFileInfo")
                    .with("vmPathName", self.path(moid, vm, "vmx"))
                    .with("snapshotDirectory", directory.clone())
                    .with("suspendDirectory", directory.clone())
                    .with("logDirectory", directory),
            )
            .with(
                "flags",
                Data::new("VirtualMachineFlagInfo")
                    .with("recordReplayEnabled", Vm::says(&vm.extra, "replay.supported"))
                    .with("snapshotDisabled", false)
                    .with("faultToleranceType", engine)
                    .with("vbsEnabled", vm.hardware.vbs),
            )
            .with(
                "hardware",
                Data::new("VirtualHardware")
                    .with("numCPU", vm.cpus)
                    .with("numCoresPerSocket", 1)
                    .with("memoryMB", vm.memory)
                    .with("device", self.devices(moid, vm)),
            )
            .list("extraConfig", "OptionValue", extra)
            .opt("ftInfo", self.ft_info(vm))
            .with("firmware", &vm.hardware.firmware)
            .with("nestedHVEnabled", vm.hardware.nested_hv)
    }

    fn vm_capability(&self, vm: &Vm) -> Data {
        Data::new("VirtualMachineCapability")
            .with("snapshotOperationsSupported", true)
            .with("recordReplaySupported", self.can_replay(vm))
            .with("settingDisplayTopologySupported", true)
    }

    /// Whether record/replay works for this VM: in a nested lab only with the three options, as the VMX process sees them.
    pub fn can_replay(&self, vm: &Vm) -> bool {
        let set = if vm.power == Power::Off { &vm.extra } else { &vm.effective };
        self.config.personality == Personality::V50 && replay_options(set)
    }
}

/// Whether the three options of the article are all TRUE in this set.
pub fn replay_options(set: &[(String, String)]) -> bool {
    ["replay.supported", "replay.allowFT", "replay.allowBTOnly"].iter().all(|key| Vm::says(set, key))
}
