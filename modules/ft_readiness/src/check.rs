//! What is said about one requirement.

use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::Remedy;

/// Which requirement. The names are kept from release to release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Id {
    /// The virtual machine is in a cluster.
    Cluster,
    /// vSphere HA of the cluster is on.
    HaEnabled,
    /// Host monitoring of vSphere HA is on.
    HostMonitoring,
    /// At least two hosts are in service.
    UsableHosts,
    /// The hosts have the engine.
    Engine,
    /// The vCenter Server can turn Fault Tolerance of this kind on.
    VcenterVersion,
    /// The hosts have the same version of Fault Tolerance.
    FtVersion,
    /// The hosts may run another virtual machine with Fault Tolerance.
    FtVmLimit,
    /// Two hosts meet everything at once, among them the one of a running virtual machine.
    HostPair,
    /// The host is on and connected.
    HostConnected,
    /// The host is not in maintenance mode.
    HostMaintenance,
    /// The host's agent of vSphere HA is healthy.
    HaAgent,
    /// A vmknic of the host carries vMotion.
    VmotionNic,
    /// A vmknic of the host carries Fault Tolerance logging.
    FtLoggingNic,
    /// The host can do Fault Tolerance.
    HostCapability,
    /// The host can record and replay.
    HostReplay,
    /// The virtual machine can be reached.
    VmAccessible,
    /// The virtual machine is no template.
    VmTemplate,
    /// The virtual machine is no secondary.
    VmRole,
    /// The virtual machine is in a state in which Fault Tolerance can be turned on.
    VmPower,
    /// The virtual machine waits for no answer.
    VmQuestion,
    /// The virtual machine has no snapshot.
    Snapshot,
    /// The virtual machine has few enough virtual CPUs.
    Vcpus,
    /// The virtual machine has little enough memory.
    Memory,
    /// The virtual hardware is new enough.
    HardwareVersion,
    /// The disks are eager-zeroed thick.
    DiskFormat,
    /// The disks are persistent.
    DiskMode,
    /// No disk is a physical raw device mapping.
    DiskRdm,
    /// The files of the virtual machine are on storage that several hosts have.
    SharedStorage,
    /// At least two hosts reach the datastores of the virtual machine.
    DatastoreAccess,
    /// At least two hosts reach the networks of the virtual machine.
    NetworkAccess,
    /// The virtual machine has no device that cannot be protected.
    Devices,
    /// The virtual machine has no 3D video.
    #[serde(rename = "video-3d")]
    Video3d,
    /// The virtual machine has no hardware virtualization of its own.
    NestedHv,
    /// The virtual machine has no virtualization-based security.
    Vbs,
    /// The firmware is one that the hosts support.
    Firmware,
    /// A nested virtual machine has the options for record and replay.
    ReplayOptions,
    /// vSphere itself finds nothing in the virtual machine.
    Compatibility,
}

impl Id {
    /// Whether this is about what single hosts lack. Two good ones are enough, and [`Id::HostPair`] says whether there are.
    pub fn is_of_hosts(self) -> bool {
        matches!(
            self,
            Self::Engine
                | Self::FtVersion
                | Self::HostConnected
                | Self::HostMaintenance
                | Self::HaAgent
                | Self::VmotionNic
                | Self::FtLoggingNic
                | Self::HostCapability
                | Self::HostReplay
        )
    }

    /// Whether nothing can be protected where this is unmet. Host monitoring is no condition of turning Fault Tolerance on:
    /// it is what a pair recovers by.
    pub fn is_decisive(self) -> bool {
        !self.is_of_hosts() && self != Self::HostMonitoring
    }
}

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is.
    Met,
    /// That cannot be told.
    Unknown,
    /// It is not.
    Unmet,
}

/// A managed object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Object {
    /// Its type in the API.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
}

impl Object {
    /// What it is called in a sentence.
    pub fn title(&self) -> String {
        let what = match self.kind.as_str() {
            "ClusterComputeResource" => "cluster",
            "HostSystem" => "host",
            "Datastore" => "datastore",
            _ => "virtual machine",
        };
        format!("{what} {}", self.name)
    }
}

