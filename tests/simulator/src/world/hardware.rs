//! What a VM is made of: its disk, its devices, its firmware, and their shape in the API.

use crate::config::{Personality, Scenario};
use crate::value::{Data, Ref, Value};

use super::World;
use super::vm::Vm;

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

fn device(kind: &str, key: i32, label: &str) -> Data {
    let description = Data::new("Description").with("label", label).with("summary", label);
    Data::new(kind.to_owned()).with("key", key).with("deviceInfo", description)
}

impl Vm {
    /// The moids of what its files lie on.
    pub fn stores(&self) -> Vec<&str> {
        let disk = self.hardware.disk.store.as_deref().filter(|store| *store != self.datastore);
        [self.datastore.as_str()].into_iter().chain(disk).collect()
    }
}

impl World {
    /// `config.hardware.device`.
    pub(super) fn devices(&self, moid: &str, vm: &Vm) -> Value {
        let hardware = &vm.hardware;
        let keys =
            |keys: &[i32]| keys.iter().filter(|key| !hardware.removed.contains(key)).map(|k| (*k).into()).collect();
        let ide =
            device("VirtualIDEController", 200, "IDE 0").with("busNumber", 0).list("device", "int", keys(&[3000]));
        let scsi = device("VirtualLsiLogicController", 1000, "SCSI controller 0")
            .with("busNumber", 0)
            .list("device", "int", keys(&[2000]))
            .with("sharedBus", Value::Enum("VirtualSCSISharing", "noSharing".into()));
        let disk = device("VirtualDisk", 2000, "Hard disk 1")
            .with("backing", self.disk_backing(moid, vm))
            .with("controllerKey", 1000)
            .with("unitNumber", 0)
            .with("capacityInKB", Value::Long(1_048_576));
        let cdrom = device("VirtualCdrom", 3000, "CD/DVD drive 1")
            .with("backing", self.cdrom_backing(vm))
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
        let fixed = [ide, scsi, disk, cdrom, nic].into_iter();
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
                .with("eagerlyScrub", disk.eager),
        }
    }

    fn cdrom_backing(&self, vm: &Vm) -> Data {
        match vm.hardware.cdrom.as_str() {
            "iso" => Data::new("VirtualCdromIsoBackingInfo")
                .with("fileName", format!("[{}] iso/linux.iso", self.name(&vm.datastore)))
                .with("datastore", Ref::new("Datastore", &vm.datastore)),
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
                    .with("createTime", Value::Time(super::clock::format(self.epoch)))
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

    /// Whether a snapshot of a VM has this moid.
    pub fn is_snapshot(&self, moid: &str) -> bool {
        let parts = moid.strip_prefix("snapshot-").and_then(|rest| rest.rsplit_once('-'));
        let place = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
        parts.is_some_and(|(vm, text)| self.vm(vm).is_some_and(|vm| place(text) < vm.hardware.snapshots.len()))
    }
}

/// `resourceConfig`: FT reserves all of the memory.
pub(super) fn resource_config(moid: &str, vm: &Vm) -> Data {
    let allocation = |reservation: i64, shares: i32| {
        Data::new("ResourceAllocationInfo")
            .with("reservation", Value::Long(reservation))
            .with("expandableReservation", false)
            .with("limit", Value::Long(-1))
            .with(
                "shares",
                Data::new("SharesInfo")
                    .with("shares", shares)
                    .with("level", Value::Enum("SharesLevel", "normal".into())),
            )
    };
    let memory = if vm.ft.is_some() { i64::from(vm.memory) } else { 0 };
    Data::new("ResourceConfigSpec")
        .with("entity", Ref::new("VirtualMachine", moid))
        .with("cpuAllocation", allocation(0, 1000 * vm.cpus))
        .with("memoryAllocation", allocation(memory, 10 * vm.memory))
}
