//! What was read of a cluster, its hosts and a virtual machine, before anybody judges it.

use vsphere::{Fault, FtEngine, FtInfo, NicService, Version};
use vsphere_module::VmReport;

use crate::check::Object;
use crate::vms::ListedVm;

pub use crate::fact::Fact;

/// Everything that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Version of the vCenter Server.
    pub server: Version,
    /// The datacenter that the caller named and the cluster was found in, for the arguments of remedies.
    pub datacenter: Option<String>,
    pub place: Place,
    /// The hosts of the cluster, or the one that runs the virtual machine where there is no cluster.
    pub hosts: Vec<Host>,
    pub vm: Option<Vm>,
    /// What the virtual machine lies on.
    pub datastores: Vec<Datastore>,
    /// Managed object ids and names of what the virtual machine is connected to.
    pub networks: Vec<(String, String)>,
    /// The virtual machines of the hosts.
    pub vms: Vec<ListedVm>,
}

/// Where the virtual machine is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Cluster(Cluster),
    /// On a host of its own.
    Standalone,
    /// That could not be read, and why.
    Hidden(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    pub object: Object,
    /// `dasConfig.enabled`.
    pub ha: Fact<bool>,
    /// `dasConfig.admissionControlEnabled`.
    pub admission_control: Fact<bool>,
    /// `dasConfig.hostMonitoring`: `enabled` or `disabled`.
    pub host_monitoring: Fact<String>,
    /// `dasConfig.option`: the advanced options of vSphere HA.
    pub options: Fact<Vec<(String, String)>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    pub object: Object,
    /// `runtime.connectionState`.
    pub connection: Fact<String>,
    pub maintenance: Fact<bool>,
    /// `runtime.powerState`: in standby a host may well be connected.
    pub power: Fact<String>,
    /// `runtime.dasHostState.state`, since 5.0.
    pub agent: Fact<String>,
    /// The host's hardware is VMware's: it is itself a virtual machine.
    pub nested: bool,
    pub version: Fact<Version>,
    pub build: Fact<String>,
    /// The version of the feature `faultTolerance` (`HostFeatureVersionInfo`), since 4.1.
    pub ft_version: Fact<String>,
    /// `summary.config.vmotionEnabled`.
    pub vmotion: Fact<bool>,
    /// `summary.config.faultToleranceEnabled`.
    pub ft_logging: Fact<bool>,
    /// What services its vmknics carry, and could.
    pub services: Fact<Vec<NicService>>,
    pub capability: Capability,
    /// Managed object ids of what it has mounted, and of what its port groups are.
    pub datastores: Fact<Vec<String>>,
    pub networks: Fact<Vec<String>>,
}

/// What a host says that it can do (`HostCapability`).
#[derive(Debug, Clone, PartialEq)]
pub struct Capability {
    /// Record/replay Fault Tolerance: `ftSupported`.
    pub legacy: Support,
    /// Record/replay itself: `recordReplaySupported`.
    pub replay: Support,
    /// SMP-FT: `smpFtSupported`, since 6.0.
    pub smp: Support,
    pub max_vcpus: Fact<i64>,
    pub max_memory_mb: Fact<i64>,
    pub efi: Fact<bool>,
}

/// A capability and what is in its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    pub supported: Fact<bool>,
    /// Reasons by their names in the API, an open set. A server writes an empty list as nothing at all.
    pub issues: Fact<Vec<String>>,
}

