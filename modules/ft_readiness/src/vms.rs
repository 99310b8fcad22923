//! The virtual machines of the cluster, and how Fault Tolerance of each stands. Nothing is required of them: they are told.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use vsphere::{FtInfo, Object};

use crate::facts::Host;

/// What is read of each.
pub const PATHS: [&str; 6] = [
    "name",
    "runtime.host",
    "runtime.powerState",
    "runtime.faultToleranceState",
    "config.ftInfo",
    "config.hardware.numCPU",
];

/// One virtual machine. What cannot be read of it is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedVm {
    /// Its name, which a secondary shares with its primary; its managed object id, if the name cannot be read.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
    /// Name of the host that it is on.
    pub host: Option<String>,
    /// How many virtual CPUs it has.
    pub vcpus: Option<u64>,
    /// V(poweredOn), V(poweredOff) or V(suspended).
    pub power_state: Option<String>,
    /// How its Fault Tolerance stands, in the words of vSphere: V(notConfigured), V(disabled), V(enabled),
    /// V(needSecondary), V(starting) or V(running).
    pub ft_state: Option<String>,
    /// Its part in a pair; null if it is in none.
    pub role: Option<Role>,
}

/// A part in a pair of Fault Tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It is the one that is protected.
    Primary,
    /// It protects the other.
    Secondary,
}

impl Role {
    /// A number is given to each of a group, and the primary's is 1 (`FaultToleranceConfigInfo.role`).
    fn of(info: &FtInfo) -> Option<Self> {
        if info.is_secondary() { Some(Self::Secondary) } else { (info.role == 1).then_some(Self::Primary) }
    }
}

/// Those among the objects, by name; of one name the primary first, and who is in no pair last.
pub fn list<'a>(vms: impl Iterator<Item = &'a Object>, hosts: &[Host]) -> Vec<ListedVm> {
    let names: HashMap<&str, &str> =
        hosts.iter().map(|host| (host.object.moid.as_str(), host.object.name.as_str())).collect();
    let mut list: Vec<ListedVm> = vms.map(|vm| listed(vm, &names)).collect();
    list.sort_by(|one, other| {
        let key = |vm: &ListedVm| (vm.role.is_none(), vm.role);
        one.name.cmp(&other.name).then_with(|| key(one).cmp(&key(other))).then_with(|| one.moid.cmp(&other.moid))
    });
    list
}

fn listed(vm: &Object, hosts: &HashMap<&str, &str>) -> ListedVm {
    let text = |path| vm.text(path).map(str::to_owned);
    ListedVm {
        name: vm.name(),
        moid: vm.moref.id.clone(),
        host: vm.moref("runtime.host").and_then(|host| hosts.get(host.id.as_str()).map(|name| (*name).to_owned())),
        vcpus: vm.int("config.hardware.numCPU").and_then(|count| u64::try_from(count).ok()),
        power_state: text("runtime.powerState"),
        ft_state: text("runtime.faultToleranceState"),
        role: vm.get("config.ftInfo").and_then(|info| Role::of(&FtInfo::parse(info))),
    }
}

#[cfg(test)]
mod tests {
    use vsphere::{Element, FtEngine};

    use super::*;
    use crate::testing::lab;

    /// An `ObjectContent` with these properties, each as the text of its element's content.
    fn object(moid: &str, values: &[(&str, &str)]) -> Object {
        let sets =
            values.iter().map(|(name, value)| format!("<propSet><name>{name}</name><val>{value}</val></propSet>"));
        let sets = sets.collect::<Vec<_>>().concat();
        let text = format!(r#"<objects><obj type="VirtualMachine">{moid}</obj>{sets}</objects>"#);
        Object::parse(Element::parse(&text).unwrap()).unwrap()
    }

    #[test]
    fn a_pair_is_told_apart_by_its_roles_and_by_nothing_else() {
        let role = |number: &str| {
            let vm = object("vm-1", &[("config.ftInfo", &format!("<role>{number}</role>"))]);
            list([&vm].into_iter(), &[])[0].role
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
    fn they_come_by_name_and_the_primary_before_its_secondary() {
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
        let order: Vec<String> = list(vms.iter(), &[]).into_iter().map(|vm| vm.moid).collect();
        assert_eq!(order, ["vm-8", "vm-9", "vm-5", "vm-2", "vm-3", "vm-1"]);
    }

    #[test]
    fn what_is_not_there_is_null_and_words_nobody_knows_are_kept() {
        let hosts = lab(FtEngine::Smp).hosts;
        let bare = ListedVm {
            name: "vm-1".into(),
            moid: "vm-1".into(),
            host: None,
            vcpus: None,
            power_state: None,
            ft_state: None,
            role: None,
        };
        assert_eq!(list([&object("vm-1", &[])].into_iter(), &hosts), std::slice::from_ref(&bare));
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
        assert_eq!(list([&full].into_iter(), &hosts), [expected]);
    }

    #[test]
    fn the_host_is_told_by_its_name_where_it_was_read() {
        let hosts = lab(FtEngine::Smp).hosts;
        for (moid, name) in [("host-2", Some("esxi02")), ("host-9", None)] {
            let text = format!(
                r#"<objects><obj type="VirtualMachine">vm-1</obj><propSet><name>runtime.host</name><val type="HostSystem">{moid}</val></propSet></objects>"#
            );
            let vm = Object::parse(Element::parse(&text).unwrap()).unwrap();
            assert_eq!(list([&vm].into_iter(), &hosts)[0].host.as_deref(), name);
        }
    }
}
