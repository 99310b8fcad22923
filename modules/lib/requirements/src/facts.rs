//! The facts about a cluster, its hosts and a virtual machine that the requirements are judged by.

use vsphere::{Fault, FtEngine, FtInfo, NicService, Version};

use crate::check::Subject;
use crate::fact::Fact;
use crate::listed_vm::ListedVm;
use crate::path::Probe;

/// All facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Version of the vCenter Server.
    pub server: Version,
    /// The datacenter of the cluster, for the arguments of remedies; `None` if it cannot be read.
    pub datacenter: Option<String>,
    /// Where the virtual machine is, or the cluster that was asked about.
    pub place: Place,
    /// The hosts of the cluster, or the one that runs the virtual machine where there is no cluster.
    pub hosts: Vec<Host>,
    /// The virtual machine, if one was asked about.
    pub vm: Option<Vm>,
    /// The datastores of the virtual machine.
    pub datastores: Vec<Datastore>,
    /// Managed object ids and names of the networks of the virtual machine.
    pub networks: Vec<(String, String)>,
    /// The virtual machines on the hosts.
    pub vms: Vec<ListedVm>,
    /// The pings between the hosts, if the network was probed.
    pub probe: Option<Probe>,
}

/// Where the virtual machine is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// In this cluster.
    Cluster(Box<Cluster>),
    /// On a host that is in no cluster.
    Standalone,
    /// The cluster could not be read, for this reason.
    Hidden(String),
}

/// A cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its identity.
    pub subject: Subject,
    /// `dasConfig.enabled`.
    pub ha: Fact<bool>,
    /// `dasConfig.admissionControlEnabled`.
    pub admission_control: Fact<bool>,
    /// `dasConfig.hostMonitoring`: `enabled` or `disabled`.
    pub host_monitoring: Fact<String>,
    /// `dasConfig.option`: the advanced options of vSphere HA.
    pub options: Fact<Vec<(String, String)>>,
    /// `dasVmConfig`: managed object ids of the virtual machines that vSphere HA is off for by an override.
    pub ha_off: Fact<Vec<String>>,
    /// `drsConfig` and `drsVmConfig`.
    pub drs: Fact<Drs>,
    /// Set if an EVC mode is in effect (`summary.currentEVCModeKey`).
    pub evc: Fact<()>,
}

/// DRS of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drs {
    /// `enabled`.
    pub on: bool,
    /// `defaultVmBehavior`: `manual`, `partiallyAutomated` or `fullyAutomated`.
    pub level: Option<String>,
    /// The overrides in effect: managed object ids of virtual machines with their level, or none if DRS leaves them alone.
    pub overrides: Vec<(String, Option<String>)>,
}

/// A host.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Its identity.
    pub subject: Subject,
    /// `runtime.connectionState`.
    pub connection: Fact<String>,
    /// `runtime.inMaintenanceMode`.
    pub maintenance: Fact<bool>,
    /// `runtime.powerState`. A host in standby may still be connected.
    pub power: Fact<String>,
    /// `runtime.dasHostState.state`, since 5.0.
    pub agent: Fact<String>,
    /// The host is itself a virtual machine.
    pub nested: bool,
    /// `summary.config.product.version`.
    pub version: Fact<Version>,
    /// `summary.config.product.build`.
    pub build: Fact<String>,
    /// The version of the feature `faultTolerance` (`HostFeatureVersionInfo`), since 4.1.
    pub ft_version: Fact<String>,
    /// `summary.config.vmotionEnabled`.
    pub vmotion: Fact<bool>,
    /// `summary.config.faultToleranceEnabled`.
    pub ft_logging: Fact<bool>,
    /// The services that its vmknics carry, and could carry.
    pub services: Fact<Vec<NicService>>,
    /// The link speeds of the uplinks that Fault Tolerance logging uses, in Mb/s; 0 for an uplink without a link.
    pub ft_uplinks: Fact<Vec<i64>>,
    /// `summary.hardware.memorySize`, in MB.
    pub memory_mb: Fact<i64>,
    /// `summary.quickStats.overallMemoryUsage`, in MB.
    pub used_mb: Fact<i64>,
    /// The memory that its running virtual machines have reserved, without the one that was asked about, in MB.
    pub reserved_mb: Fact<i64>,
    /// Its capabilities.
    pub capability: Capability,
    /// Managed object ids of the datastores that it has mounted.
    pub datastores: Fact<Vec<String>>,
    /// Managed object ids of the networks that it has.
    pub networks: Fact<Vec<String>>,
}

