//! `ft_readiness`: every requirement of Fault Tolerance, as met, unmet or unknown, with what to do about it.
//!
//! It changes nothing. What is read are plain facts (`facts`), and every judgement is a pure function of them (`checks`).

mod args;
mod check;
mod checks;
mod fact;
mod facts;
mod message;
#[cfg(test)]
mod message_tests;
mod observe;
mod parse;
mod plan;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod testing;
mod vms;

use args::Args;
use check::Check;
use contract::{About, Error, Run, Survey};
use facts::{Facts, Place};
use plan::{Counts, Judgement, Step};
use schemars::JsonSchema;
use serde::Serialize;
use vms::ListedVm;
use vsphere_module::{Engine, Server, VmReport};

#[derive(Default, Serialize, JsonSchema)]
struct Report {
    /// Whether no decisive requirement is unmet. Where one of them is unknown, that is only as much as can be told. Others may
    /// be unmet, such as those of hosts that are not needed.
    ready: bool,
    /// V(legacy) for record/replay Fault Tolerance, V(smp) for SMP-FT: what the requirements are those of.
    engine: Option<Engine>,
    /// The virtual machine; null if none was named.
    vm: Option<VmReport>,
    /// The cluster; null if there is none, or it cannot be read.
    cluster: Option<ClusterReport>,
    /// Every requirement: of the cluster, of each of its hosts, of the virtual machine.
    checks: Vec<Check>,
    /// How many are met, unmet and unknown.
    counts: Counts,
    /// What to do, in this order, each once; also for hosts that are not needed. For one that is out of service it is advice,
    /// since no module could do it now.
    remedies: Vec<Step>,
    /// Every virtual machine of the cluster that this user may see, or of the host where there is no cluster, by name; of a pair the primary first.
    vms: Vec<ListedVm>,
}

#[derive(Serialize, JsonSchema)]
struct ClusterReport {
    /// Its name.
    name: String,
    /// Its managed object id.
    moid: String,
    /// How many hosts it has.
    hosts: usize,
    /// Whether vSphere HA is on; null if that is not told.
    ha: Option<bool>,
    /// Whether admission control of vSphere HA is on; null if that is not told. Fault Tolerance does not need it.
    admission_control: Option<bool>,
}

struct FtReadiness;

impl Survey for FtReadiness {
    const ABOUT: About = About {
        name: "ft_readiness",
        summary: "Reports each requirement of Fault Tolerance as met, unmet or unknown",
        description: &[
            "Looks at a cluster, all of its hosts and, if one is named, a virtual machine, and reports every requirement of vSphere Fault Tolerance that the API can tell of, for the engine and the versions that are there: what is required, what there is, and what to do about it.",
            "It is not every host that has to meet what is required of hosts, but two that meet all of it, and a running virtual machine has to be on one of them. RV(ready) is true unless that, or something else that is decisive, is unmet.",
            "Changes nothing. What to do is given as arguments of the other modules of this collection, where one of them does it, in the order to apply.",
            "Lists every virtual machine of the cluster too, with its host, its role and the state of its Fault Tolerance.",
            "A requirement that cannot be told, because a property is not there or this user may not read it, is unknown, never met. It does not make RV(ready) false, but the message then says that nothing is known to be in the way, and not that all is ready.",
        ],
        examples: include_str!("../examples.yml"),
    };

    type Args = Args;
    type Session = Server;
    type Found = Facts;
    type Report = Report;

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run).await
    }

    async fn read(args: &Args, server: &Server) -> Result<Facts, Error> {
        observe::observe(args, server).await
    }

    fn label(facts: Option<&Facts>) -> String {
        facts.map_or_else(|| "the cluster".to_owned(), subject)
    }

    fn report(args: &Args, facts: &Facts) -> Report {
        let judgement = plan::judge(facts, args.engine());
        let ready = judgement.is_ready();
        let Judgement { engine, checks, counts, remedies } = judgement;
        let cluster = if let Place::Cluster(cluster) = &facts.place {
            Some(ClusterReport {
                name: cluster.object.name.clone(),
                moid: cluster.object.moid.clone(),
                hosts: facts.hosts.len(),
                ha: cluster.ha.known().copied(),
                admission_control: cluster.admission_control.known().copied(),
            })
        } else {
            None
        };
        let vm = facts.vm.as_ref().map(|vm| vm.report.clone());
        let vms = facts.vms.clone();
        Report { ready, engine: Some(engine.into()), vm, cluster, checks, counts, remedies, vms }
    }

    fn message(args: &Args, facts: &Facts, _: &Report) -> String {
        message::message(&subject(facts), &plan::judge(facts, args.engine()))
    }
}

/// Names what was looked at.
fn subject(facts: &Facts) -> String {
    match (&facts.vm, &facts.place) {
        (Some(vm), _) => format!("{} ({})", vm.report.name, vm.report.moid),
        (None, Place::Cluster(cluster)) => format!("cluster {}", cluster.object.name),
        (None, _) => "the cluster".to_owned(),
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<FtReadiness>();
