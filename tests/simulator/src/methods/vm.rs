//! Reconfiguration and power of VMs.

use crate::fault::{Fault, Result};
use crate::ft::faults;
use crate::model::vm::{Power, Vm};
use crate::soap::node::Node;
use crate::world::World;
use crate::world::work::Work;

use super::call::{Ctx, Outcome, done, void};

/// Extra config keys that have their own fields in the spec. A server silently ignores them.
const IGNORED: [&str; 10] = [
    "memsize",
    "numvcpus",
    "displayname",
    "guestos",
    "annotation",
    "uuid.bios",
    "vc.uuid",
    "virtualhw.version",
    "config.version",
    "cpuid.corespersocket",
];

pub(super) fn not_secondary(world: &World, moid: &str) -> Result<()> {
    let vm = world.need_vm(moid)?;
    match &vm.ft {
        Some(pair) if pair.secondary() => Err(faults::on_secondary(&vm.instance_uuid)),
        _ => Ok(()),
    }
}

/// `ReconfigVM_Task`.
pub fn reconfigure(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let moid = ctx.this.moid.clone();
    let Some(spec) = ctx.call.args.child("spec").cloned() else {
        return Err(Fault::invalid_argument("spec"));
    };
    let extra = extra_config(&spec)?;
    not_secondary(ctx.world, &moid)?;
    ctx.world.idle(&moid)?;
    let vm = ctx.world.need_vm(&moid)?;
    if !vm.accessible() {
        return Err(faults::invalid_state());
    }
    if vm.power == Power::Suspended {
        return Err(faults::invalid_power(ctx.world, &moid, Power::Off.word()));
    }
    let size = ["memoryMB", "numCPUs"].iter().any(|name| spec.child(name).is_some());
    let hardware = size
        || ["firmware", "nestedHVEnabled"].iter().any(|name| spec.child(name).is_some())
        || spec.child("flags").is_some_and(|flags| flags.child("vbsEnabled").is_some());
    if size && vm.ft.is_some() {
        return Err(Fault::new("FaultToleranceCannotEditMem", "Memory cannot be changed while Fault Tolerance is on.")
            .with("vmName", ctx.world.name(&moid))
            .with("vm", ctx.this.clone()));
    }
    if let Some(mode) = spec.value("ftEncryptionMode") {
        check_ft_encryption(vm, mode)?;
    }
    if hardware && vm.power != Power::Off {
        return Err(faults::invalid_power(ctx.world, &moid, Power::Off.word()));
    }
    let this = ctx.this.clone();
    let work = Work::at_end(move |world| {
        let vm = world.need_vm(&moid)?;
        if let Some(expected) = spec.value("changeVersion").filter(|text| !text.is_empty())
            && expected != world.change_version(vm)
        {
            return Err(Fault::new(
                "ConcurrentAccess",
                "The virtual machine was changed by somebody else in the meantime.",
            ));
        }
        let number = |name: &str| spec.value(name).and_then(|text| text.parse().ok());
        let (memory, cpus) = (number("memoryMB"), number("numCPUs"));
        let vm = world.need_vm_mut(&moid)?;
        vm.memory = memory.unwrap_or(vm.memory);
        vm.cpus = cpus.unwrap_or(vm.cpus);
        if let Some(mode) = spec.value("ftEncryptionMode") {
            mode.clone_into(&mut vm.ft_encryption);
        }
        let hardware = &mut vm.hardware;
        if let Some(firmware) = spec.value("firmware") {
            firmware.clone_into(&mut hardware.firmware);
        }
        if spec.child("nestedHVEnabled").is_some() {
            hardware.nested_hv = spec.flag("nestedHVEnabled");
        }
        if let Some(flags) = spec.child("flags").filter(|flags| flags.child("vbsEnabled").is_some()) {
            hardware.vbs = flags.flag("vbsEnabled");
        }
        for (key, value) in &extra {
            vm.set_extra(key, value);
        }
        vm.change += 1;
        if let Some(name) = spec.value("name")
            && let Some(entity) = world.entities.get_mut(&moid)
        {
            name.clone_into(&mut entity.name);
        }
        Ok(None)
    });
    done(ctx.world.start_task(&this, ("ReconfigVM_Task", "VirtualMachine.reconfigure"), work))
}

/// The mode must be a known one, the only one of an encrypted VM, and cannot change while FT is on. Which faults a real
/// server returns is not known.
fn check_ft_encryption(vm: &Vm, mode: &str) -> Result<()> {
    let modes: &[&str] = if vm.encrypted {
        &["ftEncryptionRequired"]
    } else {
        &["ftEncryptionDisabled", "ftEncryptionOpportunistic", "ftEncryptionRequired"]
    };
    if !modes.contains(&mode) {
        return Err(Fault::invalid_argument("spec.ftEncryptionMode"));
    }
    if vm.ft.is_some() && mode != vm.ft_encryption { Err(faults::invalid_state()) } else { Ok(()) }
}

fn extra_config(spec: &Node) -> Result<Vec<(String, String)>> {
    let mut changes = Vec::new();
    for entry in spec.all("extraConfig") {
        let key = entry.value("key").unwrap_or_default();
        let value = entry.child("value");
        let typed = value.and_then(|value| value.xsi_type.as_deref());
        if key.is_empty() || typed != Some("xsd:string") {
            return Err(Fault::invalid_argument("spec.extraConfig"));
        }
        let text = value.map(|value| value.text.clone()).unwrap_or_default();
        changes.push((key.to_owned(), text));
    }
    Ok(changes)
}

impl Vm {
    /// Sets or adds one key; an empty value removes it. Keys are compared without case.
    pub fn set_extra(&mut self, key: &str, value: &str) {
        if IGNORED.contains(&key.to_ascii_lowercase().as_str()) {
            return;
        }
        let place = self.extra.iter().position(|(name, _)| name.eq_ignore_ascii_case(key));
        match (place, value.is_empty()) {
            (Some(place), true) => {
                self.extra.remove(place);
            }
            (Some(place), false) => value.clone_into(&mut self.extra[place].1),
            (None, true) => {}
            (None, false) => self.extra.push((key.to_owned(), value.to_owned())),
        }
    }
}

/// `AnswerVM`.
pub fn answer(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let moid = ctx.this.moid.clone();
    let right = ctx.text("questionId") == Some("1");
    let vm = ctx.world.need_vm_mut(&moid)?;
    if !right || vm.question.take().is_none() {
        return Err(Fault::invalid_argument("questionId"));
    }
    void()
}

/// `Reload`.
pub fn reload(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    ctx.world.need_vm_mut(&ctx.this.moid.clone())?.change += 1;
    void()
}
