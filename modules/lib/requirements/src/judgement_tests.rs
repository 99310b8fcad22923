//! The engine, the remedies, and properties that hold for all facts.

use proptest::prelude::*;
use serde_json::{Value, json};
use vsphere::{FtEngine, FtInfo, Version};

use crate::cluster::{HA_ENABLED, HA_OVERRIDE, THIRD_HOST};
use crate::fact::Fact;
use crate::facts::{Drs, Facts, Place};
use crate::finding::Status;
use crate::judgement::{Judgement, engine, reason_not_to_ask};
use crate::network::{FT_LOGGING_NIC, VMOTION_NIC};
use crate::replay::REPLAY_OPTIONS;
use crate::requirement::Requirement;
use crate::storage::DISK_FORMAT;
use crate::testing::{issues, known, lab, moids};
use crate::vm::{SNAPSHOT, VM_POWER};

use FtEngine::{Legacy, Smp};

fn steps(judgement: &Judgement) -> Vec<(Option<&str>, Value, Vec<Requirement>)> {
    let each = judgement.remedies.iter();
    each.map(|step| (step.module.as_deref(), json!(step.args), step.checks.clone())).collect()
}

#[test]
fn the_engine_depends_on_host_server_and_virtual_machine() {
    let with = |home: &str, other: &str, server: &str, legacy: bool| {
        let mut facts = lab(Smp);
        facts.hosts[0].version = Fact::Known(Version::parse(home));
        facts.hosts[1].version = Fact::Known(Version::parse(other));
        facts.server = Version::parse(server);
        let options = vec![("vm.useLegacyFt".to_owned(), legacy.to_string().to_uppercase())];
        facts.machine().options = Fact::Known(options);
        facts
    };
    // The last column is the engine if no virtual machine is named: the oldest host decides.
    for (home, other, server, legacy, expected, alone) in [
        ("5.0.0", "5.0.0", "5.0.0", false, Legacy, Legacy),
        ("6.0.0", "6.0.0", "6.0.0", false, Smp, Smp),
        ("6.0.0", "6.0.0", "6.0.0", true, Legacy, Smp),
        ("6.5.0", "6.5.0", "6.5.0", true, Smp, Smp),
        ("5.5.0", "6.0.0", "6.0.0", false, Legacy, Legacy),
        ("6.0.0", "5.5.0", "6.0.0", false, Smp, Legacy),
        ("6.0.0", "6.0.0", "5.5.0", false, Legacy, Legacy),
    ] {
        let mut facts = with(home, other, server, legacy);
        assert_eq!(engine(&facts, None), expected, "{home} {other} {server} {legacy}");
        assert_eq!(engine(&facts, Some(Legacy)), Legacy);
        assert_eq!(engine(&facts, Some(Smp)), Smp);
        // The configured engine wins.
        for (kind, own) in [("recordReplay", Legacy), ("checkpointing", Smp), ("unset", expected)] {
            facts.machine().ft_type = known(kind);
            assert_eq!(engine(&facts, None), own, "{home} {other} {server} {legacy} {kind}");
        }
        facts.vm = None;
        assert_eq!(engine(&facts, None), alone, "{home} {other} {server}");
        // A host that is out of service decides only if all are.
        facts.hosts[0].connection = known("disconnected");
        let left = if Version::parse(other).at_least(6, 0) && facts.server.at_least(6, 0) { Smp } else { Legacy };
        assert_eq!(engine(&facts, None), left, "{home} {other} {server}");
        facts.hosts[1].connection = known("disconnected");
        assert_eq!(engine(&facts, None), alone, "{home} {other} {server}");
    }
}

