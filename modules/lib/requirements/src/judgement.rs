//! Judges all requirements.

use schemars::JsonSchema;
use serde::Serialize;
use vsphere::FtEngine;
use vsphere_module::Remedy;

use crate::check::Check;
use crate::context::{Context, version};
use crate::facts::{Facts, Host, Vm};
use crate::finding::Status;
use crate::steps::{Step, steps};
use crate::{
    alike, capability, cluster, compatibility, datastore, disk, hardware, host, limit, media, network, pair, reach,
    replay, reservation, size, speed, storage, versions, vm,
};

/// The checks, and what follows from them.
pub struct Judgement {
    /// The engine that the requirements are those of.
    pub engine: FtEngine,
    /// The state of Fault Tolerance of the virtual machine.
    pub standing: Standing,
    /// Every requirement: of the cluster first, then of its hosts, then of the virtual machine.
    pub checks: Vec<Check>,
    /// The number of checks by status.
    pub counts: Counts,
    /// The remedies, in the order in which to apply them.
    pub remedies: Vec<Step>,
}

/// The state of Fault Tolerance of the virtual machine.
pub enum Standing {
    /// It is off or suspended, or there is no virtual machine.
    Off,
    /// It is on, in this state, but no secondary runs.
    On(String),
    /// It is on, and the secondary runs.
    Protected,
}

impl Standing {
    fn of(facts: &Facts) -> Self {
        let Some(vm) = &facts.vm else { return Self::Off };
        if vm.ft.known().is_some_and(|ft| ft.role != 1) {
            return Self::Off;
        }
        match vm.ft_state.known().map(String::as_str) {
            Some("running") => Self::Protected,
            Some(state @ ("enabled" | "needSecondary" | "starting")) => Self::On(state.to_owned()),
            _ => Self::Off,
        }
    }
}

/// The number of requirements by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Number of requirements that are met.
    pub met: usize,
    /// Number of requirements that are unmet.
    pub unmet: usize,
    /// Number of requirements that could not be checked.
    pub unknown: usize,
}

impl Judgement {
    /// Judges all requirements of the engine: `asked`, else the one of these facts.
    pub fn of(facts: &Facts, asked: Option<FtEngine>) -> Self {
        let engine = engine(facts, asked);
        let checks = checks(Context { facts, engine });
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        let counts = Counts { met: count(Status::Met), unmet: count(Status::Unmet), unknown: count(Status::Unknown) };
        let remedies = steps(&checks);
        Self { engine, standing: Standing::of(facts), checks, counts, remedies }
    }

    /// True if the virtual machine is protected already, or unless a decisive requirement is unmet.
    pub fn is_ready(&self) -> bool {
        matches!(self.standing, Standing::Protected) || !self.checks.iter().any(Check::is_blocker)
    }

    /// Describes each unmet requirement that is no blocker and not one of hosts that may not be needed.
    pub fn warnings(&self) -> Vec<String> {
        let unmet = self.checks.iter().filter(|check| check.id.is_advisory() && check.status == Status::Unmet);
        unmet
            .map(|check| {
                let why = check.why.as_deref().unwrap_or_default();
                format!("{}: {} ({})", check.object.title(), why, check.observed)
            })
            .collect()
    }
}

/// Returns `asked`, else the engine of the configured Fault Tolerance, else the engine that vSphere would use.
pub fn engine(facts: &Facts, asked: Option<FtEngine>) -> FtEngine {
    let options = facts.vm.as_ref().and_then(|vm| vm.options.known());
    let uses_legacy =
        options.is_some_and(|options| options.iter().any(|(key, value)| vsphere::uses_legacy_ft(key, value)));
    let configured = facts.vm.as_ref().and_then(Vm::engine);
    asked.or(configured).unwrap_or_else(|| FtEngine::of_host(&version(facts), uses_legacy))
}

/// Returns why `QueryFaultToleranceCompatibility` would not give an answer; `None` if it would.
pub fn reason_not_to_ask(vm: &Vm) -> Option<&'static str> {
    if vm.has_ft() {
        Some("its Fault Tolerance is already configured")
    } else if vm.connection.known().is_some_and(|state| state != "connected") {
        Some("vSphere cannot reach it")
    } else {
        None
    }
}

/// Judges all requirements.
pub fn checks(context: Context) -> Vec<Check> {
    let hosts: Vec<_> = context.facts.hosts.iter().map(|host| (host, of_host(context, host))).collect();
    let mut of_cluster = cluster::judge(context);
    of_cluster.extend(versions::judge(context));
    of_cluster.extend(limit::judge(context));
    of_cluster.extend(alike::judge(context));
    of_cluster.extend(speed::judge(context));
    let of_vm = context.facts.vm.as_ref().map(|vm| of_vm(context, vm)).unwrap_or_default();
    let others = [of_cluster.as_slice(), &of_vm].concat();
    let pair = pair::judge(context, &hosts, &others);
    let of_hosts = hosts.into_iter().flat_map(|(_, checks)| checks).chain(reach::judge(context));
    let mut checks: Vec<Check> = of_cluster.into_iter().chain(pair).chain(of_hosts).chain(of_vm).collect();
    if let Some(vm) = &context.facts.vm {
        compatibility::judge(vm, &mut checks);
    }
    checks
}

fn of_host(context: Context, host: &Host) -> Vec<Check> {
    let mut checks = host::judge(context, host);
    checks.extend(network::of_host(context, host));
    checks.extend(capability::judge(context, host, &checks));
    if host.out_of_service().is_some() {
        checks.iter_mut().for_each(only_advise);
    }
    checks
}

/// Turns a call of a module into advice, because no module can change a host that is out of service.
fn only_advise(check: &mut Check) {
    if let Some(remedy) = check.remedy.take_if(|remedy| remedy.module.is_some()) {
        check.remedy = Some(Remedy::advice(format!("After the host is back in service: {}", remedy.text)));
    }
}

fn of_vm(context: Context, vm: &Vm) -> Vec<Check> {
    let mut checks = vm::judge(context, vm);
    checks.extend(cluster::of_vm(context, vm));
    checks.extend(size::judge(context, vm));
    checks.extend(reservation::judge(context, vm));
    checks.extend(hardware::judge(context, vm));
    checks.push(media::judge(context, vm));
    checks.extend(replay::judge(context, vm));
    checks.extend(storage::judge(context, vm));
    checks.extend(disk::judge(context, vm));
    checks.extend(datastore::judge(context, vm));
    checks.extend(network::of_vm(context, vm));
    checks
}
