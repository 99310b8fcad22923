//! One requirement of one object, judged.

use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::Remedy;

use crate::finding::{Finding, Status};
use crate::requirement::Requirement;

/// The managed object that a requirement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subject {
    /// Its type in the API.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its managed object id.
    pub moid: String,
}

impl Subject {
    /// Its kind and name, for a sentence.
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
    /// Which requirement. The ids stay the same from release to release.
    pub id: Requirement,
    /// The requirement, as a sentence.
    pub required: String,
    /// The object that has to meet it.
    pub object: Subject,
    /// The state that was found.
    pub observed: String,
    /// Whether that meets it.
    pub status: Status,
    /// True if Fault Tolerance cannot be turned on while this is unmet. A requirement of single hosts is not decisive,
    /// because two good hosts are enough: V(host-pair), which is decisive, says whether there are two. Advice, such
    /// as V(third-host), is not decisive either: Fault Tolerance can be turned on without it.
    pub decisive: bool,
    /// Why it is unmet or unknown; null if it is met.
    pub why: Option<String>,
    /// The remedy; null if the requirement is met, or if no remedy is known.
    pub remedy: Option<Remedy>,
}

impl Check {
    /// Reports `finding` about `object`.
    pub fn new(requirement: Requirement, object: &Subject, finding: Finding) -> Self {
        Self::worded(requirement, requirement.text, object, finding)
    }

    /// Reports `finding` about `object`, with a wording of the requirement that fits the engine or the version.
    pub fn worded(id: Requirement, required: impl Into<String>, object: &Subject, finding: Finding) -> Self {
        let Finding { observed, status, why, remedy } = finding;
        let decisive = id.is_decisive();
        Self { id, required: required.into(), object: object.clone(), observed, status, decisive, why, remedy }
    }

    /// Returns the finding that this check reports.
    pub fn finding(&self) -> Finding {
        let Self { observed, status, why, remedy, .. } = self.clone();
        Finding { observed, status, why, remedy }
    }

    /// True if this check alone keeps Fault Tolerance from being turned on.
    pub fn is_blocker(&self) -> bool {
        self.decisive && self.status == Status::Unmet
    }

    /// True if this check alone may keep Fault Tolerance from being turned on.
    pub fn may_be_blocker(&self) -> bool {
        self.decisive && self.status == Status::Unknown
    }

    /// Adds a reason from another source why this requirement is not met.
    pub fn add_reason(&mut self, why: &str, remedy: Option<Remedy>) {
        self.why = match self.why.take() {
            Some(known) if self.status == Status::Unmet => Some(format!("{known}; {why}")),
            _ => Some(why.to_owned()),
        };
        self.status = Status::Unmet;
        self.remedy = self.remedy.take().or(remedy);
    }
}
