//! The privileges that methods need.

use crate::fault::Result;
use crate::value::Ref;

use super::call::Ctx;

/// A method, the case in which it needs the privilege, and the privilege. The case is an element of the request (`spec`,
/// then this), or the type of the object; without one, it is every call. The privileges are those of the API reference;
/// `tests/conformance/test_privileges.py` compares them with pyvmomi's registry. All other methods need only read access.
const NEEDS: &[(&str, &str, &str)] = &[
    ("AnswerVM", "", "VirtualMachine.Interact.AnswerQuestion"),
    ("BrowseDiagnosticLog", "", "Global.Diagnostics"),
    ("CreateSecondaryVMEx_Task", "", "VirtualMachine.Interact.CreateSecondary"),
    ("CreateSecondaryVM_Task", "", "VirtualMachine.Interact.CreateSecondary"),
    ("CreateSnapshot_Task", "", "VirtualMachine.State.CreateSnapshot"),
    ("DeselectVnicForNicType", "", "Host.Config.Network"),
    ("DisableSecondaryVM_Task", "", "VirtualMachine.Interact.DisableSecondary"),
    ("EnableSecondaryVM_Task", "", "VirtualMachine.Interact.EnableSecondary"),
    // Not in the reference, which leaves these methods out; reported for other commands of esxcli.
    ("ExecuteSoap", "", "Global.Settings"),
    ("MakePrimaryVM_Task", "", "VirtualMachine.Interact.MakePrimary"),
    ("PowerOffVM_Task", "", "VirtualMachine.Interact.PowerOff"),
    ("PowerOnVM_Task", "", "VirtualMachine.Interact.PowerOn"),
    ("QueryDescriptions", "", "Global.Diagnostics"),
    ("QueryFaultToleranceCompatibility", "", "VirtualMachine.Config.QueryFTCompatibility"),
    ("QueryFaultToleranceCompatibilityEx", "", "VirtualMachine.Config.QueryFTCompatibility"),
    ("RebootGuest", "", "VirtualMachine.Interact.Reset"),
    ("ReconfigVM_Task", "extraConfig", "VirtualMachine.Config.AdvancedConfig"),
    // The reference names no privilege for this field; it names this one for other basic settings.
    ("ReconfigVM_Task", "ftEncryptionMode", "VirtualMachine.Config.Settings"),
    ("ReconfigureComputeResource_Task", "", "Host.Inventory.EditCluster"),
    ("RemoveAllSnapshots_Task", "", "VirtualMachine.State.RemoveSnapshot"),
    ("ResetVM_Task", "", "VirtualMachine.Interact.Reset"),
    ("SelectVnicForNicType", "", "Host.Config.Network"),
    ("SessionIsActive", "", "Sessions.ValidateSession"),
    ("ShutdownGuest", "", "VirtualMachine.Interact.PowerOff"),
    ("SuspendVM_Task", "", "VirtualMachine.Interact.Suspend"),
    ("TerminateFaultTolerantVM_Task", "", "VirtualMachine.Interact.TerminateFaultTolerantVM"),
    ("TurnOffFaultToleranceForVM_Task", "", "VirtualMachine.Interact.TurnOffFaultTolerance"),
    ("UpdateOptions", "Folder", "Global.Settings"),
    ("UpdateOptions", "HostSystem", "Host.Config.AdvancedConfig"),
];

/// Checks the privileges of a call on the object that it works on: the host of a host's manager, and the root folder for
/// managers of the whole server.
pub fn check(ctx: &Ctx<'_>) -> Result<()> {
    let object = ctx.world.owner(&ctx.this.moid).unwrap_or_else(|| Ref::new("Folder", ctx.world.root()));
    let given = |name: &str| ctx.call.args.child("spec").is_some_and(|spec| spec.child(name).is_some());
    NEEDS
        .iter()
        .filter(|(method, case, _)| {
            *method == ctx.call.method && (case.is_empty() || object.kind == *case || given(case))
        })
        .try_for_each(|(_, _, privilege)| ctx.world.permit(&object, privilege))
}
