//! The states of Fault Tolerance.

/// `runtime.faultToleranceState` of a primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FtState {
    /// No Fault Tolerance.
    NotConfigured,
    /// Suspended: there is a secondary, and it may not run.
    Disabled,
    /// On, and the virtual machine is off.
    Enabled,
    /// The virtual machine runs without its secondary: unprotected.
    NeedSecondary,
    /// The secondary is being brought in step.
    Starting,
    /// Protected.
    Running,
    /// A state that no release known to this program has.
    Other(String),
}

impl FtState {
    /// The state of that name in the API.
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

    /// The name in the API.
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
