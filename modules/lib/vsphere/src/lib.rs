//! A small typed client of the vSphere Web Services API (the SOAP API behind `/sdk`), for vCenter Server and ESXi 4.1 to 9.
//!
//! A [`Session`] logs in, finds virtual machines and hosts, reads properties, starts the few operations that Fault Tolerance
//! and its options need, and waits for their tasks. Names are the API's own: managed object references are [`Moref`]s, faults
//! are [`Fault`]s with the type names that the API documents.
//!
//! The crate has four rooms, which only look down: `api` (what modules call) on `session` (login, retries, tasks), `session`
//! on `soap` (XML and faults) and `wire` (HTTP and TLS), which do not know each other.
//!
//! Nothing here is `Send`: many requests may be in flight at once on one current-thread runtime.

mod api;
#[cfg(any(test, feature = "fuzzing"))]
pub mod invariants;
mod session;
mod soap;
mod text;
mod wire;

pub use api::cluster::{HaChange, HaConfig, HaOverride, ha_options};
pub use api::datastore_file::DatastorePath;
pub use api::diagnostic::{LogDescription, LogPage};
pub use api::esxcli::{Ping, PingReply};
pub use api::event::Event;
pub use api::ft::{FtEngine, FtInfo, FtPlacement, SecondaryOp, uses_legacy_ft};
pub use api::ft_state::FtState;
pub use api::host::HostQuery;
pub use api::inventory::{FoundVm, VmBy, VmPaths, VmQuery};
pub use api::nic::{NicService, Vmknic};
pub use api::option::{OptionDef, OptionKind, OptionValue, TypedValue};
pub use api::vm::extra_config;
pub use session::about::{About, ApiType, ServiceContent};
pub use session::download::FileTail;
pub use session::error::Error;
pub use session::keeper::{Keeper, SavedSession};
pub use session::object::Object;
pub use session::property::Follow;
pub use session::state::{Credentials, Session};
pub use session::task::Watch;
pub use session::version::Version;
pub use session::write::WriteError;
pub use soap::element::Element;
pub use soap::error::SoapError;
pub use soap::fault::{Cause, Fault, FaultMessage};
pub use soap::moref::Moref;
pub use wire::endpoint::{Endpoint, Proxy, Scheme, Trace, Trust};
pub use wire::error::{TlsError, WireError};
pub use wire::thumbprint::{Thumbprint, ThumbprintError};
pub use wire::tls_version::{LEGACY_TLS, TlsMinimum, TlsSpoken};