#[test]
fn remedies_come_in_the_order_to_apply_and_are_merged() {
    let mut facts = lab(Legacy);
    facts.datacenter = Some("Lab".to_owned());
    facts.cluster().ha_off = moids(&["vm-63"]);
    facts.cluster().ha = Fact::Known(false);
    for host in &mut facts.hosts {
        host.agent = Fact::Unset;
        host.capability.legacy = issues(&["haAgentIssue", "missingVMotionNic", "missingFTLoggingNic"]);
        if let Fact::Known(services) = &mut host.services {
            services.iter_mut().filter(|own| own.name != "management").for_each(|own| own.selected.clear());
        }
    }
    facts.machine().options = Fact::Known(vec![("replay.supported".to_owned(), "true".to_owned())]);
    facts.machine().snapshot = Fact::Known(());
    facts.disk().thin = Some(true);
    let judgement = Judgement::of(&facts, None);
    let hosts = ["esxi01", "esxi02"];
    let carry = |device: &str, service: &str| json!({ "esxi_hostname": hosts, "device": device, "services": [service], "state": "present" });
    let options = json!({ "replay.allowFT": "TRUE", "replay.allowBTOnly": "TRUE" });
    assert_eq!(
        steps(&judgement),
        [
            (None, Value::Null, vec![SNAPSHOT]),
            (Some("vmkernel_service"), carry("vmk1", "vmotion"), vec![VMOTION_NIC]),
            (Some("vmkernel_service"), carry("vmk1", "faultToleranceLogging"), vec![FT_LOGGING_NIC]),
            (
                Some("cluster_ha"),
                json!({ "cluster_name": "Cluster", "datacenter": "Lab", "state": "enabled" }),
                vec![HA_ENABLED],
            ),
            (
                Some("cluster_ha"),
                json!({
                    "cluster_name": "Cluster",
                    "datacenter": "Lab",
                    "state": "enabled",
                    "vm_restart_priority": { "vm-63": "cluster" },
                }),
                vec![HA_OVERRIDE],
            ),
            (Some("vm_power"), json!({ "moid": "vm-63", "state": "powered_off" }), vec![VM_POWER, DISK_FORMAT],),
            (Some("vmx_option"), json!({ "moid": "vm-63", "options": options }), vec![REPLAY_OPTIONS]),
            // Advice that nothing depends on comes last.
            (None, Value::Null, vec![THIRD_HOST]),
        ]
    );
    let advisory: Vec<bool> = judgement.remedies.iter().map(|step| step.advisory).collect();
    assert!(advisory[7] && !advisory[..7].contains(&true), "{advisory:?}");
    // Only the names of hosts are added to a remedy.
    assert_eq!(judgement.remedies[0].text, "Remove the snapshots of the virtual machine.");
    assert!(judgement.remedies[1].text.ends_with("(esxi01, esxi02)."), "{}", judgement.remedies[1].text);
}

#[test]
fn a_host_that_is_out_of_service_is_one_step_for_all_that_it_is_needed_for() {
    const BACK: [&str; 5] = ["usable-hosts", "host-maintenance", "ha-agent", "datastore-access", "network-access"];
    const THREE: [&str; 6] =
        ["usable-hosts", "third-host", "host-maintenance", "ha-agent", "datastore-access", "network-access"];
    const CONNECTED: [&str; 5] = ["usable-hosts", "host-connected", "ha-agent", "datastore-access", "network-access"];
    // The steps for people without advice, and the requirements of the first one.
    type Row = (&'static [&'static str], &'static [&'static str], fn(&mut Facts));
    let rows: &[Row] = &[
        (&["Take the host out of maintenance mode (esxi02)."], &BACK, |it| it.second().maintenance = Fact::Known(true)),
        (&["Reconnect the host (esxi02)."], &CONNECTED, |it| it.second().connection = known("notResponding")),
        (&["Power the host on (esxi02)."], &CONNECTED, |it| it.second().power = known("standBy")),
        (&["Take the host out of maintenance mode (esxi02, esxi03)."], &THREE, |it| {
            it.third().maintenance = Fact::Known(true);
            it.second().maintenance = Fact::Known(true);
        }),
        // Each host has its own step.
        (
            &["Reconnect the host (esxi02).", "Take the host out of maintenance mode (esxi03)."],
            &["usable-hosts", "third-host", "host-connected", "ha-agent", "datastore-access", "network-access"],
            |it| {
                it.third().maintenance = Fact::Known(true);
                it.second().connection = known("disconnected");
            },
        ),
        (&["Take the host out of maintenance mode (esxi03)."], &["third-host", "host-maintenance", "ha-agent"], |it| {
            it.third().maintenance = Fact::Known(true);
        }),
        // It does not help alone.
        (
            &[
                "Take the host out of maintenance mode (esxi02).",
                "Give hosts in service the networks that they do not reach.",
            ],
            &["usable-hosts", "host-maintenance", "ha-agent", "datastore-access"],
            |it| {
                it.second().maintenance = Fact::Known(true);
                it.second().networks = moids(&[]);
            },
        ),
        (&["Add hosts to the cluster."], &["usable-hosts"], |it| it.hosts.truncate(1)),
    ];
    for (row, (texts, ids, change)) in rows.iter().enumerate() {
        let mut facts = lab(Smp);
        change(&mut facts);
        let judgement = Judgement::of(&facts, None);
        let steps: Vec<_> = judgement.remedies.iter().filter(|step| !step.advisory).collect();
        let found: Vec<_> = steps.iter().map(|step| step.text.as_str()).collect();
        assert_eq!(found, *texts, "row {row}");
        assert_eq!(steps[0].checks.iter().map(|check| check.id).collect::<Vec<_>>(), *ids, "row {row}");
    }
}

