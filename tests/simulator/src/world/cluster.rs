//! Clusters: vSphere HA with its agents, DRS, and both as properties.

use crate::value::{Data, Ref, Value};

use super::World;
use super::entity::Host;

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Whether it is a cluster rather than one host's compute resource.
    pub real: bool,
    /// vSphere HA.
    pub ha: Ha,
    /// `drsConfig.enabled`.
    pub drs: bool,
    /// Whether DRS leaves every decision to people.
    pub drs_manual: bool,
    /// Its resource pool.
    pub pool: String,
}

/// vSphere HA of a cluster (`ClusterDasConfigInfo`).
#[derive(Clone, Debug)]
pub struct Ha {
    /// `enabled`.
    pub on: bool,
    /// Whether `enabled` is left out of what the cluster tells, as it may be.
    pub untold: bool,
    /// `hostMonitoring`, `enabled` or `disabled`.
    pub monitoring: String,
    /// `admissionControlEnabled`.
    pub admission: bool,
    /// `option`, the `das.` settings.
    pub options: Vec<(String, String)>,
    /// The election that the agents, just installed, are busy with: a number of its own.
    pub election: Option<u64>,
}

impl Ha {
    /// HA as it is where nothing was said about it, on or off.
    pub fn new(on: bool) -> Self {
        Self { on, untold: false, monitoring: "enabled".into(), admission: true, options: Vec::new(), election: None }
    }

    fn config(&self) -> Data {
        let options = self.options.iter();
        let options = options.map(|(key, value)| Data::new("OptionValue").with("key", key).with("value", value).into());
        Data::new("ClusterDasConfigInfo")
            .opt("enabled", (!self.untold).then_some(self.on))
            .with("vmMonitoring", "vmMonitoringDisabled")
            .with("hostMonitoring", &self.monitoring)
            .with("failoverLevel", 1)
            .with("admissionControlEnabled", self.admission)
            .list("option", "OptionValue", options.collect())
    }
}

impl Cluster {
    fn drs_config(&self) -> Data {
        let behaviour = if self.drs_manual { "manual" } else { "fullyAutomated" };
        Data::new("ClusterDrsConfigInfo")
            .with("enabled", self.drs)
            .with("defaultVmBehavior", Value::Enum("DrsBehavior", behaviour.into()))
            .with("vmotionRate", 3)
    }
}

impl World {
    /// The word for a host's HA agent (`ClusterDasFdmAvailabilityState`); nothing where HA is off.
    pub fn agent_state(&self, moid: &str, host: &Host) -> Option<String> {
        let ha = &self.cluster_of(moid)?.ha;
        if !ha.on {
            return None;
        }
        if let Some(agent) = &host.agent {
            return Some(agent.clone()).filter(|agent| !agent.is_empty());
        }
        if ha.election.is_some() {
            return Some("election".into());
        }
        let cluster = self.entities.get(moid)?.parent.as_deref()?;
        let able = |other: &str| self.host(other).is_some_and(|host| host.agent.is_none());
        // The first able host of the cluster is the master.
        let first = self.members(cluster).find(|other| able(other)).is_some_and(|other| other == moid);
        Some(if first { "master" } else { "connectedToMaster" }.into())
    }

    /// A property of a cluster.
    pub(super) fn cluster_property(&self, moid: &str, cluster: &Cluster, name: &str) -> Option<Value> {
        Some(match name {
            "host" => Value::refs(self.children(moid).into_iter().filter(|child| child.kind == "HostSystem")),
            "resourcePool" => Ref::new("ResourcePool", &cluster.pool).into(),
            "datastore" => self.all("Datastore"),
            "network" => self.all("Network"),
            "environmentBrowser" => Ref::new("EnvironmentBrowser", &format!("envbrowser-{moid}")).into(),
            "summary" => {
                let hosts = i16::try_from(self.moids("HostSystem").count()).unwrap_or(i16::MAX);
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
                .with("vmSwapPlacement", "vmDirectory")
                .with("dasConfig", cluster.ha.config())
                .with("drsConfig", cluster.drs_config())
                .into(),
            "configurationEx" => Data::new("ComputeResourceConfigInfo").with("vmSwapPlacement", "vmDirectory").into(),
            "configuration" if cluster.real => Data::new("ClusterConfigInfo")
                .with("dasConfig", cluster.ha.config())
                .with("drsConfig", cluster.drs_config())
                .into(),
            _ => return None,
        })
    }
}
