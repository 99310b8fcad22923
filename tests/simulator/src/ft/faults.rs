//! Faults of FT, nested as in vCenter.

use crate::fault::Fault;
use crate::model::vm::Power;
use crate::value::{Ref, Value};
use crate::world::World;

/// `VmFaultToleranceConfigIssue` of this reason.
pub fn config_issue(world: &World, moid: &str, reason: &str) -> Fault {
    let name = world.name(moid);
    Fault::new(
        "VmFaultToleranceConfigIssue",
        format!("'{name}' has a configuration that Fault Tolerance cannot use: {reason}"),
    )
    .with("reason", reason)
    .with("entityName", name)
    .with("entity", world.reference(moid).unwrap_or_else(|| Ref::new("VirtualMachine", moid)))
}

/// `InvalidOperationOnSecondaryVm`.
pub fn on_secondary(instance_uuid: &str) -> Fault {
    Fault::new("InvalidOperationOnSecondaryVm", "The operation is not possible on a secondary virtual machine.")
        .with("instanceUuid", instance_uuid)
}

/// `SecondaryVmAlreadyEnabled`, `SecondaryVmAlreadyDisabled` or `SecondaryVmNotRegistered`.
pub fn secondary(kind: &'static str, instance_uuid: &str) -> Fault {
    Fault::new(kind, format!("The secondary virtual machine {instance_uuid} is not in the state for this: {kind}"))
        .with("instanceUuid", instance_uuid)
}

/// `InvalidState`.
pub fn invalid_state() -> Fault {
    Fault::new("InvalidState", "The operation is not allowed in the current state.")
}

/// `InvalidPowerState`.
pub fn invalid_power(world: &World, moid: &str, requested: &str) -> Fault {
    let existing = world.vm(moid).map(|vm| vm.power);
    let now = existing.map_or("unknown", Power::word);
    let fault = Fault::new(
        "InvalidPowerState",
        format!("The attempted operation cannot be performed in the current state ({now})."),
    )
    .with("requestedState", Value::Enum("VirtualMachinePowerState", requested.to_owned()));
    match existing {
        Some(power) => fault.with("existingState", power.value()),
        None => fault,
    }
}

/// `NoHostSuitableForFtSecondary`.
pub fn no_host(world: &World, moid: &str) -> Fault {
    Fault::new(
        "NoHostSuitableForFtSecondary",
        "No suitable host can be found to place the Fault Tolerance Secondary VM for virtual machine.",
    )
    .with("vm", Ref::new("VirtualMachine", moid))
    .with("vmName", world.name(moid))
}

/// `FaultToleranceVmNotDasProtected`. No method declares it, so only a task can end in it.
pub fn no_ha(world: &World, moid: &str) -> Fault {
    Fault::new("FaultToleranceVmNotDasProtected", "The virtual machine is not protected by vSphere HA.")
        .with("vm", Ref::new("VirtualMachine", moid))
        .with("vmName", world.name(moid))
}

/// `VmMonitorIncompatibleForFaultTolerance`.
pub fn monitor() -> Fault {
    Fault::new(
        "VmMonitorIncompatibleForFaultTolerance",
        "The virtual machine is running in a monitor mode that is incompatible for Fault Tolerance.",
    )
}

/// The article's failure: the secondary cannot be powered on because a vMotion stream breaks.
pub fn stream_failure(world: &World, primary: &str, target: &str, migration: u64) -> Fault {
    let closed = "Connection closed by remote host, possibly due to timeout";
    let root =
        Fault::new("GenericVmConfigFault", format!("Migration to host <> failed with error {closed} (0xbad003f)."))
            .saying(
                "vob.vmotion.stream.keepalive.read.fail",
                &format!("vMotion migration [ac1e0050:{migration}] failed to read stream keepalive: {closed}"),
            )
            .saying(
                "msg.checkpoint.precopyfailure",
                &format!("Migration to host <> failed with error {closed} (0xbad003f)."),
            )
            .with("reason", "msg.checkpoint.precopyfailure");
    let on_host = Fault::new("FtIssuesOnHost", "The host has issues that keep the secondary from running there.")
        .with("host", Ref::new("HostSystem", target))
        .with("hostName", world.name(target))
        .with("errors", Value::List("LocalizedMethodFault", vec![root.localized()]));
    Fault::new("PowerOnFtSecondaryFailed", "The Fault Tolerance secondary virtual machine could not be powered on.")
        .with("vm", Ref::new("VirtualMachine", primary))
        .with("vmName", world.name(primary))
        .with("hostSelectionBy", Value::Enum("FtIssuesOnHostHostSelectionType", "drs".into()))
        .with("hostErrors", Value::List("LocalizedMethodFault", vec![on_host.localized()]))
        .with("rootCause", root.localized())
}