#[test]
fn a_person_chooses_among_several_vmknics() {
    let mut facts = lab(Smp);
    facts.lose("faultToleranceLogging");
    if let Fact::Known(services) = &mut facts.second().services {
        for own in services {
            own.selected.clear();
            own.candidates.iter_mut().for_each(|candidate| candidate.portgroup = None);
        }
    }
    let judgement = Judgement::of(&facts, None);
    let step = judgement.remedies.iter().find(|step| step.checks == [FT_LOGGING_NIC]).unwrap();
    assert_eq!((step.module.as_deref(), &step.args), (Some("vmkernel_service"), &None));
    assert!(
        step.text.contains("vmk0 (172.30.2.0), vmk1 (172.30.2.1)") && step.text.contains("esxi02"),
        "{}",
        step.text
    );
}

#[test]
fn vsphere_is_asked_only_if_it_can_answer() {
    let mut facts = lab(Smp);
    assert_eq!(reason_not_to_ask(facts.machine()), None);
    facts.machine().ft_state = known("running");
    assert!(reason_not_to_ask(facts.machine()).is_some());
    facts.machine().ft_state = known("notConfigured");
    facts.machine().connection = known("orphaned");
    assert!(reason_not_to_ask(facts.machine()).is_some());
}

/// Takes the next number: 1 unsets the fact, 2 hides it, 3 replaces it; any other number keeps it.
fn spoil<T: Clone>(fact: &mut Fact<T>, numbers: &mut dyn Iterator<Item = u8>, other: &T) {
    match numbers.next().unwrap_or_default() {
        1 => *fact = Fact::Unset,
        2 => *fact = Fact::Hidden("NoPermission".to_owned()),
        3 => *fact = Fact::Known(other.clone()),
        _ => {}
    }
}

fn spoil_all(facts: &mut Facts, numbers: &mut dyn Iterator<Item = u8>) {
    let odd = "odd".to_owned();
    let reasons = vec!["brandNew2030".to_owned(), "missingFTLoggingNic".to_owned()];
    if let Place::Cluster(cluster) = &mut facts.place {
        spoil(&mut cluster.ha, numbers, &false);
        spoil(&mut cluster.admission_control, numbers, &false);
        spoil(&mut cluster.host_monitoring, numbers, &odd);
        spoil(&mut cluster.options, numbers, &Vec::new());
        spoil(&mut cluster.ha_off, numbers, &Vec::new());
        let manual = Drs { on: true, level: Some("manual".to_owned()), overrides: Vec::new() };
        spoil(&mut cluster.drs, numbers, &manual);
        spoil(&mut cluster.evc, numbers, &());
    }
    for host in &mut facts.hosts {
        for text in [&mut host.connection, &mut host.agent, &mut host.build, &mut host.ft_version] {
            spoil(text, numbers, &odd);
        }
        spoil(&mut host.power, numbers, &"standBy".to_owned());
        for flag in [&mut host.maintenance, &mut host.vmotion, &mut host.ft_logging, &mut host.capability.efi] {
            spoil(flag, numbers, &true);
        }
        spoil(&mut host.version, numbers, &Version::parse("4.0"));
        spoil(&mut host.services, numbers, &Vec::new());
        spoil(&mut host.ft_uplinks, numbers, &Vec::new());
        for memory in [&mut host.memory_mb, &mut host.used_mb, &mut host.reserved_mb] {
            spoil(memory, numbers, &i64::MIN);
        }
        spoil(&mut host.capability.max_vcpus, numbers, &0);
        spoil(&mut host.capability.max_memory_mb, numbers, &0);
        let capability = &mut host.capability;
        for support in [&mut capability.legacy, &mut capability.replay, &mut capability.smp] {
            spoil(&mut support.supported, numbers, &false);
            spoil(&mut support.issues, numbers, &reasons);
        }
        spoil(&mut host.datastores, numbers, &Vec::new());
        spoil(&mut host.networks, numbers, &Vec::new());
    }
    for datastore in &mut facts.datastores {
        spoil(&mut datastore.accessible, numbers, &false);
        spoil(&mut datastore.shared, numbers, &false);
        spoil(&mut datastore.kind, numbers, &odd);
    }
    let Some(vm) = &mut facts.vm else { return };
    for text in [
        &mut vm.connection,
        &mut vm.power,
        &mut vm.question,
        &mut vm.ft_state,
        &mut vm.hardware,
        &mut vm.firmware,
        &mut vm.vmx,
        &mut vm.metadata,
        &mut vm.ft_type,
    ] {
        spoil(text, numbers, &odd);
    }
    for flag in [&mut vm.template, &mut vm.nested_hv, &mut vm.vbs] {
        spoil(flag, numbers, &true);
    }
    let secondary =
        FtInfo { role: 2, instance_uuids: Vec::new(), secondaries: Vec::new(), primary: None, orphaned: false };
    spoil(&mut vm.ft, numbers, &secondary);
    spoil(&mut vm.snapshot, numbers, &());
    spoil(&mut vm.cpus, numbers, &99);
    spoil(&mut vm.memory_mb, numbers, &i64::MAX);
    for memory in [&mut vm.reserved_mb, &mut vm.used_mb, &mut vm.pool_mb] {
        spoil(memory, numbers, &i64::MIN);
    }
    spoil(&mut vm.npiv, numbers, &());
    spoil(&mut vm.devices, numbers, &Vec::new());
    spoil(&mut vm.options, numbers, &Vec::new());
    spoil(&mut vm.datastores, numbers, &Vec::new());
    spoil(&mut vm.networks, numbers, &vec!["network-9".to_owned()]);
    spoil(&mut vm.compatibility, numbers, &vec![vsphere::Fault::default()]);
}

