//! Reads a property as a fact.

use requirements::Fact;
use vsphere::{Element, Object};

/// Longest reason why a property cannot be read, in characters. Every requirement that needs the property repeats it.
const WHY: usize = 300;

/// Returns a property, as far as it could be read.
pub fn fact<'a>(object: &'a Object, path: &str) -> Fact<&'a Element> {
    match (object.get(path), object.missing(path)) {
        (Some(value), _) => Fact::Known(value),
        (None, Some(fault)) => Fact::Hidden(fault.describe().chars().take(WHY).collect()),
        (None, None) => Fact::Unset,
    }
}
