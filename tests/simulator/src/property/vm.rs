//! Properties of virtual machines that have no file of their own, above all `config`.

use crate::config::Personality;
use crate::model::clock;
use crate::model::vm::{Power, Vm, replay_options};
use crate::value::{Data, Ref, Value};
use crate::world::World;

use super::hardware::{memory_allocation, resource_config};
use super::vm_state::tools_status;

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
            "guest" => {
                let (status, running) = tools_status(vm);
                let state = match vm.power {
                    Power::On if vm.shutting_down => "shuttingDown",
                    // Only VMware Tools knows the state of the guest.
                    Power::On if vm.runs_tools() => "running",
                    _ => "notRunning",
                };
                Data::new("GuestInfo")
                    .with("toolsStatus", status)
                    .with("toolsRunningStatus", running)
                    .with("guestState", state)
                    .into()
            }
            "guestHeartbeatStatus" => Value::Enum("ManagedEntityStatus", "gray".into()),
            "datastore" => Value::refs(vm.used_stores().into_iter().map(|moid| Ref::new("Datastore", moid))),
            "network" => Value::refs(self.moids("Network").take(1).map(|m| Ref::new("Network", m))),
            "resourceConfig" => resource_config(moid, vm).into(),
            "snapshot" => self.snapshot_info(moid, vm)?.into(),
            "resourcePool" if !vm.template => Ref::new("ResourcePool", &vm.pool).into(),
            "environmentBrowser" => Ref::new("EnvironmentBrowser", &format!("envbrowser-{moid}")).into(),
            _ => return None,
        })
    }

    /// `config.changeVersion`: opaque to clients, a time on real servers.
    pub fn change_version(&self, vm: &Vm) -> String {
        clock::format(self.epoch + vm.change)
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
        let names = |first: i64| {
            if vm.hardware.npiv { vec![Value::Long((first << 56) | 0x0056_4D00_0001)] } else { Vec::new() }
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
            .with("memoryAllocation", memory_allocation(vm))
            .list("npivNodeWorldWideName", "long", names(0x20))
            .list("npivPortWorldWideName", "long", names(0x21))
            .list("extraConfig", "OptionValue", extra)
            .opt("ftInfo", self.ft_info(vm))
            .with("firmware", &vm.hardware.firmware)
            .with("nestedHVEnabled", vm.hardware.nested_hv)
            .opt("keyId", vm.encrypted.then(|| Data::new("CryptoKeyId").with("keyId", "key-1")))
            .with("ftEncryptionMode", &vm.ft_encryption)
    }

    fn vm_capability(&self, vm: &Vm) -> Data {
        Data::new("VirtualMachineCapability")
            .with("snapshotOperationsSupported", true)
            .with("recordReplaySupported", self.can_replay(vm))
            .with("settingDisplayTopologySupported", true)
    }

    /// True if record/replay works for this VM. In a nested lab, it needs the three options at power-on.
    pub fn can_replay(&self, vm: &Vm) -> bool {
        let set = if vm.power == Power::Off { &vm.extra } else { &vm.effective };
        self.config.personality == Personality::V50 && replay_options(set)
    }
}
