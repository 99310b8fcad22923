//! The states of Fault Tolerance.

/// `runtime.faultToleranceState` of a primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FtState {
    /// No Fault Tolerance.
    NotConfigured,
    /// Suspended: there is a secondary, but it may not run.
    Disabled,
    /// Turned on, and the virtual machine is powered off.
    Enabled,
    /// Unprotected: the virtual machine runs without its secondary.
    NeedSecondary,
    /// The secondary is starting.
    Starting,
    /// Protected.
    Running,
    /// A state of a newer release.
    Other(String),
}

impl FtState {
    /// Returns the state with that name in the API.
    pub fn of(text: &str) -> Self {
        match text {
            "notConfigured" => Self::NotConfigured,
            "disabled" => Self::Disabled,
            "enabled" => Self::Enabled,
            "needSecondary" => Self::NeedSecondary,
            "starting" => Self::Starting,
            "running" => Self::Running,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Returns the name in the API.
    pub fn name(&self) -> &str {
        match self {
            Self::NotConfigured => "notConfigured",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::NeedSecondary => "needSecondary",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Other(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FtState;

    #[test]
    fn every_state_keeps_its_name() {
        for name in ["notConfigured", "disabled", "enabled", "needSecondary", "starting", "running", "ofTomorrow"] {
            let state = FtState::of(name);
            assert_eq!(state.name(), name);
            assert_eq!(matches!(state, FtState::Other(_)), name == "ofTomorrow");
        }
    }
}
