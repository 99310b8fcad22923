//! The objects in a container view.

use std::collections::BTreeSet;

use crate::model::session::View;
use crate::schema;
use crate::value::Ref;
use crate::world::World;

/// The objects in a container view that the user may see.
pub fn contained(world: &World, view: &View) -> Vec<Ref> {
    let mut found = BTreeSet::new();
    let mut open = inside(world, &view.container);
    while let Some(object) = open.pop() {
        if view.recursive {
            open.extend(inside(world, &object));
        }
        let wanted = view.kinds.is_empty() || view.kinds.iter().any(|kind| schema::is_a(&object.kind, kind));
        if wanted && world.visible(&object).is_ok() {
            found.insert(object);
        }
    }
    found.into_iter().collect()
}

/// The direct children of a container: a folder's children, a datacenter's folders, a compute resource's hosts and pool,
/// or a pool's VMs.
fn inside(world: &World, container: &Ref) -> Vec<Ref> {
    let mut found = world.children(&container.moid);
    if container.kind == "ResourcePool" {
        let own = |moid: &&String| world.vm(moid).is_some_and(|vm| vm.pool == container.moid);
        let vms = world.moids("VirtualMachine").filter(own);
        found.extend(vms.map(|moid| Ref::new("VirtualMachine", moid)));
    }
    found
}
