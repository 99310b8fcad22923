//! The inventory's entities other than VMs, and their properties.

use crate::value::{Data, Ref, Value};

use super::World;
use super::cluster::Cluster;
use super::nics::{Service, Vmknic};
use super::options::HostOption;
use super::vm::Vm;

/// Something in the inventory (`ManagedEntity`).
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its name, unescaped.
    pub name: String,
    /// The moid of its parent; only the root folder has none.
    pub parent: Option<String>,
    /// What it is.
    pub body: Body,
}

/// What an entity is.
#[derive(Clone, Debug)]
pub enum Body {
    /// `Folder`, with what may be in it
    Folder(Vec<&'static str>),
    /// `Datacenter`, with its vm, host, datastore and network folders
    Datacenter([String; 4]),
    /// `ClusterComputeResource`, or `ComputeResource` on a host that is asked directly
    Cluster(Cluster),
    /// `ResourcePool`
    Pool,
    /// `HostSystem`
    Host(Box<Host>),
    /// `Datastore`
    Datastore(Store),
    /// `Network`
    Network,
    /// `VirtualMachine`
    Vm(Box<Vm>),
}

/// A datastore.
#[derive(Clone, Debug)]
pub struct Store {
    /// `summary.accessible`.
    pub accessible: bool,
    /// `summary.multipleHostAccess`: a local one has only its host.
    pub shared: bool,
    /// `summary.type`.
    pub kind: String,
}

/// An ESXi host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its advanced options.
    pub options: Vec<HostOption>,
    /// `runtime.connectionState`.
    pub connection: String,
    /// `runtime.inMaintenanceMode`.
    pub maintenance: bool,
    /// `runtime.powerState`.
    pub power: String,
    /// The datastores and networks that it does not reach, by moid.
    pub lacks: Vec<String>,
    /// Hardware UUID.
    pub uuid: String,
    /// Its vmknics.
    pub vmknics: Vec<Vmknic>,
    /// Which vmknics carry which services.
    pub nics: Vec<Service>,
    /// The same as `config` still shows it, while that lags behind.
    pub shown_nics: Option<Vec<Service>>,
    /// For so many milliseconds after a choice of vmknics, `config` shows what was before.
    pub nic_lag: u64,
    /// Whether several vmknics may carry FT logging.
    pub ft_multi_select: bool,
    /// The state that its HA agent stays in, if it is not to be a healthy one; empty if it tells none.
    pub agent: Option<String>,
    /// A build of its own.
    pub build: Option<String>,
    /// The version of its FT engine (`featureVersion`).
    pub feature_version: String,
    /// More that keeps it from FT, in words that may be newer than any client.
    pub issues: Vec<String>,
    /// The key under which `DiagnosticManager` has vmkernel.log: `messages` on the oldest releases.
    pub vmkernel_key: String,
    /// Lines of vmkernel.log.
    pub vmkernel_log: Vec<String>,
}

impl Host {
    /// Whether it has this datastore or network.
    pub fn reaches(&self, moid: &str) -> bool {
        !self.lacks.iter().any(|lacked| lacked == moid)
    }

    /// Whether it can run virtual machines.
    pub fn in_service(&self) -> bool {
        self.connection == "connected" && self.power == "poweredOn" && !self.maintenance
    }
}

impl Entity {
    /// The managed object type.
    pub fn kind(&self) -> &'static str {
        match &self.body {
            Body::Folder(_) => "Folder",
            Body::Datacenter(_) => "Datacenter",
            Body::Cluster(cluster) if cluster.real => "ClusterComputeResource",
            Body::Cluster(_) => "ComputeResource",
            Body::Pool => "ResourcePool",
            Body::Host(_) => "HostSystem",
            Body::Datastore(_) => "Datastore",
            Body::Network => "Network",
            Body::Vm(_) => "VirtualMachine",
        }
    }

    /// The name as the API gives it: `%`, `/` and `\` escaped.
    pub fn escaped_name(&self) -> String {
        self.name.replace('%', "%25").replace('/', "%2f").replace('\\', "%5c")
    }
}

impl World {
    /// Entities whose parent is this one, in order of their moids.
    pub fn children(&self, moid: &str) -> Vec<Ref> {
        self.members(moid).filter_map(|child| self.reference(child)).collect()
    }

    pub(super) fn all(&self, kind: &str) -> Value {
        Value::refs(self.moids(kind).map(|moid| Ref::new(kind, moid)))
    }

    /// A property of an entity; nothing when it is not set.
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
