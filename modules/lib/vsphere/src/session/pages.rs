//! Objects from the pages of an answer.

use std::collections::HashMap;

use crate::session::error::Error;
use crate::session::object::Object;
use crate::soap::element::Element;
use crate::soap::memory::Held;
use crate::soap::moref::Moref;

/// Most objects of one answer. A vCenter Server manages at most 40,000 virtual machines.
const OBJECTS: usize = 100_000;

/// The objects that were read and not taken yet, each once.
#[derive(Default)]
pub(crate) struct Pages {
    objects: Vec<Object>,
    /// The position of each object, counted from the first object of all.
    at: HashMap<Moref, usize>,
    taken: usize,
    /// Counts the copies of parts of the documents.
    held: Held,
}

impl Pages {
    /// Adds an `ObjectContent`, or more properties of an object that was not taken yet.
    pub(crate) fn add(&mut self, element: Element, method: &str) -> Result<(), Error> {
        let Some(object) = Object::parse(element) else { return Ok(()) };
        if let Some(fault) = object.faults().find(|fault| fault.is("NotAuthenticated")) {
            return Err(Error::Fault(fault.clone()));
        }
        self.held.add(object.copied() + 2 * object.moref.id.len())?;
        if let Some(position) = self.at.get(&object.moref) {
            if let Some(index) = position.checked_sub(self.taken) {
                self.objects[index].absorb(object);
            }
        } else if self.at.len() == OBJECTS {
            return Err(endless(method, "it sent too many objects"));
        } else {
            self.at.insert(object.moref.clone(), self.at.len());
            self.objects.push(object);
        }
        Ok(())
    }

    /// Returns the number of objects so far.
    pub(crate) fn count(&self) -> usize {
        self.at.len()
    }

    /// Takes the objects, except for the last one if there is another page: it may have more properties there.
    pub(crate) fn take(&mut self, another: bool) -> impl Iterator<Item = Object> {
        let count = self.objects.len().saturating_sub(usize::from(another));
        self.taken += count;
        self.objects.drain(..count)
    }
}

/// Returns the error for an answer that never ends.
pub(super) fn endless(method: &str, why: &str) -> Error {
    Error::Protocol(format!("the server does not finish its answer to {method}: {why}"))
}