proptest! {
    #[test]
    fn every_judgement_is_consistent(
        legacy in any::<bool>(),
        asked in prop::option::of(prop_oneof![Just(Legacy), Just(Smp)]),
        numbers in prop::collection::vec(0..8_u8, 0..160),
        hosts in 0..4_usize,
        legible in any::<bool>(),
        with_vm in any::<bool>(),
        placed in any::<bool>(),
    ) {
        let mut facts = lab(if legacy { Legacy } else { Smp });
        facts.third();
        facts.hosts.truncate(hosts);
        if !with_vm {
            facts.vm = None;
        } else if !placed {
            facts.place = if legible { Place::Standalone } else { Place::Hidden("NoPermission".to_owned()) };
        }
        spoil_all(&mut facts, &mut numbers.into_iter());
        let judgement = Judgement::of(&facts, asked);
        let unmet = judgement.checks.iter().filter(|check| check.decisive && check.status == Status::Unmet).count();
        prop_assert_eq!(judgement.is_ready(), unmet == 0);
        let counts = judgement.counts;
        prop_assert_eq!(counts.met + counts.unmet + counts.unknown, judgement.checks.len());
        for check in &judgement.checks {
            let has_why = check.why.as_ref().is_some_and(|why| !why.is_empty());
            prop_assert_eq!(has_why, check.status != Status::Met, "{:?}", check);
            prop_assert!(!check.observed.is_empty(), "{:?}", check);
            prop_assert!(check.remedy.is_none() || check.status == Status::Unmet, "{:?}", check);
        }
        // Each remedy of a check is exactly one step.
        for check in judgement.checks.iter().filter(|check| check.remedy.is_some()) {
            prop_assert_eq!(judgement.remedies.iter().filter(|step| {
                step.checks.contains(&check.id) && step.module == check.remedy.as_ref().unwrap().module
                    && step.text.starts_with(check.remedy.as_ref().unwrap().text.trim_end_matches('.'))
            }).count(), 1);
        }
        let unknown = judgement.checks.iter().filter(|check| check.decisive && check.status == Status::Unknown).count();
        prop_assert_eq!(judgement.summary("inner").starts_with("inner is ready "), unmet + unknown == 0);
    }

    #[test]
    fn a_missing_property_makes_nothing_unmet(
        numbers in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(2)], 0..160),
        // The number of hosts that can be read although their cluster cannot.
        legible in prop::option::of(0..2_usize),
    ) {
        let mut facts = lab(Smp);
        facts.third();
        if let Some(hosts) = legible {
            facts.place = Place::Hidden("NoPermission".to_owned());
            facts.hosts.truncate(hosts);
        }
        spoil_all(&mut facts, &mut numbers.into_iter());
        let judgement = Judgement::of(&facts, Some(Smp));
        let unmet: Vec<_> = judgement.checks.iter().filter(|check| check.status == Status::Unmet).collect();
        prop_assert!(unmet.is_empty(), "{:?}", unmet);
    }
}
