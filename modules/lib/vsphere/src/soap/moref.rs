//! References to managed objects.

use std::fmt;

use crate::text::one_line;

/// Longest id in a message, in bytes.
const SHOWN: usize = 100;

/// A reference to a managed object (`ManagedObjectReference`), e.g. type `VirtualMachine`, id `vm-63`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moref {
    /// The managed object's type, e.g. `VirtualMachine`.
    pub kind: String,
    /// The managed object id (moid), e.g. `vm-63`; unique per server, kept for the life of the object.
    pub id: String,
}

impl Moref {
    /// Returns the reference to the object of type `kind` with the moid `id`.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for Moref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.id, SHOWN))
    }
}
