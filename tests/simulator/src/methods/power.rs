//! Power of VMs.

use crate::fault::{Fault, Result};
use crate::ft::faults;
use crate::model::pair::{Pair, State};
use crate::model::vm::{Power, Tools, Vm};
use crate::soap::envelope::reference;
use crate::value::{Data, Ref, Value};
use crate::world::World;
use crate::world::work::Work;

use super::vm::not_secondary;

use super::call::{Ctx, Outcome, done, void};

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
        world.halt(&moid)?;
        Ok(None)
    });
    done(ctx.world.start_task(&this, ("PowerOffVM_Task", "VirtualMachine.powerOff"), work))
}

impl World {
    /// Powers a VM off.
    fn halt(&mut self, moid: &str) -> Result<()> {
        let vm = self.need_vm_mut(moid)?;
        vm.power = Power::Off;
        vm.shutting_down = false;
        vm.question = None;
        vm.change += 1;
        if vm.ft.as_ref().is_some_and(|pair| pair.state != State::Disabled) {
            self.set_ft(moid, State::Enabled, None);
        }
        Ok(())
    }
}

/// `ShutdownGuest`. It replies before the guest has shut down, which takes as long as two tasks.
pub fn shut_down_guest(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let moid = need_tools(ctx)?;
    let pause = 2 * ctx.world.config.task_ms;
    let vm = ctx.world.need_vm_mut(&moid)?;
    if vm.tools == Tools::Running {
        vm.shutting_down = true;
        let booted = vm.booted;
        ctx.world.after(pause, move |world| {
            if world.vm(&moid).is_some_and(|vm| vm.shutting_down && vm.booted == booted) {
                let _ = world.halt(&moid);
            }
        });
    }
    void()
}

/// `RebootGuest`. The VM stays powered on.
pub fn reboot_guest(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    need_tools(ctx)?;
    void()
}

/// The moid of a VM that can ask its guest.
fn need_tools(ctx: &Ctx<'_>) -> Result<String> {
    let moid = ctx.this.moid.clone();
    let vm = ctx.world.need_vm(&moid)?;
    if vm.ft.as_ref().is_some_and(Pair::secondary) {
        return Err(Fault::not_supported());
    }
    ctx.world.idle(&moid)?;
    if vm.power != Power::On {
        return Err(faults::invalid_power(ctx.world, &moid, Power::On.word()));
    }
    if !vm.runs_tools() {
        let text = "Cannot complete operation because VMware Tools is not running in this virtual machine.";
        return Err(Fault::new("ToolsUnavailable", text));
    }
    Ok(moid)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, call};

    const VM: &str = "vm-63";

    #[test]
    fn a_guest_shuts_down_later_if_it_listens() {
        for (power, tools, fault, ends) in [
            (Power::On, Tools::Running, None, Power::Off),
            (Power::On, Tools::Ignoring, None, Power::On),
            (Power::On, Tools::NotRunning, Some("ToolsUnavailable"), Power::On),
            (Power::Off, Tools::Running, Some("InvalidPowerState"), Power::Off),
            (Power::Suspended, Tools::Running, Some("InvalidPowerState"), Power::Suspended),
        ] {
            let mut world = testing::world(&["--scenario", "healthy"]);
            let vm = world.vm_mut(VM).unwrap();
            (vm.power, vm.tools) = (power, tools);
            let answer = call(&mut world, VM, "ShutdownGuest", "").map_err(|fault| fault.kind().to_owned());
            assert_eq!(answer.err().as_deref(), fault, "{power:?} {tools:?}");
            assert_eq!(world.vm(VM).unwrap().power, power, "it takes time");
            world.advance(world.now + 2 * world.config.task_ms);
            assert_eq!(world.vm(VM).unwrap().power, ends, "{power:?} {tools:?}");
        }
    }
}
