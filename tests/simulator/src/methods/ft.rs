//! The FT methods of `VirtualMachine`.

use crate::fault::{Fault, Result};
use crate::ft::faults;
use crate::model::pair::State;
use crate::model::vm::Power;
use crate::soap::envelope::Reply;
use crate::value::{Data, Ref, Value};
use crate::world::World;
use crate::world::work::Work;

use super::call::{Ctx, Outcome, done};

/// Duration of the conversion of a thin disk, as a multiple of other tasks.
const CONVERSION: u64 = 5;

/// `CreateSecondaryVM_Task`. On a release that only has SMP-FT, it turns SMP-FT on.
pub fn create(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    turn_on(ctx, ("CreateSecondaryVM_Task", "VirtualMachine.createSecondary"))
}

/// `CreateSecondaryVMEx_Task`.
pub fn create_ex(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    check_spec(ctx)?;
    turn_on(ctx, ("CreateSecondaryVMEx_Task", "VirtualMachine.createSecondaryEx"))
}

/// Checks that the datastores in a `FaultToleranceConfigSpec` exist.
fn check_spec(ctx: &Ctx<'_>) -> Result<()> {
    let Some(spec) = ctx.call.args.child("spec") else {
        return Ok(());
    };
    let meta = spec.child("metaDataPath").and_then(|node| node.child("metaDataDatastore"));
    let vm = spec.child("secondaryVmSpec");
    let home = vm.and_then(|node| node.child("vmConfig"));
    let disks = vm.map(|node| node.all("disks").collect::<Vec<_>>()).unwrap_or_default();
    let mut stores: Vec<_> = meta.into_iter().chain(home.and_then(|node| node.child("datastore"))).collect();
    stores.extend(disks.iter().filter_map(|disk| disk.child("datastore")));
    for store in stores {
        crate::property::resolve(ctx.world, &crate::soap::envelope::reference(store))?;
    }
    Ok(())
}

fn turn_on(ctx: &mut Ctx<'_>, method: (&'static str, &'static str)) -> Result<Outcome> {
    let moid = ctx.this.moid.clone();
    let wish = ctx.reference("host")?;
    ctx.world.ft_possible(&moid)?;
    ctx.world.idle(&moid)?;
    if ctx.world.need_vm(&moid)?.power == Power::Suspended {
        return Err(faults::invalid_power(ctx.world, &moid, Power::Off.word()));
    }
    let primary = moid.clone();
    let legacy = ctx.world.config.personality.legacy_ft();
    let hardware = &ctx.world.need_vm(&moid)?.hardware;
    let pace = if legacy && hardware.disk.thin { CONVERSION } else { 1 };
    task_of(ctx, pace, method, move |world| {
        if let Some(issue) = world.ft_issues(&primary, legacy).into_iter().next() {
            return Err(issue);
        }
        world.host_ready(&primary)?;
        let host = place(world, &primary, wish.as_ref())?;
        if legacy {
            world.need_vm_mut(&primary)?.hardware.thicken();
        }
        world.register_secondary(&primary, &host, State::Enabled)?;
        let attempt = world.start_secondary(&primary, "initializing");
        Ok(Some(world.op_result(&primary, attempt)))
    })
}

fn task(
    ctx: &mut Ctx<'_>,
    method: (&'static str, &'static str),
    finish: impl FnOnce(&mut World) -> Result<Option<Value>> + Send + 'static,
) -> Result<Outcome> {
    task_of(ctx, 1, method, finish)
}

/// Starts a task that takes this many times as long as others.
fn task_of(
    ctx: &mut Ctx<'_>,
    pace: u64,
    method: (&'static str, &'static str),
    finish: impl FnOnce(&mut World) -> Result<Option<Value>> + Send + 'static,
) -> Result<Outcome> {
    let this = ctx.this.clone();
    let work = Work { pace, ..Work::at_end(finish) };
    done(ctx.world.start_task(&this, method, work))
}

/// The pair's state, if the call is on a primary and `vm`, if given, is its secondary.
fn configured(ctx: &Ctx<'_>, parameter: Option<&Ref>) -> Result<State> {
    let vm = ctx.world.need_vm(&ctx.this.moid)?;
    if ctx.world.config.direct {
        return Err(Fault::not_supported());
    }
    let pair = vm.ft.as_ref().ok_or_else(faults::invalid_state)?;
    if pair.secondary() {
        return Err(faults::on_secondary(&vm.instance_uuid));
    }
    if let Some(other) = parameter
        && other.moid != pair.peer
    {
        if other.moid == ctx.this.moid {
            return Err(Fault::invalid_argument("vm"));
        }
        let uuid = &ctx.world.need_vm(&other.moid)?.instance_uuid;
        return Err(faults::secondary("SecondaryVmNotRegistered", uuid));
    }
    Ok(pair.state)
}

fn secondary_uuid(ctx: &Ctx<'_>) -> String {
    let secondary = ctx.world.secondary_of(&ctx.this.moid);
    secondary.and_then(|moid| ctx.world.vm(moid)).map(|vm| vm.instance_uuid.clone()).unwrap_or_default()
}

