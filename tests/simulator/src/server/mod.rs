//! The HTTP server: it accepts connections, answers SOAP calls, serves files, and lets tests control the simulator.

pub mod certificate;
mod control;
mod files;
mod http;
mod listen;
pub mod record;
mod sdk;
pub mod shared;
