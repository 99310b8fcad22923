//! A VM's devices, snapshots and resource allocation as the API shows them.

use crate::config::Personality;
use crate::model::clock;
use crate::model::vm::Vm;
use crate::value::{Data, Ref, Value};
use crate::world::World;

fn device(kind: &str, key: i32, label: &str) -> Data {
    let description = Data::new("Description").with("label", label).with("summary", label);
    Data::new(kind.to_owned()).with("key", key).with("deviceInfo", description)
}

impl World {
    /// `config.hardware.device`.
    pub(super) fn devices(&self, moid: &str, vm: &Vm) -> Value {
        let hardware = &vm.hardware;
        let keys =
            |keys: &[i32]| keys.iter().filter(|key| !hardware.removed.contains(key)).map(|k| (*k).into()).collect();
        let disks: Vec<i32> = (2000..=2000 + hardware.disk.more).collect();
        let ide =
            device("VirtualIDEController", 200, "IDE 0").with("busNumber", 0).list("device", "int", keys(&[3000]));
        let scsi = device("VirtualLsiLogicController", 1000, "SCSI controller 0")
            .with("busNumber", 0)
            .list("device", "int", keys(&disks))
            .with("sharedBus", Value::Enum("VirtualSCSISharing", "noSharing".into()));
        let disk = |key: i32| {
            device("VirtualDisk", key, &format!("Hard disk {}", key - 1999))
                .with("backing", self.disk_backing(moid, vm))
                .with("controllerKey", 1000)
                .with("unitNumber", key - 2000)
                .with("capacityInKB", Value::Long(hardware.disk.size))
                .list("iofilter", "string", hardware.disk.filters.iter().map(Value::from).collect())
        };
        let cdrom = device("VirtualCdrom", 3000, "CD/DVD drive 1")
            .with("backing", self.cdrom_backing(vm))
            .with(
                "connectable",
                Data::new("VirtualDeviceConnectInfo")
                    .with("startConnected", hardware.cdrom.connected)
                    .with("allowGuestControl", true)
                    .with("connected", hardware.cdrom.connected),
            )
            .with("controllerKey", 200)
            .with("unitNumber", 0);
        let card = if self.config.personality == Personality::V50 { "VirtualE1000" } else { "VirtualVmxnet3" };
        let network = self.of_kind("Network").into_iter().next();
        let nic = device(card, 4000, "Network adapter 1")
            .with(
                "backing",
                Data::new("VirtualEthernetCardNetworkBackingInfo")
                    .with("deviceName", network.as_ref().map_or("", |moid| self.name(moid)))
                    .opt("network", network.as_ref().map(|moid| Ref::new("Network", moid))),
            )
            .with("addressType", "assigned")
            .with("macAddress", "00:50:56:00:00:01");
        // Every VM has this one.
        let vmci =
            device("VirtualMachineVMCIDevice", 12000, "VMCI device").with("allowUnrestrictedCommunication", false);
        let fixed = [ide, scsi, vmci].into_iter().chain(disks.into_iter().map(disk)).chain([cdrom, nic]);
        let fixed = fixed
            .filter(|device| !matches!(device.get("key"), Some(Value::Int(key)) if hardware.removed.contains(key)));
        let added = hardware.added.iter().zip(7000..).map(|(kind, key)| device(kind, key, kind));
        Value::List("VirtualDevice", fixed.chain(added).map(Value::from).collect())
    }

