//! The inventory's entities other than VMs, and their properties.

use crate::value::{Data, Ref, Value};

use super::World;
use super::nics::Service;
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
    Host(Host),
    /// `Datastore`
    Datastore,
    /// `Network`
    Network,
    /// `VirtualMachine`
    Vm(Box<Vm>),
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Whether it is a cluster rather than one host's compute resource.
    pub real: bool,
    /// Whether vSphere HA is on.
    pub ha: bool,
    /// Whether DRS is on and manual.
    pub drs_manual: bool,
    /// Its resource pool.
    pub pool: String,
}

/// An ESXi host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its advanced options.
    pub options: Vec<HostOption>,
    /// The moid of its option manager.
    pub option_manager: String,
    /// `runtime.connectionState`.
    pub connection: String,
    /// `runtime.inMaintenanceMode`.
    pub maintenance: bool,
    /// Hardware UUID.
    pub uuid: String,
    /// Which vmknics carry which services.
    pub nics: Vec<Service>,
    /// Lines of vmkernel.log.
    pub vmkernel_log: Vec<String>,
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
            Body::Datastore => "Datastore",
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
        self.entities
            .iter()
            .filter(|(_, entity)| entity.parent.as_deref() == Some(moid))
            .map(|(child, entity)| Ref::new(entity.kind(), child))
            .collect()
    }

    fn all(&self, kind: &str) -> Value {
        Value::refs(self.of_kind(kind).iter().map(|moid| Ref::new(kind, moid)))
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
            Body::Datastore => self.datastore_property(moid, entity, name),
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
            self.of_kind("VirtualMachine")
                .iter()
                .filter(|moid| self.vm(moid).is_some_and(&filter))
                .map(|moid| Ref::new("VirtualMachine", moid)),
        )
    }

    fn datastore_property(&self, moid: &str, entity: &Entity, name: &str) -> Option<Value> {
        let url = format!("ds:///vmfs/volumes/{moid}/");
        let size = Value::Long(1 << 40);
        Some(match name {
            "summary" => Data::new("DatastoreSummary")
                .with("datastore", Ref::new("Datastore", moid))
                .with("name", &entity.name)
                .with("url", url)
                .with("capacity", size.clone())
                .with("freeSpace", size)
                .with("accessible", true)
                .with("multipleHostAccess", true)
                .with("type", "VMFS")
                .into(),
            "info" => Data::new("DatastoreInfo")
                .with("name", &entity.name)
                .with("url", url)
                .with("freeSpace", size.clone())
                .with("maxFileSize", size)
                .into(),
            "vm" => self.vms_where(|vm| vm.datastore == moid),
            "browser" => Ref::new("HostDatastoreBrowser", &format!("datastoreBrowser-{moid}")).into(),
            _ => return None,
        })
    }

    fn cluster_property(&self, moid: &str, cluster: &Cluster, name: &str) -> Option<Value> {
        Some(match name {
            "host" => Value::refs(self.children(moid).into_iter().filter(|child| child.kind == "HostSystem")),
            "resourcePool" => Ref::new("ResourcePool", &cluster.pool).into(),
            "datastore" => self.all("Datastore"),
            "network" => self.all("Network"),
            "environmentBrowser" => Ref::new("EnvironmentBrowser", &format!("envbrowser-{moid}")).into(),
            "summary" => {
                let hosts = i16::try_from(self.of_kind("HostSystem").len()).unwrap_or(i16::MAX);
                let kind = if cluster.real { "ClusterComputeResourceSummary" } else { "ComputeResourceSummary" };
                Data::new(kind)
                    .with("totalCpu", 4000 * i32::from(hosts))
                    .with("totalMemory", Value::Long(i64::from(hosts) << 33))
                    .with("numCpuCores", 2 * hosts)
                    .with("numCpuThreads", 2 * hosts)
                    .with("effectiveCpu", 4000 * i32::from(hosts))
                    .with("effectiveMemory", Value::Long(8192 * i64::from(hosts)))
                    .with("numHosts", i32::from(hosts))
                    .with("numEffectiveHosts", i32::from(hosts))
                    .with("overallStatus", Value::Enum("ManagedEntityStatus", "green".into()))
                    .into()
            }
            "configurationEx" if cluster.real => Data::new("ClusterConfigInfoEx")
                .with("dasConfig", das_config(cluster))
                .with("drsConfig", drs_config(cluster))
                .into(),
            "configurationEx" => Data::new("ComputeResourceConfigInfo").with("vmSwapPlacement", "vmDirectory").into(),
            "configuration" => Data::new("ClusterConfigInfo")
                .with("dasConfig", das_config(cluster))
                .with("drsConfig", drs_config(cluster))
                .into(),
            _ => return None,
        })
    }
}

fn das_config(cluster: &Cluster) -> Data {
    Data::new("ClusterDasConfigInfo")
        .with("enabled", cluster.ha)
        .with("vmMonitoring", "vmMonitoringDisabled")
        .with("hostMonitoring", "enabled")
        .with("admissionControlEnabled", true)
}

fn drs_config(cluster: &Cluster) -> Data {
    let behaviour = if cluster.drs_manual { "manual" } else { "fullyAutomated" };
    Data::new("ClusterDrsConfigInfo")
        .with("enabled", true)
        .with("defaultVmBehavior", Value::Enum("DrsBehavior", behaviour.into()))
        .with("vmotionRate", 3)
}
