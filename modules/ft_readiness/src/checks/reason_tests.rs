//! The reasons that vSphere and hosts give: what they mean, and which check says so.

use vsphere::{Fault, FtEngine};

use super::pair_tests::the;
use super::reason::{host_requirement, meaning};
use super::tests::judged;
use crate::check::{Check, Id, Status};
use crate::facts::{Fact, Facts};
use crate::testing::known;

use FtEngine::{Legacy, Smp};

fn fault(name: &str, reason: &str, message: &str) -> Fault {
    let fields = [("reason".to_owned(), reason.to_owned())].into();
    Fault { name: name.to_owned(), fields, message: message.to_owned(), ..Fault::default() }
}

/// The checks, where vSphere has one fault to tell of the virtual machine.
fn told(engine: FtEngine, fault: &Fault, change: impl FnOnce(&mut Facts)) -> Vec<Check> {
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
    assert_eq!(meaning("brandNew2030"), "vSphere says brandNew2030");
}

#[test]
fn an_issue_of_a_host_belongs_to_the_check_of_the_same() {
    for (reason, expected) in [
        ("missingVMotionNic", Some(Id::VmotionNic)),
        ("missingFTLoggingNic", Some(Id::FtLoggingNic)),
        ("haAgentIssue", Some(Id::HaAgent)),
        ("haNotEnabled", Some(Id::HaEnabled)),
        ("hostInactive", Some(Id::HostConnected)),
        ("oldBIOS", None),
    ] {
        assert_eq!(host_requirement(reason), expected, "{reason}");
    }
}

/// A fault of vSphere is reported once, by the check that is about the same.
#[test]
fn a_fault_joins_the_check_of_the_same() {
    const ISSUE: &str = "VmFaultToleranceConfigIssue";
    type Row = (FtEngine, &'static str, &'static str, Id, fn(&mut Facts));
    let rows: &[Row] = &[
        (Legacy, "VmMonitorIncompatibleForFaultTolerance", "", Id::VmPower, |_| ()),
        (Legacy, ISSUE, "replayNotSupported", Id::VmPower, |_| ()),
        (Legacy, "FaultToleranceNeedsThickDisk", "", Id::DiskFormat, |_| ()),
        (Legacy, ISSUE, "thinDisk", Id::DiskFormat, |_| ()),
        (Legacy, ISSUE, "recordReplayNotSupported", Id::ReplayOptions, |_| ()),
        (Smp, "NotSupportedDeviceForFT", "", Id::Devices, |_| ()),
        (Smp, "VmFaultToleranceInvalidFileBacking", "", Id::Devices, |_| ()),
        (Smp, ISSUE, "haNotEnabled", Id::HaEnabled, |_| ()),
        (Smp, ISSUE, "templateVm", Id::VmTemplate, |_| ()),
        (Smp, ISSUE, "ftSecondaryVm", Id::VmRole, |_| ()),
        (Smp, ISSUE, "moreThanOneSecondary", Id::VmRole, |_| ()),
        (Smp, ISSUE, "multipleVCPU", Id::Vcpus, |_| ()),
        (Smp, ISSUE, "tooManyVCPUs", Id::Vcpus, |_| ()),
        (Smp, ISSUE, "tooMuchMemory", Id::Memory, |_| ()),
        (Smp, ISSUE, "hasSnapshots", Id::Snapshot, |_| ()),
        (Smp, ISSUE, "hasLocalDisk", Id::SharedStorage, |_| ()),
        (Smp, ISSUE, "video3dEnabled", Id::Video3d, |_| ()),
        (Smp, ISSUE, "hasNestedHVConfiguration", Id::Vbs, |it| it.machine().vbs = Fact::Known(true)),
        (Smp, ISSUE, "hasEFIFirmware", Id::Firmware, |_| ()),
        (Smp, ISSUE, "hasUnsupportedDisk", Id::DiskRdm, |it| {
            it.disk().compatibility_mode = Some("physicalMode".to_owned());
        }),
        (Smp, ISSUE, "noConfig", Id::VmAccessible, |_| ()),
        // What no other check is about, or none of several finds.
        (Smp, ISSUE, "brandNew2030", Id::Compatibility, |_| ()),
        (Smp, ISSUE, "hasUnsupportedDisk", Id::Compatibility, |_| ()),
    ];
    for (engine, name, reason, id, change) in rows {
        let checks = told(*engine, &fault(name, reason, "In its own words."), change);
        let unmet = |id| the(&checks, id).status == Status::Unmet;
        assert!(unmet(*id), "{name} {reason}");
        assert_eq!(unmet(Id::Compatibility), *id == Id::Compatibility, "{name} {reason}");
        let check = the(&checks, *id);
        let text = format!("{}; {}", check.observed, check.why.as_deref().unwrap_or_default());
        assert!(text.contains(": In its own words") && text.contains(reason), "{name} {reason}: {text}");
    }
    let checks = told(Smp, &fault(ISSUE, "hasSnapshots", ""), |_| ());
    assert_eq!(the(&checks, Id::Snapshot).why.as_deref(), Some("vSphere says hasSnapshots"));
}

/// The monitor's mode is chosen at power-on, so a machine that runs has to be powered off; no other fault asks for that.
#[test]
fn only_a_fault_that_powering_off_removes_has_that_remedy() {
    const ISSUE: &str = "VmFaultToleranceConfigIssue";
    for (name, reason, id, power, offered) in [
        ("VmMonitorIncompatibleForFaultTolerance", "", Id::VmPower, "poweredOn", true),
        (ISSUE, "replayNotSupported", Id::VmPower, "poweredOn", true),
        (ISSUE, "replayNotSupported", Id::VmPower, "poweredOff", false),
        (ISSUE, "hasSnapshots", Id::Snapshot, "poweredOn", false),
    ] {
        let checks = told(Legacy, &fault(name, reason, ""), |it| it.machine().power = known(power));
        let module = the(&checks, id).remedy.as_ref().and_then(|remedy| remedy.module.as_deref());
        assert_eq!(module == Some("vm_power"), offered, "{name} {reason} {power}");
    }
}
