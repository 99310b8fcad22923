//! The objects of the inventory: folders, datacenters, clusters, hosts, datastores, networks and VMs.

use super::cluster::Cluster;
use super::host::Host;
use super::vm::Vm;

/// An object of the inventory (`ManagedEntity`).
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its name, unescaped.
    pub name: String,
    /// The moid of its parent; only the root folder has none.
    pub parent: Option<String>,
    /// Its type and what only this type has.
    pub body: Body,
}

/// The type of an entity, with its data.
#[derive(Clone, Debug)]
pub enum Body {
    /// `Folder` with the types that it may contain
    Folder(Vec<&'static str>),
    /// `Datacenter` with its vm, host, datastore and network folders
    Datacenter([String; 4]),
    /// `ClusterComputeResource`, or `ComputeResource` on a host without vCenter
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
    /// `summary.multipleHostAccess`: only one host reaches a local datastore.
    pub shared: bool,
    /// `summary.type`.
    pub kind: String,
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
