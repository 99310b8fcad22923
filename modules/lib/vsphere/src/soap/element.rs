//! Elements: the pieces of a reply, and their values.

use std::rc::Rc;

use crate::soap::memory::Held;
use crate::soap::moref::Moref;

/// Overhead of an allocation, in bytes.
pub(super) const ALLOCATION: usize = 16;

/// A part of a reply: a named value, or a named structure of elements.
///
/// A document has many elements but few different tags, so elements share their tags. The memory of a document counts until
/// its last element is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub(super) tag: Rc<Tag>,
    pub(super) text: Box<str>,
    pub(super) children: Box<[Element]>,
}

/// The name and the types that elements share.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: Box<str>,
    pub(super) kind: Option<Box<str>>,
    pub(super) moref_kind: Option<Box<str>>,
    /// The memory of the whole document; only its end matters.
    pub(super) held: Rc<Held>,
}

impl Element {
    /// Returns the local name, e.g. `returnval`.
    pub fn name(&self) -> &str {
        &self.tag.name
    }

    /// Returns the data type that the server states (`xsi:type`), without its prefix: `LongOption`, `long`, `ArrayOfOptionValue`.
    pub fn kind(&self) -> Option<&str> {
        self.tag.kind.as_deref()
    }

    /// Returns the text, white space at its ends included. Empty if there is no text, or if there are elements within.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns all elements directly within, in order.
    pub fn all(&self) -> &[Element] {
        &self.children
    }

    /// Returns the elements directly within, without copying them.
    pub(crate) fn into_all(self) -> impl Iterator<Item = Element> {
        self.children.into_iter()
    }

    /// Returns the first element of that name directly within.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name() == name)
    }

    /// Returns the first element of that name directly within, without copying it.
    pub(crate) fn into_child(self, name: &str) -> Option<Element> {
        self.into_all().find(|child| child.name() == name)
    }

    /// Returns all elements of that name directly within: lists are repeated elements.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name() == name)
    }

    /// Returns the element at a path such as `runtime/powerState`.
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.child(name))
    }

    /// Returns the managed object reference, if the `type` attribute marks the element as one.
    pub fn moref(&self) -> Option<Moref> {
        let kind = self.tag.moref_kind.as_deref()?;
        let id = self.text.trim();
        (!id.is_empty()).then(|| Moref::new(kind, id))
    }

    /// Returns the value as `xsd:boolean`: `true`, `false`, `1` or `0`.
    pub fn flag(&self) -> Option<bool> {
        match self.text.trim() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// Returns the value as a whole number.
    pub fn int(&self) -> Option<i64> {
        self.text.trim().parse().ok()
    }

    /// Returns the memory of the element without its children, in bytes.
    pub(super) fn size(&self) -> usize {
        let text = if self.text.is_empty() { 0 } else { self.text.len() + ALLOCATION };
        let children = if self.children.is_empty() { 0 } else { ALLOCATION };
        size_of::<Self>() + text + children
    }
}
