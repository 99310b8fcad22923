//! Property collectors with their filters. The module `property` reads specs and evaluates them.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::value::{Ref, Value};

/// A property collector's filters and how far they have reported.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    /// The key of the session that it belongs to.
    pub session: String,
    /// Its filters by moid.
    pub filters: BTreeMap<String, Filter>,
    /// The number of the last update set.
    pub version: u64,
    /// True after `CancelWaitForUpdates`.
    pub cancelled: bool,
}

/// A filter (`PropertyFilter`).
#[derive(Clone, Debug)]
pub struct Filter {
    /// Which objects and properties it reads.
    pub specs: Vec<Spec>,
    /// The values that it reported last.
    pub reported: BTreeMap<Ref, Content>,
}

/// A checked `PropertyFilterSpec`.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The properties to read, by type.
    pub wanted: Vec<Wanted>,
    /// The objects to read them from.
    pub selection: Selection,
}

/// `PropertySpec`: the properties to read from objects of a type.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The managed object type.
    pub kind: String,
    /// True for all properties that the type has.
    pub all: bool,
    /// Paths of single properties.
    pub paths: Vec<String>,
}

/// The objects that a filter selects: where it starts, and how it goes on from there.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The objects to start from.
    pub starts: Vec<Start>,
    /// All traversal steps; other steps and starts refer to them by index.
    pub steps: Vec<Step>,
}

/// `ObjectSpec`: an object to start from.
#[derive(Clone, Debug)]
pub struct Start {
    /// The object.
    pub object: Ref,
    /// True if the object itself is not selected.
    pub skip: bool,
    /// The steps that follow, by index.
    pub select: Vec<usize>,
}

/// `TraversalSpec`: a step from an object to those that one of its properties refers to.
#[derive(Clone, Debug)]
pub struct Step {
    /// The type of the objects that the step leaves from.
    pub kind: String,
    /// The property that it follows.
    pub path: String,
    /// True if the objects that it reaches are not selected.
    pub skip: bool,
    /// The steps that follow, by index.
    pub select: Vec<usize>,
}

/// The values that a filter read from one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The object.
    pub object: Ref,
    /// Paths and values of the properties that are set.
    pub values: Vec<(String, Value)>,
    /// Paths of the properties that may not be read, with the fault.
    pub missing: Vec<(String, Fault)>,
}
