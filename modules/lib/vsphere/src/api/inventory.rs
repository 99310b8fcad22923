//! Finds virtual machines.

use crate::api::ft::FtInfo;
use crate::api::similar;
use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::property::{Follow, Reach, union};
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

/// Selects a virtual machine.
#[derive(Debug, Clone)]
pub struct VmQuery {
    /// The property that identifies it.
    pub by: VmBy,
    /// The folder (or vApp) that directly holds it: an inventory path (`/DC/vm/lab`), or one below the datacenter's `vm`
    /// folder (`lab`). Only for [`VmBy::Name`].
    pub folder: Option<String>,
    /// Its datacenter, by name or inventory path. Ignored for [`VmBy::Moid`].
    pub datacenter: Option<String>,
}

/// The property that identifies a virtual machine.
#[derive(Debug, Clone)]
pub enum VmBy {
    /// Its display name, exactly.
    Name(String),
    /// The BIOS UUID (`config.uuid`).
    BiosUuid(String),
    /// The instance UUID (`config.instanceUuid`).
    InstanceUuid(String),
    /// The managed object id, e.g. `vm-63`.
    Moid(String),
}

impl VmBy {
    fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("virtual machine `{name}`"),
            Self::BiosUuid(uuid) => format!("virtual machine with BIOS UUID {uuid}"),
            Self::InstanceUuid(uuid) => format!("virtual machine with instance UUID {uuid}"),
            Self::Moid(moid) => format!("virtual machine {moid}"),
        }
    }
}

/// A virtual machine, with its host and cluster if they were asked for.
#[derive(Debug, Clone)]
pub struct FoundVm {
    /// The virtual machine.
    pub vm: Object,
    /// Its host, if host paths were asked for.
    pub host: Option<Object>,
    /// Its cluster, if cluster paths were asked for; `None` for a standalone host.
    pub cluster: Option<Object>,
}

/// Properties to read of a virtual machine, of its host, and of its cluster (`ClusterComputeResource`).
#[derive(Debug, Clone, Copy, Default)]
pub struct VmPaths<'a> {
    /// Paths of the virtual machine; `name` and `config.ftInfo` are always read.
    pub vm: &'a [&'a str],
    /// Paths of its host; if there are any, `name` is read too.
    pub host: &'a [&'a str],
    /// Paths of its cluster; if there are any, `name` is read too.
    pub cluster: &'a [&'a str],
}

/// From the root folder, a datacenter or a folder to every virtual machine below.
const TO_VMS: [Follow<'_>; 4] = [
    Follow { from: "Folder", path: "childEntity" },
    Follow { from: "Datacenter", path: "vmFolder" },
    // vApps are resource pools too, and contain pools.
    Follow { from: "ResourcePool", path: "vm" },
    Follow { from: "ResourcePool", path: "resourcePool" },
];

