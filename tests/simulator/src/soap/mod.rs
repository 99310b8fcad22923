//! SOAP as vSphere speaks it: requests in, responses and faults out.

pub mod check;
pub mod envelope;
pub mod node;
pub mod write;
