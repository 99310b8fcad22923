//! The list of all requirements.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::requirement::Requirement;
use crate::{
    capability, cluster, compatibility, hardware, host, limit, network, pair, reach, replay, size, storage, versions,
    vm,
};

/// All requirements, by family.
pub const FAMILIES: [&[Requirement]; 14] = [
    cluster::ALL,
    versions::ALL,
    limit::ALL,
    pair::ALL,
    host::ALL,
    network::ALL,
    reach::ALL,
    capability::ALL,
    vm::ALL,
    size::ALL,
    hardware::ALL,
    replay::ALL,
    storage::ALL,
    compatibility::ALL,
];

/// The ids of all requirements, each with its text.
impl JsonSchema for Requirement {
    fn schema_name() -> Cow<'static, str> {
        "Requirement".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = FAMILIES.into_iter().flatten();
        let each: Vec<Value> =
            all.map(|one| json!({ "description": one.text, "type": "string", "const": one.id })).collect();
        json_schema!({ "oneOf": each })
    }
}
