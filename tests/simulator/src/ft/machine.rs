//! The state machine of a pair: its transitions, and the start of a secondary.

use crate::config::Scenario;
use crate::fault::{Fault, Result};
use crate::model::entity::{Body, Entity};
use crate::model::pair::{Pair, Role, State};
use crate::model::vm::Power;
use crate::value::{Data, Ref, Value};
use crate::world::World;
use crate::world::logs::Failure;

use super::faults;

/// The result of an attempt to start the secondary.
pub struct Attempt {
    /// True if it was attempted, that is if the primary is on.
    pub attempted: bool,
    /// `ClusterPowerOnVmResult`.
    pub result: Option<Data>,
}

impl World {
    /// The moid of the secondary.
    pub fn secondary_of(&self, primary: &str) -> Option<&str> {
        let pair = self.vm(primary)?.ft.as_ref()?;
        (!pair.secondary()).then_some(pair.peer.as_str())
    }

    /// Changes the state of both halves.
    pub fn set_ft(&mut self, primary: &str, state: State, reason: Option<&'static str>) {
        let Some(secondary) = self.secondary_of(primary).map(ToOwned::to_owned) else {
            return;
        };
        let old = self.vm(primary).and_then(|vm| vm.ft.as_ref()).map(|pair| pair.state);
        let power = match state {
            State::Starting | State::Running => Power::On,
            _ => Power::Off,
        };
        for moid in [primary, &secondary] {
            if let Some(vm) = self.vm_mut(moid) {
                vm.change += 1;
                if let Some(pair) = &mut vm.ft {
                    pair.state = state;
                    pair.reason = reason;
                    pair.recommendation = None;
                    pair.turn += 1;
                }
            }
        }
        if old != Some(state) {
            self.post_ft_state(primary, old.unwrap_or(state), state);
        }
        let now = self.now;
        if let Some(vm) = self.vm_mut(&secondary) {
            if power == Power::On && vm.power != Power::On {
                vm.booted = now;
            }
            vm.power = power;
        }
    }

    /// Registers a secondary: same name and BIOS UUID, its own moid and instance UUID.
    pub fn register_secondary(&mut self, primary: &str, host: &str, state: State) -> Result<String> {
        let legacy = self.config.personality.legacy_ft();
        let moid = format!("vm-{}", self.number());
        let mut twin = self.need_vm(primary)?.clone();
        let half = |role, peer: &str| Pair {
            role,
            peer: peer.to_owned(),
            state,
            reason: None,
            orphaned: false,
            recommendation: None,
            turn: 0,
        };
        twin.instance_uuid = crate::random::uuid();
        host.clone_into(&mut twin.host);
        twin.power = Power::Off;
        twin.busy = None;
        twin.vmware_log.clear();
        twin.rotated_logs.clear();
        if !legacy {
            // SMP-FT copies the disks: the secondary has a directory of its own.
            twin.directory = format!("{}_1", twin.directory);
        }
        twin.ft = Some(half(Role::Secondary, primary));
        let entity = self.entities.get(primary);
        let entity = Entity {
            name: entity.map(|e| e.name.clone()).unwrap_or_default(),
            parent: entity.and_then(|e| e.parent.clone()),
            body: Body::Vm(Box::new(twin)),
        };
        self.insert(&moid, entity);
        let vm = self.need_vm_mut(primary)?;
        vm.ft = Some(half(Role::Primary, &moid));
        vm.change += 1;
        self.post_vm("VmSecondaryAddedEvent", primary);
        Ok(moid)
    }

    /// Forgets the pair: the secondary is unregistered.
    pub fn turn_off(&mut self, primary: &str) {
        if let Some(secondary) = self.secondary_of(primary).map(ToOwned::to_owned) {
            self.remove(&secondary);
        }
        if let Some(vm) = self.vm_mut(primary) {
            vm.ft = None;
            vm.change += 1;
        }
        self.post_vm("VmFaultToleranceTurnedOffEvent", primary);
    }

