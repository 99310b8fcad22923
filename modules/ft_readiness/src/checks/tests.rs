//! Every requirement, met, unmet and unknown.

use std::collections::BTreeSet;

use vsphere::{Fault, FtEngine, Version};

use super::limit_tests::LIMIT;
use super::pair_tests::PAIR;
use super::rows::{DISK, VM};
use super::{Context, judge};
use crate::check::{Check, Id, Status};
use crate::facts::{Fact, Facts, Place};
use crate::testing::{issues, known, lab};

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

pub fn judged(engine: FtEngine, change: impl FnOnce(&mut Facts)) -> Vec<Check> {
    let mut facts = lab(engine);
    change(&mut facts);
    judge(Context { facts: &facts, engine })
}

fn worst(checks: &[Check], id: Id) -> Option<Status> {
    checks.iter().filter(|check| check.id == id).map(|check| check.status).max()
}

pub fn hidden<T>() -> Fact<T> {
    Fact::Hidden("NoPermission (privilegeId System.Read)".to_owned())
}

fn fault(name: &str, reason: &str) -> Fact<Vec<Fault>> {
    let fields = [("reason".to_owned(), reason.to_owned())].into();
    Fact::Known(vec![Fault { name: name.to_owned(), fields, ..Fault::default() }])
}

#[test]
fn in_a_good_lab_everything_is_met() {
    for engine in [Legacy, Smp] {
        for check in judged(engine, |_| ()) {
            assert_eq!((check.status, check.why, check.remedy), (Met, None, None), "{:?}", check.id);
        }
    }
}

/// What is changed in a good lab, and what becomes of one requirement.
pub type Row = (Id, FtEngine, Status, fn(&mut Facts));

