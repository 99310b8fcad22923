//! The report.

use std::rc::Rc;

use requirements::{Check, Counts, Facts, Host, Judgement, ListedVm, Place, Step};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use vsphere_module::{Engine, VmReport};

use crate::args::Args;
use crate::observe::Observed;

/// The judgement of what was read, without the facts: those of a large cluster take much memory.
#[derive(Clone)]
pub struct Findings {
    /// Names the virtual machine, or else the cluster.
    pub subject: String,
    /// One sentence for the user.
    pub message: String,
    /// Warnings that do not prevent Fault Tolerance.
    pub warnings: Vec<String>,
    pub report: Report,
}

/// The report. Clones share the long lists.
#[derive(Clone, Default, Serialize, JsonSchema)]
pub struct Report {
    /// True if the virtual machine is already protected, or unless a decisive requirement is unmet. A decisive requirement may
    /// still be unknown. Other requirements may be unmet, such as those of hosts that are not needed.
    pub ready: bool,
    /// The engine that the requirements are those of: V(legacy) for record/replay Fault Tolerance, V(smp) for SMP-FT.
    engine: Option<Engine>,
    /// The virtual machine; null if none was named.
    vm: Option<VmReport>,
    /// The cluster; null if there is none, or it cannot be read.
    cluster: Option<ClusterReport>,
    /// Every host that the requirements are about, by name.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<HostReport>")]
    hosts: Rc<Vec<HostReport>>,
    /// Every requirement: of the cluster, of each of its hosts, of the virtual machine.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<Check>")]
    checks: Rc<Vec<Check>>,
    /// The number of requirements that are met, unmet and unknown.
    counts: Counts,
    /// The remedies, in order and without repeats. They include hosts that are not needed. Advice without which Fault
    /// Tolerance can be turned on comes last. Steps for a host that is out of service are only advice, because no module
    /// can change it now.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<Step>")]
    remedies: Rc<Vec<Step>>,
    /// Every virtual machine of the cluster, or of the host if there is no cluster, without templates and those that this user
    /// may not see. Sorted by name, the primary of a pair first.
    #[serde(serialize_with = "shared")]
    #[schemars(with = "Vec<ListedVm>")]
    vms: Rc<Vec<ListedVm>>,
}

fn shared<T: Serialize, S: Serializer>(list: &Rc<T>, serializer: S) -> Result<S::Ok, S::Error> {
    list.serialize(serializer)
}

#[derive(Clone, Serialize, JsonSchema)]
struct ClusterReport {
    /// Its name.
    name: String,
    /// Its managed object id.
    moid: String,
    /// Its number of hosts.
    hosts: usize,
    /// True if vSphere HA is on; null if the server does not report it.
    ha: Option<bool>,
    /// True if admission control of vSphere HA is on; null if the server does not report it. Fault Tolerance does not need
    /// it.
    admission_control: Option<bool>,
}

/// A host. A property that cannot be read is null.
#[derive(Clone, Serialize, JsonSchema)]
struct HostReport {
    /// Its name.
    name: String,
    /// Its managed object id.
    moid: String,
    /// Its version of ESXi, such as V(7.0.3).
    version: Option<String>,
    /// Its build number.
    build: Option<String>,
    /// Why it certainly runs no virtual machine, such as V(in maintenance mode); null if it may run some.
    out_of_service: Option<String>,
}

impl From<&Host> for HostReport {
    fn from(host: &Host) -> Self {
        Self {
            name: host.subject.name.clone(),
            moid: host.subject.moid.clone(),
            version: host.version.known().map(ToString::to_string),
            build: host.build.known().cloned(),
            out_of_service: host.out_of_service(),
        }
    }
}

impl Findings {
    /// Judges what was read.
    pub fn of(args: &Args, observed: Observed) -> Self {
        let Observed { facts, vm } = observed;
        let judgement = Judgement::of(&facts, args.engine());
        let subject = subject(&facts);
        let message = judgement.summary(&subject);
        let warnings = judgement.warnings();
        let ready = judgement.is_ready();
        let Judgement { engine, checks, counts, remedies, .. } = judgement;
        let report = Report {
            ready,
            engine: Some(engine.into()),
            vm,
            cluster: cluster(&facts),
            hosts: facts.hosts.iter().map(HostReport::from).collect::<Vec<_>>().into(),
            checks: checks.into(),
            counts,
            remedies: remedies.into(),
            vms: facts.vms.into(),
        };
        Self { subject, message, warnings, report }
    }
}

fn cluster(facts: &Facts) -> Option<ClusterReport> {
    let Place::Cluster(cluster) = &facts.place else { return None };
    Some(ClusterReport {
        name: cluster.subject.name.clone(),
        moid: cluster.subject.moid.clone(),
        hosts: facts.hosts.len(),
        ha: cluster.ha.known().copied(),
        admission_control: cluster.admission_control.known().copied(),
    })
}

/// Names the virtual machine, or else the cluster.
fn subject(facts: &Facts) -> String {
    match (&facts.vm, &facts.place) {
        (Some(vm), _) => format!("{} ({})", vm.subject.name, vm.subject.moid),
        (None, Place::Cluster(cluster)) => cluster.subject.title(),
        (None, _) => "the cluster".to_owned(),
    }
}
