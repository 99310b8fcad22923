//! Disks, datastores and media, as rows of the table.

use crate::datastore::{STORAGE_POLICY, VSAN_MIXED, VVOL};
use crate::disk::{DISK_COUNT, DISK_SIZE, IO_FILTER, LINKED_CLONE};
use crate::fact::Fact;
use crate::facts::{Datastore, Device, Facts};
use crate::finding::Status::{Met, Unknown, Unmet};
use crate::media::MEDIA;
use crate::testing::{Row, disk, hidden, known};

use vsphere::{
    Fault,
    FtEngine::{Legacy, Smp},
};

/// Adds disks, so that there are this many, to hosts of 6.0.
fn disks(facts: &mut Facts, count: usize) {
    facts.upgrade("6.0.0");
    facts.machine().devices = Fact::Known(vec![disk(); count]);
}

/// Puts the disk on another datastore, of this kind.
fn on(facts: &mut Facts, kind: &str) {
    let mut datastore: Datastore = facts.datastores[0].clone();
    datastore.subject.moid = "datastore-2".to_owned();
    datastore.kind = known(kind);
    facts.datastores.push(datastore);
    facts.disk().store = Some("datastore-2".to_owned());
}

fn drive(facts: &mut Facts, backing: &str, file: Option<&str>, connected: Option<bool>) {
    let drive = Device {
        kind: "VirtualCdrom".to_owned(),
        backing: backing.to_owned(),
        file: file.map(str::to_owned),
        connected,
        ..Device::default()
    };
    if let Fact::Known(devices) = &mut facts.machine().devices {
        devices.push(drive);
    }
}

const REMOTE: &str = "VirtualCdromRemotePassthroughBackingInfo";
const ISO: &str = "VirtualCdromIsoBackingInfo";

fn faults(reason: &str) -> Fact<Vec<Fault>> {
    let fields = [("reason".to_owned(), reason.to_owned())].into();
    Fact::Known(vec![Fault { name: "VmFaultToleranceConfigIssue".to_owned(), fields, ..Fault::default() }])
}

pub const STORAGE_ROWS: &[Row] = &[
    (DISK_SIZE, Smp, Met, |it| it.disk().size_kb = Some(2 << 30)),
    (DISK_SIZE, Smp, Unmet, |it| it.disk().size_kb = Some((2 << 30) + 1)),
    (DISK_SIZE, Legacy, Unmet, |it| it.disk().size_kb = Some(3 << 30)),
    (DISK_SIZE, Smp, Unknown, |it| it.disk().size_kb = None),
    (DISK_COUNT, Smp, Met, |it| disks(it, 16)),
    (DISK_COUNT, Smp, Unmet, |it| disks(it, 17)),
    (DISK_COUNT, Smp, Unknown, |it| {
        it.upgrade("6.0.0");
        it.machine().devices = hidden();
    }),
    (LINKED_CLONE, Smp, Unmet, |it| it.disk().has_parent = true),
    (LINKED_CLONE, Legacy, Unmet, |it| it.disk().has_parent = true),
    (LINKED_CLONE, Smp, Unmet, |it| it.disk().native_clone = true),
    (LINKED_CLONE, Smp, Unmet, |it| it.machine().compatibility = faults("hasLinkedCloneDisk")),
    // The snapshot explains the parent.
    (LINKED_CLONE, Smp, Unknown, |it| {
        it.disk().has_parent = true;
        it.machine().snapshot = Fact::Known(());
    }),
    (LINKED_CLONE, Smp, Unknown, |it| it.machine().devices = Fact::Unset),
    (IO_FILTER, Smp, Unmet, |it| it.disk().filters = vec!["VMW_spm_1.0.0".to_owned()]),
    (IO_FILTER, Smp, Unknown, |it| it.machine().devices = hidden()),
    (VVOL, Smp, Unmet, |it| it.datastores[0].kind = known("VVOL")),
    (VVOL, Smp, Unmet, |it| on(it, "vvol")),
    (VVOL, Smp, Unknown, |it| it.datastores[0].kind = Fact::Unset),
    (VVOL, Smp, Unknown, |it| it.disk().store = None),
    (VVOL, Smp, Unknown, |it| it.machine().vmx = hidden()),
    (VVOL, Smp, Unknown, |it| it.disk().store = Some("datastore-9".to_owned())),
    (VSAN_MIXED, Smp, Met, |it| on(it, "NFS")),
    (VSAN_MIXED, Smp, Met, |it| it.datastores[0].kind = known("vsan")),
    (VSAN_MIXED, Smp, Unmet, |it| on(it, "vsan")),
    (VSAN_MIXED, Smp, Unknown, |it| it.datastores[0].kind = hidden()),
    (STORAGE_POLICY, Smp, Unmet, |it| it.machine().compatibility = faults("unsupportedSPBM")),
    (STORAGE_POLICY, Smp, Unknown, |it| it.machine().compatibility = hidden()),
    (STORAGE_POLICY, Smp, Unknown, |it| it.machine().compatibility = Fact::Unset),
    (STORAGE_POLICY, Smp, Met, |it| {
        it.machine().ft_state = known("running");
        it.machine().compatibility = hidden();
    }),
    (MEDIA, Smp, Unmet, |it| drive(it, REMOTE, None, Some(true))),
    (MEDIA, Smp, Unknown, |it| drive(it, REMOTE, None, Some(false))),
    (MEDIA, Smp, Unknown, |it| drive(it, REMOTE, None, None)),
    (MEDIA, Smp, Met, |it| drive(it, ISO, Some("[ds] linux.iso"), Some(true))),
    (MEDIA, Smp, Met, |it| drive(it, ISO, None, None)),
    (MEDIA, Smp, Unmet, |it| {
        it.datastores[0].shared = Fact::Known(false);
        drive(it, ISO, Some("[ds] linux.iso"), Some(true));
    }),
    (MEDIA, Smp, Unknown, |it| drive(it, ISO, Some("[] /vmimages/tools-isoimages/linux.iso"), Some(true))),
    (MEDIA, Legacy, Unknown, |it| it.machine().devices = hidden()),
];

#[test]
fn disks_datastores_and_media_are_judged() {
    crate::testing::hold(STORAGE_ROWS);
}
