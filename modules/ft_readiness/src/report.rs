//! The report.

use requirements::{Check, Counts, Facts, Judgement, ListedVm, Place, Step};
use schemars::JsonSchema;
use serde::Serialize;
use vsphere_module::{Engine, VmReport};

use crate::args::Args;
use crate::observe::Observed;

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// True unless a decisive requirement is unmet. A decisive requirement may still be unknown. Other requirements may be
    /// unmet, such as those of hosts that are not needed.
    ready: bool,
    /// The engine that the requirements are those of: V(legacy) for record/replay Fault Tolerance, V(smp) for SMP-FT.
    engine: Option<Engine>,
    /// The virtual machine; null if none was named.
    vm: Option<VmReport>,
    /// The cluster; null if there is none, or it cannot be read.
    cluster: Option<ClusterReport>,
    /// Every requirement: of the cluster, of each of its hosts, of the virtual machine.
    checks: Vec<Check>,
    /// The number of requirements that are met, unmet and unknown.
    counts: Counts,
    /// What to do, in this order, each once; also for hosts that are not needed. For a host that is out of service it is
    /// advice, because no module can change the host now.
    remedies: Vec<Step>,
    /// Every virtual machine of the cluster that this user may see, or of the host if there is no cluster, by name; the
    /// primary of a pair first.
    vms: Vec<ListedVm>,
    /// The message: judging a large cluster twice takes long.
    #[serde(skip)]
    pub summary: String,
}

#[derive(Serialize, JsonSchema)]
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

impl Report {
    pub fn of(args: &Args, observed: &Observed) -> Self {
        let facts = &observed.facts;
        let judgement = Judgement::of(facts, args.engine());
        let ready = judgement.is_ready();
        let summary = judgement.summary(&subject(facts));
        let Judgement { engine, checks, counts, remedies } = judgement;
        Self {
            ready,
            engine: Some(engine.into()),
            vm: observed.vm.clone(),
            cluster: cluster(facts),
            checks,
            counts,
            remedies,
            vms: facts.vms.clone(),
            summary,
        }
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
pub fn subject(facts: &Facts) -> String {
    match (&facts.vm, &facts.place) {
        (Some(vm), _) => format!("{} ({})", vm.subject.name, vm.subject.moid),
        (None, Place::Cluster(cluster)) => cluster.subject.title(),
        (None, _) => "the cluster".to_owned(),
    }
}
