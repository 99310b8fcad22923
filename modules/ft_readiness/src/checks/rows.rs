//! What is changed of a virtual machine in a good lab, and what becomes of one requirement.

use vsphere::{FtInfo, Version};

use super::tests::{Row, hidden};
use crate::check::Id;
use crate::check::Status::{Met, Unknown, Unmet};
use crate::facts::{Device, Fact, Facts};
use crate::testing::known;

use vsphere::FtEngine::{Legacy, Smp};

fn role(role: i32, orphaned: bool) -> Fact<FtInfo> {
    Fact::Known(FtInfo { role, instance_uuids: Vec::new(), secondaries: Vec::new(), primary: None, orphaned })
}

fn put_in(facts: &mut Facts, kind: &str, backing: &str) {
    let device = Device { kind: kind.to_owned(), backing: backing.to_owned(), ..Device::default() };
    if let Fact::Known(devices) = &mut facts.machine().devices {
        devices.push(device);
    }
}

pub const VM: &[Row] = &[
    (Id::VmAccessible, Smp, Unmet, |it| it.machine().connection = known("inaccessible")),
    (Id::VmAccessible, Smp, Unknown, |it| it.machine().connection = Fact::Unset),
    (Id::VmTemplate, Smp, Unmet, |it| it.machine().template = Fact::Known(true)),
    (Id::VmTemplate, Smp, Unknown, |it| it.machine().template = hidden()),
    (Id::VmRole, Smp, Unmet, |it| it.machine().ft = role(2, false)),
    (Id::VmRole, Smp, Unmet, |it| it.machine().ft = role(2, true)),
    (Id::VmRole, Smp, Met, |it| it.machine().ft = role(1, false)),
    (Id::VmRole, Smp, Unknown, |it| it.machine().ft = hidden()),
    (Id::VmPower, Smp, Unmet, |it| it.machine().power = known("suspended")),
    (Id::VmPower, Smp, Met, |it| it.machine().power = known("poweredOff")),
    (Id::VmPower, Smp, Unknown, |it| it.machine().power = known("hibernating")),
    (Id::VmPower, Smp, Unknown, |it| it.machine().power = Fact::Unset),
    (Id::VmPower, Legacy, Unmet, |it| it.machine().options = Fact::Known(Vec::new())),
    (Id::VmPower, Legacy, Met, |it| {
        it.machine().options = Fact::Known(Vec::new());
        it.machine().power = known("poweredOff");
    }),
    // The options are of no use with SMP-FT, on real hardware, or to a pair that runs; and may not be readable.
    (Id::VmPower, Smp, Met, |it| it.machine().options = Fact::Known(Vec::new())),
    (Id::VmPower, Legacy, Met, |it| {
        it.machine().options = Fact::Known(Vec::new());
        it.hosts.iter_mut().for_each(|host| host.nested = false);
    }),
    (Id::VmPower, Legacy, Met, |it| {
        it.machine().options = Fact::Known(Vec::new());
        it.machine().ft_state = known("running");
    }),
    (Id::VmPower, Legacy, Met, |it| it.machine().options = hidden()),
    (Id::VmQuestion, Smp, Unmet, |it| it.machine().question = known("Did you copy it?")),
    (Id::VmQuestion, Smp, Unknown, |it| it.machine().question = hidden()),
    (Id::Snapshot, Smp, Unmet, |it| it.machine().snapshot = Fact::Known(())),
    (Id::Snapshot, Smp, Unknown, |it| it.machine().snapshot = hidden()),
    (Id::Vcpus, Legacy, Unmet, |it| it.machine().cpus = Fact::Known(2)),
    (Id::Vcpus, Smp, Met, |it| it.machine().cpus = Fact::Known(8)),
    (Id::Vcpus, Smp, Unmet, |it| it.machine().cpus = Fact::Known(9)),
    (Id::Vcpus, Smp, Unmet, |it| {
        it.machine().cpus = Fact::Known(4);
        it.second().capability.max_vcpus = Fact::Known(2);
    }),
    (Id::Vcpus, Smp, Unknown, |it| it.machine().cpus = hidden()),
    (Id::Memory, Legacy, Met, |it| it.machine().memory_mb = Fact::Known(65_536)),
    (Id::Memory, Legacy, Unmet, |it| it.machine().memory_mb = Fact::Known(65_537)),
    (Id::Memory, Smp, Met, |it| it.machine().memory_mb = Fact::Known(131_072)),
    (Id::Memory, Smp, Unmet, |it| {
        it.machine().memory_mb = Fact::Known(65_540);
        for host in &mut it.hosts {
            host.version = Fact::Known(Version::parse("6.5.0"));
            host.capability.max_memory_mb = Fact::Unset;
        }
    }),
    (Id::Memory, Smp, Unknown, |it| it.machine().memory_mb = Fact::Unset),
    (Id::HardwareVersion, Legacy, Unmet, |it| it.machine().hardware = known("vmx-04")),
    (Id::HardwareVersion, Legacy, Unknown, |it| it.machine().hardware = known("new")),
    (Id::HardwareVersion, Legacy, Unknown, |it| it.machine().hardware = hidden()),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualUSB", "VirtualUSBUSBBackingInfo")),
    (Id::Devices, Smp, Met, |it| put_in(it, "VirtualUSBXHCIController", "")),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualHdAudioCard", "")),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualSerialPort", "VirtualSerialPortFileBackingInfo")),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualParallelPort", "VirtualParallelPortFileBackingInfo")),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualPCIPassthrough", "")),
    (Id::Devices, Smp, Met, |it| put_in(it, "VirtualCdrom", "")),
    (Id::Devices, Smp, Met, |it| put_in(it, "VirtualFloppy", "VirtualFloppyImageBackingInfo")),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualCdrom", "VirtualCdromAtapiBackingInfo")),
    (Id::Devices, Smp, Met, |it| put_in(it, "VirtualCdrom", "VirtualCdromRemotePassthroughBackingInfo")),
    (Id::Devices, Smp, Met, |it| put_in(it, "VirtualCdrom", "VirtualCdromIsoBackingInfo")),
    (Id::Devices, Smp, Unmet, |it| put_in(it, "VirtualFloppy", "VirtualFloppyDeviceBackingInfo")),
    (Id::Devices, Legacy, Unmet, |it| put_in(it, "VirtualPCNet32", "")),
    (Id::Devices, Smp, Met, |it| put_in(it, "VirtualPCNet32", "")),
    (Id::Devices, Smp, Unknown, |it| it.machine().devices = hidden()),
    (Id::Video3d, Smp, Unmet, |it| it.disk().video_3d = Some(true)),
    (Id::Video3d, Smp, Unknown, |it| it.machine().devices = Fact::Unset),
    (Id::NestedHv, Smp, Unmet, |it| it.machine().nested_hv = Fact::Known(true)),
    (Id::NestedHv, Smp, Unknown, |it| it.machine().nested_hv = Fact::Unset),
    (Id::Vbs, Smp, Unmet, |it| it.machine().vbs = Fact::Known(true)),
    (Id::Vbs, Smp, Unknown, |it| it.machine().vbs = hidden()),
    (Id::Firmware, Smp, Met, |it| it.machine().firmware = known("efi")),
    (Id::Firmware, Smp, Unmet, |it| {
        it.machine().firmware = known("efi");
        it.second().capability.efi = Fact::Known(false);
    }),
    (Id::Firmware, Smp, Unknown, |it| {
        it.machine().firmware = known("efi");
        it.second().capability.efi = Fact::Unset;
    }),
    (Id::Firmware, Legacy, Unknown, |it| it.machine().firmware = Fact::Unset),
    (Id::ReplayOptions, Legacy, Unmet, |it| it.machine().options = Fact::Known(Vec::new())),
    (Id::ReplayOptions, Legacy, Unknown, |it| it.machine().options = hidden()),
];

