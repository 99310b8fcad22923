//! Fault Tolerance: pairs of a primary and a secondary, their states and what may go wrong.

pub mod checks;
pub mod faults;
pub mod machine;
#[cfg(test)]
mod tests;

use crate::value::{Data, Ref, Value};
use crate::world::World;
use crate::world::entity::Entity;
use crate::world::vm::{Power, Vm};

/// Which half of a pair a VM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The protected VM
    Primary,
    /// Its shadow
    Secondary,
}

/// The pair's state, seen from the primary (`VirtualMachineFaultToleranceState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The secondary is registered and not enabled
    Disabled,
    /// The primary is powered off, the secondary enabled
    Enabled,
    /// The primary runs without an active secondary
    NeedSecondary,
    /// The secondary synchronises
    Starting,
    /// Protected
    Running,
}

impl State {
    /// The API's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::NeedSecondary => "needSecondary",
            Self::Starting => "starting",
            Self::Running => "running",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Disabled, Self::Enabled, Self::NeedSecondary, Self::Starting, Self::Running]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A VM's half of a pair. State, reason and the rest are the same on both halves.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Which half it is.
    pub role: Role,
    /// The moid of the other half.
    pub peer: String,
    /// The pair's state.
    pub state: State,
    /// `runtime.needSecondaryReason`.
    pub reason: Option<&'static str>,
    /// Whether it is a secondary whose primary is gone.
    pub orphaned: bool,
    /// The recommendation that waits to be applied.
    pub recommendation: Option<String>,
    /// Counts the changes of state, so that what was planned for an earlier one is dropped.
    pub turn: u64,
}

impl Pair {
    /// Whether it is the secondary.
    pub fn secondary(&self) -> bool {
        self.role == Role::Secondary
    }
}

impl Vm {
    /// `runtime.faultToleranceState`.
    pub fn ft_state(&self) -> &'static str {
        match &self.ft {
            None => "notConfigured",
            // A secondary never needs a secondary: while it is off, it is enabled.
            Some(pair) if pair.secondary() && pair.state == State::NeedSecondary => "enabled",
            Some(pair) => pair.state.word(),
        }
    }
}

impl World {
    /// `config.ftInfo`: `FaultTolerancePrimaryConfigInfo` or `FaultToleranceSecondaryConfigInfo`.
    pub fn ft_info(&self, vm: &Vm) -> Option<Data> {
        let pair = vm.ft.as_ref()?;
        let Some(peer) = self.vm(&pair.peer) else {
            // The primary is gone: what is left knows only that it was the second.
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

    /// `disabledMethod`: what cannot be called on the entity as it is now.
    pub fn disabled_methods(&self, entity: &Entity) -> Value {
        let mut names: Vec<&'static str> = Vec::new();
        if let crate::world::entity::Body::Vm(vm) = &entity.body {
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
