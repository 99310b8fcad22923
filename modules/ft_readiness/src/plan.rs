//! What is decided from what was read: which engine is meant, whether everything is as it requires, and what to do in which
//! order. All of it is pure.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use vsphere::FtEngine;
use vsphere_module::Remedy;

use crate::check::{Check, Id, Status};
use crate::checks::{self, Context};
use crate::facts::{Facts, Vm};

/// Everything that is decided.
pub struct Judgement {
    pub engine: FtEngine,
    pub checks: Vec<Check>,
    pub counts: Counts,
    pub remedies: Vec<Step>,
}

/// How many requirements are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// So many are met.
    pub met: usize,
    /// So many are not.
    pub unmet: usize,
    /// Of so many it cannot be told.
    pub unknown: usize,
}

/// Something to do, which several checks may ask for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// What to do, as one sentence.
    pub text: String,
    /// The module of this collection that does it; null if none does.
    pub module: Option<String>,
    /// The arguments of the module as it takes them, without those of the connection; null if something has to be decided
    /// first.
    pub args: Option<Map<String, Value>>,
    /// The checks that it is for.
    pub checks: Vec<Id>,
}

/// Judges.
pub fn judge(facts: &Facts, asked: Option<FtEngine>) -> Judgement {
    let engine = engine(facts, asked);
    let checks = checks::judge(Context { facts, engine });
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let counts = Counts { met: count(Status::Met), unmet: count(Status::Unmet), unknown: count(Status::Unknown) };
    let remedies = steps(&checks);
    Judgement { engine, checks, counts, remedies }
}

impl Judgement {
    pub fn is_ready(&self) -> bool {
        !self.checks.iter().any(Check::is_in_the_way)
    }
}

/// The engine that was asked for, else the one that is configured already, else the one that vSphere would use.
pub fn engine(facts: &Facts, asked: Option<FtEngine>) -> FtEngine {
    let options = facts.vm.as_ref().and_then(|vm| vm.options.known());
    let uses_legacy =
        options.is_some_and(|options| options.iter().any(|(key, value)| vsphere::uses_legacy_ft(key, value)));
    let configured = facts.vm.as_ref().and_then(Vm::engine);
    asked.or(configured).unwrap_or_else(|| FtEngine::of_host(&checks::version(facts), uses_legacy))
}

/// Whether vSphere is to be asked what it holds against the virtual machine; if not, why it would not tell.
pub fn reason_not_to_ask(vm: &Vm) -> Option<&'static str> {
    if vm.has_ft() {
        Some("its Fault Tolerance is configured already")
    } else if vm.connection.known().is_some_and(|state| state != "connected") {
        Some("vSphere does not reach it")
    } else {
        None
    }
}

/// In the order to apply: what people do, what the hosts need, what the cluster needs, and the virtual machine last; off
/// before its options are set.
const ORDER: [&str; 4] = ["vmkernel_service", "cluster_ha", "vm_power", "vmx_option"];

/// What the checks ask for, each once.
fn steps(checks: &[Check]) -> Vec<Step> {
    // A remedy, the checks that ask for it, and the names of their hosts.
    let mut steps: Vec<(Remedy, Vec<Id>, Vec<String>)> = Vec::new();
    for check in checks {
        let Some(remedy) = &check.remedy else { continue };
        let at = steps.iter().position(|(known, ..)| alike(known, remedy)).unwrap_or_else(|| {
            steps.push((remedy.clone(), Vec::new(), Vec::new()));
            steps.len() - 1
        });
        let (_, ids, hosts) = &mut steps[at];
        if !ids.contains(&check.id) {
            ids.push(check.id);
        }
        if check.object.kind == "HostSystem" && !hosts.contains(&check.object.name) {
            hosts.push(check.object.name.clone());
        }
    }
    let rank = |remedy: &Remedy| {
        let module = remedy.module.as_deref();
        module.map_or(0, |module| 1 + ORDER.iter().position(|known| *known == module).unwrap_or(ORDER.len()))
    };
    steps.sort_by_key(|(remedy, ..)| rank(remedy));
    steps.into_iter().map(|(remedy, checks, hosts)| step(remedy, checks, &hosts)).collect()
}

/// The same, apart from the hosts.
fn alike(one: &Remedy, other: &Remedy) -> bool {
    let rest = |remedy: &Remedy| {
        let mut args = remedy.args.clone();
        if let Some(args) = &mut args {
            args.remove("esxi_hostname");
        }
        args
    };
    one.module == other.module && one.text == other.text && rest(one) == rest(other)
}

fn step(remedy: Remedy, checks: Vec<Id>, hosts: &[String]) -> Step {
    let Remedy { mut text, module, mut args } = remedy;
    if let Some(args) = args.as_mut().filter(|args| args.contains_key("esxi_hostname")) {
        args.insert("esxi_hostname".to_owned(), json!(hosts));
    }
    if !hosts.is_empty() {
        text = format!("{} ({}).", text.trim_end_matches('.'), hosts.join(", "));
    }
    Step { text, module, args, checks }
}
