//! Tests of the state machine through the API's methods, in virtual time.

use crate::model::pair::State;
use crate::model::vm::Power;
use crate::testing::{self, call, task};
use crate::value::{Data, Value};
use crate::world::World;

const INNER: &str = "vm-63";

fn state(world: &World, moid: &str) -> &'static str {
    world.vm(moid).unwrap().ft_state()
}

fn settle(world: &mut World) {
    world.advance(world.now + 10 * world.config.task_ms);
}

fn second(world: &World) -> String {
    world.secondary_of(INNER).unwrap().to_owned()
}

fn on(secondary: &str) -> String {
    format!(r#"<vm type="VirtualMachine">{secondary}</vm>"#)
}

/// A lab whose inner VM can use record/replay, with streams disabled on both hosts.
fn ready(flags: &[&str]) -> World {
    let mut world = testing::world(flags);
    let vm = world.vm_mut(INNER).unwrap();
    for key in ["replay.supported", "replay.allowFT", "replay.allowBTOnly"] {
        vm.set_extra(key, "TRUE");
    }
    vm.effective = vm.extra.clone();
    world
}

fn field<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| match value {
        Value::Data(data) => data.get(name),
        Value::List(_, items) => items.first().and_then(|item| field(item, &[name])),
        _ => None,
    })
}

fn kind(value: Option<&Value>) -> &str {
    match value {
        Some(Value::Data(Data { kind, .. })) => kind,
        _ => "",
    }
}

#[test]
fn a_vm_that_is_off_goes_from_enabled_to_running() {
    let mut world = ready(&["--scenario", "off"]);
    let result = task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap().unwrap();
    assert_eq!(field(&result, &["powerOnAttempted"]), Some(&Value::Bool(false)));
    assert_eq!(state(&world, INNER), "enabled");
    let secondary = second(&world);
    assert_eq!(state(&world, &secondary), "enabled");
    assert_eq!(world.name(&secondary), "inner");
    task(&mut world, INNER, "PowerOnVM_Task", "").unwrap();
    assert_eq!(state(&world, INNER), "needSecondary");
    assert_eq!(state(&world, &secondary), "enabled");
    settle(&mut world);
    assert_eq!(state(&world, INNER), "running");
    assert_eq!(state(&world, &secondary), "running");
    task(&mut world, INNER, "PowerOffVM_Task", "").unwrap();
    assert_eq!(state(&world, INNER), "enabled");
    assert_eq!(world.vm(&secondary).unwrap().power, Power::Off);
}

#[test]
fn the_article_s_failure_ends_when_streams_are_disabled_on_both_hosts() {
    let mut world = ready(&[]);
    let result = task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap().unwrap();
    let fault = field(&result, &["powerOnResult", "notAttempted", "fault", "fault"]);
    assert_eq!(kind(fault), "PowerOnFtSecondaryFailed");
    let issues = field(fault.unwrap(), &["hostErrors", "fault"]);
    assert_eq!(kind(issues), "FtIssuesOnHost");
    let root = field(fault.unwrap(), &["rootCause", "fault", "faultMessage", "key"]);
    assert_eq!(root, Some(&"vob.vmotion.stream.keepalive.read.fail".into()));
    settle(&mut world);
    assert_eq!(state(&world, INNER), "needSecondary");
    let told = &world.vm(INNER).unwrap().vmware_log;
    assert_eq!(told.iter().filter(|line| line.contains("Connection closed by remote host")).count(), 3);
    let change = |value: &str| {
        format!(
            r#"<changedValue xmlns:xsd="http://www.w3.org/2001/XMLSchema"><key>Migrate.VMotionStreamDisable</key><value xsi:type="xsd:long">{value}</value></changedValue>"#
        )
    };
    call(&mut world, "EsxHostAdvSettings-20", "UpdateOptions", &change("1")).unwrap();
    settle(&mut world);
    assert_eq!(state(&world, INNER), "needSecondary");
    call(&mut world, "EsxHostAdvSettings-30", "UpdateOptions", &change("1")).unwrap();
    settle(&mut world);
    assert_eq!(state(&world, INNER), "running");
}

#[test]
fn record_replay_needs_the_three_options_and_a_power_cycle() {
    let mut world = testing::world(&["--scenario", "healthy"]);
    let reason = |world: &mut World| {
        let fault = task(world, INNER, "CreateSecondaryVM_Task", "").unwrap_err();
        fault.data.get("reason").cloned()
    };
    assert_eq!(reason(&mut world), Some("recordReplayNotSupported".into()));
    let vm = world.vm_mut(INNER).unwrap();
    for key in ["replay.supported", "replay.allowFT", "REPLAY.ALLOWBTONLY"] {
        vm.set_extra(key, "true");
    }
    assert_eq!(reason(&mut world), Some("replayNotSupported".into()));
    task(&mut world, INNER, "ResetVM_Task", "").unwrap();
    assert_eq!(reason(&mut world), Some("replayNotSupported".into()));
    task(&mut world, INNER, "PowerOffVM_Task", "").unwrap();
    task(&mut world, INNER, "PowerOnVM_Task", "").unwrap();
    task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap();
    settle(&mut world);
    assert_eq!(state(&world, INNER), "running");
}