    /// Enables the pair and, if the primary is on, tries to start its secondary.
    pub fn start_secondary(&mut self, primary: &str, reason: &'static str) -> Attempt {
        let Some(vm) = self.vm(primary) else {
            return Attempt { attempted: false, result: None };
        };
        if vm.power != Power::On {
            self.set_ft(primary, State::Enabled, None);
            return Attempt { attempted: false, result: None };
        }
        self.set_ft(primary, State::NeedSecondary, Some(reason));
        let manual = self
            .cluster_of(&self.vm(primary).map(|vm| vm.host.clone()).unwrap_or_default())
            .is_some_and(|cluster| cluster.drs.waits(primary));
        let result = if manual { self.recommend(primary) } else { self.power_on_secondary(primary) };
        Attempt { attempted: true, result: Some(result) }
    }

    /// Powers the secondary on; returns `ClusterPowerOnVmResult`.
    fn power_on_secondary(&mut self, primary: &str) -> Data {
        let secondary = self.secondary_of(primary).unwrap_or_default().to_owned();
        let host = |world: &Self, moid: &str| world.vm(moid).map(|vm| vm.host.clone()).unwrap_or_default();
        let (source, target) = (host(self, primary), host(self, &secondary));
        self.post_vm("VmStartingSecondaryEvent", primary);
        self.boot_secondary(&secondary);
        if self.streams_break(&source, &target) {
            let fault = self.break_off(primary, &target);
            let not_attempted = Data::new("ClusterNotAttemptedVmInfo")
                .with("vm", Ref::new("VirtualMachine", &secondary))
                .with("fault", fault.localized());
            return Data::new("ClusterPowerOnVmResult").list(
                "notAttempted",
                "ClusterNotAttemptedVmInfo",
                vec![not_attempted.into()],
            );
        }
        self.start_cold(primary);
        Data::new("ClusterPowerOnVmResult")
    }

    /// Starts the secondary without a stream that could break, as after a power-on of both halves.
    pub fn start_cold(&mut self, primary: &str) {
        self.set_ft(primary, State::Starting, None);
        if self.config.scenario != Scenario::Slow {
            self.later(primary, |world, primary| {
                world.set_ft(primary, State::Running, None);
            });
        }
    }

    /// Breaks the stream to the secondary's host, and logs it in vmware.log.
    fn break_off(&mut self, primary: &str, target: &str) -> Fault {
        let migration = self.log_broken_stream(primary);
        self.set_ft(primary, State::NeedSecondary, Some("lostConnection"));
        let fault = faults::stream_failure(self, primary, target, migration);
        self.post_failed_start(primary, &fault);
        fault
    }

    /// Logs that the stream to the secondary broke; returns the migration's id.
    pub fn log_broken_stream(&mut self, primary: &str) -> u64 {
        // In the article, vCenter's clock is ahead of the host's clock.
        let migration = self.epoch + self.now * 1000 + 203_248_144;
        let secondary = self.secondary_of(primary).map(ToOwned::to_owned);
        let address = |moid: &str| self.vm(moid).map(|vm| self.vmotion_address(&vm.host)).unwrap_or_default();
        let (source, destination) = (address(primary), address(secondary.as_deref().unwrap_or_default()));
        let failure = Failure { migration, source: &source, destination: &destination };
        self.log_failure(primary, secondary.as_deref(), &failure);
        migration
    }

    /// With manual DRS, the start waits for `ApplyRecommendation`.
    fn recommend(&mut self, primary: &str) -> Data {
        let key = self.number().to_string();
        if let Some(pair) = self.vm_mut(primary).and_then(|vm| vm.ft.as_mut()) {
            pair.recommendation = Some(key.clone());
        }
        let recommendation = Data::new("ClusterRecommendation")
            .with("key", key)
            .with("type", "V1")
            .with("time", Value::Time(self.time()))
            .with("rating", 5)
            .with("reason", "powerOnVm")
            .with("reasonText", "Power on the Fault Tolerance secondary virtual machine");
        Data::new("ClusterPowerOnVmResult").list(
            "recommendations",
            "ClusterRecommendation",
            vec![recommendation.into()],
        )
    }

