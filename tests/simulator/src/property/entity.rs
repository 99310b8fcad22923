//! Properties of inventory objects: those that all types share, and those of folders, pools, datastores and networks.

use crate::model::entity::{Body, Entity, Store};
use crate::model::vm::{Power, Vm};
use crate::value::{Data, Ref, Value};
use crate::world::World;

impl World {
    /// Entities whose parent is this one, in order of their moids.
    pub fn children(&self, moid: &str) -> Vec<Ref> {
        self.members(moid).filter_map(|child| self.reference(child)).collect()
    }

    pub(super) fn all(&self, kind: &str) -> Value {
        Value::refs(self.moids(kind).map(|moid| Ref::new(kind, moid)))
    }

    /// A property of an entity; `None` if it is not set.
    pub fn entity_property(&self, moid: &str, entity: &Entity, name: &str) -> Option<Value> {
        let status = || Value::Enum("ManagedEntityStatus", "green".into());
        match name {
            "name" => return Some(entity.escaped_name().into()),
            "parent" => return self.reference(entity.parent.as_deref()?).map(Value::Ref),
            "overallStatus" | "configStatus" => return Some(status()),
            "alarmActionsEnabled" => return Some(true.into()),
            "effectiveRole" => return Some(Value::List("int", vec![Value::Int(-1)])),
            "recentTask" => {
                let running = self
                    .tasks
                    .iter()
                    .filter(|(_, task)| task.entity.moid == moid)
                    .map(|(task, _)| Ref::new("Task", task));
                return Some(Value::refs(running));
            }
            "disabledMethod" => return Some(self.disabled_methods(entity)),
            _ => {}
        }
        match &entity.body {
            Body::Vm(vm) => self.vm_property(moid, vm, name),
            Body::Host(host) => self.host_property(moid, host, name),
            Body::Cluster(cluster) => self.cluster_property(moid, cluster, name),
            Body::Folder(kinds) => match name {
                "childType" => Some(Value::List("string", kinds.iter().map(|kind| (*kind).into()).collect())),
                "childEntity" => Some(Value::List(
                    "ManagedObjectReference",
                    self.children(moid).into_iter().map(Value::Ref).collect(),
                )),
                _ => None,
            },
            Body::Datacenter(folders) => {
                let folder = |index: usize| Some(Ref::new("Folder", &folders[index]).into());
                match name {
                    "vmFolder" => folder(0),
                    "hostFolder" => folder(1),
                    "datastoreFolder" => folder(2),
                    "networkFolder" => folder(3),
                    "datastore" => Some(self.all("Datastore")),
                    "network" => Some(self.all("Network")),
                    _ => None,
                }
            }
            Body::Pool => match name {
                "owner" => self.reference(entity.parent.as_deref()?).map(Value::Ref),
                "vm" => Some(self.vms_where(|vm| vm.pool == moid)),
                "summary" => Some(Data::new("ResourcePoolSummary").with("name", &entity.name).into()),
                "runtime" => Some(self.pool_runtime(moid, entity).into()),
                _ => None,
            },
            Body::Datastore(store) => self.datastore_property(moid, entity, store, name),
            Body::Network => match name {
                "host" => Some(self.all("HostSystem")),
                "vm" => Some(self.all("VirtualMachine")),
                "summary" => Some(
                    Data::new("NetworkSummary")
                        .with("network", Ref::new("Network", moid))
                        .with("name", &entity.name)
                        .with("accessible", true)
                        .into(),
                ),
                _ => None,
            },
        }
    }

    /// `ResourcePool.runtime`. What the VMs have not reserved can be reserved.
    fn pool_runtime(&self, moid: &str, pool: &Entity) -> Data {
        let cluster = pool.parent.as_deref();
        let total: i64 = cluster
            .into_iter()
            .flat_map(|cluster| self.members(cluster))
            .filter_map(|host| self.host(host))
            .map(|host| i64::from(host.memory))
            .sum();
        let vms = self.moids("VirtualMachine").filter_map(|moid| self.vm(moid));
        let running = vms.filter(|vm| vm.pool == moid && vm.power == Power::On);
        let reserved: i64 = running.map(|vm| i64::from(vm.reserved())).sum();
        let own = match cluster.and_then(|cluster| self.entities.get(cluster)).map(|entity| &entity.body) {
            Some(Body::Cluster(cluster)) => cluster.pool_memory,
            _ => None,
        };
        let free = own.map_or(total - reserved, i64::from);
        let usage = |used: i64, free: i64, most: i64| {
            Data::new("ResourcePoolResourceUsage")
                .with("reservationUsed", Value::Long(used))
                .with("reservationUsedForVm", Value::Long(used))
                .with("unreservedForPool", Value::Long(free))
                .with("unreservedForVm", Value::Long(free))
                .with("overallUsage", Value::Long(used))
                .with("maxUsage", Value::Long(most))
        };
        Data::new("ResourcePoolRuntimeInfo")
            .with("memory", usage(reserved << 20, free << 20, total << 20))
            .with("cpu", usage(0, 4000, 4000))
            .with("overallStatus", Value::Enum("ManagedEntityStatus", "green".into()))
    }

    fn vms_where(&self, filter: impl Fn(&Vm) -> bool) -> Value {
        Value::refs(
            self.moids("VirtualMachine")
                .filter(|moid| self.vm(moid).is_some_and(&filter))
                .map(|moid| Ref::new("VirtualMachine", moid)),
        )
    }

    fn datastore_property(&self, moid: &str, entity: &Entity, store: &Store, name: &str) -> Option<Value> {
        let url = format!("ds:///vmfs/volumes/{moid}/");
        let size = Value::Long(1 << 40);
        Some(match name {
            "summary" => Data::new("DatastoreSummary")
                .with("datastore", Ref::new("Datastore", moid))
                .with("name", &entity.name)
                .with("url", url)
                .with("capacity", size.clone())
                .with("freeSpace", size)
                .with("accessible", store.accessible)
                .with("multipleHostAccess", store.shared)
                .with("type", &store.kind)
                .into(),
            "info" => Data::new("DatastoreInfo")
                .with("name", &entity.name)
                .with("url", url)
                .with("freeSpace", size.clone())
                .with("maxFileSize", size)
                .into(),
            "vm" => self.vms_where(|vm| vm.stores().contains(&moid)),
            "host" => {
                let reached = |host: &String| self.host(host).is_some_and(|host| host.reaches(moid));
                let hosts = self.of_kind("HostSystem").into_iter().filter(reached);
                let hosts = hosts.take(if store.shared { usize::MAX } else { 1 });
                let mounts = hosts.map(|host| mount(moid, &host, store).into());
                Value::List("DatastoreHostMount", mounts.collect())
            }
            "browser" => Ref::new("HostDatastoreBrowser", &format!("datastoreBrowser-{moid}")).into(),
            _ => return None,
        })
    }
}

/// `DatastoreHostMount`.
fn mount(moid: &str, host: &str, store: &Store) -> Data {
    let info = Data::new("HostMountInfo")
        .with("path", format!("/vmfs/volumes/{moid}"))
        .with("accessMode", "readWrite")
        .with("mounted", true)
        .with("accessible", store.accessible);
    Data::new("DatastoreHostMount").with("key", Ref::new("HostSystem", host)).with("mountInfo", info)
}
