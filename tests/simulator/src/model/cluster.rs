//! Clusters with vSphere HA and DRS.

use std::collections::BTreeMap;

use crate::value::{Data, Ref, Value};

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// True for a cluster, false for the compute resource of a single host.
    pub real: bool,
    /// vSphere HA.
    pub ha: Ha,
    /// DRS.
    pub drs: Drs,
    /// Its resource pool.
    pub pool: String,
    /// The memory that the pool can still reserve, in MB, unless it is what the hosts have.
    pub pool_memory: Option<i32>,
}

/// vSphere HA of a cluster (`ClusterDasConfigInfo`).
#[derive(Clone, Debug)]
pub struct Ha {
    /// `enabled`.
    pub on: bool,
    /// True if the cluster does not report `enabled`, which is an optional field.
    pub untold: bool,
    /// `hostMonitoring`, `enabled` or `disabled`.
    pub monitoring: String,
    /// `admissionControlEnabled`.
    pub admission: bool,
    /// `option`, the `das.` settings.
    pub options: Vec<(String, String)>,
    /// The restart priorities of VMs that override the cluster's (`ClusterDasVmConfigInfo`), by moid.
    pub overrides: BTreeMap<String, String>,
    /// The number of the election that the newly installed agents hold.
    pub election: Option<u64>,
}

impl Ha {
    /// HA with default settings, on or off.
    pub fn new(on: bool) -> Self {
        Self {
            on,
            untold: false,
            monitoring: "enabled".into(),
            admission: true,
            options: Vec::new(),
            overrides: BTreeMap::new(),
            election: None,
        }
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

impl Ha {
    /// `ClusterDasVmConfigInfo` of every VM with an override.
    pub fn vm_configs(&self) -> Vec<Value> {
        let one = |(vm, priority): (&String, &String)| {
            Data::new("ClusterDasVmConfigInfo")
                .with("key", Ref::new("VirtualMachine", vm))
                .with("dasSettings", Data::new("ClusterDasVmSettings").with("restartPriority", priority))
                .into()
        };
        self.overrides.iter().map(one).collect()
    }
}

/// DRS of a cluster (`ClusterDrsConfigInfo`).
#[derive(Clone, Debug)]
pub struct Drs {
    /// `enabled`.
    pub on: bool,
    /// `defaultVmBehavior`.
    pub level: String,
    /// The levels of VMs that override the cluster's (`ClusterDrsVmConfigInfo`), by moid.
    pub overrides: BTreeMap<String, String>,
    /// True if an EVC mode is in effect.
    pub evc: bool,
}

impl Drs {
    /// DRS that is fully automated, on or off.
    pub fn new(on: bool) -> Self {
        Self { on, level: "fullyAutomated".into(), overrides: BTreeMap::new(), evc: false }
    }

    /// True if a secondary of this VM starts only after a person has applied a recommendation. Without EVC, vSphere places
    /// secondaries itself.
    pub fn waits(&self, vm: &str) -> bool {
        self.on && self.evc && self.overrides.get(vm).unwrap_or(&self.level) == "manual"
    }

    /// `ClusterDrsConfigInfo`.
    pub fn config(&self) -> Data {
        Data::new("ClusterDrsConfigInfo")
            .with("enabled", self.on)
            .with("defaultVmBehavior", Value::Enum("DrsBehavior", self.level.clone()))
            .with("vmotionRate", 3)
    }

    /// `ClusterDrsVmConfigInfo` of every VM with an override.
    pub fn vm_configs(&self) -> Vec<Value> {
        let one = |(vm, level): (&String, &String)| {
            Data::new("ClusterDrsVmConfigInfo")
                .with("key", Ref::new("VirtualMachine", vm))
                .with("behavior", Value::Enum("DrsBehavior", level.clone()))
                .into()
        };
        self.overrides.iter().map(one).collect()
    }
}
