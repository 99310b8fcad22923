//! The API that modules call: virtual machines, hosts, clusters, Fault Tolerance, options, network adapters, files,
//! logs and events.
//!
//! One file per part of the vSphere API; each adds methods to [`Session`](crate::session::state::Session). This room writes
//! requests and reads values with `soap`, and sends them through `session`. It must not know
//! connections, TLS (`wire`) or retries.

pub(crate) mod cluster;
pub(crate) mod datastore_file;
pub(crate) mod diagnostic;
pub(crate) mod esxcli;
pub(crate) mod event;
pub(crate) mod ft;
pub(crate) mod ft_encryption;
pub(crate) mod ft_state;
pub(crate) mod host;
pub(crate) mod inventory;
pub(crate) mod nic;
pub(crate) mod option;
pub(crate) mod path;
pub(crate) mod similar;
pub(crate) mod vm;
