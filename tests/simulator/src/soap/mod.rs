//! SOAP as vSphere uses it: reads and checks requests, writes replies and faults.

pub mod check;
pub mod envelope;
pub mod node;
pub mod write;