    /// Applies a recommendation, which starts the secondary.
    pub fn apply_recommendation(&mut self, key: &str) -> Result<()> {
        let primary = self
            .of_kind("VirtualMachine")
            .into_iter()
            .find(|moid| {
                let pair = self.vm(moid).and_then(|vm| vm.ft.as_ref());
                pair.is_some_and(|pair| pair.recommendation.as_deref() == Some(key))
            })
            .ok_or_else(|| Fault::invalid_argument("key"))?;
        self.power_on_secondary(&primary);
        Ok(())
    }

    /// Applies all recommendations, as fully automated DRS does.
    pub fn apply_recommendations(&mut self) {
        for primary in self.of_kind("VirtualMachine") {
            let pair = self.vm(&primary).and_then(|vm| vm.ft.as_ref());
            if pair.is_some_and(|pair| pair.recommendation.is_some()) {
                self.power_on_secondary(&primary);
            }
        }
    }

    /// Retries the start of secondaries that lost their connection, as vCenter does after a change of host options.
    pub fn retry_secondaries(&mut self) {
        for primary in self.of_kind("VirtualMachine") {
            let waiting = self.vm(&primary).and_then(|vm| vm.ft.as_ref()).is_some_and(|pair| {
                !pair.secondary() && pair.state == State::NeedSecondary && pair.reason == Some("lostConnection")
            });
            if !waiting {
                continue;
            }
            self.later(&primary, |world, primary| {
                let target = world.secondary_of(primary).and_then(|moid| world.vm(moid));
                let target = target.map(|vm| vm.host.clone()).unwrap_or_default();
                let source = world.vm(primary).map(|vm| vm.host.clone()).unwrap_or_default();
                // A retry that fails again logs nothing.
                if !world.streams_break(&source, &target) {
                    world.power_on_secondary(primary);
                }
            });
        }
    }

    /// Schedules an event of the pair, which is dropped if the state changes before.
    pub fn later(&mut self, primary: &str, event: impl FnOnce(&mut Self, &str) + Send + 'static) {
        let turn =
            |world: &Self, moid: &str| world.vm(moid).and_then(|vm| vm.ft.as_ref()).map(|pair| (pair.turn, pair.role));
        let planned = turn(self, primary);
        let moid = primary.to_owned();
        self.after(self.config.task_ms, move |world| {
            if turn(world, &moid) == planned {
                event(world, &moid);
            }
        });
    }

    /// Makes the secondary the primary: swaps the roles, not the moids. The old primary is off until it starts again.
    pub fn fail_over(&mut self, primary: &str) -> Option<String> {
        let secondary = self.secondary_of(primary)?.to_owned();
        for (moid, role) in [(primary, Role::Secondary), (secondary.as_str(), Role::Primary)] {
            let vm = self.vm_mut(moid)?;
            if let Some(pair) = &mut vm.ft {
                pair.role = role;
            }
            vm.power = if role == Role::Primary { Power::On } else { Power::Off };
        }
        let event = Data::new("VmPrimaryFailoverEvent").with("reason", "userAction");
        let message = format!("The secondary of {} took over", self.name(primary));
        self.post(event, &secondary, &message);
        self.set_ft(&secondary, State::NeedSecondary, Some("userAction"));
        Some(secondary)
    }

    /// `FaultToleranceSecondaryOpResult`.
    pub fn op_result(&self, primary: &str, attempt: Attempt) -> Value {
        let secondary = self.secondary_of(primary).unwrap_or_default();
        Data::new("FaultToleranceSecondaryOpResult")
            .with("vm", Ref::new("VirtualMachine", secondary))
            .with("powerOnAttempted", attempt.attempted)
            .opt("powerOnResult", attempt.result)
            .into()
    }
}
