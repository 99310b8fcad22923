//! Reads a `PropertyFilterSpec` and evaluates it to `ObjectContent`.

use crate::fault::{Fault, Result};
use crate::model::filter::{Content, Selection, Spec, Wanted};
use crate::schema;
use crate::soap::node::Node;
use crate::value::{Data, Ref, Value};

use super::{Got, Viewer};

impl Spec {
    /// Reads a `specSet` or `spec` element. Unknown properties and missing objects are faults, as on a real server.
    pub fn parse(node: &Node, viewer: &Viewer<'_>) -> Result<Self> {
        let mut wanted = Vec::new();
        for set in node.all("propSet") {
            let kind = set.value("type").unwrap_or_default();
            if schema::properties(kind, viewer.version).is_empty() {
                return Err(Fault::invalid_argument("specSet.propSet.type"));
            }
            let paths: Vec<String> = set.all("pathSet").map(|path| path.text.trim().to_owned()).collect();
            for path in &paths {
                if !schema::path_exists(kind, path, viewer.version) {
                    return Err(Fault::invalid_property(path));
                }
            }
            wanted.push(Wanted { kind: kind.to_owned(), all: set.flag("all"), paths });
        }
        let selection = Selection::parse(node, viewer)?;
        Ok(Self { wanted, selection })
    }

    /// Reads every selected object.
    pub fn read(&self, viewer: &Viewer<'_>) -> Vec<Content> {
        let objects = self.selection.select(viewer);
        objects.into_iter().filter_map(|object| self.content(viewer, object)).collect()
    }

    /// True if the selection starts only at objects that may be read without a session.
    pub fn anonymous(&self) -> bool {
        self.selection.roots().all(|root| matches!(root.kind.as_str(), "ServiceInstance" | "SessionManager"))
    }

    fn content(&self, viewer: &Viewer<'_>, object: Ref) -> Option<Content> {
        // Several sets may apply to the object: those of its type and of its base types.
        let wanted: Vec<&Wanted> =
            self.wanted.iter().filter(|wanted| schema::is_a(&object.kind, &wanted.kind)).collect();
        if wanted.is_empty() {
            return None;
        }
        let mut paths: Vec<&str> = if wanted.iter().any(|wanted| wanted.all) {
            schema::properties(&object.kind, viewer.version)
        } else {
            Vec::new()
        };
        for path in wanted.iter().flat_map(|wanted| &wanted.paths) {
            if !paths.contains(&path.as_str()) {
                paths.push(path);
            }
        }
        let mut content = Content { object, values: Vec::new(), missing: Vec::new() };
        for path in paths {
            match viewer.get(&content.object, path) {
                Got::Value(value) => content.values.push((path.to_owned(), value)),
                Got::Unset => {}
                Got::Missing(fault) => content.missing.push((path.to_owned(), fault)),
            }
        }
        Some(content)
    }
}

/// `MissingProperty` entries.
pub fn missing(entries: &[(String, Fault)]) -> Vec<Value> {
    entries
        .iter()
        .map(|(path, fault)| Data::new("MissingProperty").with("path", path).with("fault", fault.localized()).into())
        .collect()
}

impl Content {
    /// `ObjectContent`.
    pub fn value(&self) -> Value {
        let properties = self
            .values
            .iter()
            .map(|(name, value)| Data::new("DynamicProperty").with("name", name).with("val", value.clone()).into())
            .collect();
        Data::new("ObjectContent")
            .with("obj", self.object.clone())
            .list("propSet", "DynamicProperty", properties)
            .list("missingSet", "MissingProperty", missing(&self.missing))
            .into()
    }
}
