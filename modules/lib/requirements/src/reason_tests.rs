//! The reasons that vSphere and the hosts give: their meaning, and the checks that report them.

use vsphere::{Fault, FtEngine};

use crate::capability::requirement;
use crate::check::Check;
use crate::cluster::HA_ENABLED;
use crate::compatibility::COMPATIBILITY;
use crate::fact::Fact;
use crate::facts::Facts;
use crate::finding::Status;
use crate::hardware::{DEVICES, FIRMWARE, VBS, VIDEO_3D};
use crate::host::{HA_AGENT, HOST_CONNECTED};
use crate::network::{FT_LOGGING_NIC, VMOTION_NIC};
use crate::reason::meaning;
use crate::replay::REPLAY_OPTIONS;
use crate::requirement::Requirement;
use crate::size::{MEMORY, VCPUS};
use crate::storage::{DISK_FORMAT, DISK_RDM, SHARED_STORAGE};
use crate::testing::{judged, known, the};
use crate::vm::{SNAPSHOT, VM_ACCESSIBLE, VM_POWER, VM_ROLE, VM_TEMPLATE};

use FtEngine::{Legacy, Smp};

fn fault(name: &str, reason: &str, message: &str) -> Fault {
    let fields = [("reason".to_owned(), reason.to_owned())].into();
    Fault { name: name.to_owned(), fields, message: message.to_owned(), ..Fault::default() }
}

/// Judges a changed lab in which vSphere reports this fault of the virtual machine.
fn with_fault(engine: FtEngine, fault: &Fault, change: impl FnOnce(&mut Facts)) -> Vec<Check> {
    judged(engine, |it| {
        it.machine().compatibility = Fact::Known(vec![fault.clone()]);
        change(it);
    })
}

#[test]
fn every_known_reason_is_explained_in_words() {
    for reason in [
        "haAgentIssue",
        "haNotEnabled",
        "hostInactive",
        "missingVMotionNic",
        "missingFTLoggingNic",
        "ftUnsupportedHardware",
        "ftUnsupportedProduct",
        "unsupportedProduct",
        "incompatibleProduct",
        "cpuHvUnsupported",
        "cpuHwmmuUnsupported",
        "cpuHvDisabled",
        "hvDisabled",
        "incompatibleCpu",
        "cpuidLimitSet",
        "oldBIOS",
        "vMotionNotLicensed",
        "ftNotLicensed",
        "insufficientBandwidth",
        "verifySSLCertificateFlagNotSet",
        "recordReplayNotSupported",
        "replayNotSupported",
        "multipleVCPU",
        "tooManyVCPUs",
        "tooMuchMemory",
        "thinDisk",
        "hasSnapshots",
        "hasLocalDisk",
        "hasUnsupportedDisk",
        "hasLinkedCloneDisk",
        "hasNestedHVConfiguration",
        "hasEFIFirmware",
        "hasVFlashConfiguration",
        "video3dEnabled",
        "templateVm",
        "ftSecondaryVm",
        "moreThanOneSecondary",
        "esxAgentVm",
        "noConfig",
    ] {
        let text = meaning(reason);
        assert!(text.contains(' ') && !text.contains(reason), "{reason}: {text}");
    }
    assert_eq!(meaning("brandNew2030"), "vSphere reports brandNew2030");
}

#[test]
fn an_issue_of_a_host_belongs_to_the_check_about_the_same() {
    for (reason, expected) in [
        ("missingVMotionNic", Some(VMOTION_NIC)),
        ("missingFTLoggingNic", Some(FT_LOGGING_NIC)),
        ("haAgentIssue", Some(HA_AGENT)),
        ("haNotEnabled", Some(HA_ENABLED)),
        ("hostInactive", Some(HOST_CONNECTED)),
        ("oldBIOS", None),
    ] {
        assert_eq!(requirement(reason), expected, "{reason}");
    }
}

