//! Managed objects with the properties that were read.

use std::rc::Rc;

use crate::soap::element::Element;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::soap::name;
use crate::text::brief;

/// Longest name of an object, in bytes; vSphere allows 80 characters.
const NAME: usize = 1000;

/// Some properties of a managed object (`ObjectContent`). Clones share them.
#[derive(Debug, Clone)]
pub struct Object {
    /// The object's reference.
    pub moref: Moref,
    properties: Rc<Properties>,
}

#[derive(Debug, Clone, Default)]
struct Properties {
    values: Vec<(String, Element)>,
    missing: Vec<(String, Fault)>,
}

impl Object {
    /// Reads an `ObjectContent`; `None` if the element is not one.
    pub fn parse(element: Element) -> Option<Self> {
        let moref = element.child("obj")?.moref()?;
        let mut properties = Properties::default();
        for entry in element.into_all() {
            let text = |name| entry.child(name).map(|path| path.text().to_owned());
            match entry.name() {
                "propSet" => properties.values.extend(text("name").zip(entry.into_child("val"))),
                "missingSet" => {
                    properties.missing.extend(text("path").zip(entry.child("fault").map(Fault::localized)));
                }
                _ => {}
            }
        }
        Some(Self { moref, properties: Rc::new(properties) })
    }

    /// Returns the property at `path`, or the part at `path` of a property that was read as a whole. `None` if it is unset.
    pub fn get(&self, path: &str) -> Option<&Element> {
        let exact = self.properties.values.iter().find(|(name, _)| name == path);
        if let Some((_, value)) = exact {
            return Some(value);
        }
        self.properties.values.iter().find_map(|(name, value)| {
            let rest = path.strip_prefix(name.as_str())?.strip_prefix('.')?;
            rest.split('.').try_fold(value, |part, name| part.child(name))
        })
    }

    /// Returns the property as text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).map(Element::text)
    }

    /// Returns the property as a boolean.
    pub fn flag(&self, path: &str) -> Option<bool> {
        self.get(path)?.flag()
    }

    /// Returns the property as a whole number.
    pub fn int(&self, path: &str) -> Option<i64> {
        self.get(path)?.int()
    }

    /// Returns the property as a reference.
    pub fn moref(&self, path: &str) -> Option<Moref> {
        self.get(path)?.moref()
    }

    /// Returns the property `name` as people typed it (vSphere escapes `/`, `\` and `%`); the moid if it was not read.
    pub fn name(&self) -> String {
        match self.text("name") {
            Some(name) => name::decode(&brief(name, NAME)),
            None => self.moref.id.clone(),
        }
    }

    /// Returns why the property could not be read (`missingSet`), usually `NoPermission`.
    pub fn missing(&self, path: &str) -> Option<&Fault> {
        let mut entries = self.properties.missing.iter();
        entries
            .find(|(name, _)| {
                path.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .map(|(_, fault)| fault)
    }

    /// Returns why properties could not be read.
    pub(super) fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.properties.missing.iter().map(|(_, fault)| fault)
    }

    /// Returns the memory of the parts that are no elements any more, in bytes.
    pub(super) fn copied(&self) -> usize {
        self.properties.missing.iter().map(|(path, fault)| path.len() + fault.weight()).sum()
    }

    /// Adds the properties of the same object in a later page.
    pub(super) fn absorb(&mut self, other: Self) {
        let own = Rc::make_mut(&mut self.properties);
        let other = Rc::unwrap_or_clone(other.properties);
        own.values.extend(other.values);
        own.missing.extend(other.missing);
    }
}
