//! Filters that report changes: `CreateFilter`, `WaitForUpdatesEx`.

use std::collections::BTreeMap;

use crate::model::filter::{Content, Filter};
use crate::value::{Data, Ref, Value};

use super::Viewer;
use super::collector::missing;

impl Filter {
    /// The changes since the last report (`PropertyFilterUpdate`), if there are any.
    pub fn update(&mut self, moid: &str, viewer: &Viewer<'_>) -> Option<Value> {
        let mut now = BTreeMap::new();
        for content in self.specs.iter().flat_map(|spec| spec.read(viewer)) {
            now.insert(content.object.clone(), content);
        }
        let mut updates = Vec::new();
        for (object, content) in &now {
            let before = self.reported.get(object);
            let changes = changes(before, content);
            if before.is_none() || !changes.is_empty() {
                let kind = if before.is_some() { "modify" } else { "enter" };
                updates.push(
                    object_update(kind, object)
                        .list("changeSet", "PropertyChange", changes)
                        .list("missingSet", "MissingProperty", missing(&content.missing))
                        .into(),
                );
            }
        }
        for object in self.reported.keys().filter(|object| !now.contains_key(*object)) {
            updates.push(object_update("leave", object).into());
        }
        self.reported = now;
        (!updates.is_empty()).then(|| {
            Data::new("PropertyFilterUpdate")
                .with("filter", Ref::new("PropertyFilter", moid))
                .list("objectSet", "ObjectUpdate", updates)
                .into()
        })
    }
}

fn object_update(kind: &str, object: &Ref) -> Data {
    Data::new("ObjectUpdate").with("kind", Value::Enum("ObjectUpdateKind", kind.into())).with("obj", object.clone())
}

fn changes(before: Option<&Content>, now: &Content) -> Vec<Value> {
    let change = |name: &str, value: Option<&Value>| -> Value {
        Data::new("PropertyChange")
            .with("name", name)
            .with("op", Value::Enum("PropertyChangeOp", "assign".into()))
            .opt("val", value.cloned())
            .into()
    };
    let old: &[(String, Value)] = before.map_or(&[], |content| &content.values);
    let mut out: Vec<Value> =
        now.values.iter().filter(|entry| !old.contains(entry)).map(|(name, value)| change(name, Some(value))).collect();
    let gone = old.iter().filter(|(name, _)| !now.values.iter().any(|(other, _)| other == name));
    out.extend(gone.map(|(name, _)| change(name, None)));
    out
}
