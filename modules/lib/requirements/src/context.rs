//! What every requirement may depend on: all facts and the engine.

use vsphere::{FtEngine, Version};

use crate::facts::Facts;

/// All facts and the engine.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// All facts.
    pub facts: &'a Facts,
    /// The engine that Fault Tolerance would use.
    pub engine: FtEngine,
}

impl Context<'_> {
    /// True for record/replay Fault Tolerance.
    pub fn is_legacy(self) -> bool {
        self.engine == FtEngine::Legacy
    }

    /// See [`version`].
    pub fn version(self) -> Version {
        version(self.facts)
    }
}

/// Returns the version that decides which requirements apply: that of the virtual machine's host, else of the oldest host in
/// service, else of the oldest host; never a later one than the server's.
pub fn version(facts: &Facts) -> Version {
    let home = facts.home().and_then(|host| host.version.known());
    let oldest = || facts.candidates().filter_map(|host| host.version.known()).min();
    let oldest_of_all = || facts.hosts.iter().filter_map(|host| host.version.known()).min();
    home.or_else(oldest).or_else(oldest_of_all).unwrap_or(&facts.server).min(&facts.server).clone()
}
