//! A Fault Tolerance pair: a primary, its secondary and the state they share.

/// The role of a VM in its pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The protected VM
    Primary,
    /// Its copy
    Secondary,
}

/// The pair's state, seen from the primary (`VirtualMachineFaultToleranceState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The secondary is registered but not enabled
    Disabled,
    /// The primary is powered off, and the secondary is enabled
    Enabled,
    /// The primary runs without an active secondary
    NeedSecondary,
    /// The secondary is starting and synchronizes
    Starting,
    /// Protected
    Running,
}

impl State {
    /// The word that the API uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::NeedSecondary => "needSecondary",
            Self::Starting => "starting",
            Self::Running => "running",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Disabled, Self::Enabled, Self::NeedSecondary, Self::Starting, Self::Running]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A VM's half of a pair. Both halves have the same values, apart from role and peer.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The role of this half.
    pub role: Role,
    /// The moid of the other half.
    pub peer: String,
    /// The pair's state.
    pub state: State,
    /// `runtime.needSecondaryReason`.
    pub reason: Option<&'static str>,
    /// True for a secondary whose primary is gone.
    pub orphaned: bool,
    /// The recommendation that must be applied to start the secondary.
    pub recommendation: Option<String>,
    /// Counts the changes of state. An event that was scheduled in an earlier state is dropped.
    pub turn: u64,
}

impl Pair {
    /// True for the secondary.
    pub fn secondary(&self) -> bool {
        self.role == Role::Secondary
    }
}
