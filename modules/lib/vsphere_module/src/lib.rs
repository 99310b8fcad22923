//! What the modules that talk to vSphere share: the arguments that say which server and which objects, the session
//! they lead to, and the server's failures in the words of the contract.
//!
//! `contract` knows nothing of vSphere and `vsphere` knows nothing of JSON arguments; this is where they meet.

mod connection;
mod failure;
mod hosts;
mod remedy;
mod until;
mod vm;

pub use connection::{CONNECTION_NEEDED, Connection, PROXY_NEEDS_HOST, PROXY_NEEDS_PORT, Server};
pub use failure::{carry_out, failure, fault_tree, is_busy, judge_write, known_failure, power_is, wait, write_failure};
pub use hosts::{HOST_RULES, HostTarget, ONE_KIND_OF_HOST, few_hosts, reachable};
pub use remedy::{Remedy, RemedyHosts, remedy_vm};
pub use until::{Verdict, pauses, until};
pub use vm::{
    FOLDER_NEEDS_NAME, INSTANCE_UUID_NEEDS_UUID, VM_RULES, VmReport, VmTarget, accessible, ft_role, is_template,
    not_a_secondary, readable,
};
