//! The list of all requirements.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::requirement::Requirement;
use crate::{
    alike, capability, cluster, compatibility, datastore, disk, hardware, host, limit, media, network, pair, reach,
    replay, reservation, size, speed, storage, versions, vm,
};

/// All requirements, by family.
pub const FAMILIES: [&[Requirement]; 20] = [
    cluster::ALL,
    versions::ALL,
    limit::ALL,
    alike::ALL,
    speed::ALL,
    pair::ALL,
    host::ALL,
    network::ALL,
    reach::ALL,
    capability::ALL,
    vm::ALL,
    size::ALL,
    reservation::ALL,
    hardware::ALL,
    media::ALL,
    replay::ALL,
    storage::ALL,
    disk::ALL,
    datastore::ALL,
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
