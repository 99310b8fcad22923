//! The simulated vSphere: its clock, inventory, sessions and tasks.
//!
//! Time is virtual: [`World::advance`] runs what has become due, and the server calls it with the real time before it
//! looks at anything. Tests call it with whatever time they like.

pub mod clock;
pub mod cluster;
pub mod entity;
pub mod hardware;
pub mod host;
pub mod inventory;
pub mod layout;
pub mod logs;
pub mod nics;
pub mod options;
pub mod session;
pub mod task;
#[cfg(test)]
pub mod testing;
pub mod vm;
pub mod vm_state;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::config::Config;
use crate::fault::{Fault, Result};
use crate::inject::Injection;
use crate::property::filter::Collector;
use crate::value::Ref;

use clock::Queue;
use entity::{Body, Entity, Host};
use session::{Session, SessionCounts};
use task::Task;
use vm::Vm;

/// Everything the simulator knows.
pub struct World {
    /// How it was started.
    pub config: Config,
    /// The password to log in with.
    pub password: String,
    /// Milliseconds since the start.
    pub now: u64,
    /// Microseconds since 1970 at the start.
    pub epoch: u64,
    /// The inventory by moid; [`World::insert`] and [`World::remove`] keep the indexes of it.
    pub entities: BTreeMap<String, Entity>,
    kinds: HashMap<&'static str, BTreeSet<String>>,
    members: HashMap<String, BTreeSet<String>>,
    /// Tasks by moid.
    pub tasks: BTreeMap<String, Task>,
    /// Cookies that were set before a login.
    pub cookies: HashSet<String>,
    /// Live sessions by cookie.
    pub sessions: HashMap<String, Session>,
    /// How many logins and logouts there were.
    pub counts: SessionCounts,
    /// Container views by moid: the objects they hold.
    pub views: BTreeMap<String, session::View>,
    /// Property collectors and their filters, by the collector's moid.
    pub collectors: BTreeMap<String, Collector>,
    /// What is still to happen.
    pub queue: Queue,
    /// Requests so far, as JSON.
    pub log: Vec<serde_json::Value>,
    /// Faults that tests asked for.
    pub injections: Vec<Injection>,
    /// Tasks that are to end in a fault whatever they do.
    pub task_faults: HashMap<String, Fault>,
    /// Tasks that are to be gone once they end.
    pub vanishing: HashSet<String>,
    /// Remaining pages of `RetrievePropertiesEx`, by token.
    pub pages: HashMap<String, std::vec::IntoIter<crate::value::Value>>,
    /// vCenter's own settings.
    pub settings: Vec<options::HostOption>,
    next: u64,
}

impl World {
    /// A fresh world.
    pub fn new(config: Config, epoch: u64) -> Self {
        let password = config.password();
        let mut world = Self {
            password,
            now: 0,
            epoch,
            entities: BTreeMap::new(),
            kinds: HashMap::new(),
            members: HashMap::new(),
            tasks: BTreeMap::new(),
            cookies: HashSet::new(),
            sessions: HashMap::new(),
            counts: SessionCounts::default(),
            views: BTreeMap::new(),
            collectors: BTreeMap::new(),
            queue: Queue::default(),
            log: Vec::new(),
            injections: Vec::new(),
            task_faults: HashMap::new(),
            vanishing: HashSet::new(),
            pages: HashMap::new(),
            settings: options::vcenter(),
            next: 100,
            config,
        };
        inventory::build(&mut world);
        world
    }

    /// Puts a request into the log, and into the file that the command line names.
    pub fn record(&mut self, line: serde_json::Value) {
        if let Some(path) = &self.config.log {
            use std::io::Write;
            // The log on disk is a convenience: the one in memory is what tests read.
            let _ = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| writeln!(file, "{line}"));
        }
        self.log.push(line);
    }

    /// A number that was not used before.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The time as `xsd:dateTime`, in UTC with microseconds.
    pub fn time(&self) -> String {
        clock::format(self.epoch + self.now * 1000)
    }

    /// The reference to an entity of the inventory.
    pub fn reference(&self, moid: &str) -> Option<Ref> {
        self.entities.get(moid).map(|entity| Ref::new(entity.kind(), moid))
    }

    /// The VM of this moid.
    pub fn vm(&self, moid: &str) -> Option<&Vm> {
        match &self.entities.get(moid)?.body {
            Body::Vm(vm) => Some(vm),
            _ => None,
        }
    }

    /// The VM of this moid, to change.
    pub fn vm_mut(&mut self, moid: &str) -> Option<&mut Vm> {
        match &mut self.entities.get_mut(moid)?.body {
            Body::Vm(vm) => Some(vm),
            _ => None,
        }
    }

    /// The VM of this moid, or `ManagedObjectNotFound`.
    pub fn need_vm(&self, moid: &str) -> Result<&Vm> {
        self.vm(moid).ok_or_else(|| Fault::not_found(&Ref::new("VirtualMachine", moid)))
    }

    /// The VM of this moid, to change, or `ManagedObjectNotFound`.
    pub fn need_vm_mut(&mut self, moid: &str) -> Result<&mut Vm> {
        self.vm_mut(moid).ok_or_else(|| Fault::not_found(&Ref::new("VirtualMachine", moid)))
    }

    /// The host of this moid.
    pub fn host(&self, moid: &str) -> Option<&Host> {
        match &self.entities.get(moid)?.body {
            Body::Host(host) => Some(host),
            _ => None,
        }
    }

    /// The host of this moid, to change.
    pub fn host_mut(&mut self, moid: &str) -> Option<&mut Host> {
        match &mut self.entities.get_mut(moid)?.body {
            Body::Host(host) => Some(host),
            _ => None,
        }
    }

    /// The datastore of this moid.
    pub fn store(&self, moid: &str) -> Option<&entity::Store> {
        match &self.entities.get(moid)?.body {
            Body::Datastore(store) => Some(store),
            _ => None,
        }
    }

    /// Puts an entity into the inventory.
    pub fn insert(&mut self, moid: &str, entity: Entity) {
        self.kinds.entry(entity.kind()).or_default().insert(moid.to_owned());
        if let Some(parent) = &entity.parent {
            self.members.entry(parent.clone()).or_default().insert(moid.to_owned());
        }
        self.entities.insert(moid.to_owned(), entity);
    }

    /// Takes an entity out of the inventory.
    pub fn remove(&mut self, moid: &str) {
        let entity = self.entities.remove(moid);
        for index in self.kinds.values_mut().chain(entity.and_then(|gone| self.members.get_mut(&gone.parent?))) {
            index.remove(moid);
        }
    }

    /// Moids of the entities of this managed object type, in order.
    pub fn moids(&self, kind: &str) -> impl Iterator<Item = &String> {
        self.kinds.get(kind).into_iter().flatten()
    }

    /// The same, apart from the world.
    pub fn of_kind(&self, kind: &str) -> Vec<String> {
        self.moids(kind).cloned().collect()
    }

    /// Moids of the entities whose parent is this one, in order.
    pub fn members(&self, moid: &str) -> impl Iterator<Item = &String> {
        self.members.get(moid).into_iter().flatten()
    }

    /// An entity's name, or nothing for one that is not there.
    pub fn name(&self, moid: &str) -> &str {
        self.entities.get(moid).map_or("", |entity| &entity.name)
    }

    /// The cluster of a host.
    pub fn cluster_of(&self, host: &str) -> Option<&cluster::Cluster> {
        let parent = self.entities.get(host)?.parent.as_ref()?;
        match &self.entities.get(parent)?.body {
            Body::Cluster(cluster) => Some(cluster),
            _ => None,
        }
    }
}
