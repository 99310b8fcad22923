//! The parts that the modules of vSphere share: the arguments for the server and its objects, the session that they lead
//! to, and the server's failures as failures of a module.
//!
//! `contract` knows nothing of vSphere and `vsphere` knows nothing of JSON arguments; this is where they meet.

mod connection;
mod facts;
mod failure;
mod ft;
mod hosts;
mod kept;
mod kept_sessions;
mod one;
mod remedy;
mod task;
mod until;
mod vm;
mod write;

pub use connection::{CONNECTION_NEEDED, Connection, PROXY_NEEDS_HOST, PROXY_NEEDS_PORT, Server};
pub use facts::{ha_enabled, is_nested};
pub use failure::{failure, fault_tree};
pub use ft::{Engine, ft_role, ft_state, ha_cluster, not_a_secondary};
pub use hosts::{HOST_RULES, HostTarget, ONE_KIND_OF_HOST, few_hosts, host_version, reachable};
pub use kept_sessions::KeptSessions;
pub use one::{At, Ended, Named, One, OneObject, ServerArgs};
pub use remedy::{Remedy, RemedyHosts, remedy_vm};
pub use task::{Power, carry_out, wait};
pub use until::{Awaited, pauses, until, until_by};
pub use vm::{
    FOLDER_NEEDS_NAME, INSTANCE_UUID_NEEDS_UUID, VM_RULES, VmArgs, VmReport, VmTarget, accessible, is_template,
    readable,
};
pub use write::{applied, is_busy, judge_write, known_failure, write_failure};

/// The default of `timeout`.
pub fn five_minutes() -> u64 {
    300
}

/// The default of `timeout` where the memory of a virtual machine is copied.
pub fn fifteen_minutes() -> u64 {
    900
}
