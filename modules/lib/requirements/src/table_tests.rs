//! Every requirement: met, unmet and unknown.

use std::collections::BTreeSet;

use vsphere::{Fault, FtEngine, Version};

use crate::capability::{HOST_CAPABILITY, HOST_REPLAY};
use crate::check::Check;
use crate::cluster::{CLUSTER, DRS_PLACEMENT, HA_ENABLED, HOST_MONITORING, THIRD_HOST, USABLE_HOSTS};
use crate::compatibility::COMPATIBILITY;
use crate::fact::Fact;
use crate::facts::Place;
use crate::finding::Status;
use crate::hardware::{HARDWARE_VERSION, NESTED_HV, VBS};
use crate::host::{HA_AGENT, HOST_CONNECTED, HOST_MAINTENANCE};
use crate::limit_tests::LIMIT_ROWS;
use crate::list::FAMILIES;
use crate::network::{FT_LOGGING_NIC, VMOTION_NIC};
use crate::network_tests::NETWORK_ROWS;
use crate::pair_tests::PAIR_ROWS;
use crate::probe_tests::PROBE_ROWS;
use crate::replay::REPLAY_OPTIONS;
use crate::requirement::Requirement;
use crate::storage::{DISK_FORMAT, DISK_MODE};
use crate::storage_tests::STORAGE_ROWS;
use crate::testing::{Row, answered, hidden, hold, issues, judged, known};
use crate::versions::{ENGINE, FT_VERSION, VCENTER_VERSION};
use crate::vm::{SNAPSHOT, VM_POWER};
use crate::vm_tests::{DISK_ROWS, VM_ROWS};

use FtEngine::{Legacy, Smp};
use Status::{Met, Unknown, Unmet};

fn fault(name: &str, reason: &str) -> Fact<Vec<Fault>> {
    let fields = [("reason".to_owned(), reason.to_owned())].into();
    Fact::Known(vec![Fault { name: name.to_owned(), fields, ..Fault::default() }])
}

#[test]
fn in_a_good_lab_everything_is_met() {
    for engine in [Legacy, Smp] {
        for check in judged(engine, |it| {
            it.third();
        }) {
            assert_eq!((check.status, check.why, check.remedy), (Met, None, None), "{:?}", check.id);
        }
    }
}

/// An override of DRS.
fn levels(vm: &str, level: Option<&str>) -> Vec<(String, Option<String>)> {
    vec![(vm.to_owned(), level.map(str::to_owned))]
}