#[test]
fn a_fault_is_reported_once_by_the_check_about_the_same() {
    const ISSUE: &str = "VmFaultToleranceConfigIssue";
    type Row = (FtEngine, &'static str, &'static str, Requirement, fn(&mut Facts));
    let rows: &[Row] = &[
        (Legacy, "VmMonitorIncompatibleForFaultTolerance", "", VM_POWER, |_| ()),
        (Legacy, ISSUE, "replayNotSupported", VM_POWER, |_| ()),
        (Legacy, "FaultToleranceNeedsThickDisk", "", DISK_FORMAT, |_| ()),
        (Legacy, ISSUE, "thinDisk", DISK_FORMAT, |_| ()),
        (Legacy, ISSUE, "recordReplayNotSupported", REPLAY_OPTIONS, |_| ()),
        (Smp, "NotSupportedDeviceForFT", "", DEVICES, |_| ()),
        (Smp, "VmFaultToleranceInvalidFileBacking", "", DEVICES, |_| ()),
        (Smp, ISSUE, "haNotEnabled", HA_ENABLED, |_| ()),
        (Smp, ISSUE, "templateVm", VM_TEMPLATE, |_| ()),
        (Smp, ISSUE, "ftSecondaryVm", VM_ROLE, |_| ()),
        (Smp, ISSUE, "moreThanOneSecondary", VM_ROLE, |_| ()),
        (Smp, ISSUE, "multipleVCPU", VCPUS, |_| ()),
        (Smp, ISSUE, "tooManyVCPUs", VCPUS, |_| ()),
        (Smp, ISSUE, "tooMuchMemory", MEMORY, |_| ()),
        (Smp, ISSUE, "hasSnapshots", SNAPSHOT, |_| ()),
        (Smp, ISSUE, "hasLocalDisk", SHARED_STORAGE, |_| ()),
        (Smp, ISSUE, "video3dEnabled", VIDEO_3D, |_| ()),
        (Smp, ISSUE, "hasNestedHVConfiguration", VBS, |it| it.machine().vbs = Fact::Known(true)),
        (Smp, ISSUE, "hasEFIFirmware", FIRMWARE, |_| ()),
        (Smp, ISSUE, "hasUnsupportedDisk", DISK_RDM, |it| {
            it.disk().compatibility_mode = Some("physicalMode".to_owned());
        }),
        (Smp, ISSUE, "noConfig", VM_ACCESSIBLE, |_| ()),
        // No other check is about this, or all that may be are met.
        (Smp, ISSUE, "brandNew2030", COMPATIBILITY, |_| ()),
        (Smp, ISSUE, "hasUnsupportedDisk", COMPATIBILITY, |_| ()),
    ];
    for (engine, name, reason, id, change) in rows {
        let checks = with_fault(*engine, &fault(name, reason, "In its own words."), change);
        let unmet = |id| the(&checks, id).status == Status::Unmet;
        assert!(unmet(*id), "{name} {reason}");
        assert_eq!(unmet(COMPATIBILITY), *id == COMPATIBILITY, "{name} {reason}");
        let check = the(&checks, *id);
        let text = format!("{}; {}", check.observed, check.why.as_deref().unwrap_or_default());
        assert!(text.contains(": In its own words") && text.contains(reason), "{name} {reason}: {text}");
    }
    let checks = with_fault(Smp, &fault(ISSUE, "hasSnapshots", ""), |_| ());
    assert_eq!(the(&checks, SNAPSHOT).why.as_deref(), Some("vSphere reports hasSnapshots"));
}

/// The mode of the monitor is chosen at power-on, so only a power-off helps.
#[test]
fn only_a_fault_that_a_power_off_removes_has_that_remedy() {
    const ISSUE: &str = "VmFaultToleranceConfigIssue";
    for (name, reason, id, power, offered) in [
        ("VmMonitorIncompatibleForFaultTolerance", "", VM_POWER, "poweredOn", true),
        (ISSUE, "replayNotSupported", VM_POWER, "poweredOn", true),
        (ISSUE, "replayNotSupported", VM_POWER, "poweredOff", false),
        (ISSUE, "hasSnapshots", SNAPSHOT, "poweredOn", false),
    ] {
        let checks = with_fault(Legacy, &fault(name, reason, ""), |it| it.machine().power = known(power));
        let module = the(&checks, id).remedy.as_ref().and_then(|remedy| remedy.module.as_deref());
        assert_eq!(module == Some("vm_power"), offered, "{name} {reason} {power}");
    }
}