    fn disk_backing(&self, moid: &str, vm: &Vm) -> Data {
        let disk = &vm.hardware.disk;
        let store = disk.store.as_ref().unwrap_or(&vm.datastore);
        let file = format!("[{}] {}/{}.vmdk", self.name(store), vm.directory, self.name(moid));
        let store = Ref::new("Datastore", store);
        // Linked clones and disks with a snapshot continue another disk.
        let parent = (disk.linked || !vm.hardware.snapshots.is_empty()).then(|| {
            Data::new("VirtualDiskFlatVer2BackingInfo")
                .with("fileName", file.replace(".vmdk", "-base.vmdk"))
                .with("datastore", store.clone())
                .with("diskMode", &disk.mode)
        });
        match &disk.rdm {
            Some(mode) => Data::new("VirtualDiskRawDiskMappingVer1BackingInfo")
                .with("fileName", file)
                .with("datastore", store)
                .with("lunUuid", "02000000006000c2")
                .with("deviceName", "vml.02000000006000c2")
                .with("compatibilityMode", mode)
                .with("diskMode", &disk.mode),
            None => Data::new("VirtualDiskFlatVer2BackingInfo")
                .with("fileName", file)
                .with("datastore", store)
                .with("diskMode", &disk.mode)
                .with("thinProvisioned", disk.thin)
                .with("eagerlyScrub", disk.eager)
                .opt("parent", parent),
        }
    }

    fn cdrom_backing(&self, vm: &Vm) -> Data {
        let image = vm.hardware.cdrom.store.as_ref().unwrap_or(&vm.datastore);
        match vm.hardware.cdrom.media.as_str() {
            "iso" => Data::new("VirtualCdromIsoBackingInfo")
                .with("fileName", format!("[{}] iso/linux.iso", self.name(image)))
                .with("datastore", Ref::new("Datastore", image)),
            "physical" => {
                Data::new("VirtualCdromAtapiBackingInfo").with("deviceName", "/dev/cdrom/mpx.vmhba0:C0:T0:L0")
            }
            _ => Data::new("VirtualCdromRemotePassthroughBackingInfo").with("deviceName", "").with("exclusive", false),
        }
    }

    /// `snapshot`: each snapshot is the child of the one before it.
    pub(super) fn snapshot_info(&self, moid: &str, vm: &Vm) -> Option<Data> {
        let reference = |place: usize| Ref::new("VirtualMachineSnapshot", &format!("snapshot-{moid}-{place}"));
        let names = &vm.hardware.snapshots;
        let tree = names.iter().enumerate().rev().fold(None, |child: Option<Data>, (place, name)| {
            let child = child.map(|data| Value::List("VirtualMachineSnapshotTree", vec![data.into()]));
            Some(
                Data::new("VirtualMachineSnapshotTree")
                    .with("snapshot", reference(place))
                    .with("vm", Ref::new("VirtualMachine", moid))
                    .with("name", name)
                    .with("description", "")
                    .with("id", i32::try_from(place).unwrap_or(0) + 1)
                    .with("createTime", Value::Time(clock::format(self.epoch)))
                    .with("state", vm.power.value())
                    .with("quiesced", false)
                    .opt("childSnapshotList", child),
            )
        })?;
        Some(
            Data::new("VirtualMachineSnapshotInfo")
                .with("currentSnapshot", reference(names.len() - 1))
                .with("rootSnapshotList", Value::List("VirtualMachineSnapshotTree", vec![tree.into()])),
        )
    }

    /// True if a snapshot of a VM has this moid.
    pub fn is_snapshot(&self, moid: &str) -> bool {
        let parts = moid.strip_prefix("snapshot-").and_then(|rest| rest.rsplit_once('-'));
        let place = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
        parts.is_some_and(|(vm, text)| self.vm(vm).is_some_and(|vm| place(text) < vm.hardware.snapshots.len()))
    }
}

fn allocation(reservation: i32, shares: i32) -> Data {
    let level = Value::Enum("SharesLevel", "normal".into());
    Data::new("ResourceAllocationInfo")
        .with("reservation", Value::Long(reservation.into()))
        .with("expandableReservation", false)
        .with("limit", Value::Long(-1))
        .with("shares", Data::new("SharesInfo").with("shares", shares).with("level", level))
}

/// `memoryAllocation`.
pub(super) fn memory_allocation(vm: &Vm) -> Data {
    allocation(vm.reserved(), 10 * vm.memory)
}

/// `resourceConfig`.
pub(super) fn resource_config(moid: &str, vm: &Vm) -> Data {
    Data::new("ResourceConfigSpec")
        .with("entity", Ref::new("VirtualMachine", moid))
        .with("cpuAllocation", allocation(0, 1000 * vm.cpus))
        .with("memoryAllocation", memory_allocation(vm))
}
