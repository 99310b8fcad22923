//! Power of VMs.

use crate::fault::{Fault, Result};
use crate::ft::faults;
use crate::model::pair::State;
use crate::model::vm::{Power, Vm};
use crate::soap::envelope::reference;
use crate::value::{Data, Ref, Value};
use crate::world::World;
use crate::world::work::Work;

use super::vm::not_secondary;

use super::call::{Ctx, Outcome, done};

/// `PowerOnVM_Task`.
pub fn power_on(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let this = ctx.this.clone();
    done(start_power_on(ctx.world, &this)?)
}

fn start_power_on(world: &mut World, this: &Ref) -> Result<Ref> {
    let moid = this.moid.clone();
    not_secondary(world, &moid)?;
    world.idle(&moid)?;
    let vm = world.need_vm(&moid)?;
    if vm.template {
        return Err(Fault::not_supported());
    }
    if !vm.accessible() {
        return Err(faults::invalid_state());
    }
    if vm.power == Power::On {
        return Err(faults::invalid_power(world, &moid, Power::Off.word()));
    }
    if vm.ft.is_some() {
        world.ft_possible(&moid)?;
    }
    let work = Work::at_end(move |world| {
        let vm = world.need_vm_mut(&moid)?;
        if vm.power == Power::Suspended {
            // A resumed VM keeps the options that its VMX process read at power-on.
            vm.power = Power::On;
        } else {
            world.boot(&moid);
        }
        let vm = world.need_vm(&moid)?;
        if vm.ft.as_ref().is_some_and(|pair| pair.state == State::Enabled) {
            world.set_ft(&moid, State::NeedSecondary, Some("initializing"));
            world.later(&moid, |world, moid| {
                world.start_cold(moid);
            });
        }
        Ok(None)
    });
    Ok(world.start_task(this, ("PowerOnVM_Task", "VirtualMachine.powerOn"), work))
}

/// `PowerOnMultiVM_Task`: starts a task per VM, and one for all.
pub fn power_on_multi(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let vms: Vec<Ref> = ctx.call.args.all("vm").map(reference).collect();
    let mut attempted = Vec::new();
    let mut not_attempted = Vec::new();
    for vm in vms {
        match start_power_on(ctx.world, &vm) {
            Ok(task) => attempted.push(Data::new("ClusterAttemptedVmInfo").with("vm", vm).with("task", task).into()),
            Err(fault) => not_attempted
                .push(Data::new("ClusterNotAttemptedVmInfo").with("vm", vm).with("fault", fault.localized()).into()),
        }
    }
    let result: Value = Data::new("ClusterPowerOnVmResult")
        .list("attempted", "ClusterAttemptedVmInfo", attempted)
        .list("notAttempted", "ClusterNotAttemptedVmInfo", not_attempted)
        .into();
    let this = ctx.this.clone();
    let work = Work::at_end(move |_| Ok(Some(result)));
    done(ctx.world.start_task(&this, ("PowerOnMultiVM_Task", "Datacenter.powerOnVm"), work))
}

/// `PowerOffVM_Task`. Powering a primary off also powers its secondary off.
pub fn power_off(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let moid = ctx.this.moid.clone();
    let this = ctx.this.clone();
    not_secondary(ctx.world, &moid)?;
    ctx.world.idle(&moid)?;
    if ctx.world.need_vm(&moid)?.power == Power::Off {
        return Err(faults::invalid_power(ctx.world, &moid, Power::On.word()));
    }
    let work = Work::at_end(move |world| {
        let vm = world.need_vm_mut(&moid)?;
        vm.power = Power::Off;
        vm.question = None;
        vm.change += 1;
        if vm.ft.as_ref().is_some_and(|pair| pair.state != State::Disabled) {
            world.set_ft(&moid, State::Enabled, None);
        }
        Ok(None)
    });
    done(ctx.world.start_task(&this, ("PowerOffVM_Task", "VirtualMachine.powerOff"), work))
}

fn change_running(ctx: &mut Ctx<'_>, method: (&'static str, &'static str), change: fn(&mut Vm)) -> Result<Outcome> {
    let moid = ctx.this.moid.clone();
    let this = ctx.this.clone();
    not_secondary(ctx.world, &moid)?;
    ctx.world.idle(&moid)?;
    if ctx.world.need_vm(&moid)?.power != Power::On {
        return Err(faults::invalid_power(ctx.world, &moid, Power::On.word()));
    }
    let work = Work::at_end(move |world| {
        change(world.need_vm_mut(&moid)?);
        Ok(None)
    });
    done(ctx.world.start_task(&this, method, work))
}

/// `SuspendVM_Task`.
pub fn suspend(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    if ctx.world.need_vm(&ctx.this.moid)?.ft.is_some() {
        return Err(Fault::not_supported());
    }
    change_running(ctx, ("SuspendVM_Task", "VirtualMachine.suspend"), |vm| {
        vm.power = Power::Suspended;
    })
}

/// `ResetVM_Task`. The VMX process continues, with the options that it read at power-on.
pub fn reset(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    change_running(ctx, ("ResetVM_Task", "VirtualMachine.reset"), |_| {})
}
