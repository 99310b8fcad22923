//! The files of a virtual machine (`layoutEx`).

use crate::value::{Data, Value};

use crate::model::vm::Vm;
use crate::world::World;

impl World {
    /// `VirtualMachineFileLayoutEx`: configuration, disk and logs with their sizes.
    pub(super) fn layout(&self, moid: &str, vm: &Vm) -> Data {
        let size = |lines: &[String]| lines.iter().map(|line| line.len() + 1).sum::<usize>();
        let log = |name: String| format!("[{}] {}/{name}", self.name(&vm.datastore), vm.directory);
        let rotated = vm.rotated_logs.iter();
        let rotated = rotated.map(|(number, lines)| (log(format!("vmware-{number}.log")), "log", size(lines)));
        let files = [
            (self.path(moid, vm, "vmx"), "config", 2048),
            (self.path(moid, vm, "vmdk"), "diskDescriptor", 512),
            (self.path(moid, vm, "vmdk").replace(".vmdk", "-flat.vmdk"), "diskExtent", 1 << 30),
            (log("vmware.log".into()), "log", size(&vm.vmware_log)),
        ];
        let files = files.into_iter().chain(rotated).zip(0..).map(|((name, kind, size), key)| {
            Data::new("VirtualMachineFileLayoutExFileInfo")
                .with("key", Value::Int(key))
                .with("name", name)
                .with("type", kind)
                .with("size", Value::Long(i64::try_from(size).unwrap_or(i64::MAX)))
                .with("accessible", true)
                .into()
        });
        Data::new("VirtualMachineFileLayoutEx")
            .list("file", "VirtualMachineFileLayoutExFileInfo", files.collect())
            .with("timestamp", Value::Time(self.time()))
    }
}