#[test]
fn every_method_has_its_transition() {
    let mut world = ready(&["--scenario", "healthy"]);
    task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap();
    assert_eq!(state(&world, INNER), "starting");
    settle(&mut world);
    let secondary = second(&world);
    task(&mut world, INNER, "DisableSecondaryVM_Task", &on(&secondary)).unwrap();
    assert_eq!((state(&world, INNER), state(&world, &secondary)), ("disabled", "disabled"));
    task(&mut world, INNER, "EnableSecondaryVM_Task", &on(&secondary)).unwrap();
    settle(&mut world);
    assert_eq!(state(&world, INNER), "running");
    task(&mut world, INNER, "TerminateFaultTolerantVM_Task", "").unwrap();
    assert_eq!(state(&world, INNER), "needSecondary");
    assert_eq!(world.vm(INNER).unwrap().ft.as_ref().unwrap().reason, Some("userAction"));
    settle(&mut world);
    assert_eq!(state(&world, INNER), "running");
    task(&mut world, INNER, "MakePrimaryVM_Task", &on(&secondary)).unwrap();
    assert_eq!(state(&world, &secondary), "needSecondary");
    settle(&mut world);
    assert_eq!(world.secondary_of(&secondary), Some(INNER));
    assert_eq!(state(&world, &secondary), "running");
    task(&mut world, &secondary, "TurnOffFaultToleranceForVM_Task", "").unwrap();
    assert_eq!(state(&world, &secondary), "notConfigured");
    assert!(world.vm(INNER).is_none());
}

#[test]
fn what_is_not_possible_is_refused_by_its_name() {
    let cases: [(&[&str], State, &str, &str); 9] = [
        (&[], State::Running, "CreateSecondaryVM_Task", "VmFaultToleranceConfigIssue"),
        (&[], State::Running, "EnableSecondaryVM_Task", "SecondaryVmAlreadyEnabled"),
        (&[], State::Disabled, "DisableSecondaryVM_Task", "SecondaryVmAlreadyDisabled"),
        (&[], State::Disabled, "MakePrimaryVM_Task", "InvalidState"),
        (&[], State::Starting, "TerminateFaultTolerantVM_Task", "InvalidState"),
        (&["--scenario", "ha-off"], State::Disabled, "EnableSecondaryVM_Task", "NotSupported"),
        (&["--scenario", "ha-off"], State::Running, "MakePrimaryVM_Task", "NotSupported"),
        (&["--scenario", "ha-off"], State::Running, "TerminateFaultTolerantVM_Task", "FaultToleranceVmNotDasProtected"),
        (&["--scenario", "no-host"], State::Disabled, "EnableSecondaryVM_Task", "NoHostSuitableForFtSecondary"),
    ];
    for (flags, from, method, expected) in cases {
        let mut world = ready(flags);
        let secondary = world.register_secondary(INNER, "host-30", from).unwrap();
        world.set_ft(INNER, from, None);
        let args = if method.starts_with("Create") { String::new() } else { on(&secondary) };
        let fault = task(&mut world, INNER, method, &args).unwrap_err();
        assert_eq!(fault.kind(), expected, "{method} in {from:?} {flags:?}");
        let fault = task(&mut world, &secondary, method, &args).unwrap_err();
        assert_eq!(fault.kind(), "InvalidOperationOnSecondaryVm", "{method}");
    }
}

#[test]
fn creation_is_refused_where_it_cannot_be() {
    let cases: [(&[&str], &str, &str); 7] = [
        (&["--scenario", "ha-off"], INNER, "NotSupported"),
        (&[], "vm-65", "NotSupported"),
        (&["--direct"], "1", "NotSupported"),
        (&["--scenario", "suspended"], INNER, "InvalidPowerState"),
        (&["--scenario", "no-host"], INNER, "NoHostSuitableForFtSecondary"),
        (&["--scenario", "monitor"], INNER, "VmMonitorIncompatibleForFaultTolerance"),
        (&["--hosts", "1"], INNER, "NoHostSuitableForFtSecondary"),
    ];
    for (flags, moid, expected) in cases {
        let mut world = testing::world(flags);
        if let Some(vm) = world.vm_mut(INNER) {
            for key in ["replay.supported", "replay.allowFT", "replay.allowBTOnly"] {
                vm.set_extra(key, "TRUE");
            }
            vm.effective = vm.extra.clone();
        }
        let fault = task(&mut world, moid, "CreateSecondaryVM_Task", "").unwrap_err();
        assert_eq!(fault.kind(), expected, "{flags:?}");
        assert_eq!(state(&world, moid), "notConfigured");
    }
}

