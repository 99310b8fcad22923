//! Clusters with vSphere HA and DRS.

use crate::value::{Data, Value};

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

    /// `ClusterDasConfigInfo`.
    pub fn config(&self) -> Data {
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
    /// `ClusterDrsConfigInfo`.
    pub fn drs_config(&self) -> Data {
        let behaviour = if self.drs_manual { "manual" } else { "fullyAutomated" };
        Data::new("ClusterDrsConfigInfo")
            .with("enabled", self.drs)
            .with("defaultVmBehavior", Value::Enum("DrsBehavior", behaviour.into()))
            .with("vmotionRate", 3)
    }
}
