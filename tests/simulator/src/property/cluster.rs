//! Properties of clusters, and the state of the hosts' HA agents.

use crate::model::cluster::Cluster;
use crate::model::host::Host;
use crate::value::{Data, Ref, Value};
use crate::world::World;

impl World {
    /// The state of a host's HA agent (`ClusterDasFdmAvailabilityState`); `None` while HA is off.
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
        // The first host with a healthy agent is the master.
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
                    .opt("currentEVCModeKey", cluster.drs.evc.then_some("intel-merom"))
                    .into()
            }
            "configurationEx" if cluster.real => Data::new("ClusterConfigInfoEx")
                .with("vmSwapPlacement", "vmDirectory")
                .with("dasConfig", cluster.ha.config())
                .list("dasVmConfig", "ClusterDasVmConfigInfo", cluster.ha.vm_configs())
                .with("drsConfig", cluster.drs.config())
                .list("drsVmConfig", "ClusterDrsVmConfigInfo", cluster.drs.vm_configs())
                .into(),
            "configurationEx" => Data::new("ComputeResourceConfigInfo").with("vmSwapPlacement", "vmDirectory").into(),
            "configuration" if cluster.real => Data::new("ClusterConfigInfo")
                .with("dasConfig", cluster.ha.config())
                .list("dasVmConfig", "ClusterDasVmConfigInfo", cluster.ha.vm_configs())
                .with("drsConfig", cluster.drs.config())
                .list("drsVmConfig", "ClusterDrsVmConfigInfo", cluster.drs.vm_configs())
                .into(),
            _ => return None,
        })
    }
}
