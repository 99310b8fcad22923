//! The arguments that name a virtual machine, and its report.

use contract::{Arguments, Error, Kind, Rule};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vsphere::{FoundVm, Object, Session, VmBy, VmPaths, VmQuery};

use crate::{Connection, ServerArgs, failure, five_minutes};

/// Exactly one argument names the virtual machine.
const ONE_VM: Rule = Rule::ExactlyOne(&["name", "uuid", "moid"]);
/// `use_instance_uuid` needs a UUID.
pub const INSTANCE_UUID_NEEDS_UUID: Rule = Rule::Needs("use_instance_uuid", "uuid");
/// A folder selects one of several virtual machines with the same name.
pub const FOLDER_NEEDS_NAME: Rule = Rule::Needs("folder", "name");
/// The rules for the arguments of [`VmTarget`] and of [`Connection`](crate::Connection).
pub const VM_RULES: &[Rule] = &[
    ONE_VM,
    INSTANCE_UUID_NEEDS_UUID,
    FOLDER_NEEDS_NAME,
    crate::connection::PROXY_NEEDS_PORT,
    crate::connection::PROXY_NEEDS_HOST,
];

/// vCenter's id prefixes of objects that are not virtual machines.
const OTHER_IDS: [(&str, &str); 8] = [
    ("host-", "host"),
    ("domain-", "cluster"),
    ("datastore-", "datastore"),
    ("datacenter-", "datacenter"),
    ("group-", "folder"),
    ("resgroup-", "resource pool"),
    ("network-", "network"),
    ("dvportgroup-", "distributed port group"),
];

/// The virtual machine to act on.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct VmTarget {
    /// Name of the virtual machine. A secondary of Fault Tolerance has the name of its primary; the primary is meant.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// BIOS UUID of the virtual machine, or its instance UUID with O(use_instance_uuid=true).
    #[schemars(length(min = 1))]
    uuid: Option<String>,
    /// Whether O(uuid) is the instance UUID.
    #[serde(default)]
    use_instance_uuid: Option<bool>,
    /// Managed object id of the virtual machine, such as V(vm-63).
    #[schemars(length(min = 1))]
    moid: Option<String>,
    /// Folder that holds the virtual machine: from the root (V(/Lab/vm/nested)), or below the datacenter's folder of
    /// virtual machines (V(nested)). If O(datacenter) is given, the folder must be in it. Needed when several have the name.
    #[schemars(length(min = 1))]
    folder: Option<String>,
    /// Datacenter that holds the virtual machine. Needed when several have the name. It means nothing to O(moid), which is
    /// one virtual machine wherever that is, so that C(module_defaults) may set it for every task.
    #[schemars(length(min = 1))]
    datacenter: Option<String>,
}

/// The arguments of a module that does what `W` says to a virtual machine.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct VmArgs<W> {
    /// The server.
    #[serde(flatten)]
    pub connection: Connection,
    /// The virtual machine.
    #[serde(flatten)]
    pub vm: VmTarget,
    /// The arguments that decisions depend on.
    #[serde(flatten)]
    pub wish: W,
    /// Seconds after which the run gives up waiting for vSphere.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

impl<W: DeserializeOwned + JsonSchema> Arguments for VmArgs<W> {
    const RULES: &'static [Rule] = VM_RULES;

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn check(&self) -> Vec<String> {
        self.connection.problems()
    }
}

