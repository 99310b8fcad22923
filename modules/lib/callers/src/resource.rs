//! Modules that are resources to callers that think in states.

use contract::Module;
use serde_json::{Map, Value};

/// A module that makes a state true whose values can be read back, for Microsoft DSC.
pub trait Resource {
    /// The module.
    type Module: Module;

    /// The arguments that describe the state; the others say which object it is the state of.
    const PROPERTIES: &'static [&'static str];

    /// Returns the values of [`PROPERTIES`](Self::PROPERTIES) that describe what was `observed`, without those that cannot
    /// express it. A value that is as wanted is returned as it was given. If targets differ, the value is that of the first
    /// one that is not as wanted.
    fn actual(
        args: &<Self::Module as Module>::Args,
        observed: &[&<Self::Module as Module>::Observed],
    ) -> Map<String, Value>;
}
