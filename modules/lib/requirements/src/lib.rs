//! The requirements of Fault Tolerance, each judged by a pure function: facts in, checks and remedies out.
//!
//! One file per family, such as `cluster`, `network` or `storage`; `list` names them all. `pair` judges two hosts that meet
//! everything. The id and the text of a requirement stand above the function that judges it, and that function returns the
//! remedy.

mod access;
mod alike;
mod capability;
mod check;
mod cluster;
mod compatibility;
mod context;
mod datastore;
mod disk;
mod fact;
mod facts;
mod finding;
mod group;
mod hardware;
mod host;
mod judgement;
mod limit;
mod list;
mod listed_vm;
mod media;
mod network;
mod pair;
mod path;
mod power;
mod probe;
mod rating;
mod reach;
mod reason;
mod replay;
mod requirement;
mod reservation;
mod size;
mod speed;
mod steps;
mod storage;
mod summary;
mod versions;
mod vm;
mod vmknic;

#[cfg(test)]
mod advice_tests;
#[cfg(test)]
mod judgement_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
mod pair_tests;
#[cfg(test)]
mod probe_tests;
#[cfg(test)]
mod reason_tests;
#[cfg(test)]
mod storage_tests;
#[cfg(test)]
mod summary_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod vm_tests;
#[cfg(test)]
mod words_tests;

pub use check::{Check, Subject};
pub use fact::Fact;
pub use facts::{Capability, Cluster, Datastore, Device, Drs, Facts, Host, Place, Support, Vm};
pub use finding::Status;
pub use judgement::{Counts, Judgement, engine, reason_not_to_ask};
pub use listed_vm::{ListedVm, Role};
pub use path::{Answer, Path, Probe};
pub use probe::plan as plan_probe;
pub use requirement::Requirement;
pub use steps::Step;
