//! Fault Tolerance: checks, faults, the state machine of a pair, and how the API shows it.

pub mod checks;
pub mod faults;
pub mod machine;
#[cfg(test)]
mod tests;

use crate::model::entity::{Body, Entity};
use crate::model::pair::State;
use crate::model::vm::{Power, Vm};
use crate::value::{Data, Ref, Value};
use crate::world::World;

impl World {
    /// `config.ftInfo`: `FaultTolerancePrimaryConfigInfo` or `FaultToleranceSecondaryConfigInfo`.
    pub fn ft_info(&self, vm: &Vm) -> Option<Data> {
        let pair = vm.ft.as_ref()?;
        let Some(peer) = self.vm(&pair.peer) else {
            // Without its primary, the secondary only knows its role.
            return Some(
                Data::new("FaultToleranceConfigInfo")
                    .with("role", 2)
                    .with("instanceUuids", Value::List("string", vec![Value::from(&vm.instance_uuid)]))
                    .list("configPaths", "string", vec![])
                    .with("orphaned", pair.orphaned),
            );
        };
        let (first, second) = if pair.secondary() { (peer, vm) } else { (vm, peer) };
        let path = |half: &Vm| {
            Value::from(format!("[{}] {}/{}.vmx", self.name(&half.datastore), half.directory, self.name(&pair.peer)))
        };
        let kind =
            if pair.secondary() { "FaultToleranceSecondaryConfigInfo" } else { "FaultTolerancePrimaryConfigInfo" };
        let info = Data::new(kind)
            .with("role", if pair.secondary() { 2 } else { 1 })
            .with(
                "instanceUuids",
                Value::List("string", vec![(&first.instance_uuid).into(), (&second.instance_uuid).into()]),
            )
            .with("configPaths", Value::List("string", vec![path(first), path(second)]))
            .with("orphaned", pair.orphaned);
        let peer = Ref::new("VirtualMachine", &pair.peer);
        Some(if pair.secondary() {
            info.with("primaryVM", peer)
        } else {
            info.with("secondaries", Value::refs([peer]))
        })
    }

    /// `disabledMethod`: the methods that the entity's state does not allow.
    pub fn disabled_methods(&self, entity: &Entity) -> Value {
        let mut names: Vec<&'static str> = Vec::new();
        if let Body::Vm(vm) = &entity.body {
            names.extend(match vm.power {
                Power::On => ["PowerOnVM_Task"].as_slice(),
                Power::Off => ["PowerOffVM_Task", "ResetVM_Task", "SuspendVM_Task"].as_slice(),
                Power::Suspended => ["SuspendVM_Task", "CreateSecondaryVM_Task"].as_slice(),
            });
            let protected = vm.ft.as_ref().map(|pair| pair.state);
            if protected.is_some() || vm.template || self.config.direct {
                names.extend(["CreateSecondaryVM_Task", "CreateSecondaryVMEx_Task"]);
            }
            if protected.is_none() {
                names.push("TurnOffFaultToleranceForVM_Task");
            }
            if protected != Some(State::Disabled) {
                names.push("EnableSecondaryVM_Task");
            }
            if protected.is_none_or(|state| state == State::Disabled) {
                names.push("DisableSecondaryVM_Task");
            }
            if protected != Some(State::Running) {
                names.extend(["MakePrimaryVM_Task", "TerminateFaultTolerantVM_Task"]);
            }
        }
        Value::List("string", names.into_iter().map(Value::from).collect())
    }
}
