//! The remedies that change the power state of the virtual machine.

use serde_json::json;
use vsphere_module::Remedy;

use crate::facts::Vm;

/// Powers the virtual machine off.
pub fn power_off(vm: &Vm) -> Remedy {
    power_to(vm, "off", "powered_off")
}

/// Powers the virtual machine on.
pub fn power_on(vm: &Vm) -> Remedy {
    power_to(vm, "on", "powered_on")
}

fn power_to(vm: &Vm, direction: &str, state: &str) -> Remedy {
    let text = format!("Power {} {direction}.", vm.subject.name);
    let mut args = vsphere_module::remedy_vm(&vm.subject.moid);
    args.insert("state".to_owned(), json!(state));
    Remedy::call(text, "vm_power", Some(args))
}
