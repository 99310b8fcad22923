//! Reads properties through the `PropertyCollector`.

use std::collections::HashSet;

use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::pages::{Pages, endless};
use crate::session::state::Session;
use crate::soap::moref::Moref;
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

/// Most pages of one answer.
const PAGES: usize = 10_000;
/// Objects per page to ask for, where they are made into something smaller: a host has up to 10 kB.
const PAGE: usize = 250;
/// Longest page token that is compared, in bytes.
const TOKEN: usize = 1000;

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

    /// Reads many objects like [`read`](Self::read) and makes a `T` of each, page by page: only the objects of one page are
    /// held at the same time.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub async fn read_each<T>(
        &self,
        objects: &[Moref],
        want: &[(&str, &[&str])],
        follow: &[Follow<'_>],
        make: impl Fn(Object) -> T,
    ) -> Result<Vec<T>, Error> {
        self.collect(objects, want, (follow, Reach::Anywhere), Some(PAGE), make).await
    }

    pub(crate) async fn retrieve(
        &self,
        objects: &[Moref],
        want: &[(&str, &[&str])],
        follow: &[Follow<'_>],
        reach: Reach,
    ) -> Result<Vec<Object>, Error> {
        self.collect(objects, want, (follow, reach), None, |object| object).await
    }

    async fn collect<T>(
        &self,
        objects: &[Moref],
        want: &[(&str, &[&str])],
        (follow, reach): (&[Follow<'_>], Reach),
        most: Option<usize>,
        make: impl Fn(Object) -> T,
    ) -> Result<Vec<T>, Error> {
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
                request.nest("options", |options| {
                    if let Some(most) = most {
                        options.text("maxObjects", &most.to_string());
                    }
                });
            }
            self.pages(&request, paged, &make).await
        })
        .await
    }

    async fn pages<T>(&self, request: &Request, paged: bool, make: &impl Fn(Object) -> T) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut objects = Pages::default();
        let mut tokens = HashSet::new();
        let mut response = self.call(request, Purpose::Read).await?;
        loop {
            let known = objects.count();
            let mut token = None;
            for returned in response.into_all().filter(|element| element.name() == "returnval") {
                if paged {
                    token = returned.child("token").map(|token| token.text().to_owned());
                    for element in returned.into_all().filter(|element| element.name() == "objects") {
                        objects.add(element, request.method)?;
                    }
                } else {
                    objects.add(returned, request.method)?;
                }
            }
            let token = token.filter(|token| !token.is_empty());
            all.extend(objects.take(token.is_some()).map(make));
            let Some(token) = token else {
                return Ok(all);
            };
            let mut next = Request::new("ContinueRetrievePropertiesEx", &self.content().property_collector);
            next.text("token", &token);
            // The API does not promise that tokens differ, so a repeated token alone is not an error.
            if !tokens.insert(brief(&token, TOKEN)) && objects.count() == known {
                return Err(endless(request.method, "it sent the same page token again"));
            }
            if tokens.len() > PAGES {
                return Err(endless(request.method, "it sent too many pages"));
            }
            response = self.call(&next, Purpose::Read).await?;
        }
    }
}

/// Writes a `PropertyFilterSpec`.
pub(super) fn filter(
    spec: &mut Request,
    objects: &[Moref],
    want: &[(&str, &[&str])],
    follow: &[Follow<'_>],
    reach: Reach,
) {
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
