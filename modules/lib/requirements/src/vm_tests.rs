//! The requirements of the virtual machine, as rows of the table.

use crate::cluster::HA_OVERRIDE;
use crate::fact::Fact;
use crate::facts::{Device, Facts};
use crate::hardware::{DEVICES, FIRMWARE, HARDWARE_VERSION, NESTED_HV, NPIV, TPM, VBS, VIDEO_3D};
use crate::network::NETWORK_ACCESS;
use crate::replay::REPLAY_OPTIONS;
use crate::reservation::{HOST_MEMORY, POOL_MEMORY};
use crate::size::{MEMORY, VCPUS};
use crate::storage::{DATASTORE_ACCESS, DISK_FORMAT, DISK_MODE, DISK_RDM, SHARED_STORAGE};
use crate::testing::{Row, hidden, known, moids};
use crate::vm::{SNAPSHOT, VM_ACCESSIBLE, VM_POWER, VM_QUESTION, VM_ROLE, VM_TEMPLATE};

use vsphere::{FtInfo, Version};

use crate::finding::Status::{Met, Unknown, Unmet};
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

pub const VM_ROWS: &[Row] = &[
    (VM_ACCESSIBLE, Smp, Unmet, |it| it.machine().connection = known("inaccessible")),
    (VM_ACCESSIBLE, Smp, Unknown, |it| it.machine().connection = Fact::Unset),
    (VM_TEMPLATE, Smp, Unmet, |it| it.machine().template = Fact::Known(true)),
    (VM_TEMPLATE, Smp, Unknown, |it| it.machine().template = hidden()),
    (VM_ROLE, Smp, Unmet, |it| it.machine().ft = role(2, false)),
    (VM_ROLE, Smp, Unmet, |it| it.machine().ft = role(2, true)),
    (VM_ROLE, Smp, Met, |it| it.machine().ft = role(1, false)),
    (VM_ROLE, Smp, Unknown, |it| it.machine().ft = hidden()),
    (VM_POWER, Smp, Unmet, |it| it.machine().power = known("suspended")),
    (VM_POWER, Smp, Met, |it| it.machine().power = known("poweredOff")),
    (VM_POWER, Smp, Unknown, |it| it.machine().power = known("hibernating")),
    (VM_POWER, Smp, Unknown, |it| it.machine().power = Fact::Unset),
    (VM_POWER, Legacy, Unmet, |it| it.machine().options = Fact::Known(Vec::new())),
    (VM_POWER, Legacy, Met, |it| {
        it.machine().options = Fact::Known(Vec::new());
        it.machine().power = known("poweredOff");
    }),
    // The options do not matter with SMP-FT, on physical hosts or to an existing pair, or if they cannot be read.
    (VM_POWER, Smp, Met, |it| it.machine().options = Fact::Known(Vec::new())),
    (VM_POWER, Legacy, Met, |it| {
        it.machine().options = Fact::Known(Vec::new());
        it.hosts.iter_mut().for_each(|host| host.nested = false);
    }),
    (VM_POWER, Legacy, Met, |it| {
        it.machine().options = Fact::Known(Vec::new());
        it.machine().ft_state = known("running");
    }),
    (VM_POWER, Legacy, Met, |it| it.machine().options = hidden()),
    (VM_QUESTION, Smp, Unmet, |it| it.machine().question = known("Did you copy it?")),
    (VM_QUESTION, Smp, Unknown, |it| it.machine().question = hidden()),
    (SNAPSHOT, Smp, Unmet, |it| it.machine().snapshot = Fact::Known(())),
    (SNAPSHOT, Smp, Unknown, |it| it.machine().snapshot = hidden()),
    (VCPUS, Legacy, Unmet, |it| it.machine().cpus = Fact::Known(2)),
    (VCPUS, Smp, Met, |it| it.machine().cpus = Fact::Known(8)),
    (VCPUS, Smp, Unmet, |it| it.machine().cpus = Fact::Known(9)),
    (VCPUS, Smp, Unmet, |it| {
        it.machine().cpus = Fact::Known(4);
        it.second().capability.max_vcpus = Fact::Known(2);
    }),
    (VCPUS, Smp, Unknown, |it| it.machine().cpus = hidden()),
    (MEMORY, Legacy, Met, |it| it.machine().memory_mb = Fact::Known(65_536)),
    (MEMORY, Legacy, Unmet, |it| it.machine().memory_mb = Fact::Known(65_537)),
    (MEMORY, Smp, Met, |it| it.machine().memory_mb = Fact::Known(131_072)),
    (MEMORY, Smp, Unmet, |it| {
        it.machine().memory_mb = Fact::Known(65_540);
        for host in &mut it.hosts {
            host.version = Fact::Known(Version::parse("6.5.0"));
            host.capability.max_memory_mb = Fact::Unset;
        }
    }),
    (MEMORY, Smp, Unknown, |it| it.machine().memory_mb = Fact::Unset),
    (HA_OVERRIDE, Smp, Met, |it| it.cluster().ha_off = moids(&["vm-64"])),
    (HA_OVERRIDE, Smp, Unmet, |it| it.cluster().ha_off = moids(&["vm-63", "vm-64"])),
    (HA_OVERRIDE, Smp, Unknown, |it| it.cluster().ha_off = hidden()),
    // It has 512 MB. SMP-FT needs 1 to 2 GB more.
    (POOL_MEMORY, Smp, Met, |it| it.machine().pool_mb = Fact::Known(512 + 2048)),
    (POOL_MEMORY, Smp, Unknown, |it| it.machine().pool_mb = Fact::Known(512 + 2047)),
    (POOL_MEMORY, Smp, Unknown, |it| it.machine().pool_mb = Fact::Known(512 + 1024)),
    (POOL_MEMORY, Smp, Unmet, |it| it.machine().pool_mb = Fact::Known(512 + 1023)),
    (POOL_MEMORY, Legacy, Met, |it| it.machine().pool_mb = Fact::Known(512)),
    (POOL_MEMORY, Legacy, Unmet, |it| it.machine().pool_mb = Fact::Known(511)),
    (POOL_MEMORY, Smp, Unknown, |it| it.machine().pool_mb = hidden()),
    (POOL_MEMORY, Smp, Unknown, |it| it.machine().reserved_mb = Fact::Unset),
    // The reservation of a running virtual machine is in use already.
    (POOL_MEMORY, Smp, Met, |it| {
        it.machine().pool_mb = Fact::Known(2048);
        it.machine().reserved_mb = Fact::Known(512);
    }),
    (POOL_MEMORY, Smp, Unknown, |it| {
        it.machine().pool_mb = Fact::Known(2048);
        it.machine().reserved_mb = Fact::Known(512);
        it.machine().power = known("poweredOff");
    }),
    (POOL_MEMORY, Smp, Met, |it| {
        it.machine().pool_mb = Fact::Known(0);
        it.machine().ft_state = known("running");
    }),
    (HOST_MEMORY, Smp, Met, |it| it.second().reserved_mb = Fact::Known(8192 - 512 - 2048)),
    (HOST_MEMORY, Smp, Unknown, |it| it.second().reserved_mb = Fact::Known(8192 - 512 - 2047)),
    (HOST_MEMORY, Smp, Unmet, |it| it.second().reserved_mb = Fact::Known(8192 - 512 - 1023)),
    (HOST_MEMORY, Smp, Unmet, |it| it.second().memory_mb = Fact::Known(1024)),
    (HOST_MEMORY, Legacy, Met, |it| it.second().memory_mb = Fact::Known(1024 + 512)),
    (HOST_MEMORY, Smp, Unknown, |it| it.second().memory_mb = Fact::Unset),
    (HOST_MEMORY, Smp, Unknown, |it| it.second().reserved_mb = hidden()),
    // Other virtual machines may give up memory that they use but have not reserved.
    (HOST_MEMORY, Smp, Unknown, |it| it.second().used_mb = Fact::Known(8000)),
    // The memory that the virtual machine itself uses on its host counts only once.
    (HOST_MEMORY, Smp, Met, |it| {
        it.hosts[0].used_mb = Fact::Known(8192 - 512 - 2048 + 400);
    }),
    (HOST_MEMORY, Smp, Met, |it| {
        it.second().memory_mb = Fact::Known(1024);
        it.third();
    }),
    (HOST_MEMORY, Smp, Met, |it| {
        it.second().memory_mb = Fact::Known(1024);
        it.machine().ft_state = known("running");
    }),
    (HARDWARE_VERSION, Legacy, Unmet, |it| it.machine().hardware = known("vmx-04")),
    (HARDWARE_VERSION, Legacy, Unknown, |it| it.machine().hardware = known("new")),
    (HARDWARE_VERSION, Legacy, Unknown, |it| it.machine().hardware = hidden()),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualUSB", "VirtualUSBUSBBackingInfo")),
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualUSBXHCIController", "")),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualHdAudioCard", "")),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualSerialPort", "VirtualSerialPortFileBackingInfo")),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualParallelPort", "VirtualParallelPortFileBackingInfo")),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualPCIPassthrough", "")),
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualCdrom", "")),
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualFloppy", "VirtualFloppyImageBackingInfo")),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualCdrom", "VirtualCdromAtapiBackingInfo")),
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualCdrom", "VirtualCdromRemotePassthroughBackingInfo")),
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualCdrom", "VirtualCdromIsoBackingInfo")),
    (DEVICES, Smp, Unmet, |it| put_in(it, "VirtualFloppy", "VirtualFloppyDeviceBackingInfo")),
    (DEVICES, Legacy, Unmet, |it| put_in(it, "VirtualPCNet32", "")),
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualPCNet32", "")),
    (DEVICES, Smp, Unknown, |it| it.machine().devices = hidden()),
    (VIDEO_3D, Smp, Unmet, |it| it.disk().video_3d = Some(true)),
    (VIDEO_3D, Smp, Unknown, |it| it.machine().devices = Fact::Unset),
    // Every virtual machine has this device.
    (DEVICES, Smp, Met, |it| put_in(it, "VirtualMachineVMCIDevice", "")),
    (NPIV, Smp, Unmet, |it| it.machine().npiv = Fact::Known(())),
    (NPIV, Legacy, Unmet, |it| it.machine().npiv = Fact::Known(())),
    (NPIV, Smp, Unknown, |it| it.machine().npiv = hidden()),
    (TPM, Smp, Unknown, |it| put_in(it, "VirtualTPM", "")),
    (TPM, Smp, Unknown, |it| it.machine().devices = hidden()),
    (TPM, Smp, Unmet, |it| {
        it.upgrade("7.0.3");
        put_in(it, "VirtualTPM", "");
    }),
    (TPM, Smp, Met, |it| {
        it.upgrade("8.0.2");
        put_in(it, "VirtualTPM", "");
    }),
    (NESTED_HV, Smp, Unmet, |it| it.machine().nested_hv = Fact::Known(true)),
    (NESTED_HV, Smp, Unknown, |it| it.machine().nested_hv = Fact::Unset),
    (VBS, Smp, Unmet, |it| it.machine().vbs = Fact::Known(true)),
    (VBS, Smp, Unknown, |it| it.machine().vbs = hidden()),
    (FIRMWARE, Smp, Met, |it| it.machine().firmware = known("efi")),
    (FIRMWARE, Smp, Unmet, |it| {
        it.machine().firmware = known("efi");
        it.second().capability.efi = Fact::Known(false);
    }),
    (FIRMWARE, Smp, Unknown, |it| {
        it.machine().firmware = known("efi");
        it.second().capability.efi = Fact::Unset;
    }),
    (FIRMWARE, Legacy, Unknown, |it| it.machine().firmware = Fact::Unset),
    (REPLAY_OPTIONS, Legacy, Unmet, |it| it.machine().options = Fact::Known(Vec::new())),
    (REPLAY_OPTIONS, Legacy, Unknown, |it| it.machine().options = hidden()),
];

