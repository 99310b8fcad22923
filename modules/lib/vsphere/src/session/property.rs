//! Reads properties through the `PropertyCollector`.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::session::error::Error;
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::fault::Fault;
use crate::soap::memory::Held;
use crate::soap::moref::Moref;
use crate::soap::name;
use crate::soap::request::Request;
use crate::text::brief;
use crate::wire::transport::Purpose;

/// A step from objects to other objects: a property that refers to them (`TraversalSpec`).
#[derive(Debug, Clone, Copy)]
pub struct Follow<'a> {
    /// The managed object type that has the property, e.g. `VirtualMachine`; its subtypes have it too.
    pub from: &'a str,
    /// The property, e.g. `runtime.host`.
    pub path: &'a str,
}

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

    /// Adds the properties of the same object in a later page.
    fn absorb(&mut self, other: Self) {
        let own = Rc::make_mut(&mut self.properties);
        let other = Rc::unwrap_or_clone(other.properties);
        own.values.extend(other.values);
        own.missing.extend(other.missing);
    }
}

/// Joins two lists of paths, each path once, because servers refuse a path that is asked twice.
pub(crate) fn union<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<&'a str> {
    let mut paths = first.to_vec();
    for path in second {
        if !paths.contains(path) {
            paths.push(path);
        }
    }
    paths
}

/// The number of steps from the starting objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any: steps are repeated from the objects that they reach.
    Anywhere,
    /// One.
    OneStep,
}

// A vCenter Server manages at most 40,000 virtual machines.
const PAGES: usize = 10_000;
const OBJECTS: usize = 100_000;
/// Longest object name or page token, in bytes; vSphere allows names of 80 characters.
const NAME: usize = 1000;

