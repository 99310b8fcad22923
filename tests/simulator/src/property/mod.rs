//! Reads properties of managed objects by dotted paths, and evaluates property filters.

mod cluster;
pub mod collector;
mod entity;
mod event;
pub mod filter;
mod hardware;
mod host;
mod layout;
pub mod traverse;
pub mod view;
mod vm;
mod vm_state;

use crate::fault::Fault;
use crate::model::host::{EXECUTER, MANAGER};
use crate::model::session::Session;
use crate::schema::{self, Version};
use crate::value::{Data, Ref, Value};
use crate::world::World;

/// The reader of properties: its session and API version.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    /// The world that it reads.
    pub world: &'a World,
    /// The session, if there is one.
    pub session: Option<&'a Session>,
    /// The version of the API.
    pub version: Version,
}

/// The result of reading a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    /// Its value
    Value(Value),
    /// It is not set
    Unset,
    /// It may not be read
    Missing(Fault),
}

/// Managed objects that exist once: moid on vCenter, moid on ESXi, type, field in `ServiceContent`.
const SINGLETONS: [(&str, &str, &str, &str); 9] = [
    ("propertyCollector", "ha-property-collector", "PropertyCollector", "propertyCollector"),
    ("ViewManager", "ViewManager", "ViewManager", "viewManager"),
    ("VpxSettings", "HostAgentSettings", "OptionManager", "setting"),
    ("SessionManager", "ha-sessionmgr", "SessionManager", "sessionManager"),
    ("EventManager", "ha-eventmgr", "EventManager", "eventManager"),
    ("TaskManager", "ha-taskmgr", "TaskManager", "taskManager"),
    ("DiagMgr", "ha-diagnosticmgr", "DiagnosticManager", "diagnosticManager"),
    ("SearchIndex", "ha-searchindex", "SearchIndex", "searchIndex"),
    ("ServiceInstance", "ServiceInstance", "ServiceInstance", ""),
];

/// `ServiceContent`.
pub fn service_content(world: &World) -> Data {
    let direct = world.config.direct;
    let mut content = Data::new("ServiceContent").with("rootFolder", Ref::new("Folder", world.root()));
    for (vcenter, esxi, kind, field) in SINGLETONS {
        if field == "sessionManager" {
            content = content.with("about", world.about(direct, None));
        }
        if !field.is_empty() {
            content = content.with(field, Ref::new(kind, if direct { esxi } else { vcenter }));
        }
    }
    content
}

/// The type of the managed object of this moid, if it exists.
pub fn kind_of(world: &World, moid: &str) -> Option<&'static str> {
    if let Some(entity) = world.entities.get(moid) {
        return Some(entity.kind());
    }
    if world.tasks.contains_key(moid) {
        return Some("Task");
    }
    let direct = world.config.direct;
    let singleton = SINGLETONS.iter().find(|(vcenter, esxi, _, _)| moid == if direct { *esxi } else { *vcenter });
    if let Some((_, _, kind, _)) = singleton {
        return Some(kind);
    }
    if world.views.contains_key(moid) {
        return Some("ContainerView");
    }
    if world.histories.contains_key(moid) {
        return Some("EventHistoryCollector");
    }
    if world.is_snapshot(moid) {
        return Some("VirtualMachineSnapshot");
    }
    if world.collectors.contains_key(moid) {
        return Some("PropertyCollector");
    }
    if world.collectors.values().any(|collector| collector.filters.contains_key(moid)) {
        return Some("PropertyFilter");
    }
    if host_of_options(world, moid).is_some() {
        return Some("OptionManager");
    }
    let owned = [
        ("envbrowser-", "EnvironmentBrowser"),
        ("datastoreBrowser-", "HostDatastoreBrowser"),
        ("virtualNicManager-", "HostVirtualNicManager"),
        (EXECUTER, "ReflectManagedMethodExecuter"),
        (MANAGER, "InternalDynamicTypeManager"),
    ];
    owned
        .iter()
        .find(|(prefix, _)| moid.strip_prefix(prefix).is_some_and(|owner| world.entities.contains_key(owner)))
        .map(|(_, kind)| *kind)
}