/// The capabilities that a host reports (`HostCapability`).
#[derive(Debug, Clone, PartialEq)]
pub struct Capability {
    /// Record/replay Fault Tolerance: `ftSupported`.
    pub legacy: Support,
    /// Record/replay itself: `recordReplaySupported`.
    pub replay: Support,
    /// SMP-FT: `smpFtSupported`, since 6.0.
    pub smp: Support,
    /// `maxVcpusPerFtVm`.
    pub max_vcpus: Fact<i64>,
    /// `maxMemMBPerFtVm`.
    pub max_memory_mb: Fact<i64>,
    /// `ftEfiSupported`.
    pub efi: Fact<bool>,
}

/// A capability, and the reasons against it.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    /// The host has the capability.
    pub supported: Fact<bool>,
    /// The names of the reasons in the API, an open set. A server leaves an empty list out.
    pub issues: Fact<Vec<String>>,
}

impl Capability {
    /// Returns the support for the engine.
    pub fn of(&self, engine: FtEngine) -> &Support {
        match engine {
            FtEngine::Legacy => &self.legacy,
            FtEngine::Smp => &self.smp,
        }
    }
}

impl Support {
    /// Returns the known reasons against the capability.
    pub fn issues(&self) -> &[String] {
        self.issues.known().map(Vec::as_slice).unwrap_or_default()
    }
}

/// A virtual machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Vm {
    /// Its identity.
    pub subject: Subject,
    /// Managed object id of its host.
    pub host: Option<String>,
    /// `runtime.connectionState`.
    pub connection: Fact<String>,
    /// `runtime.powerState`.
    pub power: Fact<String>,
    /// The text of `runtime.question`.
    pub question: Fact<String>,
    /// `config.template`.
    pub template: Fact<bool>,
    /// `runtime.faultToleranceState`.
    pub ft_state: Fact<String>,
    /// `config.ftInfo`.
    pub ft: Fact<FtInfo>,
    /// `config.flags.faultToleranceType`, since 6.0: the engine of its configured Fault Tolerance.
    pub ft_type: Fact<String>,
    /// Set if the virtual machine has a snapshot.
    pub snapshot: Fact<()>,
    /// `config.hardware.numCPU`.
    pub cpus: Fact<i64>,
    /// `config.hardware.memoryMB`.
    pub memory_mb: Fact<i64>,
    /// `config.memoryAllocation.reservation`, in MB.
    pub reserved_mb: Fact<i64>,
    /// `summary.quickStats.hostMemoryUsage`: the memory that it uses on its host, in MB.
    pub used_mb: Fact<i64>,
    /// `runtime.memory.unreservedForVm` of its resource pool, in MB.
    pub pool_mb: Fact<i64>,
    /// Set if it has World Wide Names for N-Port ID Virtualization (`config.npivNodeWorldWideName`).
    pub npiv: Fact<()>,
    /// `config.version`, such as `vmx-08`.
    pub hardware: Fact<String>,
    /// `config.hardware.device`.
    pub devices: Fact<Vec<Device>>,
    /// `config.nestedHVEnabled`, since 5.1.
    pub nested_hv: Fact<bool>,
    /// `config.flags.vbsEnabled`, since 6.7.
    pub vbs: Fact<bool>,
    /// `config.firmware`, since 5.0: `bios` or `efi`.
    pub firmware: Fact<String>,
    /// `config.extraConfig`, each option once.
    pub options: Fact<Vec<(String, String)>>,
    /// `config.files.vmPathName`: `[datastore] folder/file.vmx`.
    pub vmx: Fact<String>,
    /// `config.files.ftMetadataDirectory`, since 6.0: holds the files by which primary and secondary agree which one
    /// continues.
    pub metadata: Fact<String>,
    /// Managed object ids of its datastores.
    pub datastores: Fact<Vec<String>>,
    /// Managed object ids of its networks.
    pub networks: Fact<Vec<String>>,
    /// The faults that `QueryFaultToleranceCompatibility` reports.
    pub compatibility: Fact<Vec<Fault>>,
}

