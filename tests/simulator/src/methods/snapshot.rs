//! Snapshots of VMs. A VM with FT cannot have any.

use crate::fault::{Fault, Result};
use crate::ft::faults;
use crate::world::work::Work;

use super::call::{Ctx, Outcome, done};

/// `CreateSnapshot_Task`.
pub fn create(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let name = ctx.text("name").unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(Fault::new("InvalidName", "A snapshot needs a name.").with("name", name));
    }
    if ctx.world.need_vm(&ctx.this.moid)?.ft.is_some() {
        return Err(faults::config_issue(ctx.world, &ctx.this.moid, "hasSnapshots"));
    }
    change(ctx, ("CreateSnapshot_Task", "VirtualMachine.createSnapshot"), move |snapshots| snapshots.push(name))
}

/// `RemoveAllSnapshots_Task`.
pub fn remove_all(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    change(ctx, ("RemoveAllSnapshots_Task", "VirtualMachine.removeAllSnapshots"), Vec::clear)
}

fn change(
    ctx: &mut Ctx<'_>,
    method: (&'static str, &'static str),
    change: impl FnOnce(&mut Vec<String>) + Send + 'static,
) -> Result<Outcome> {
    let this = ctx.this.clone();
    ctx.world.idle(&this.moid)?;
    let moid = this.moid.clone();
    let work = Work::at_end(move |world| {
        let vm = world.need_vm_mut(&moid)?;
        change(&mut vm.hardware.snapshots);
        vm.change += 1;
        Ok(None)
    });
    done(ctx.world.start_task(&this, method, work))
}