impl Support {
    pub fn issues(&self) -> &[String] {
        self.issues.known().map(Vec::as_slice).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Vm {
    pub report: VmReport,
    pub object: Object,
    /// Managed object id of its host.
    pub host: Option<String>,
    pub connection: Fact<String>,
    pub power: Fact<String>,
    pub question: Fact<String>,
    pub template: Fact<bool>,
    pub ft_state: Fact<String>,
    pub ft: Fact<FtInfo>,
    /// `config.flags.faultToleranceType`, since 6.0: the engine of the Fault Tolerance that is configured.
    pub ft_type: Fact<String>,
    /// Set if there is a snapshot.
    pub snapshot: Fact<()>,
    pub cpus: Fact<i64>,
    pub memory_mb: Fact<i64>,
    /// `vmx-08`.
    pub hardware: Fact<String>,
    pub devices: Fact<Vec<Device>>,
    /// Since 5.1.
    pub nested_hv: Fact<bool>,
    /// Since 6.7.
    pub vbs: Fact<bool>,
    /// `bios` or `efi`, since 5.0.
    pub firmware: Fact<String>,
    /// `config.extraConfig`.
    pub options: Fact<Vec<(String, String)>>,
    /// `[datastore] folder/file.vmx`.
    pub vmx: Fact<String>,
    /// `config.files.ftMetadataDirectory`, since 6.0: where primary and secondary settle who of them goes on.
    pub metadata: Fact<String>,
    /// Managed object ids.
    pub datastores: Fact<Vec<String>>,
    pub networks: Fact<Vec<String>>,
    /// What `QueryFaultToleranceCompatibility` holds against it.
    pub compatibility: Fact<Vec<Fault>>,
}

/// A virtual device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Its type in the API, e.g. `VirtualDisk`.
    pub kind: String,
    /// What the client calls it, e.g. `Hard disk 1`.
    pub label: String,
    /// The type of its backing, e.g. `VirtualDiskFlatVer2BackingInfo`.
    pub backing: String,
    /// Managed object id of the datastore of a disk.
    pub datastore: Option<String>,
    pub thin: Option<bool>,
    pub eagerly_scrubbed: Option<bool>,
    pub mode: Option<String>,
    /// `physicalMode` or `virtualMode` of a raw device mapping.
    pub compatibility_mode: Option<String>,
    /// 3D of a video card.
    pub video_3d: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Datastore {
    pub object: Object,
    pub accessible: Fact<bool>,
    /// Several hosts have it mounted: `summary.multipleHostAccess`.
    pub shared: Fact<bool>,
}

impl Facts {
    /// The host that the virtual machine is on.
    pub fn home(&self) -> Option<&Host> {
        let moid = self.vm.as_ref()?.host.as_ref()?;
        self.hosts.iter().find(|host| host.object.moid == *moid)
    }

    /// The hosts that may take part: all but those that are certainly out of service.
    pub fn candidates(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.out_of_service().is_none())
    }

    /// The name of the object with this id, where it was read.
    pub fn name_of(&self, moid: &str) -> String {
        let datastores = self.datastores.iter().map(|it| (&it.object.moid, &it.object.name));
        let networks = self.networks.iter().map(|(moid, name)| (moid, name));
        let mut all = datastores.chain(networks);
        all.find(|(own, _)| *own == moid).map_or(moid, |(_, name)| name).to_owned()
    }
}

impl Host {
    /// The word for it, if it is in standby or off.
    pub fn off(&self) -> Option<&str> {
        self.power.known().map(String::as_str).filter(|power| ["standBy", "poweredOff"].contains(power))
    }

    /// Why it certainly runs no virtual machine, if that is so.
    pub fn out_of_service(&self) -> Option<String> {
        match (self.connection.known(), self.off()) {
            (Some(state), _) if state != "connected" => Some(state.clone()),
            (_, Some(state)) => Some(state.to_owned()),
            _ if self.maintenance == Fact::Known(true) => Some("in maintenance mode".to_owned()),
            _ => None,
        }
    }

    /// Connected, on and not in maintenance mode, as far as that is told.
    pub fn is_in_service(&self) -> bool {
        self.out_of_service().is_none() && self.connection.known().is_some() && self.maintenance.known().is_some()
    }
}

impl Vm {
    pub fn is_on(&self) -> bool {
        self.power.known().is_some_and(|power| power == "poweredOn")
    }

    pub fn is_off(&self) -> bool {
        self.power.known().is_some_and(|power| power == "poweredOff")
    }

    /// Its Fault Tolerance is configured already.
    pub fn has_ft(&self) -> bool {
        self.ft_state.known().is_some_and(|state| state != "notConfigured") || self.ft.known().is_some()
    }

    /// The engine of its Fault Tolerance, where the server tells: it does while that is configured.
    pub fn engine(&self) -> Option<FtEngine> {
        match self.ft_type.known()?.as_str() {
            "recordReplay" => Some(FtEngine::Legacy),
            "checkpointing" => Some(FtEngine::Smp),
            _ => None,
        }
    }

    /// Its Fault Tolerance is configured already, and not that of the other engine.
    pub fn has_ft_of(&self, engine: FtEngine) -> bool {
        self.has_ft() && self.engine().is_none_or(|own| own == engine)
    }

    /// The value of a VMX option, whose name has no case.
    pub fn option(&self, key: &str) -> Option<&str> {
        let options = self.options.known()?;
        options.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }
}
