//! The arguments.

use contract::{Arguments, Rule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vsphere_module::{Connection, HostTarget};

/// The module.
pub struct VmkernelService;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Connection,
    #[serde(flatten)]
    pub target: HostTarget,
    #[serde(flatten)]
    pub wish: Wish,
    /// Seconds after which the run gives up waiting for vSphere.
    #[serde(default = "vsphere_module::five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

/// The arguments that decisions depend on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Wish {
    /// The vmknic by its device, such as V(vmk1), on every host. Without O(device) and O(portgroup), it is the vmknic that
    /// carries the services already, else the only one that may carry one of them. If several may, the run fails and lists
    /// them with their port groups and addresses. O(state=absent) needs one of the two.
    #[schemars(length(min = 1))]
    pub device: Option<String>,
    /// The vmknic by its port group, whatever its device is on each host: the name of a standard switch's port group, or
    /// the key of a distributed one (V(dvportgroup-12)).
    #[schemars(length(min = 1))]
    pub portgroup: Option<String>,
    /// The services that the vmknic carries, or does not with O(state=absent). Its other services stay as they are.
    #[schemars(length(min = 1))]
    pub services: Vec<Service>,
    /// The wanted state.
    #[serde(default)]
    pub state: State,
}

impl Wish {
    /// The names of the services in the API, each once.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for service in &self.services {
            if !names.contains(&service.name()) {
                names.push(service.name());
            }
        }
        names
    }
}

/// A service that Fault Tolerance needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// vMotion, by which the secondary gets its memory too. Several vmknics of a host may carry it where its release
    /// allows that.
    Vmotion,
    /// Fault Tolerance logging. Several vmknics of a host may carry it where its release allows that; elsewhere the one that
    /// carried it loses it.
    FaultToleranceLogging,
}

impl Service {
    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vmotion => "vmotion",
            Self::FaultToleranceLogging => "faultToleranceLogging",
        }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The vmknic carries the services.
    #[default]
    Present,
    /// The vmknic does not carry them.
    Absent,
}

impl Arguments for Args {
    const RULES: &'static [Rule] = &[
        vsphere_module::ONE_KIND_OF_HOST,
        Rule::AtMostOne(&["device", "portgroup"]),
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
    ];

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn check(&self) -> Vec<String> {
        let mut problems = self.connection.problems();
        problems.extend(self.target.problems());
        if self.wish.services.is_empty() {
            problems.push("`services`: give at least one service".to_owned());
        }
        // Once no vmknic carries the services, nothing says which one was meant.
        if self.wish.state == State::Absent && self.wish.device.is_none() && self.wish.portgroup.is_none() {
            problems.push("`state: absent` needs `device` or `portgroup`".to_owned());
        }
        problems
    }
}