impl Session {
    /// Reads properties of `objects` and of the objects that `follow` reaches, by one `RetrievePropertiesEx` and its
    /// continuations (`RetrieveProperties` before vSphere 4.1).
    ///
    /// `want` names managed object types and their property paths; objects of other types are passed through. Properties that
    /// are unset or unreadable are absent, see [`Object::missing`].
    ///
    /// # Errors
    /// The fault `InvalidProperty` for a path that the server's version does not know, and `ManagedObjectNotFound` for an object
    /// that is gone. [`SoapError::TooLarge`](crate::SoapError::TooLarge) and [`Error::Protocol`] for too much data.
    pub async fn read(
        &self,
        objects: &[Moref],
        want: &[(&str, &[&str])],
        follow: &[Follow<'_>],
    ) -> Result<Vec<Object>, Error> {
        self.retrieve(objects, want, follow, Reach::Anywhere).await
    }

    pub(crate) async fn retrieve(
        &self,
        objects: &[Moref],
        want: &[(&str, &[&str])],
        follow: &[Follow<'_>],
        reach: Reach,
    ) -> Result<Vec<Object>, Error> {
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        // Not `query`: pages belong to a session, and some servers report an expired session per property. The request is made
        // anew for each attempt, because another session may be on another server.
        self.reading(async || {
            let version = &self.about().version;
            let paged = version.major() == 0 || version.at_least(4, 1);
            let method = if paged { "RetrievePropertiesEx" } else { "RetrieveProperties" };
            let mut request = Request::new(method, &self.content().property_collector);
            request.nest("specSet", |spec| filter(spec, objects, want, follow, reach));
            if paged {
                request.nest("options", |_| {});
            }
            self.pages(&request, paged).await
        })
        .await
    }

    async fn pages(&self, request: &Request, paged: bool) -> Result<Vec<Object>, Error> {
        let mut objects: Vec<Object> = Vec::new();
        let mut at = HashMap::new();
        let mut tokens = HashSet::new();
        // Counts the copies of parts of the documents.
        let held = Held::default();
        let mut response = self.call(request, Purpose::Read).await?;
        loop {
            let known = objects.len();
            let mut token = None;
            for returned in response.into_all().filter(|element| element.name() == "returnval") {
                if paged {
                    token = returned.child("token").map(|token| token.text().to_owned());
                    for element in returned.into_all().filter(|element| element.name() == "objects") {
                        join(&mut objects, &mut at, element, request.method, &held)?;
                    }
                } else {
                    join(&mut objects, &mut at, returned, request.method, &held)?;
                }
            }
            let Some(token) = token.filter(|token| !token.is_empty()) else {
                break;
            };
            let mut next = Request::new("ContinueRetrievePropertiesEx", &self.content().property_collector);
            next.text("token", &token);
            // The API does not promise that tokens differ, so a repeated token alone is not an error.
            if !tokens.insert(brief(&token, NAME)) && objects.len() == known {
                return Err(endless(request.method, "it sent the same page token again"));
            }
            if tokens.len() > PAGES {
                return Err(endless(request.method, "it sent too many pages"));
            }
            response = self.call(&next, Purpose::Read).await?;
        }
        let mut faults = objects.iter().flat_map(|object| &object.properties.missing);
        match faults.find(|(_, fault)| fault.is("NotAuthenticated")) {
            Some((_, fault)) => Err(Error::Fault(fault.clone())),
            None => Ok(objects),
        }
    }
}

/// Adds an `ObjectContent` to the objects of earlier pages.
pub(crate) fn join(
    objects: &mut Vec<Object>,
    at: &mut HashMap<Moref, usize>,
    element: Element,
    method: &str,
    held: &Held,
) -> Result<(), Error> {
    let Some(object) = Object::parse(element) else { return Ok(()) };
    let missing = &object.properties.missing;
    let copied: usize = missing.iter().map(|(path, fault)| path.len() + fault.weight()).sum();
    held.add(copied + 2 * object.moref.id.len())?;
    if let Some(&index) = at.get(&object.moref) {
        objects[index].absorb(object);
    } else if objects.len() == OBJECTS {
        return Err(endless(method, "it sent too many objects"));
    } else {
        at.insert(object.moref.clone(), objects.len());
        objects.push(object);
    }
    Ok(())
}

fn endless(method: &str, why: &str) -> Error {
    Error::Protocol(format!("the server does not finish its answer to {method}: {why}"))
}

/// Writes a `PropertyFilterSpec`.
fn filter(spec: &mut Request, objects: &[Moref], want: &[(&str, &[&str])], follow: &[Follow<'_>], reach: Reach) {
    for (kind, paths) in want {
        spec.nest("propSet", |set| {
            set.text("type", kind);
            for path in *paths {
                set.text("pathSet", path);
            }
        });
    }
    for (number, object) in objects.iter().enumerate() {
        spec.nest("objectSet", |set| {
            set.moref("obj", object);
            set.flag("skip", false);
            for (index, step) in follow.iter().enumerate() {
                // A name refers to the step with that name anywhere in the filter.
                if number > 0 {
                    set.nest("selectSet", |selection| selection.text("name", &format!("step{index}")));
                    continue;
                }
                set.nest_typed("selectSet", "TraversalSpec", |traversal| {
                    traversal.text("name", &format!("step{index}"));
                    traversal.text("type", step.from);
                    traversal.text("path", step.path);
                    traversal.flag("skip", false);
                    for (next, other) in follow.iter().enumerate() {
                        if reach == Reach::Anywhere && step.meets(other) {
                            traversal.nest("selectSet", |selection| {
                                selection.text("name", &format!("step{next}"));
                            });
                        }
                    }
                });
            }
        });
    }
}

impl Follow<'_> {
    /// True if `next` can start where this step leads. Servers check the type that a step starts from. Simulators may not, and
    /// would loop between a virtual machine, its pool and the pool's virtual machines.
    fn meets(&self, next: &Follow<'_>) -> bool {
        let reached: &[&str] = match (self.from, self.path) {
            (_, "childEntity") => &["Folder", "Datacenter", "ComputeResource", "VirtualApp", "ResourcePool"],
            (_, "vmFolder" | "hostFolder" | "parentFolder") => &["Folder"],
            (_, "runtime.host" | "host") => &["HostSystem"],
            (_, "resourcePool") => &["ResourcePool", "VirtualApp"],
            (_, "parentVApp") => &["VirtualApp"],
            (_, "vm") => &["VirtualMachine"],
            (_, "datastore") => &["Datastore"],
            (_, "network") => &["Network"],
            ("HostSystem", "parent") => &["ComputeResource", "ClusterComputeResource"],
            _ => return true,
        };
        next.from == "ManagedEntity" || reached.contains(&next.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Follow<'_>; 3] = [
        Follow { from: "Folder", path: "childEntity" },
        Follow { from: "VirtualApp", path: "vm" },
        Follow { from: "ManagedEntity", path: "parent" },
    ];

    fn written(reach: Reach) -> String {
        let mut request = Request::new("R", &Moref::new("PropertyCollector", "pc"));
        let folder = Moref::new("Folder", "group-d1");
        let want: [(&str, &[&str]); 1] = [("VirtualMachine", &["name", "config"])];
        request.nest("specSet", |spec| filter(spec, &[folder], &want, &STEPS, reach));
        request.call()
    }

    #[test]
    fn a_filter_is_written_in_the_order_of_the_schema() {
        let step = |index, from, path| {
            format!(
                r#"<selectSet xsi:type="TraversalSpec"><name>step{index}</name><type>{from}</type><path>{path}</path><skip>false</skip></selectSet>"#
            )
        };
        assert_eq!(
            written(Reach::OneStep),
            format!(
                r#"<R xmlns="urn:vim25"><_this type="PropertyCollector">pc</_this><specSet><propSet><type>VirtualMachine</type><pathSet>name</pathSet><pathSet>config</pathSet></propSet><objectSet><obj type="Folder">group-d1</obj><skip>false</skip>{}{}{}</objectSet></specSet></R>"#,
                step(0, "Folder", "childEntity"),
                step(1, "VirtualApp", "vm"),
                step(2, "ManagedEntity", "parent"),
            )
        );
    }

    #[test]
    fn steps_follow_only_steps_that_reach_their_type() {
        let followers: Vec<String> = written(Reach::Anywhere)
            .split("</path>")
            .skip(1)
            .map(|step| {
                let digits = |part: &str| part.chars().next().filter(char::is_ascii_digit);
                step.split("<selectSet><name>step").skip(1).filter_map(digits).collect()
            })
            .collect();
        // Folders hold folders and vApps; virtual machines hold nothing; a parent may be anything.
        assert_eq!(followers, ["012", "2", "012"]);
    }
}
