//! The state of a virtual machine: `runtime` and `summary`.

use crate::value::{Data, Ref, Value};

use crate::model::clock;
use crate::model::vm::{Power, Vm};
use crate::world::World;

impl World {
    pub(super) fn runtime_info(&self, vm: &Vm) -> Data {
        let state = vm.ft_state();
        let replay = match (&vm.ft, state) {
            (Some(pair), "running") if self.config.personality.legacy_ft() => {
                if pair.secondary() {
                    "replaying"
                } else {
                    "recording"
                }
            }
            _ => "inactive",
        };
        let yes = Data::new("ElementDescription").with("label", "Yes").with("summary", "Yes").with("key", "0");
        let question = vm.question.as_ref().map(|text| {
            Data::new("VirtualMachineQuestionInfo").with("id", "1").with("text", text).with(
                "choice",
                Data::new("ChoiceOption").with("choiceInfo", Value::List("ElementDescription", vec![yes.into()])),
            )
        });
        let booted = (vm.power == Power::On).then(|| Value::Time(clock::format(self.epoch + vm.booted * 1000)));
        let protected = self.cluster_of(&vm.host).filter(|_| vm.power == Power::On).map(|cluster| {
            Data::new("VirtualMachineRuntimeInfoDasProtectionState").with("dasProtected", cluster.ha.on)
        });
        Data::new("VirtualMachineRuntimeInfo")
            .with("host", Ref::new("HostSystem", &vm.host))
            .with("connectionState", Value::Enum("VirtualMachineConnectionState", vm.connection.clone()))
            .with("powerState", vm.power.value())
            .with("faultToleranceState", Value::Enum("VirtualMachineFaultToleranceState", state.into()))
            .opt("dasVmProtection", protected)
            .with("toolsInstallerMounted", false)
            .opt("bootTime", booted)
            .opt("question", question)
            .with("numMksConnections", 0)
            .with("recordReplayState", Value::Enum("VirtualMachineRecordReplayState", replay.into()))
            .opt(
                "needSecondaryReason",
                vm.ft
                    .as_ref()
                    .and_then(|pair| pair.reason)
                    .map(|word| Value::Enum("VirtualMachineNeedSecondaryReason", word.into())),
            )
    }

    pub(super) fn vm_summary(&self, moid: &str, vm: &Vm) -> Data {
        let config = vm.accessible().then(|| {
            Data::new("VirtualMachineConfigSummary")
                .with("name", self.name(moid))
                .with("template", vm.template)
                .with("vmPathName", self.path(moid, vm, "vmx"))
                .with("memorySizeMB", vm.memory)
                .with("numCpu", vm.cpus)
                .with("numEthernetCards", 1)
                .with("numVirtualDisks", 1)
                .with("uuid", &vm.uuid)
                .with("instanceUuid", &vm.instance_uuid)
                .with("guestId", &vm.guest)
                .with("guestFullName", "Other Linux (64-bit)")
                .opt("ftInfo", self.ft_info(vm))
        });
        let (status, running) = tools_status(vm);
        Data::new("VirtualMachineSummary")
            .with("vm", Ref::new("VirtualMachine", moid))
            .with("runtime", self.runtime_info(vm))
            .with(
                "guest",
                Data::new("VirtualMachineGuestSummary")
                    .with("guestId", &vm.guest)
                    .with("toolsStatus", status)
                    .with("toolsRunningStatus", running),
            )
            .with(
                "config",
                config.unwrap_or_else(|| {
                    Data::new("VirtualMachineConfigSummary").with("name", self.name(moid)).with("template", vm.template)
                }),
            )
            .with(
                "quickStats",
                Data::new("VirtualMachineQuickStats")
                    .with("overallCpuUsage", 0)
                    .with("guestMemoryUsage", 0)
                    .with("hostMemoryUsage", if vm.power == Power::On { vm.memory } else { 0 }),
            )
            .with("overallStatus", Value::Enum("ManagedEntityStatus", "green".into()))
    }
}

/// `toolsStatus` and `toolsRunningStatus` of the guest.
pub(super) fn tools_status(vm: &Vm) -> (Value, &'static str) {
    let (status, running) =
        if vm.runs_tools() { ("toolsOk", "guestToolsRunning") } else { ("toolsNotRunning", "guestToolsNotRunning") };
    (Value::Enum("VirtualMachineToolsStatus", status.into()), running)
}