/// The host that the option manager of this moid belongs to.
pub fn host_of_options(world: &World, moid: &str) -> Option<String> {
    crate::model::options::managed_host(moid).filter(|host| world.host(host).is_some())
}

/// The reference with the object's actual type, `ManagedObjectNotFound`, or `NoPermission` for an object that the user may
/// not see.
pub fn resolve(world: &World, given: &Ref) -> Result<Ref, Fault> {
    match kind_of(world, &given.moid) {
        Some(kind) if given.kind.is_empty() || schema::is_a(kind, &given.kind) => {
            let object = Ref::new(kind, &given.moid);
            world.visible(&object)?;
            Ok(object)
        }
        _ => Err(Fault::not_found(given)),
    }
}

impl Viewer<'_> {
    /// Reads a property by its path. The path must exist for the type.
    pub fn get(&self, object: &Ref, path: &str) -> Got {
        if let Some(vm) = self.world.vm(&object.moid)
            && vm.unreadable.iter().any(|denied| {
                path == denied || path.strip_prefix(denied.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        {
            return Got::Missing(Fault::no_permission(object, "System.Read"));
        }
        let mut steps = schema::segments(path).into_iter();
        let Some((name, key)) = steps.next() else {
            return Got::Unset;
        };
        // Do not build all options of a host for a client that only asks for its product.
        let name = match path.strip_prefix("config.product") {
            Some("" | ".version" | ".build" | ".fullName") if object.kind == "HostSystem" => "config.product",
            _ => name,
        };
        let mut value = self.top(object, name).and_then(|value| keyed(value, key));
        for (name, key) in steps {
            value = match value {
                Some(Value::Data(data)) if schema::known(&data.kind, name, self.version) => {
                    let default = || schema::default(schema::field(&data.kind, name)?, None);
                    data.get(name).cloned().or_else(default).and_then(|value| keyed(value, key))
                }
                _ => None,
            };
        }
        value.map_or(Got::Unset, Got::Value)
    }

    fn top(&self, object: &Ref, name: &str) -> Option<Value> {
        let world = self.world;
        let moid = object.moid.as_str();
        if let Some(entity) = world.entities.get(moid) {
            return world.entity_property(moid, entity, name);
        }
        if let Some(task) = world.tasks.get(moid) {
            return (name == "info").then(|| task.info(moid).into());
        }
        match (object.kind.as_str(), name) {
            ("ServiceInstance", "content") => Some(service_content(world).into()),
            ("ServiceInstance", "serverClock") => Some(Value::Time(world.time())),
            ("SessionManager", "currentSession") => self.session.map(|session| session.value(&world.time()).into()),
            ("SessionManager", "sessionList") => Some(Value::List(
                "UserSession",
                world.sessions.values().map(|session| session.value(&world.time()).into()).collect(),
            )),
            ("OptionManager", "setting" | "supportedOption") => {
                let options = host_of_options(world, moid)
                    .and_then(|host| world.host(&host))
                    .map_or(&world.settings, |host| &host.options);
                let (kind, items) = if name == "setting" {
                    ("OptionValue", options.iter().map(|option| option.value().into()).collect())
                } else {
                    ("OptionDef", options.iter().map(|option| option.definition().into()).collect())
                };
                Some(Value::List(kind, items))
            }
            ("HostVirtualNicManager", "info") => {
                let host = moid.strip_prefix("virtualNicManager-")?;
                world.host(host).map(crate::model::host::Host::nic_info)
            }
            ("ContainerView", _) => {
                let view = world.views.get(moid)?;
                match name {
                    "container" => Some(view.container.clone().into()),
                    "type" => Some(Value::List("string", view.kinds.iter().map(Value::from).collect())),
                    "recursive" => Some(view.recursive.into()),
                    "view" => Some(Value::refs(view::contained(world, view))),
                    _ => None,
                }
            }
            ("EventManager", "description") => Some(event::description(world).into()),
            ("EventManager", "latestEvent") => Some(world.events.last()?.data.clone().into()),
            ("EventManager", "maxCollector") => Some(32.into()),
            ("EventHistoryCollector", "latestPage") => Some(world.histories.get(moid)?.latest_page(world)),
            ("TaskManager", "recentTask") => Some(Value::refs(world.tasks.keys().map(|moid| Ref::new("Task", moid)))),
            ("TaskManager", "maxCollector") => Some(1000.into()),
            ("ViewManager", "viewList") => {
                Some(Value::refs(world.views.keys().map(|moid| Ref::new("ContainerView", moid))))
            }
            _ => None,
        }
    }
}

/// The item of a list that has this key, or the whole value without a key.
fn keyed(value: Value, key: Option<&str>) -> Option<Value> {
    let Some(key) = key else { return Some(value) };
    let Value::List(_, items) = value else {
        return None;
    };
    items.into_iter().find(|item| match item {
        Value::Data(data) => match data.get("key") {
            Some(Value::Str(own)) => own == key,
            Some(Value::Int(own)) => own.to_string() == key,
            _ => false,
        },
        Value::Ref(reference) => reference.moid == key,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pair::State;
    use crate::testing;

    /// Collects fields that the schema does not know, which replies would silently omit, and required fields without a
    /// value or default.
    fn unknown(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Data(data) => {
                for field in schema::fields(&data.kind).iter().filter(|field| field.since <= [8, 0, 2, 0]) {
                    let missing = data.get(field.name).is_none() && !field.optional;
                    if missing && schema::default(field, None).is_none() {
                        out.push(format!("{} lacks {}", data.kind, field.name));
                    }
                }
                for (name, value) in &data.fields {
                    if !schema::known(&data.kind, name, [99; 4]) {
                        out.push(format!("{}.{name}", data.kind));
                    }
                    unknown(value, out);
                }
            }
            Value::List(_, items) => items.iter().for_each(|item| unknown(item, out)),
            _ => {}
        }
    }

    #[test]
    fn every_field_is_one_of_the_api() {
        let mut world = testing::world(&["--personality", "8.0"]);
        world.register_secondary("vm-63", "host-30", State::Running).unwrap();
        let viewer = Viewer { world: &world, session: None, version: [99; 4] };
        let mut out = Vec::new();
        for moid in world.entities.keys() {
            let object = Ref::new(kind_of(&world, moid).unwrap(), moid);
            for name in schema::properties(&object.kind, [99; 4]) {
                if let Got::Value(value) = viewer.get(&object, name) {
                    unknown(&value, &mut out);
                }
            }
        }
        unknown(&service_content(&world).into(), &mut out);
        out.sort();
        out.dedup();
        assert!(out.is_empty(), "{out:?}");
    }

    #[test]
    fn paths_reach_into_data_and_lists() {
        let world = testing::world(&[]);
        let viewer = Viewer { world: &world, session: None, version: schema::version("5.0") };
        let vm = Ref::new("VirtualMachine", "vm-63");
        let host = Ref::new("HostSystem", "host-20");
        let cases = [
            (&vm, "name", Got::Value("inner".into())),
            (&vm, "runtime.host", Got::Value(host.clone().into())),
            (&vm, "config.extraConfig[\"svga.present\"].value", Got::Value("TRUE".into())),
            (&vm, "config.hardware.device[2000].unitNumber", Got::Value(0.into())),
            (&vm, "config.ftInfo.role", Got::Unset),
            (&vm, "config.files.ftMetadataDirectory", Got::Unset),
            (&host, "config.product.version", Got::Value("5.0.0".into())),
            (&host, "summary.hardware.vendor", Got::Value("VMware, Inc.".into())),
        ];
        for (object, path, expected) in cases {
            assert_eq!(viewer.get(object, path), expected, "{path}");
        }
    }
}