const CLUSTER: &[Row] = &[
    (Id::Cluster, Smp, Unmet, |it| it.place = Place::Standalone),
    (Id::Cluster, Smp, Unknown, |it| it.place = Place::Hidden("no right".to_owned())),
    (Id::HaEnabled, Smp, Unmet, |it| it.cluster().ha = Fact::Known(false)),
    (Id::HaEnabled, Smp, Unknown, |it| it.cluster().ha = Fact::Unset),
    (Id::HaEnabled, Legacy, Unknown, |it| it.cluster().ha = hidden()),
    (Id::HostMonitoring, Smp, Unmet, |it| it.cluster().host_monitoring = known("disabled")),
    (Id::HostMonitoring, Smp, Unknown, |it| it.cluster().host_monitoring = Fact::Unset),
    (Id::HostMonitoring, Smp, Unknown, |it| it.cluster().host_monitoring = known("sometimes")),
    (Id::UsableHosts, Smp, Unmet, |it| it.hosts.truncate(1)),
    (Id::UsableHosts, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (Id::UsableHosts, Smp, Unmet, |it| it.second().connection = known("notResponding")),
    (Id::UsableHosts, Smp, Unknown, |it| it.second().maintenance = Fact::Unset),
    (Id::Engine, Legacy, Unmet, |it| it.second().version = Fact::Known(Version::parse("6.5.0"))),
    (Id::Engine, Smp, Unmet, |it| it.second().version = Fact::Known(Version::parse("5.5.0"))),
    (Id::Engine, Smp, Unknown, |it| it.second().version = hidden()),
    (Id::Engine, Smp, Met, |it| {
        it.third().version = Fact::Known(Version::parse("5.5.0"));
        it.third().connection = known("disconnected");
    }),
    (Id::VcenterVersion, Smp, Unmet, |it| it.server = Version::parse("5.5.0")),
    (Id::VcenterVersion, Legacy, Met, |it| it.server = Version::parse("6.0.0")),
    (Id::VcenterVersion, Legacy, Unmet, |it| it.server = Version::parse("6.5.0")),
    // It keeps the pairs that there are.
    (Id::VcenterVersion, Legacy, Met, |it| {
        it.server = Version::parse("6.5.0");
        it.machine().ft_state = known("disabled");
    }),
    (Id::VcenterVersion, Legacy, Met, |it| {
        it.server = Version::parse("6.5.0");
        it.machine().ft_state = known("running");
        it.machine().ft_type = known("recordReplay");
    }),
    (Id::VcenterVersion, Legacy, Unmet, |it| {
        it.server = Version::parse("6.5.0");
        it.machine().ft_state = known("running");
        it.machine().ft_type = known("checkpointing");
    }),
    (Id::FtVersion, Smp, Unmet, |it| it.second().ft_version = known("4.0.0")),
    (Id::FtVersion, Smp, Met, |it| it.second().ft_version = Fact::Unset),
    (Id::FtVersion, Smp, Unknown, |it| {
        it.second().ft_version = Fact::Unset;
        it.second().build = known("469513");
    }),
    (Id::FtVersion, Legacy, Unmet, |it| {
        for (host, build) in it.hosts.iter_mut().zip(["164009", "171294"]) {
            host.version = Fact::Known(Version::parse("4.0.0"));
            host.ft_version = Fact::Unset;
            host.build = known(build);
        }
    }),
    (Id::FtVersion, Smp, Unknown, |it| {
        it.second().ft_version = hidden();
        it.second().build = hidden();
    }),
];

const HOST: &[Row] = &[
    (Id::HostConnected, Smp, Unmet, |it| it.second().connection = known("disconnected")),
    (Id::HostConnected, Smp, Unmet, |it| it.second().power = known("standBy")),
    (Id::HostConnected, Smp, Met, |it| it.second().power = Fact::Unset),
    (Id::HostConnected, Smp, Unknown, |it| it.second().connection = hidden()),
    (Id::HostMaintenance, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (Id::HostMaintenance, Smp, Unknown, |it| it.second().maintenance = Fact::Unset),
    (Id::HaAgent, Smp, Unmet, |it| it.second().agent = known("initializationError")),
    (Id::HaAgent, Smp, Unknown, |it| it.second().agent = known("brandNew2030")),
    (Id::HaAgent, Smp, Unmet, |it| {
        it.second().agent = known("brandNew2030");
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    // These pass by themselves.
    (Id::HaAgent, Smp, Unknown, |it| it.second().agent = known("election")),
    (Id::HaAgent, Smp, Unknown, |it| it.second().agent = known("uninitialized")),
    (Id::HaAgent, Legacy, Unknown, |it| it.second().agent = known("retry")),
    // A host in maintenance mode has no agent.
    (Id::HaAgent, Smp, Unmet, |it| {
        it.second().agent = Fact::Unset;
        it.second().maintenance = Fact::Known(true);
    }),
    (Id::HaAgent, Smp, Unmet, |it| {
        it.second().agent = Fact::Unset;
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    (Id::HaAgent, Smp, Met, |it| it.second().agent = Fact::Unset),
    (Id::HaAgent, Smp, Unknown, |it| {
        it.second().agent = Fact::Unset;
        it.second().capability.smp = issues(&["missingFTLoggingNic"]);
    }),
    (Id::VmotionNic, Smp, Unmet, |it| it.lose("vmotion")),
    (Id::VmotionNic, Smp, Unmet, |it| it.second().capability.smp = issues(&["missingVMotionNic"])),
    (Id::VmotionNic, Smp, Met, |it| it.second().services = hidden()),
    (Id::VmotionNic, Smp, Unknown, |it| {
        it.second().services = hidden();
        it.second().vmotion = Fact::Unset;
    }),
    (Id::FtLoggingNic, Legacy, Unmet, |it| it.lose("faultToleranceLogging")),
    (Id::FtLoggingNic, Legacy, Unmet, |it| {
        it.second().services = Fact::Unset;
        it.second().ft_logging = Fact::Known(false);
    }),
    (Id::FtLoggingNic, Legacy, Unmet, |it| {
        it.second().services = Fact::Unset;
        it.second().ft_logging = Fact::Unset;
        it.second().capability.legacy = issues(&["missingFTLoggingNic"]);
    }),
    (Id::FtLoggingNic, Legacy, Unknown, |it| {
        it.second().services = Fact::Known(Vec::new());
        it.second().ft_logging = Fact::Unset;
    }),
    (Id::HostCapability, Smp, Unmet, |it| it.second().capability.smp = issues(&["cpuHwmmuUnsupported"])),
    (Id::HostCapability, Smp, Unmet, |it| it.second().capability.smp.supported = Fact::Known(false)),
    (Id::HostCapability, Smp, Unknown, |it| it.second().capability.smp.supported = Fact::Unset),
    (Id::HostCapability, Smp, Unknown, |it| it.second().capability.smp.issues = hidden()),
    // What another check says already is not said twice.
    (Id::HostCapability, Smp, Met, |it| {
        it.lose("vmotion");
        it.second().capability.smp = issues(&["missingVMotionNic"]);
    }),
    (Id::HostCapability, Smp, Met, |it| {
        it.cluster().ha = Fact::Known(false);
        it.second().agent = Fact::Unset;
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    // The agent settles, and the host has an issue with it until it has.
    (Id::HostCapability, Smp, Met, |it| {
        it.second().agent = known("election");
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    // The agent is well, and the host has an issue with it all the same.
    (Id::HostCapability, Smp, Unmet, |it| it.second().capability.smp = issues(&["haAgentIssue"])),
    // The options of the virtual machine ask a nested host for what its hardware lacks.
    (Id::HostCapability, Legacy, Unknown, |it| it.second().capability.legacy = issues(&["ftUnsupportedHardware"])),
    (Id::HostCapability, Legacy, Unmet, |it| it.second().capability.legacy = issues(&["ftNotLicensed"])),
    (Id::HostCapability, Legacy, Unmet, |it| {
        it.second().capability.legacy = issues(&["ftUnsupportedHardware"]);
        it.second().nested = false;
    }),
    (Id::HostCapability, Legacy, Unknown, |it| it.second().capability.legacy.supported = Fact::Known(false)),
    // The host says that it is out of service; whether it is, is said by another check.
    (Id::HostCapability, Smp, Unmet, |it| it.second().capability.smp = issues(&["hostInactive"])),
    (Id::HostCapability, Smp, Met, |it| {
        it.second().connection = known("notResponding");
        it.second().capability.smp = issues(&["hostInactive"]);
    }),
    (Id::HostReplay, Legacy, Unknown, |it| it.second().capability.replay = issues(&["hvDisabled"])),
    (Id::HostReplay, Legacy, Unmet, |it| {
        it.second().capability.replay = issues(&["hvDisabled"]);
        it.machine().options = Fact::Known(Vec::new());
    }),
    (Id::HostReplay, Legacy, Unknown, |it| it.second().capability.replay.supported = Fact::Unset),
];

const TOLD: &[Row] = &[
    (Id::Compatibility, Smp, Unmet, |it| it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "brandNew")),
    (Id::Compatibility, Smp, Unknown, |it| it.machine().compatibility = hidden()),
    // What is about the same joins the check of that.
    (Id::Snapshot, Smp, Unmet, |it| it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasSnapshots")),
    (Id::Compatibility, Smp, Met, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasSnapshots");
    }),
    (Id::DiskFormat, Legacy, Unmet, |it| it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "thinDisk")),
    (Id::VmPower, Legacy, Unmet, |it| {
        it.machine().compatibility = fault("VmMonitorIncompatibleForFaultTolerance", "");
    }),
    (Id::ReplayOptions, Legacy, Unmet, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "recordReplayNotSupported");
    }),
    // It may be about either of two, and neither finds it.
    (Id::Compatibility, Smp, Unmet, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasNestedHVConfiguration");
    }),
    (Id::Compatibility, Smp, Met, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasNestedHVConfiguration");
        it.machine().vbs = Fact::Known(true);
    }),
];

pub fn hold(rows: &[Row]) {
    for (index, (id, engine, expected, change)) in rows.iter().enumerate() {
        let checks = judged(*engine, change);
        assert_eq!(worst(&checks, *id), Some(*expected), "row {index}, {id:?} of {engine:?}");
        for check in checks {
            assert_eq!(check.why.is_none(), check.status == Met, "row {index}, {:?}", check.id);
        }
    }
}

#[test]
fn the_cluster_is_judged() {
    hold(CLUSTER);
}

#[test]
fn hosts_are_judged() {
    hold(HOST);
}

#[test]
fn the_virtual_machine_is_judged() {
    hold(VM);
}

#[test]
fn disks_and_what_they_lie_on_are_judged() {
    hold(DISK);
}

#[test]
fn what_vsphere_says_is_taken_in() {
    hold(TOLD);
}

#[test]
fn every_requirement_can_be_anything_that_it_should() {
    let good = [judged(Legacy, |_| ()), judged(Smp, |_| ())].concat();
    let all: BTreeSet<Id> = good.iter().map(|check| check.id).collect();
    let rows = [CLUSTER, HOST, VM, DISK, TOLD, PAIR, LIMIT].concat();
    let of = |status| -> BTreeSet<Id> {
        rows.iter().filter(|(_, _, expected, _)| *expected == status).map(|(id, ..)| *id).collect()
    };
    // Of modes it is never certain that they are not kept, and every server tells its version.
    assert_eq!(all.difference(&of(Unmet)).copied().collect::<Vec<_>>(), [Id::DiskMode]);
    assert_eq!(all.difference(&of(Unknown)).copied().collect::<Vec<_>>(), [Id::VcenterVersion]);
}

#[test]
fn requirements_of_another_version_or_engine_are_not_reported() {
    let ids = |checks: &[Check]| checks.iter().map(|check| check.id).collect::<BTreeSet<_>>();
    let (legacy, smp) = (ids(&judged(Legacy, |_| ())), ids(&judged(Smp, |_| ())));
    for id in [Id::HostReplay, Id::HardwareVersion, Id::DiskFormat, Id::ReplayOptions] {
        assert!(legacy.contains(&id) && !smp.contains(&id), "{id:?}");
    }
    for id in [Id::NestedHv, Id::Vbs] {
        assert!(smp.contains(&id) && !legacy.contains(&id), "{id:?}");
    }
    // On hardware of one's own the options for nested hosts are no requirement.
    let real = judged(Legacy, |it| it.hosts.iter_mut().for_each(|host| host.nested = false));
    assert!(!ids(&real).contains(&Id::ReplayOptions));
    let cluster_alone = judged(Smp, |it| it.vm = None);
    assert!(cluster_alone.iter().all(|check| check.object.kind != "VirtualMachine"));
}