pub const DISK: &[Row] = &[
    (Id::DiskFormat, Legacy, Unmet, |it| it.disk().thin = Some(true)),
    (Id::DiskFormat, Legacy, Unmet, |it| it.disk().eagerly_scrubbed = Some(false)),
    (Id::DiskFormat, Legacy, Unknown, |it| it.disk().eagerly_scrubbed = None),
    (Id::DiskFormat, Legacy, Unknown, |it| {
        it.disk().thin = None;
        it.disk().eagerly_scrubbed = None;
    }),
    // A raw device mapping has no format.
    (Id::DiskFormat, Legacy, Met, |it| {
        it.disk().thin = None;
        it.disk().eagerly_scrubbed = None;
        it.disk().backing = "VirtualDiskRawDiskMappingVer1BackingInfo".to_owned();
    }),
    (Id::DiskFormat, Legacy, Unknown, |it| it.machine().devices = hidden()),
    // Turning Fault Tolerance on converts the disks of a virtual machine that is off.
    (Id::DiskFormat, Legacy, Met, |it| {
        it.disk().thin = Some(true);
        it.machine().power = known("poweredOff");
    }),
    (Id::DiskMode, Smp, Unknown, |it| it.disk().mode = Some("nonpersistent".to_owned())),
    (Id::DiskMode, Smp, Met, |it| it.disk().mode = Some("independent_persistent".to_owned())),
    (Id::DiskRdm, Smp, Unmet, |it| it.disk().compatibility_mode = Some("physicalMode".to_owned())),
    (Id::DiskRdm, Smp, Met, |it| it.disk().compatibility_mode = Some("virtualMode".to_owned())),
    (Id::DiskRdm, Smp, Unknown, |it| it.machine().devices = Fact::Unset),
    (Id::SharedStorage, Legacy, Unmet, |it| it.datastores[0].shared = Fact::Known(false)),
    (Id::SharedStorage, Smp, Unmet, |it| it.datastores[0].shared = Fact::Known(false)),
    (Id::SharedStorage, Smp, Unmet, |it| it.datastores[0].accessible = Fact::Known(false)),
    (Id::SharedStorage, Smp, Unknown, |it| it.datastores[0].shared = Fact::Unset),
    (Id::SharedStorage, Smp, Unknown, |it| it.datastores.clear()),
    (Id::SharedStorage, Legacy, Unknown, |it| it.machine().datastores = Fact::Known(Vec::new())),
    (Id::SharedStorage, Smp, Unknown, |it| it.machine().vmx = hidden()),
    (Id::DatastoreAccess, Smp, Met, |it| it.machine().metadata = known("")),
    (Id::DatastoreAccess, Smp, Unmet, |it| it.second().datastores = Fact::Known(Vec::new())),
    (Id::DatastoreAccess, Smp, Unknown, |it| it.second().datastores = hidden()),
    (Id::DatastoreAccess, Smp, Unknown, |it| it.machine().datastores = Fact::Unset),
    (Id::NetworkAccess, Smp, Unmet, |it| it.second().networks = Fact::Known(vec!["network-2".to_owned()])),
    (Id::NetworkAccess, Smp, Unknown, |it| it.second().networks = Fact::Unset),
];