/// `TurnOffFaultToleranceForVM_Task`.
/// Not while the secondary is starting, and not while its host is out of service (docs 7.0). Which fault a real server
/// returns is not known.
pub fn turn_off(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let state = configured(ctx, None)?;
    let moid = ctx.this.moid.clone();
    ctx.world.idle(&moid)?;
    let host = ctx.world.secondary_of(&moid).and_then(|secondary| ctx.world.vm(secondary)).map(|vm| &vm.host);
    let lost = host.and_then(|host| ctx.world.host(host)).is_some_and(|host| !host.in_service());
    if lost || state == State::Starting {
        return Err(faults::invalid_state());
    }
    task(ctx, ("TurnOffFaultToleranceForVM_Task", "VirtualMachine.turnOffFaultTolerance"), move |world| {
        world.turn_off(&moid);
        Ok(None)
    })
}

/// `EnableSecondaryVM_Task`.
pub fn enable(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let vm = ctx.need_reference("vm")?;
    let wish = ctx.reference("host")?;
    let state = configured(ctx, Some(&vm))?;
    let moid = ctx.this.moid.clone();
    ctx.world.ft_possible(&moid)?;
    ctx.world.idle(&moid)?;
    if state != State::Disabled {
        return Err(faults::secondary("SecondaryVmAlreadyEnabled", &secondary_uuid(ctx)));
    }
    task(ctx, ("EnableSecondaryVM_Task", "VirtualMachine.enableSecondary"), move |world| {
        let host = place(world, &moid, wish.as_ref())?;
        world.post_vm("VmSecondaryEnabledEvent", &moid);
        if let Some(secondary) = world.vm_mut(&vm.moid) {
            secondary.host = host;
        }
        let attempt = world.start_secondary(&moid, "userAction");
        Ok(Some(world.op_result(&moid, attempt)))
    })
}

/// `DisableSecondaryVM_Task`.
pub fn disable(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let vm = ctx.need_reference("vm")?;
    let state = configured(ctx, Some(&vm))?;
    let moid = ctx.this.moid.clone();
    ctx.world.idle(&moid)?;
    if state == State::Disabled {
        return Err(faults::secondary("SecondaryVmAlreadyDisabled", &secondary_uuid(ctx)));
    }
    task(ctx, ("DisableSecondaryVM_Task", "VirtualMachine.disableSecondary"), move |world| {
        world.set_ft(&moid, State::Disabled, None);
        world.post_vm("VmSecondaryDisabledEvent", &moid);
        Ok(None)
    })
}

/// `MakePrimaryVM_Task`.
pub fn make_primary(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let vm = ctx.need_reference("vm")?;
    let state = configured(ctx, Some(&vm))?;
    let moid = ctx.this.moid.clone();
    ctx.world.ft_possible(&moid)?;
    ctx.world.idle(&moid)?;
    if state != State::Running {
        return Err(faults::invalid_state());
    }
    task(ctx, ("MakePrimaryVM_Task", "VirtualMachine.makePrimary"), move |world| {
        if let Some(primary) = world.fail_over(&moid) {
            restart(world, &primary);
        }
        Ok(None)
    })
}

/// `TerminateFaultTolerantVM_Task`.
pub fn terminate(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let vm = ctx.reference("vm")?;
    let state = configured(ctx, vm.as_ref())?;
    let moid = ctx.this.moid.clone();
    ctx.world.idle(&moid)?;
    if state != State::Running {
        return Err(faults::invalid_state());
    }
    task(ctx, ("TerminateFaultTolerantVM_Task", "VirtualMachine.terminateFaultTolerantVM"), move |world| {
        let host = &world.need_vm(&moid)?.host;
        if !world.cluster_of(host).is_some_and(|cluster| cluster.ha.on) {
            return Err(faults::no_ha(world, &moid));
        }
        let event = Data::new("VmFaultToleranceVmTerminatedEvent").with("reason", "userAction");
        let message = format!("The secondary of {} was ended", world.name(&moid));
        world.post(event, &moid, &message);
        world.set_ft(&moid, State::NeedSecondary, Some("userAction"));
        restart(world, &moid);
        Ok(None)
    })
}

/// Finds a host for the secondary, and posts the event if there is none.
fn place(world: &mut World, primary: &str, wish: Option<&Ref>) -> Result<String> {
    let placed = world.place_secondary(primary, wish);
    if placed.as_ref().is_err_and(|fault| fault.kind() == "NoHostSuitableForFtSecondary") {
        world.post_vm("VmNoCompatibleHostForSecondaryEvent", primary);
    }
    placed
}

fn restart(world: &mut World, primary: &str) {
    world.later(primary, |world, primary| {
        world.start_secondary(primary, "userAction");
    });
}

/// `QueryFaultToleranceCompatibility`, which only checks record/replay.
pub fn compatibility(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    issues(ctx, true)
}

/// `QueryFaultToleranceCompatibilityEx`.
pub fn compatibility_ex(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let legacy = ctx.call.args.flag("forLegacyFt");
    issues(ctx, legacy)
}

fn issues(ctx: &mut Ctx<'_>, legacy: bool) -> Result<Outcome> {
    let vm = ctx.world.need_vm(&ctx.this.moid)?;
    if vm.template || ctx.world.config.direct {
        return Err(Fault::not_supported());
    }
    let issues = ctx.world.ft_issues(&ctx.this.moid, legacy);
    let issues = issues.iter().map(Fault::localized).collect();
    Ok(Outcome::Done(Reply::Value(Value::List("LocalizedMethodFault", issues))))
}
