//! Traversal specs: which objects a filter selects.

use std::collections::{BTreeSet, HashMap};

use crate::fault::{Fault, Result};
use crate::model::filter::{Selection, Start, Step};
use crate::schema;
use crate::soap::envelope::reference;
use crate::soap::node::Node;
use crate::value::Ref;

use super::{Got, Viewer};

impl Selection {
    /// Reads the `objectSet` of a `PropertyFilterSpec`.
    pub fn parse(spec: &Node, viewer: &Viewer<'_>) -> Result<Self> {
        let mut selection = Self::default();
        let mut names = HashMap::new();
        for object in spec.all("objectSet") {
            collect(object, &mut selection.steps, &mut names, viewer)?;
        }
        // `link` walks the elements in the same order as `collect`, so that it knows the index of each step.
        let mut next = 0;
        for object in spec.all("objectSet") {
            let select = link(object, &mut selection.steps, &names, &mut next)?;
            let given = object.child("obj").map_or_else(|| Ref::new("", ""), reference);
            selection.starts.push(Start {
                object: super::resolve(viewer.world, &given)?,
                skip: object.flag("skip"),
                select,
            });
        }
        Ok(selection)
    }

    /// The selected objects, each once, in the order in which the walk reaches them.
    pub fn select(&self, viewer: &Viewer<'_>) -> Vec<Ref> {
        let mut walk =
            Walk { selection: self, viewer, seen: BTreeSet::new(), found: Vec::new(), taken: BTreeSet::new() };
        for start in &self.starts {
            if super::kind_of(viewer.world, &start.object.moid).is_none() {
                continue;
            }
            if !start.skip {
                walk.take(&start.object);
            }
            walk.follow(&start.object, &start.select);
        }
        walk.found
    }

    /// The objects that the selection starts from.
    pub fn roots(&self) -> impl Iterator<Item = &Ref> {
        self.starts.iter().map(|start| &start.object)
    }
}

fn collect(node: &Node, steps: &mut Vec<Step>, names: &mut HashMap<String, usize>, viewer: &Viewer<'_>) -> Result<()> {
    for select in node.all("selectSet") {
        let Some(path) = select.value("path") else {
            continue;
        };
        let kind = select.value("type").unwrap_or_default();
        if !schema::path_exists(kind, path, viewer.version) {
            return Err(Fault::invalid_property(path));
        }
        if let Some(name) = select.value("name").filter(|name| !name.is_empty()) {
            names.insert(name.to_owned(), steps.len());
        }
        steps.push(Step {
            kind: kind.to_owned(),
            path: path.to_owned(),
            skip: select.flag("skip"),
            select: Vec::new(),
        });
        collect(select, steps, names, viewer)?;
    }
    Ok(())
}

fn link(node: &Node, steps: &mut Vec<Step>, names: &HashMap<String, usize>, next: &mut usize) -> Result<Vec<usize>> {
    let mut chosen = Vec::new();
    for select in node.all("selectSet") {
        if select.child("path").is_some() {
            let own = *next;
            *next += 1;
            let inner = link(select, steps, names, next)?;
            steps[own].select = inner;
            chosen.push(own);
        } else {
            let name = select.value("name").unwrap_or_default();
            let own = names.get(name).ok_or_else(|| Fault::invalid_argument("specSet.objectSet.selectSet.name"))?;
            chosen.push(*own);
        }
    }
    Ok(chosen)
}

struct Walk<'a> {
    selection: &'a Selection,
    viewer: &'a Viewer<'a>,
    seen: BTreeSet<(String, usize)>,
    found: Vec<Ref>,
    taken: BTreeSet<String>,
}

impl Walk<'_> {
    fn take(&mut self, object: &Ref) {
        if self.taken.insert(object.moid.clone()) {
            self.found.push(object.clone());
        }
    }

    fn follow(&mut self, object: &Ref, select: &[usize]) {
        for &index in select {
            let step = &self.selection.steps[index];
            if !schema::is_a(&object.kind, &step.kind) || !self.seen.insert((object.moid.clone(), index)) {
                continue;
            }
            let Got::Value(value) = self.viewer.get(object, &step.path) else {
                continue;
            };
            for target in value.references().into_iter().filter(|target| self.viewer.world.visible(target).is_ok()) {
                if !step.skip {
                    self.take(&target);
                }
                self.follow(&target, &step.select);
            }
        }
    }
}
