//! Lists the virtual machines of the cluster. Nothing is required of them.

use std::collections::HashMap;

use requirements::{ListedVm, Role};
use vsphere::{FtInfo, Object};

/// The memory that a virtual machine has reserved, in MB.
pub const RESERVATION: &str = "config.memoryAllocation.reservation";
/// True for a template, which is not listed.
pub const TEMPLATE: &str = "config.template";
/// The properties to read of each.
pub const PATHS: [&str; 8] = [
    "name",
    "runtime.host",
    "runtime.powerState",
    "runtime.faultToleranceState",
    "config.ftInfo",
    "config.hardware.numCPU",
    TEMPLATE,
    RESERVATION,
];

/// Sorts the virtual machines by name, and names their hosts. Those with the same name come in this order: the primary, its
/// secondary, those in no pair. `hosts` are the names of the hosts by managed object id.
pub fn list(mut vms: Vec<ListedVm>, hosts: &HashMap<&str, &str>) -> Vec<ListedVm> {
    for vm in &mut vms {
        vm.host = vm.host.take().and_then(|host| hosts.get(host.as_str()).map(|name| (*name).to_owned()));
    }
    vms.sort_by(|one, other| {
        let key = |vm: &ListedVm| (vm.role.is_none(), vm.role);
        one.name.cmp(&other.name).then_with(|| key(one).cmp(&key(other))).then_with(|| one.moid.cmp(&other.moid))
    });
    vms
}

/// Reads a virtual machine. Its host is the managed object id until [`list`] names it.
pub fn listed(vm: &Object) -> ListedVm {
    let text = |path| vm.text(path).map(str::to_owned);
    ListedVm {
        name: vm.name(),
        moid: vm.moref.id.clone(),
        host: vm.moref("runtime.host").map(|host| host.id),
        vcpus: vm.int("config.hardware.numCPU").and_then(|count| u64::try_from(count).ok()),
        power_state: text("runtime.powerState"),
        ft_state: text("runtime.faultToleranceState"),
        role: vm.get("config.ftInfo").and_then(|info| role(&FtInfo::parse(info))),
    }
}

/// Each member of a pair has a number, and the primary's is 1 (`FaultToleranceConfigInfo.role`).
fn role(info: &FtInfo) -> Option<Role> {
    if info.is_secondary() { Some(Role::Secondary) } else { (info.role == 1).then_some(Role::Primary) }
}

#[cfg(test)]
mod tests {
    use vsphere::Element;

    use super::*;

    /// Two hosts.
    fn hosts() -> HashMap<&'static str, &'static str> {
        HashMap::from([("host-1", "esxi01"), ("host-2", "esxi02")])
    }

    /// Builds an `ObjectContent` with these properties, each given as the content of its element.
    fn object(moid: &str, values: &[(&str, &str)]) -> Object {
        let sets =
            values.iter().map(|(name, value)| format!("<propSet><name>{name}</name><val>{value}</val></propSet>"));
        let sets = sets.collect::<Vec<_>>().concat();
        let text = format!(r#"<objects><obj type="VirtualMachine">{moid}</obj>{sets}</objects>"#);
        Object::parse(Element::parse(&text).unwrap()).unwrap()
    }

    #[test]
    fn the_role_number_alone_tells_primary_and_secondary_apart() {
        let role = |number: &str| {
            let vm = object("vm-1", &[("config.ftInfo", &format!("<role>{number}</role>"))]);
            list(vec![listed(&vm)], &hosts())[0].role
        };
        for (number, expected) in [
            ("1", Some(Role::Primary)),
            ("2", Some(Role::Secondary)),
            ("3", Some(Role::Secondary)),
            ("0", None),
            ("-1", None),
            ("one", None),
        ] {
            assert_eq!(role(number), expected, "{number}");
        }
    }

    #[test]
    fn the_list_is_sorted_by_name_and_the_primary_comes_before_its_secondary() {
        let vm = |moid: &str, name: &str, role: &str| {
            object(moid, &[("name", name), ("config.ftInfo", &format!("<role>{role}</role>"))])
        };
        let vms = [
            vm("vm-5", "b", "2"),
            vm("vm-3", "b", ""),
            vm("vm-2", "b", ""),
            vm("vm-9", "b", "1"),
            vm("vm-1", "c", "1"),
            vm("vm-8", "a", ""),
        ];
        let order: Vec<String> =
            list(vms.iter().map(listed).collect(), &hosts()).into_iter().map(|vm| vm.moid).collect();
        assert_eq!(order, ["vm-8", "vm-9", "vm-5", "vm-2", "vm-3", "vm-1"]);
    }

    #[test]
    fn missing_properties_are_null_and_unknown_states_are_kept() {
        let bare = ListedVm {
            name: "vm-1".into(),
            moid: "vm-1".into(),
            host: None,
            vcpus: None,
            power_state: None,
            ft_state: None,
            role: None,
        };
        assert_eq!(list(vec![listed(&object("vm-1", &[]))], &hosts()), std::slice::from_ref(&bare));
        let full = object(
            "vm-1",
            &[
                ("name", "a%2fb"),
                ("config.hardware.numCPU", "2"),
                ("runtime.powerState", "hibernated2030"),
                ("runtime.faultToleranceState", "hovering2030"),
            ],
        );
        let expected = ListedVm {
            name: "a/b".into(),
            vcpus: Some(2),
            power_state: Some("hibernated2030".into()),
            ft_state: Some("hovering2030".into()),
            ..bare
        };
        assert_eq!(list(vec![listed(&full)], &hosts()), [expected]);
    }

    #[test]
    fn the_host_is_named_if_it_was_read() {
        for (moid, name) in [("host-2", Some("esxi02")), ("host-9", None)] {
            let text = format!(
                r#"<objects><obj type="VirtualMachine">vm-1</obj><propSet><name>runtime.host</name><val type="HostSystem">{moid}</val></propSet></objects>"#
            );
            let vm = Object::parse(Element::parse(&text).unwrap()).unwrap();
            assert_eq!(list(vec![listed(&vm)], &hosts())[0].host.as_deref(), name);
        }
    }
}
