//! The .vmx file of a virtual machine: a dictionary of `name = "value"` lines, edited so that no other byte changes.
//!
//! [`Document`] parses, looks up and edits; [`diff`] shows what an edit did; [`store`] reads the file and replaces it.
//! The grammar is that of VMware's own reader and writer, `lib/dict/dictll.c` in open-vm-tools.

mod diff;
mod document;
mod encoding;
mod error;
mod line;
pub mod store;

pub use diff::diff;
pub use document::{Conflict, Document, Entry};
pub use encoding::Encoding;
pub use error::Error;
