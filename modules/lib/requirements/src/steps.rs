//! The remedies of all checks as steps, each once, in the order to apply.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use vsphere_module::Remedy;

use crate::check::Check;
use crate::requirement::Requirement;

/// Something to do, which several checks may ask for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// The advice, as one sentence.
    pub text: String,
    /// The module of this collection that does it; null if none does.
    pub module: Option<String>,
    /// The arguments of the module, complete except for those of the connection; null if something has to be decided first.
    pub args: Option<Map<String, Value>>,
    /// The checks that ask for it.
    pub checks: Vec<Requirement>,
    /// True if Fault Tolerance can be turned on without it.
    pub advisory: bool,
}

/// The order of the modules: the hosts, the cluster, and the virtual machine last, off before its options are set. Steps for
/// people come first, unless Fault Tolerance can be turned on without them.
const ORDER: [&str; 4] = ["vmkernel_service", "cluster_ha", "vm_power", "vmx_option"];

/// Collects the remedies of the checks.
pub fn steps(checks: &[Check]) -> Vec<Step> {
    // A remedy, the checks that ask for it, and the names of their hosts.
    let mut steps: Vec<(Remedy, Vec<Requirement>, Vec<String>)> = Vec::new();
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
        // The checks of a host stand together.
        if check.object.kind == "HostSystem" && hosts.last() != Some(&check.object.name) {
            hosts.push(check.object.name.clone());
        }
    }
    let rank = |remedy: &Remedy, checks: &[Requirement]| match remedy.module.as_deref() {
        Some(module) => 1 + ORDER.iter().position(|known| *known == module).unwrap_or(ORDER.len()),
        None if are_advisory(checks) => ORDER.len() + 2,
        None => 0,
    };
    steps.sort_by_key(|(remedy, checks, _)| rank(remedy, checks));
    steps.into_iter().map(|(remedy, checks, hosts)| step(remedy, checks, &hosts)).collect()
}

/// True if two remedies differ at most in their hosts.
fn alike(one: &Remedy, other: &Remedy) -> bool {
    fn rest(remedy: &Remedy) -> impl Iterator<Item = (&String, &Value)> {
        remedy.args.iter().flatten().filter(|(name, _)| *name != "esxi_hostname")
    }
    one.module == other.module
        && one.text == other.text
        && one.args.is_some() == other.args.is_some()
        && rest(one).eq(rest(other))
}

fn step(remedy: Remedy, checks: Vec<Requirement>, hosts: &[String]) -> Step {
    let Remedy { mut text, module, mut args } = remedy;
    if let Some(args) = args.as_mut().filter(|args| args.contains_key("esxi_hostname")) {
        args.insert("esxi_hostname".to_owned(), json!(hosts));
    }
    if !hosts.is_empty() {
        text = format!("{} ({}).", text.trim_end_matches('.'), hosts.join(", "));
    }
    let advisory = are_advisory(&checks);
    Step { text, module, args, checks, advisory }
}

fn are_advisory(checks: &[Requirement]) -> bool {
    checks.iter().all(|id| id.is_advisory())
}
