//! Known failure signatures of vMotion and Fault Tolerance, found in vmware.log and vmkernel.log of ESXi 4 to 9, and in events.
//!
//! A [`Catalogue`] holds the signatures. A [`Scanner`] goes through one log, of any size in constant memory, and tells an
//! [`Inquiry`] of the lines that bear one; the inquiry brings lines of one migration together as [`Incident`]s, across
//! logs, and adds the [`Event`]s of the same failure. [`open`] and [`siblings`] are for log files: plain, compressed, rotated.
//!
//! Nothing in a log is trusted: lines may have any length and any bytes, and no prefix is needed for a line to count.

mod catalogue;
mod event;
mod file;
mod inquiry;
#[cfg(any(test, feature = "fuzzing"))]
pub mod invariants;
mod line;
mod migration;
mod release;
mod scan;
mod status;
mod time;

pub use catalogue::{Basis, Catalogue, CatalogueError, Remedy, Severity, Signature, Target};
pub use event::{Event, STARTS};
pub use file::{Log, open, siblings};
pub use inquiry::{Incident, Inquiry, Line};
pub use migration::{Migration, Peer};
pub use release::Release;
pub use scan::{Hit, Scanner};
pub use status::Status;
pub use time::Timestamp;
