//! The HTTP server on top: it accepts connections, answers SOAP calls, serves files, and takes orders from tests.

pub mod certificate;
mod control;
mod files;
mod http;
mod listen;
pub mod record;
mod sdk;
pub mod shared;
