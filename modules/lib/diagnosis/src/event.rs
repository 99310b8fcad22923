//! Events of vSphere, as far as a diagnosis needs them.

use crate::time::Timestamp;

/// An event that may show a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its type, or its `eventTypeId`.
    pub kind: String,
    /// A reason from a list, e.g. `migrateFailed`.
    pub reason: Option<String>,
    /// When it was created, by the clock of vCenter Server.
    pub time: Option<Timestamp>,
    /// Its message.
    pub text: String,
    /// Everything else that it says: the texts of its faults, and of the virtual machine.
    pub details: Vec<String>,
    /// The name of the source that it was read from.
    pub source: String,
    /// Its number in that source, from 1.
    pub number: u64,
}

impl Event {
    /// Its reason in plain words: what a reason from a list means, or else the first detail.
    pub fn plain_reason(&self) -> Option<&str> {
        let listed = self.reason.as_deref().map(|reason| {
            let known = REASONS.iter().find(|(word, _)| *word == reason);
            known.map_or(reason, |(_, plain)| plain)
        });
        listed.or_else(|| self.details.first().map(String::as_str))
    }
}

/// The events that mark an attempt to start a secondary.
pub const STARTS: [&str; 4] =
    ["VmStartingSecondaryEvent", "VmSecondaryAddedEvent", "VmSecondaryEnabledEvent", "VmSecondaryStartedEvent"];

/// The events whose text may show a failure, though their type shows none.
pub(crate) const TELLING: [&str; 5] = [
    "VmMessageErrorEvent",
    "VmMessageWarningEvent",
    "VmMessageEvent",
    "VmFailedMigrateEvent",
    "VmFailedToPowerOnEvent",
];

/// The meanings of reasons from lists: those of `VmFailedStartingSecondaryEventFailureReason` and
/// `VirtualMachineNeedSecondaryReason`.
const REASONS: [(&str, &str); 11] = [
    ("incompatibleHost", "the host is not compatible with the secondary"),
    ("loginFailed", "the login to the host failed"),
    ("registerVmFailed", "the host could not register the secondary"),
    ("migrateFailed", "the migration that starts the secondary failed"),
    ("initializing", "Fault Tolerance is initializing"),
    ("divergence", "the primary and the secondary differed"),
    ("lostConnection", "the connection to the other half was lost"),
    ("partialHardwareFailure", "a part of a host's hardware failed"),
    ("userAction", "a user asked for it"),
    ("checkpointError", "a checkpoint failed"),
    ("other", "a reason that vSphere does not name"),
];