/// A virtual device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// Its type in the API, such as `VirtualDisk`.
    pub kind: String,
    /// Its label in the vSphere Client, such as `Hard disk 1`.
    pub label: String,
    /// The type of its backing, such as `VirtualDiskFlatVer2BackingInfo`.
    pub backing: String,
    /// `thinProvisioned` of a disk.
    pub thin: Option<bool>,
    /// `eagerlyScrub` of a disk.
    pub eagerly_scrubbed: Option<bool>,
    /// `diskMode` of a disk.
    pub mode: Option<String>,
    /// `physicalMode` or `virtualMode` of a raw device mapping.
    pub compatibility_mode: Option<String>,
    /// `enable3DSupport` of a video card.
    pub video_3d: Option<bool>,
    /// `capacityInKB` of a disk.
    pub size_kb: Option<i64>,
    /// Managed object id of the datastore of its file.
    pub store: Option<String>,
    /// The path of its file: `[datastore] folder/file`.
    pub file: Option<String>,
    /// A disk continues another disk (`parent`): a snapshot's, or that of a linked clone.
    pub has_parent: bool,
    /// `nativeUnmanagedLinkedClone` of a disk, since 6.7.
    pub native_clone: bool,
    /// `iofilter` of a disk, since 6.0: the ids of its I/O filters.
    pub filters: Vec<String>,
    /// `connectable.connected`.
    pub connected: Option<bool>,
}

/// A datastore.
#[derive(Debug, Clone, PartialEq)]
pub struct Datastore {
    /// Its identity.
    pub subject: Subject,
    /// `summary.accessible`.
    pub accessible: Fact<bool>,
    /// `summary.multipleHostAccess`: several hosts have it mounted.
    pub shared: Fact<bool>,
    /// `summary.type`, such as `VMFS`, `NFS`, `vsan` or `VVOL`.
    pub kind: Fact<String>,
}

impl Facts {
    /// Returns the host that the virtual machine is on.
    pub fn home(&self) -> Option<&Host> {
        let moid = self.vm.as_ref()?.host.as_ref()?;
        self.hosts.iter().find(|host| host.subject.moid == *moid)
    }

    /// Returns the hosts that may take part: all but those that are certainly out of service.
    pub fn candidates(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.out_of_service().is_none())
    }

    /// Returns the name of the datastore or network with this id; the id itself if the name was not read.
    pub fn name_of(&self, moid: &str) -> String {
        let datastores = self.datastores.iter().map(|it| (&it.subject.moid, &it.subject.name));
        let networks = self.networks.iter().map(|(moid, name)| (moid, name));
        let mut all = datastores.chain(networks);
        all.find(|(own, _)| *own == moid).map_or(moid, |(_, name)| name).to_owned()
    }
}

impl Host {
    /// Returns the power state, if the host is in standby or off.
    pub fn off(&self) -> Option<&str> {
        self.power.known().map(String::as_str).filter(|power| ["standBy", "poweredOff"].contains(power))
    }

    /// Returns why the host certainly runs no virtual machine; `None` if it may run some.
    pub fn out_of_service(&self) -> Option<String> {
        match (self.connection.known(), self.off()) {
            (Some(state), _) if state != "connected" => Some(state.clone()),
            (_, Some(state)) => Some(state.to_owned()),
            _ if self.maintenance == Fact::Known(true) => Some("in maintenance mode".to_owned()),
            _ => None,
        }
    }

    /// True if the host reports that it is connected and not in maintenance mode, and does not report that it is off.
    pub fn is_in_service(&self) -> bool {
        self.out_of_service().is_none() && self.connection.known().is_some() && self.maintenance.known().is_some()
    }
}

impl Vm {
    /// True if it is powered on.
    pub fn is_on(&self) -> bool {
        self.power.known().is_some_and(|power| power == "poweredOn")
    }

    /// True if it is powered off.
    pub fn is_off(&self) -> bool {
        self.power.known().is_some_and(|power| power == "poweredOff")
    }

    /// True if its Fault Tolerance is configured.
    pub fn has_ft(&self) -> bool {
        self.ft_state.known().is_some_and(|state| state != "notConfigured") || self.ft.known().is_some()
    }

    /// Returns the engine of its Fault Tolerance. The server reports it only while Fault Tolerance is configured.
    pub fn engine(&self) -> Option<FtEngine> {
        match self.ft_type.known()?.as_str() {
            "recordReplay" => Some(FtEngine::Legacy),
            "checkpointing" => Some(FtEngine::Smp),
            _ => None,
        }
    }

    /// True if its Fault Tolerance is configured, and not for the other engine.
    pub fn has_ft_of(&self, engine: FtEngine) -> bool {
        self.has_ft() && self.engine().is_none_or(|own| own == engine)
    }

    /// Returns the value of a VMX option. The case of the name does not matter.
    pub fn option(&self, key: &str) -> Option<&str> {
        let options = self.options.known()?;
        options.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }
}