impl<W: DeserializeOwned + JsonSchema> ServerArgs for VmArgs<W> {
    fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl VmTarget {
    fn query(&self) -> VmQuery {
        let by = if let Some(moid) = &self.moid {
            VmBy::Moid(moid.clone())
        } else if let Some(uuid) = &self.uuid {
            if self.use_instance_uuid == Some(true) {
                VmBy::InstanceUuid(uuid.clone())
            } else {
                VmBy::BiosUuid(uuid.clone())
            }
        } else {
            VmBy::Name(self.name.clone().unwrap_or_default())
        };
        VmQuery { by, folder: self.folder.clone(), datacenter: self.datacenter.clone() }
    }

    /// Finds the virtual machine and reads `paths`; where it was found before, reads it again.
    pub async fn read(
        &self,
        server: &Session,
        paths: &VmPaths<'_>,
        before: Option<&vsphere::Moref>,
    ) -> Result<FoundVm, Error> {
        match before {
            Some(moref) => server.vm_again(moref, paths).await,
            None => server.vm(&self.query(), paths).await,
        }
        .map_err(|error| match error {
            vsphere::Error::NotFound { what, hint: None } if what.starts_with("virtual machine") => {
                let hint = self.likely_slip(&what);
                failure(vsphere::Error::NotFound { what, hint })
            }
            other => failure(other),
        })
    }

    /// Returns a hint at the usual mistake in arguments that lead to no virtual machine.
    fn likely_slip(&self, what: &str) -> Option<String> {
        if let Some(moid) = &self.moid {
            let kind = OTHER_IDS.iter().find(|(prefix, _)| moid.trim().starts_with(prefix)).map(|(_, kind)| kind)?;
            return Some(format!(
                "the id {moid} belongs to a {kind}; the id of a virtual machine looks like vm-63, or is a number on an ESXi host"
            ));
        }
        if self.uuid.is_some() && self.use_instance_uuid != Some(true) {
            return Some("if this is an instance UUID, set `use_instance_uuid: true`".to_owned());
        }
        let Some(folder) = &self.folder else {
            let searched = "check the name and `datacenter`: only this datacenter was searched";
            return self.datacenter.as_ref().map(|_| searched.to_owned());
        };
        if !what.starts_with("virtual machine folder") {
            return Some("check the name and `folder`: only this folder was searched, and none below it".to_owned());
        }
        let segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
        let whole = folder.starts_with('/') && !segments.contains(&"vm");
        let (datacenter, rest) = segments.split_first().filter(|_| whole)?;
        let path = std::iter::once("vm").chain(rest.iter().copied()).collect::<Vec<_>>().join("/");
        Some(format!("a full folder path has `vm` after the datacenter, such as /{datacenter}/{path}"))
    }

    /// Finds the virtual machine and reads all of `paths`, or fails.
    pub async fn read_all(
        &self,
        server: &Session,
        paths: &VmPaths<'_>,
        before: Option<&vsphere::Moref>,
    ) -> Result<FoundVm, Error> {
        let found = self.read(server, paths, before).await?;
        accessible(&found.vm)?;
        readable(&found.vm, paths.vm)?;
        Ok(found)
    }

    /// True if a virtual machine is named, for modules that need none.
    pub fn is_given(&self) -> bool {
        self.name.is_some() || self.uuid.is_some() || self.moid.is_some()
    }

    /// The datacenter as it was given, for modules that look for more in it than the virtual machine.
    pub fn datacenter(&self) -> Option<&str> {
        self.datacenter.as_deref()
    }

    /// The datacenter that the virtual machine was looked for in. One that was given beside a managed object id may be the
    /// default of every task, and the virtual machine somewhere else.
    pub fn home(&self) -> Option<&str> {
        self.datacenter().filter(|_| self.moid.is_none())
    }

    /// Names the virtual machine before it is found.
    pub fn label(&self) -> String {
        let named = self.name.as_deref().or(self.uuid.as_deref()).or(self.moid.as_deref()).unwrap_or_default();
        format!("virtual machine {named}")
    }
}

/// The virtual machine that was acted on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct VmReport {
    /// Its name.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
    /// Its instance UUID.
    pub instance_uuid: Option<String>,
    /// V(poweredOn), V(poweredOff) or V(suspended), as it was observed last.
    pub power_state: Option<String>,
}

impl VmReport {
    /// Names the virtual machine in messages.
    pub fn label(&self) -> String {
        format!("{} ({})", self.name, self.moid)
    }

    /// The properties that [`of`](Self::of) needs.
    pub const PATHS: [&str; 4] = ["name", "config.instanceUuid", "runtime.powerState", "runtime.connectionState"];

    /// From what was read of the virtual machine.
    pub fn of(vm: &Object) -> Self {
        Self {
            name: vm.name(),
            moid: vm.moref.id.clone(),
            instance_uuid: vm.text("config.instanceUuid").map(str::to_owned),
            power_state: vm.text("runtime.powerState").map(str::to_owned),
        }
    }
}

/// Fails for a virtual machine that vSphere itself cannot reach: its configuration cannot be read or written.
/// Needs the properties of [`VmReport::PATHS`].
pub fn accessible(vm: &Object) -> Result<(), Error> {
    match vm.text("runtime.connectionState") {
        None | Some("connected") => Ok(()),
        Some(state) => Err(Error::new(Kind::Conflict, format!("virtual machine {} is {state}", vm.name()))
            .hint("Reconnect its host or make its files reachable again, then run the task again.")),
    }
}

/// Fails for a property that this user may not read: treating it as unset would be wrong.
pub fn readable(object: &Object, paths: &[&str]) -> Result<(), Error> {
    for path in paths {
        if let Some(fault) = object.missing(path).filter(|fault| fault.is("NoPermission")) {
            let mut error = failure(vsphere::Error::Fault(fault.clone()));
            error.detail =
                format!("{path} of {} ({}) cannot be read: {}", object.name(), object.moref.id, error.detail);
            return Err(error);
        }
    }
    Ok(())
}

/// True for a template. Needs `config.template`.
pub fn is_template(vm: &Object) -> bool {
    vm.flag("config.template") == Some(true)
}