#[test]
fn a_slow_secondary_stays_starting_and_is_turned_off_after_it_was_suspended() {
    let mut world = ready(&["--scenario", "slow"]);
    task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap();
    settle(&mut world);
    assert_eq!(state(&world, INNER), "starting");
    let fault = call(&mut world, INNER, "TurnOffFaultToleranceForVM_Task", "").unwrap_err();
    assert_eq!(fault.kind(), "InvalidState");
    world.set_ft(INNER, State::Disabled, None);
    task(&mut world, INNER, "TurnOffFaultToleranceForVM_Task", "").unwrap();
    assert_eq!(state(&world, INNER), "notConfigured");
}

#[test]
fn manual_drs_waits_for_its_recommendation() {
    let mut world = ready(&["--scenario", "drs-manual"]);
    let result = task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap().unwrap();
    let key = field(&result, &["powerOnResult", "recommendations", "key"]).unwrap();
    let Value::Str(key) = key else { panic!("{key:?}") };
    settle(&mut world);
    assert_eq!(state(&world, INNER), "needSecondary");
    let args = format!("<key>{key}</key>");
    call(&mut world, "domain-c7", "ApplyRecommendation", &args).unwrap();
    settle(&mut world);
    assert_eq!(state(&world, INNER), "running");
}

#[test]
fn two_tasks_at_once_are_one_too_many() {
    let mut world = ready(&["--scenario", "healthy"]);
    call(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap();
    let fault = call(&mut world, INNER, "TurnOffFaultToleranceForVM_Task", "").unwrap_err();
    assert_eq!(fault.kind(), "InvalidState");
    let fault = call(&mut world, INNER, "PowerOffVM_Task", "").unwrap_err();
    assert_eq!(fault.kind(), "TaskInProgress");
}

#[test]
fn modern_releases_need_no_options() {
    for personality in ["6.7", "8.0"] {
        let mut world = testing::world(&["--personality", personality, "--scenario", "healthy"]);
        task(&mut world, INNER, "CreateSecondaryVMEx_Task", "").unwrap();
        settle(&mut world);
        assert_eq!(state(&world, INNER), "running");
    }
}

/// The states that a VM goes through until nothing more happens.
fn walk(world: &mut World, moid: &str) -> Vec<&'static str> {
    let mut states = vec![state(world, moid)];
    for _ in 0..10 * world.config.task_ms {
        world.advance(world.now + 1);
        if states.last() != Some(&state(world, moid)) {
            states.push(state(world, moid));
        }
    }
    states
}

#[test]
fn what_is_tested_walks_from_state_to_state() {
    for personality in ["5.0", "6.7", "8.0"] {
        for method in ["MakePrimaryVM_Task", "TerminateFaultTolerantVM_Task"] {
            let mut world = ready(&["--personality", personality, "--scenario", "healthy"]);
            task(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap();
            settle(&mut world);
            let secondary = second(&world);
            task(&mut world, INNER, method, &on(&secondary)).unwrap();
            let swapped = method.starts_with("Make");
            let (primary, other) = if swapped { (secondary.as_str(), INNER) } else { (INNER, secondary.as_str()) };
            assert_eq!(world.secondary_of(primary), Some(other));
            assert_eq!((world.vm(primary).unwrap().power, world.vm(other).unwrap().power), (Power::On, Power::Off));
            assert_eq!(walk(&mut world, primary), ["needSecondary", "starting", "running"], "{personality} {method}");
            assert_eq!(world.vm(other).unwrap().power, Power::On);
        }
    }
}

#[test]
fn an_esxi_host_of_its_own_knows_no_ft() {
    let mut world = testing::world(&["--direct"]);
    for method in ["MakePrimaryVM_Task", "EnableSecondaryVM_Task", "DisableSecondaryVM_Task"] {
        assert_eq!(task(&mut world, "1", method, &on("2")).unwrap_err().kind(), "NotSupported", "{method}");
    }
    for method in ["TerminateFaultTolerantVM_Task", "TurnOffFaultToleranceForVM_Task", "CreateSecondaryVM_Task"] {
        assert_eq!(task(&mut world, "1", method, "").unwrap_err().kind(), "NotSupported", "{method}");
    }
}

#[test]
fn a_thin_disk_takes_longer() {
    let mut world = ready(&["--scenario", "thin-disk"]);
    world.vm_mut(INNER).unwrap().power = Power::Off;
    call(&mut world, INNER, "CreateSecondaryVM_Task", "").unwrap();
    world.advance(world.now + 4 * world.config.task_ms);
    assert_eq!(state(&world, INNER), "notConfigured");
    world.advance(world.now + world.config.task_ms);
    assert_eq!(state(&world, INNER), "enabled");
    assert!(!world.vm(INNER).unwrap().hardware.disk.thin);
}
