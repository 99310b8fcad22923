//! The privileges of the user who logs in.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::value::Ref;

/// Privileges by what they are granted on: a type, a moid, or `*` for every object. The grants of an object add up.
#[derive(Clone, Debug)]
pub struct Grants(BTreeMap<String, Vec<String>>);

impl Grants {
    /// Reads the body of `POST /grants`.
    pub fn parse(json: &Json) -> Result<Self, String> {
        serde_json::from_value(json.clone()).map(Self).map_err(|error| error.to_string())
    }

    /// True if the user has the privilege on this object.
    pub fn allow(&self, object: &Ref, privilege: &str) -> bool {
        let places = ["*", &object.kind, &object.moid];
        places.iter().filter_map(|place| self.0.get(*place)).flatten().any(|own| own == privilege)
    }
}