/// From a virtual machine to its host and cluster.
const TO_CLUSTER: [Follow<'_>; 2] =
    [Follow { from: "VirtualMachine", path: "runtime.host" }, Follow { from: "HostSystem", path: "parent" }];

impl Session {
    /// Finds a virtual machine and reads it: two requests, one for a moid; more if a folder or datacenter must be found first.
    ///
    /// Fault Tolerance secondaries have their primary's name. By name or UUID, other virtual machines are preferred to them; if
    /// only a secondary has the name, its primary is returned. A moid may be that of a secondary.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Ambiguous`].
    pub async fn vm(&self, query: &VmQuery, paths: &VmPaths<'_>) -> Result<FoundVm, Error> {
        let mut found = match &query.by {
            VmBy::Moid(moid) => {
                let vm = Moref::new("VirtualMachine", moid.trim());
                return match self.vm_again(&vm, paths).await {
                    Err(error) if error.is_fault("ManagedObjectNotFound") => Err(not_found(&query.by, None)),
                    outcome => outcome,
                };
            }
            VmBy::Name(name) => self.named_vms(name, query).await?,
            VmBy::BiosUuid(uuid) => self.vms_of_uuid(uuid, false, query).await?,
            VmBy::InstanceUuid(uuid) => self.vms_of_uuid(uuid, true, query).await?,
        };
        let mut vms = self.vms_again(&found, paths).await?;
        if vms.len() > 1 && vms.iter().any(|vm| secondary(vm).is_none()) {
            vms.retain(|vm| secondary(vm).is_none());
        }
        match &vms[..] {
            [] => return Err(not_found(&query.by, None)),
            [_] => {}
            _ => {
                found = vms.into_iter().map(|vm| vm.vm.moref).collect();
                return Err(self.ambiguous(query.by.describe(), &found).await?);
            }
        }
        let primary = vms.first().and_then(secondary).and_then(|info| info.primary);
        match (&query.by, primary) {
            (VmBy::Name(_), Some(primary)) => self.vm_again(&primary, paths).await,
            _ => vms.pop().ok_or_else(|| not_found(&query.by, None)),
        }
    }

    /// Reads a virtual machine again: one request. The fault `ManagedObjectNotFound` if it is gone.
    pub async fn vm_again(&self, vm: &Moref, paths: &VmPaths<'_>) -> Result<FoundVm, Error> {
        let mut vms = self.vms_again(std::slice::from_ref(vm), paths).await?;
        vms.pop().ok_or_else(|| Error::NotFound { what: format!("virtual machine {vm}"), hint: None })
    }

    /// Reads known virtual machines: one request for all. The fault `ManagedObjectNotFound` if one is gone.
    pub async fn vms_again(&self, vms: &[Moref], paths: &VmPaths<'_>) -> Result<Vec<FoundVm>, Error> {
        let with_cluster = !paths.cluster.is_empty();
        let with_host = !paths.host.is_empty();
        let mut vm_paths = union(&["name", "config.ftInfo"], paths.vm);
        let mut host_paths = union(&["name"], paths.host);
        let cluster_paths = union(&["name"], paths.cluster);
        if with_host || with_cluster {
            vm_paths = union(&vm_paths, &["runtime.host"]);
        }
        if with_cluster {
            host_paths = union(&host_paths, &["parent"]);
        }
        let mut want: Vec<(&str, &[&str])> = vec![("VirtualMachine", &vm_paths)];
        let mut follow = &TO_CLUSTER[..0];
        if with_host || with_cluster {
            want.push(("HostSystem", &host_paths));
            follow = &TO_CLUSTER[..1];
        }
        if with_cluster {
            want.push(("ClusterComputeResource", &cluster_paths));
            follow = &TO_CLUSTER[..];
        }
        let objects = self.read(vms, &want, follow).await?;
        let object = |moref: Option<Moref>| {
            let moref = moref?;
            objects.iter().find(|object| object.moref == moref)
        };
        Ok(objects
            .iter()
            .filter(|vm| vm.moref.kind == "VirtualMachine")
            .map(|vm| {
                let host = object(vm.moref("runtime.host"));
                FoundVm {
                    vm: vm.clone(),
                    cluster: object(host.and_then(|host| host.moref("parent"))).cloned(),
                    host: host.filter(|_| with_host).cloned(),
                }
            })
            .collect())
    }

    async fn named_vms(&self, name: &str, query: &VmQuery) -> Result<Vec<Moref>, Error> {
        let (start, reach) = match (&query.folder, &query.datacenter) {
            (Some(folder), datacenter) => {
                let folder = self.vm_folder(folder, datacenter.as_deref()).await?;
                (folder, Reach::OneStep)
            }
            (None, datacenter) => (self.root(datacenter.as_deref()).await?, Reach::Anywhere),
        };
        let want: [(&str, &[&str]); 1] = [("VirtualMachine", &["name"])];
        let vms = self.retrieve(&[start], &want, &TO_VMS, reach).await?;
        let matching = vms.iter().filter(|vm| vm.name() == name);
        let found: Vec<Moref> = matching.map(|vm| vm.moref.clone()).collect();
        if found.is_empty() {
            let hint = similar::hint(name, vms.iter().map(Object::name));
            return Err(not_found(&query.by, hint));
        }
        Ok(found)
    }

    async fn vms_of_uuid(&self, uuid: &str, instance: bool, query: &VmQuery) -> Result<Vec<Moref>, Error> {
        let datacenter = match &query.datacenter {
            Some(datacenter) => Some(self.datacenter(datacenter).await?.0),
            None => None,
        };
        let index = &self.search_index()?;
        let request = |method| {
            let mut request = Request::new(method, index);
            if let Some(datacenter) = &datacenter {
                request.moref("datacenter", datacenter);
            }
            request.text("uuid", uuid.trim());
            request.flag("vmSearch", true);
            request.flag("instanceUuid", instance);
            request
        };
        let response = match self.query(&request("FindAllByUuid")).await {
            Err(Error::Fault(fault))
                if ["MethodNotFound", "NotSupported", "NotImplemented", "InvalidRequest"]
                    .contains(&fault.name.as_str()) =>
            {
                self.query(&request("FindByUuid")).await?
            }
            outcome => outcome?,
        };
        let found = response.children("returnval").filter_map(Element::moref);
        Ok(found.collect())
    }
}

fn not_found(by: &VmBy, hint: Option<String>) -> Error {
    Error::NotFound { what: by.describe(), hint }
}

/// Returns the Fault Tolerance role of a secondary; `None` for other virtual machines.
fn secondary(vm: &FoundVm) -> Option<FtInfo> {
    let info = FtInfo::parse(vm.vm.get("config.ftInfo")?);
    info.is_secondary().then_some(info)
}
