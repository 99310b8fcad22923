//! A small typed client of the vSphere Web Services API (the SOAP API behind `/sdk`), for vCenter Server and ESXi 4.1 to 9.
//!
//! A [`Session`] logs in, finds virtual machines and hosts, reads properties, starts the handful of operations that Fault
//! Tolerance and its options need, and waits for their tasks. Names are the API's own: managed object references are
//! [`Moref`]s, faults are [`Fault`]s with the type names that the API documents.
//!
//! One thread: nothing here is `Send`, and many requests may be in flight at once on one current-thread runtime.

mod about;
mod bounds;
mod cluster;
mod connect;
mod datastore_file;
mod diagnostic;
mod error;
mod failover;
mod fault;
mod ft;
mod ft_state;
mod header;
mod host;
#[cfg(any(test, feature = "fuzzing"))]
pub mod invariants;
mod inventory;
#[cfg_attr(not(feature = "legacy-tls"), path = "no_legacy.rs")]
mod legacy;
mod login;
mod moref;
mod names;
mod nic;
mod option;
mod place;
mod property;
mod request;
mod resolve;
mod retry;
mod session;
mod soap;
mod task;
mod thumbprint;
mod tls;
mod tls_version;
mod transport;
mod version;
mod vm;
mod write;
mod xml;

pub use about::{About, ApiType, ServiceContent};
pub use cluster::HaConfig;
pub use datastore_file::{DatastorePath, FileTail};
pub use diagnostic::{LogDescription, LogPage};
pub use error::{Error, TlsError};
pub use fault::{Cause, Fault, FaultMessage};
pub use ft::{FtEngine, FtInfo, FtPlacement, SecondaryOp, uses_legacy_ft};
pub use ft_state::FtState;
pub use host::HostQuery;
pub use inventory::{FoundVm, VmBy, VmPaths, VmQuery};
pub use moref::Moref;
pub use nic::{NicService, Vmknic};
pub use option::{OptionDef, OptionKind, OptionValue, Scalar};
pub use property::{Follow, Object};
pub use session::{Credentials, Session};
pub use task::Watch;
pub use thumbprint::{Thumbprint, ThumbprintError};
pub use tls_version::{LEGACY_TLS, TlsMinimum, TlsSpoken};
pub use transport::{Endpoint, Proxy, Scheme, Trace, Trust};
pub use version::Version;
pub use vm::extra_config;
pub use write::WriteError;
pub use xml::Element;