const CLUSTER_ROWS: &[Row] = &[
    (DRS_PLACEMENT, Smp, Unmet, |it| it.drs(Some("manual")).on = true),
    (DRS_PLACEMENT, Smp, Met, |it| it.drs(Some("partiallyAutomated")).on = true),
    (DRS_PLACEMENT, Smp, Met, |it| it.drs(Some("manual")).on = false),
    (DRS_PLACEMENT, Smp, Met, |it| {
        it.drs(Some("manual"));
        it.cluster().evc = Fact::Unset;
    }),
    (DRS_PLACEMENT, Smp, Unknown, |it| {
        it.drs(Some("manual"));
        it.cluster().evc = hidden();
    }),
    (DRS_PLACEMENT, Smp, Unknown, |it| it.drs(None).on = true),
    (DRS_PLACEMENT, Smp, Unknown, |it| it.drs(Some("ofTomorrow")).on = true),
    (DRS_PLACEMENT, Legacy, Unknown, |it| it.cluster().drs = Fact::Unset),
    // An override of the virtual machine wins; those of others do not matter.
    (DRS_PLACEMENT, Smp, Unmet, |it| it.drs(Some("fullyAutomated")).overrides = levels("vm-63", Some("manual"))),
    (DRS_PLACEMENT, Smp, Met, |it| it.drs(Some("fullyAutomated")).overrides = levels("vm-64", Some("manual"))),
    (DRS_PLACEMENT, Smp, Met, |it| it.drs(Some("manual")).overrides = levels("vm-63", Some("fullyAutomated"))),
    (DRS_PLACEMENT, Smp, Met, |it| it.drs(Some("manual")).overrides = levels("vm-63", None)),
    (DRS_PLACEMENT, Smp, Unmet, |it| {
        it.drs(Some("manual")).overrides = levels("vm-63", Some("fullyAutomated"));
        it.vm = None;
    }),
    (CLUSTER, Smp, Unmet, |it| it.place = Place::Standalone),
    (CLUSTER, Smp, Unknown, |it| it.place = Place::Hidden("no right".to_owned())),
    (HA_ENABLED, Smp, Unmet, |it| it.cluster().ha = Fact::Known(false)),
    (HA_ENABLED, Smp, Unknown, |it| it.cluster().ha = Fact::Unset),
    (HA_ENABLED, Legacy, Unknown, |it| it.cluster().ha = hidden()),
    (HOST_MONITORING, Smp, Unmet, |it| it.cluster().host_monitoring = known("disabled")),
    (HOST_MONITORING, Smp, Unknown, |it| it.cluster().host_monitoring = Fact::Unset),
    (HOST_MONITORING, Smp, Unknown, |it| it.cluster().host_monitoring = known("sometimes")),
    (USABLE_HOSTS, Smp, Unmet, |it| it.hosts.truncate(1)),
    (USABLE_HOSTS, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (USABLE_HOSTS, Smp, Unmet, |it| it.second().connection = known("notResponding")),
    (USABLE_HOSTS, Smp, Unknown, |it| it.second().maintenance = Fact::Unset),
    (THIRD_HOST, Smp, Unmet, |_| ()),
    (THIRD_HOST, Smp, Unknown, |it| it.third().maintenance = Fact::Unset),
    (ENGINE, Legacy, Unmet, |it| it.second().version = Fact::Known(Version::parse("6.5.0"))),
    (ENGINE, Smp, Unmet, |it| it.second().version = Fact::Known(Version::parse("5.5.0"))),
    (ENGINE, Smp, Unknown, |it| it.second().version = hidden()),
    (ENGINE, Smp, Met, |it| {
        it.third().version = Fact::Known(Version::parse("5.5.0"));
        it.third().connection = known("disconnected");
    }),
    (VCENTER_VERSION, Smp, Unmet, |it| it.server = Version::parse("5.5.0")),
    (VCENTER_VERSION, Legacy, Met, |it| it.server = Version::parse("6.0.0")),
    (VCENTER_VERSION, Legacy, Unmet, |it| it.server = Version::parse("6.5.0")),
    // vCenter Server 6.5 still manages the pairs that exist.
    (VCENTER_VERSION, Legacy, Met, |it| {
        it.server = Version::parse("6.5.0");
        it.machine().ft_state = known("disabled");
    }),
    (VCENTER_VERSION, Legacy, Met, |it| {
        it.server = Version::parse("6.5.0");
        it.machine().ft_state = known("running");
        it.machine().ft_type = known("recordReplay");
    }),
    (VCENTER_VERSION, Legacy, Unmet, |it| {
        it.server = Version::parse("6.5.0");
        it.machine().ft_state = known("running");
        it.machine().ft_type = known("checkpointing");
    }),
    (FT_VERSION, Smp, Unmet, |it| it.second().ft_version = known("4.0.0")),
    (FT_VERSION, Smp, Met, |it| it.second().ft_version = Fact::Unset),
    (FT_VERSION, Smp, Unknown, |it| {
        it.second().ft_version = Fact::Unset;
        it.second().build = known("469513");
    }),
    (FT_VERSION, Legacy, Unmet, |it| {
        for (host, build) in it.hosts.iter_mut().zip(["164009", "171294"]) {
            host.version = Fact::Known(Version::parse("4.0.0"));
            host.ft_version = Fact::Unset;
            host.build = known(build);
        }
    }),
    (FT_VERSION, Smp, Unknown, |it| {
        it.second().ft_version = hidden();
        it.second().build = hidden();
    }),
];

const HOST_ROWS: &[Row] = &[
    (HOST_CONNECTED, Smp, Unmet, |it| it.second().connection = known("disconnected")),
    (HOST_CONNECTED, Smp, Unmet, |it| it.second().power = known("standBy")),
    (HOST_CONNECTED, Smp, Met, |it| it.second().power = Fact::Unset),
    (HOST_CONNECTED, Smp, Unknown, |it| it.second().connection = hidden()),
    (HOST_MAINTENANCE, Smp, Unmet, |it| it.second().maintenance = Fact::Known(true)),
    (HOST_MAINTENANCE, Smp, Unknown, |it| it.second().maintenance = Fact::Unset),
    (HA_AGENT, Smp, Unmet, |it| it.second().agent = known("initializationError")),
    (HA_AGENT, Smp, Unknown, |it| it.second().agent = known("brandNew2030")),
    (HA_AGENT, Smp, Unmet, |it| {
        it.second().agent = known("brandNew2030");
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    // These pass without help.
    (HA_AGENT, Smp, Unknown, |it| it.second().agent = known("election")),
    (HA_AGENT, Smp, Unknown, |it| it.second().agent = known("uninitialized")),
    (HA_AGENT, Legacy, Unknown, |it| it.second().agent = known("retry")),
    // A host in maintenance mode has no agent.
    (HA_AGENT, Smp, Unmet, |it| {
        it.second().agent = Fact::Unset;
        it.second().maintenance = Fact::Known(true);
    }),
    (HA_AGENT, Smp, Unmet, |it| {
        it.second().agent = Fact::Unset;
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    (HA_AGENT, Smp, Met, |it| it.second().agent = Fact::Unset),
    (HA_AGENT, Smp, Unknown, |it| {
        it.second().agent = Fact::Unset;
        it.second().capability.smp = issues(&["missingFTLoggingNic"]);
    }),
    (VMOTION_NIC, Smp, Unmet, |it| it.lose("vmotion")),
    (VMOTION_NIC, Smp, Unmet, |it| it.second().capability.smp = issues(&["missingVMotionNic"])),
    (VMOTION_NIC, Smp, Met, |it| it.second().services = hidden()),
    (VMOTION_NIC, Smp, Unknown, |it| {
        it.second().services = hidden();
        it.second().vmotion = Fact::Unset;
    }),
    (FT_LOGGING_NIC, Legacy, Unmet, |it| it.lose("faultToleranceLogging")),
    (FT_LOGGING_NIC, Legacy, Unmet, |it| {
        it.second().services = Fact::Unset;
        it.second().ft_logging = Fact::Known(false);
    }),
    (FT_LOGGING_NIC, Legacy, Unmet, |it| {
        it.second().services = Fact::Unset;
        it.second().ft_logging = Fact::Unset;
        it.second().capability.legacy = issues(&["missingFTLoggingNic"]);
    }),
    (FT_LOGGING_NIC, Legacy, Unknown, |it| {
        it.second().services = Fact::Known(Vec::new());
        it.second().ft_logging = Fact::Unset;
    }),
    (HOST_CAPABILITY, Smp, Unmet, |it| it.second().capability.smp = issues(&["cpuHwmmuUnsupported"])),
    (HOST_CAPABILITY, Smp, Unmet, |it| it.second().capability.smp.supported = Fact::Known(false)),
    (HOST_CAPABILITY, Smp, Unknown, |it| it.second().capability.smp.supported = Fact::Unset),
    (HOST_CAPABILITY, Smp, Unknown, |it| it.second().capability.smp.issues = hidden()),
    // An issue that another check reports does not count again.
    (HOST_CAPABILITY, Smp, Met, |it| {
        it.lose("vmotion");
        it.second().capability.smp = issues(&["missingVMotionNic"]);
    }),
    (HOST_CAPABILITY, Smp, Met, |it| {
        it.cluster().ha = Fact::Known(false);
        it.second().agent = Fact::Unset;
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    // While the agent starts, the host reports an issue with it.
    (HOST_CAPABILITY, Smp, Met, |it| {
        it.second().agent = known("election");
        it.second().capability.smp = issues(&["haAgentIssue"]);
    }),
    // The agent is healthy, but the host reports an issue with it.
    (HOST_CAPABILITY, Smp, Unmet, |it| it.second().capability.smp = issues(&["haAgentIssue"])),
    // The options of the virtual machine override the hardware of a nested host.
    (HOST_CAPABILITY, Legacy, Unknown, |it| it.second().capability.legacy = issues(&["ftUnsupportedHardware"])),
    (HOST_CAPABILITY, Legacy, Unmet, |it| it.second().capability.legacy = issues(&["ftNotLicensed"])),
    (HOST_CAPABILITY, Legacy, Unmet, |it| {
        it.second().capability.legacy = issues(&["ftUnsupportedHardware"]);
        it.second().nested = false;
    }),
    (HOST_CAPABILITY, Legacy, Unknown, |it| it.second().capability.legacy.supported = Fact::Known(false)),
    // The host reports that it is out of service. It counts unless another check reports the same.
    (HOST_CAPABILITY, Smp, Unmet, |it| it.second().capability.smp = issues(&["hostInactive"])),
    (HOST_CAPABILITY, Smp, Met, |it| {
        it.second().connection = known("notResponding");
        it.second().capability.smp = issues(&["hostInactive"]);
    }),
    (HOST_REPLAY, Legacy, Unknown, |it| it.second().capability.replay = issues(&["hvDisabled"])),
    (HOST_REPLAY, Legacy, Unmet, |it| {
        it.second().capability.replay = issues(&["hvDisabled"]);
        it.machine().options = Fact::Known(Vec::new());
    }),
    (HOST_REPLAY, Legacy, Unknown, |it| it.second().capability.replay.supported = Fact::Unset),
];

const COMPATIBILITY_ROWS: &[Row] = &[
    (COMPATIBILITY, Smp, Unmet, |it| it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "brandNew")),
    (COMPATIBILITY, Smp, Unknown, |it| it.machine().compatibility = hidden()),
    // A fault is added to the check that is about the same.
    (SNAPSHOT, Smp, Unmet, |it| it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasSnapshots")),
    (COMPATIBILITY, Smp, Met, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasSnapshots");
    }),
    (DISK_FORMAT, Legacy, Unmet, |it| it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "thinDisk")),
    (VM_POWER, Legacy, Unmet, |it| {
        it.machine().compatibility = fault("VmMonitorIncompatibleForFaultTolerance", "");
    }),
    (REPLAY_OPTIONS, Legacy, Unmet, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "recordReplayNotSupported");
    }),
    // The fault may be about either of two requirements, and both are met.
    (COMPATIBILITY, Smp, Unmet, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasNestedHVConfiguration");
    }),
    (COMPATIBILITY, Smp, Met, |it| {
        it.machine().compatibility = fault("VmFaultToleranceConfigIssue", "hasNestedHVConfiguration");
        it.machine().vbs = Fact::Known(true);
    }),
];

#[test]
fn the_cluster_is_judged() {
    hold(CLUSTER_ROWS);
}

#[test]
fn hosts_are_judged() {
    hold(HOST_ROWS);
}

#[test]
fn the_virtual_machine_is_judged() {
    hold(VM_ROWS);
}

#[test]
fn storage_is_judged() {
    hold(DISK_ROWS);
}

#[test]
fn the_faults_that_vsphere_reports_are_judged() {
    hold(COMPATIBILITY_ROWS);
}

#[test]
fn every_requirement_is_listed_and_has_rows_for_unmet_and_unknown() {
    let probed = |engine| judged(engine, |it| it.probe(|_| [answered(), answered()]));
    let good = [probed(Legacy), probed(Smp), judged(Smp, |it| it.upgrade("6.0.0"))].concat();
    let all: BTreeSet<Requirement> = good.iter().map(|check| check.id).collect();
    let host_rows = [HOST_ROWS, NETWORK_ROWS, PAIR_ROWS, LIMIT_ROWS, PROBE_ROWS].concat();
    let rows = [&host_rows, CLUSTER_ROWS, VM_ROWS, DISK_ROWS, STORAGE_ROWS, COMPATIBILITY_ROWS].concat();
    let of = |status| -> BTreeSet<Requirement> {
        rows.iter().filter(|(_, _, expected, _)| *expected == status).map(|(id, ..)| *id).collect()
    };
    let listed: Vec<Requirement> = FAMILIES.into_iter().flatten().copied().collect();
    let ids: BTreeSet<&str> = listed.iter().map(|one| one.id).collect();
    assert_eq!((all.clone(), ids.len()), (listed.iter().copied().collect(), listed.len()));
    // A disk mode is never certainly bad, and every server reports its version.
    assert_eq!(all.difference(&of(Unmet)).copied().collect::<Vec<_>>(), [DISK_MODE]);
    assert_eq!(all.difference(&of(Unknown)).copied().collect::<Vec<_>>(), [VCENTER_VERSION]);
}

#[test]
fn requirements_of_another_version_or_engine_are_not_reported() {
    let ids = |checks: &[Check]| checks.iter().map(|check| check.id).collect::<BTreeSet<_>>();
    let (legacy, smp) = (ids(&judged(Legacy, |_| ())), ids(&judged(Smp, |_| ())));
    for id in [HOST_REPLAY, HARDWARE_VERSION, DISK_FORMAT, REPLAY_OPTIONS] {
        assert!(legacy.contains(&id) && !smp.contains(&id), "{id:?}");
    }
    for id in [NESTED_HV, VBS] {
        assert!(smp.contains(&id) && !legacy.contains(&id), "{id:?}");
    }
    // On physical hosts the options are no requirement.
    let real = judged(Legacy, |it| it.hosts.iter_mut().for_each(|host| host.nested = false));
    assert!(!ids(&real).contains(&REPLAY_OPTIONS));
    let cluster_alone = judged(Smp, |it| it.vm = None);
    assert!(cluster_alone.iter().all(|check| check.object.kind != "VirtualMachine"));
}
