//! A Fault Tolerance pair: a primary, its secondary and the state they share.

/// Which half of a pair a VM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The protected VM
    Primary,
    /// Its shadow
    Secondary,
}

/// The pair's state, seen from the primary (`VirtualMachineFaultToleranceState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The secondary is registered and not enabled
    Disabled,
    /// The primary is powered off, the secondary enabled
    Enabled,
    /// The primary runs without an active secondary
    NeedSecondary,
    /// The secondary synchronises
    Starting,
    /// Protected
    Running,
}

impl State {
    /// The API's word.
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

/// A VM's half of a pair. State, reason and the rest are the same on both halves.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Which half it is.
    pub role: Role,
    /// The moid of the other half.
    pub peer: String,
    /// The pair's state.
    pub state: State,
    /// `runtime.needSecondaryReason`.
    pub reason: Option<&'static str>,
    /// Whether it is a secondary whose primary is gone.
    pub orphaned: bool,
    /// The recommendation that waits to be applied.
    pub recommendation: Option<String>,
    /// Counts the changes of state, so that what was planned for an earlier one is dropped.
    pub turn: u64,
}

impl Pair {
    /// Whether it is the secondary.
    pub fn secondary(&self) -> bool {
        self.role == Role::Secondary
    }
}
