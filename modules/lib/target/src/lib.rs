//! What the modules that talk to vSphere share: the arguments that say which server and which objects, the session
//! they lead to, and the server's failures in the words of the contract.
//!
//! `contract` knows nothing of vSphere and `vsphere` knows nothing of JSON arguments; this is where they meet.

mod connection;
mod failure;
mod hosts;
mod vm;

pub use connection::{Connection, PROXY_NEEDS_HOST, PROXY_NEEDS_PORT, Server};
pub use failure::{failure, fault_tree, is_stale, wait, when_free};
pub use hosts::{HostTarget, ONE_KIND_OF_HOST};
pub use vm::{INSTANCE_UUID_NEEDS_UUID, ONE_VM, VmReport, VmTarget, accessible, ft_role, is_template};