/// One requirement of one object.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Check {
    /// Which requirement.
    pub id: Id,
    /// What is required, as a sentence.
    pub required: String,
    /// Of what.
    pub object: Object,
    /// What there is.
    pub observed: String,
    /// Whether that meets it.
    pub status: Status,
    /// Whether Fault Tolerance is out of reach where this is unmet. What single hosts lack is not decisive, since two good
    /// ones are enough: whether there are, says the check V(host-pair), which is. Nor is V(host-monitoring), without which
    /// Fault Tolerance can be turned on.
    pub decisive: bool,
    /// Why it is unmet or unknown; null if it is met.
    pub why: Option<String>,
    /// What to do about it; null if it is met, or nothing is known to help.
    pub remedy: Option<Remedy>,
}

impl Check {
    pub fn new(id: Id, required: impl Into<String>, object: &Object, verdict: Verdict) -> Self {
        let Verdict { observed, status, why, remedy } = verdict;
        let decisive = id.is_decisive();
        Self { id, required: required.into(), object: object.clone(), observed, status, decisive, why, remedy }
    }

    /// How it was judged.
    pub fn verdict(&self) -> Verdict {
        let Self { observed, status, why, remedy, .. } = self.clone();
        Verdict { observed, status, why, remedy }
    }

    /// Whether this alone keeps Fault Tolerance from being turned on.
    pub fn is_in_the_way(&self) -> bool {
        self.decisive && self.status == Status::Unmet
    }

    /// Whether this alone may keep Fault Tolerance from being turned on, which cannot be told.
    pub fn may_be_in_the_way(&self) -> bool {
        self.decisive && self.status == Status::Unknown
    }

    /// Takes in what somebody else holds against the same.
    pub fn object_to(&mut self, why: &str, remedy: Option<Remedy>) {
        self.why = match self.why.take() {
            Some(known) if self.status == Status::Unmet => Some(format!("{known}; {why}")),
            _ => Some(why.to_owned()),
        };
        self.status = Status::Unmet;
        self.remedy = self.remedy.take().or(remedy);
    }
}

/// How a requirement was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub observed: String,
    pub status: Status,
    pub why: Option<String>,
    pub remedy: Option<Remedy>,
}

impl Verdict {
    pub fn met(observed: impl Into<String>) -> Self {
        Self { observed: observed.into(), status: Status::Met, why: None, remedy: None }
    }

    pub fn unmet(observed: impl Into<String>, why: impl Into<String>) -> Self {
        Self { observed: observed.into(), status: Status::Unmet, why: Some(why.into()), remedy: None }
    }

    pub fn unknown(observed: impl Into<String>, why: impl Into<String>) -> Self {
        Self { observed: observed.into(), status: Status::Unknown, why: Some(why.into()), remedy: None }
    }

    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Something to be done by a person.
    pub fn by_hand(self, text: impl Into<String>) -> Self {
        self.remedy(Remedy::advice(text))
    }
}

/// Judges several things by one requirement: what is wrong with any is wrong with all. `fine` is what is observed where
/// nothing is.
pub fn all(fine: &str, each: impl IntoIterator<Item = Verdict>) -> Verdict {
    let mut verdicts: Vec<Verdict> = each.into_iter().filter(|verdict| verdict.status != Status::Met).collect();
    let Some(worst) = verdicts.iter().map(|verdict| verdict.status).max() else { return Verdict::met(fine) };
    verdicts.retain(|verdict| verdict.status == worst);
    let join = |part: fn(&Verdict) -> Option<&str>| {
        let mut parts: Vec<&str> = Vec::new();
        for part in verdicts.iter().filter_map(part) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.join("; ")
    };
    Verdict {
        observed: join(|verdict| Some(&verdict.observed)),
        status: worst,
        why: Some(join(|verdict| verdict.why.as_deref())),
        remedy: verdicts.iter().find_map(|verdict| verdict.remedy.clone()),
    }
}
