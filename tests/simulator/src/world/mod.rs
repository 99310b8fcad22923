//! The state of the simulated vSphere, its virtual time, and running tasks.
//!
//! Time is virtual: [`World::advance`] runs the events that are due. The server calls it with the real time before each
//! access to the world; unit tests call it with any time.

pub mod events;
mod grants;
pub mod inventory;
pub mod logs;
pub mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::config::Config;
use crate::fault::{Fault, Result};
use crate::model::clock::{self, Queue};
use crate::model::cluster::Cluster;
use crate::model::entity::{Body, Entity, Store};
use crate::model::event::{Event, History};
use crate::model::filter::Collector;
use crate::model::grants::Grants;
use crate::model::host::Host;
use crate::model::inject::{How, Injection};
use crate::model::options::{self, HostOption};
use crate::model::session::{Session, SessionCounts, View};
use crate::model::task::Task;
use crate::model::vm::Vm;
use crate::random::uuid;
use crate::value::{Ref, Value};

/// The state of the simulator.
pub struct World {
    /// The command line.
    pub config: Config,
    /// The password of the only user.
    pub password: String,
    /// Milliseconds since the start.
    pub now: u64,
    /// Microseconds since 1970 at the start.
    pub epoch: u64,
    /// The inventory by moid. Change it with [`World::insert`] and [`World::remove`], which maintain its indexes.
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
    /// Container views by moid.
    pub views: BTreeMap<String, View>,
    /// Property collectors and their filters, by the collector's moid.
    pub collectors: BTreeMap<String, Collector>,
    /// The events of the API, the oldest first.
    pub events: Vec<Event>,
    /// Collectors of events by moid.
    pub histories: BTreeMap<String, History>,
    /// The scheduled actions.
    pub queue: Queue<Self>,
    /// All requests so far, as JSON.
    pub log: Vec<serde_json::Value>,
    /// The privileges of the user; `None` means all.
    pub grants: Option<Grants>,
    /// Injected faults.
    pub injections: Vec<Injection>,
    /// The injected faults of tasks, by the task's moid.
    pub task_faults: HashMap<String, Fault>,
    /// Tasks to forget when they end.
    pub vanishing: HashSet<String>,
    /// Remaining pages of `RetrievePropertiesEx`, by token.
    pub pages: HashMap<String, std::vec::IntoIter<Value>>,
    /// vCenter's own settings.
    pub settings: Vec<HostOption>,
    next: u64,
}

impl World {
    /// A world with vCenter's own settings and an empty inventory; `World::new` fills it.
    fn empty(config: Config, epoch: u64) -> Self {
        let password = config.password();
        Self {
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
            events: Vec::new(),
            histories: BTreeMap::new(),
            queue: Queue::new(),
            log: Vec::new(),
            grants: None,
            injections: Vec::new(),
            task_faults: HashMap::new(),
            vanishing: HashSet::new(),
            pages: HashMap::new(),
            settings: options::vcenter(),
            next: 100,
            config,
        }
    }

    /// Schedules an event in `delay` milliseconds.
    pub fn after(&mut self, delay: u64, event: impl FnOnce(&mut Self) + Send + 'static) {
        self.queue.push(self.now + delay, event);
    }

    /// Advances the time to `now`, milliseconds since the start: runs the events that are due and ends idle sessions.
    pub fn advance(&mut self, now: u64) {
        while let Some((due, event)) = self.queue.pop_due(now) {
            self.now = self.now.max(due);
            event(self);
        }
        self.now = self.now.max(now);
        let limit = self.config.session_timeout_s * 1000;
        let now = self.now;
        self.sessions.retain(|_, session| now.saturating_sub(session.last_used) <= limit);
    }

    /// Milliseconds until the next event, if there is one.
    pub fn next_event(&self) -> Option<u64> {
        Some(self.queue.next()?.saturating_sub(self.now))
    }

    /// Opens a session under this cookie.
    pub fn open_session(&mut self, user: &str, cookie: String) -> Session {
        let (key, login) = (uuid(), self.time());
        let session = Session { key, user: user.to_owned(), login, last_used: self.now, calls: 1 };
        self.sessions.insert(cookie, session.clone());
        self.counts.logins += 1;
        session
    }

    /// The injected fault that hits this call, if there is one.
    pub fn injected(&mut self, method: &str, object: &str) -> Option<How> {
        let hit = self.injections.iter_mut().find_map(|injection| injection.hit(method, object));
        self.injections.retain(|injection| !injection.used_up());
        hit
    }

    /// Appends a request to the log, and to the file that the command line names.
    pub fn record(&mut self, line: serde_json::Value) {
        if let Some(path) = &self.config.log {
            use std::io::Write;
            // Errors are ignored, because tests read the log in memory.
            let _ = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| writeln!(file, "{line}"));
        }
        self.log.push(line);
    }

    /// A new number.
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

    /// The VM of this moid, mutable.
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

    /// The VM of this moid, mutable, or `ManagedObjectNotFound`.
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

    /// The host of this moid, mutable.
    pub fn host_mut(&mut self, moid: &str) -> Option<&mut Host> {
        match &mut self.entities.get_mut(moid)?.body {
            Body::Host(host) => Some(host),
            _ => None,
        }
    }

    /// The datastore of this moid.
    pub fn store(&self, moid: &str) -> Option<&Store> {
        match &self.entities.get(moid)?.body {
            Body::Datastore(store) => Some(store),
            _ => None,
        }
    }

    /// Adds an entity to the inventory.
    pub fn insert(&mut self, moid: &str, entity: Entity) {
        self.kinds.entry(entity.kind()).or_default().insert(moid.to_owned());
        if let Some(parent) = &entity.parent {
            self.members.entry(parent.clone()).or_default().insert(moid.to_owned());
        }
        self.entities.insert(moid.to_owned(), entity);
    }

    /// Removes an entity from the inventory.
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

    /// The same as a vector, which does not borrow the world.
    pub fn of_kind(&self, kind: &str) -> Vec<String> {
        self.moids(kind).cloned().collect()
    }

    /// Moids of the entities whose parent is this one, in order.
    pub fn members(&self, moid: &str) -> impl Iterator<Item = &String> {
        self.members.get(moid).into_iter().flatten()
    }

    /// An entity's name; empty if there is no such entity.
    pub fn name(&self, moid: &str) -> &str {
        self.entities.get(moid).map_or("", |entity| &entity.name)
    }

    /// The cluster of a host.
    pub fn cluster_of(&self, host: &str) -> Option<&Cluster> {
        let parent = self.entities.get(host)?.parent.as_ref()?;
        match &self.entities.get(parent)?.body {
            Body::Cluster(cluster) => Some(cluster),
            _ => None,
        }
    }
}
