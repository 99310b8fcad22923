//! The data of the simulated vSphere: inventory objects, sessions, tasks, filters and injected faults.
//!
//! These types do not know the world that holds them. Code that needs the world is in the modules above: `world` (time,
//! tasks, logs), `property` (reading), `ft` (the state machine) and `methods` (the operations of the API).

pub mod clock;
pub mod cluster;
pub mod entity;
pub mod event;
pub mod filter;
pub mod grants;
pub mod hardware;
pub mod host;
pub mod inject;
pub mod nics;
pub mod options;
pub mod pair;
pub mod session;
pub mod task;
pub mod vm;