pub const DISK_ROWS: &[Row] = &[
    (DISK_FORMAT, Legacy, Unmet, |it| it.disk().thin = Some(true)),
    (DISK_FORMAT, Legacy, Unmet, |it| it.disk().eagerly_scrubbed = Some(false)),
    (DISK_FORMAT, Legacy, Unknown, |it| it.disk().eagerly_scrubbed = None),
    (DISK_FORMAT, Legacy, Unknown, |it| {
        it.disk().thin = None;
        it.disk().eagerly_scrubbed = None;
    }),
    // A raw device mapping has no format.
    (DISK_FORMAT, Legacy, Met, |it| {
        it.disk().thin = None;
        it.disk().eagerly_scrubbed = None;
        it.disk().backing = "VirtualDiskRawDiskMappingVer1BackingInfo".to_owned();
    }),
    (DISK_FORMAT, Legacy, Unknown, |it| it.machine().devices = hidden()),
    // Turning Fault Tolerance on converts the disks of a virtual machine that is off.
    (DISK_FORMAT, Legacy, Met, |it| {
        it.disk().thin = Some(true);
        it.machine().power = known("poweredOff");
    }),
    (DISK_MODE, Smp, Unknown, |it| it.disk().mode = Some("nonpersistent".to_owned())),
    (DISK_MODE, Smp, Met, |it| it.disk().mode = Some("independent_persistent".to_owned())),
    (DISK_RDM, Smp, Unmet, |it| it.disk().compatibility_mode = Some("physicalMode".to_owned())),
    (DISK_RDM, Smp, Met, |it| it.disk().compatibility_mode = Some("virtualMode".to_owned())),
    (DISK_RDM, Smp, Unknown, |it| it.machine().devices = Fact::Unset),
    (SHARED_STORAGE, Legacy, Unmet, |it| it.datastores[0].shared = Fact::Known(false)),
    (SHARED_STORAGE, Smp, Unmet, |it| it.datastores[0].shared = Fact::Known(false)),
    (SHARED_STORAGE, Smp, Unmet, |it| it.datastores[0].accessible = Fact::Known(false)),
    (SHARED_STORAGE, Smp, Unknown, |it| it.datastores[0].shared = Fact::Unset),
    (SHARED_STORAGE, Smp, Unknown, |it| it.datastores.clear()),
    (SHARED_STORAGE, Legacy, Unknown, |it| it.machine().datastores = Fact::Known(Vec::new())),
    (SHARED_STORAGE, Smp, Unknown, |it| it.machine().vmx = hidden()),
    (DATASTORE_ACCESS, Smp, Met, |it| it.machine().metadata = known("")),
    (DATASTORE_ACCESS, Smp, Unmet, |it| it.second().datastores = Fact::Known(Vec::new())),
    (DATASTORE_ACCESS, Smp, Unknown, |it| it.second().datastores = hidden()),
    (DATASTORE_ACCESS, Smp, Unknown, |it| it.machine().datastores = Fact::Unset),
    (NETWORK_ACCESS, Smp, Unmet, |it| it.second().networks = Fact::Known(vec!["network-2".to_owned()])),
    (NETWORK_ACCESS, Smp, Unknown, |it| it.second().networks = Fact::Unset),
];
