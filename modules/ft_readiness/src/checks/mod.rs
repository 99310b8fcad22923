//! The requirements, each judged by a pure function of what was read.

mod cluster;
mod disk;
mod fit;
mod host;
mod limit;
mod nic;
mod pair;
mod reason;
mod vm;

#[cfg(test)]
mod advice_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod pair_tests;
#[cfg(test)]
mod reason_tests;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod words_tests;

use vsphere::{FtEngine, Version};

use crate::check::Check;
use crate::facts::Facts;

pub use reason::join;
#[cfg(test)]
pub use vm::REPLAY_OPTIONS;

/// What every check may have to know.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub facts: &'a Facts,
    pub engine: FtEngine,
}

impl Context<'_> {
    pub fn is_legacy(self) -> bool {
        self.engine == FtEngine::Legacy
    }

    /// The version that decides: of the host of the virtual machine, of the oldest host in service, of a server that is older still.
    pub fn version(self) -> Version {
        version(self.facts)
    }
}

/// See [`Context::version`].
pub fn version(facts: &Facts) -> Version {
    let home = facts.home().and_then(|host| host.version.known());
    let oldest = || facts.candidates().filter_map(|host| host.version.known()).min();
    let oldest_of_all = || facts.hosts.iter().filter_map(|host| host.version.known()).min();
    home.or_else(oldest).or_else(oldest_of_all).unwrap_or(&facts.server).min(&facts.server).clone()
}

/// Every check, of the cluster first, then of its hosts, then of the virtual machine.
pub fn judge(context: Context) -> Vec<Check> {
    let hosts: Vec<_> = context.facts.hosts.iter().map(|host| (host, host::judge(context, host))).collect();
    let mut checks = cluster::judge(context);
    let of_cluster = checks.len();
    if let Some(vm) = &context.facts.vm {
        checks.extend(vm::judge(context, vm));
        checks.extend(disk::judge(context, vm));
    }
    let pair = pair::judge(context, &hosts, &checks);
    let of_hosts = hosts.into_iter().flat_map(|(_, checks)| checks);
    drop(checks.splice(of_cluster..of_cluster, pair.into_iter().chain(of_hosts)));
    if let Some(vm) = &context.facts.vm {
        reason::judge(vm, &mut checks);
    }
    checks
}
