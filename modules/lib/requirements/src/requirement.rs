//! The identity of a requirement: its id, its text and its weight.

use serde::{Serialize, Serializer};

/// One requirement. Each is a constant beside the function that judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// Its id in a report. It stays the same from release to release.
    pub id: &'static str,
    /// The requirement, as a sentence. A check may word it more precisely for an engine or a version.
    pub text: &'static str,
    weight: Weight,
}

/// The effect of a requirement that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Fault Tolerance cannot be turned on.
    Decisive,
    /// A host cannot take part. Two good hosts are enough, and the requirement `host-pair` says whether there are two.
    Host,
    /// Fault Tolerance can be turned on, but protects less.
    Advisory,
}

impl Requirement {
    /// A requirement without which Fault Tolerance cannot be turned on.
    pub const fn decisive(id: &'static str, text: &'static str) -> Self {
        Self { id, text, weight: Weight::Decisive }
    }

    /// A requirement of each host; a host that does not meet it may not be needed.
    pub const fn of_hosts(id: &'static str, text: &'static str) -> Self {
        Self { id, text, weight: Weight::Host }
    }

    /// A requirement without which Fault Tolerance can still be turned on.
    pub const fn advisory(id: &'static str, text: &'static str) -> Self {
        Self { id, text, weight: Weight::Advisory }
    }

    /// True if Fault Tolerance cannot be turned on without this.
    pub fn is_decisive(self) -> bool {
        self.weight == Weight::Decisive
    }

    /// True if Fault Tolerance can be turned on without this.
    pub fn is_advisory(self) -> bool {
        self.weight == Weight::Advisory
    }

    /// True if this is about single hosts.
    pub fn is_of_hosts(self) -> bool {
        self.weight == Weight::Host
    }
}

impl Serialize for Requirement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id)
    }
}
