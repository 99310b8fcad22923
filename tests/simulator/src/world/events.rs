//! Posts events, and finds them.

use crate::config::Personality;
use crate::fault::Fault;
use crate::model::event::{Event, EventFilter};
use crate::model::pair::State;
use crate::schema;
use crate::value::{Data, Ref, Value};

use super::World;

/// The most events in one reply, if the filter sets no limit.
const MOST: usize = 1000;

impl World {
    /// Posts an event about an entity: it also names the entity's host, cluster and datacenter.
    pub fn post(&mut self, event: Data, moid: &str, message: &str) {
        let time = self.epoch + self.now * 1000;
        self.post_at(event, moid, message, time);
    }

    /// Posts an event of another time, in microseconds since 1970.
    pub fn post_at(&mut self, event: Data, moid: &str, message: &str, created: u64) {
        let key = i32::try_from(self.number()).unwrap_or(i32::MAX);
        let user = if self.sessions.is_empty() { String::new() } else { self.config.username.clone() };
        let mut data = event
            .with("key", key)
            .with("chainId", key)
            .with("createdTime", Value::Time(crate::model::clock::format(created)))
            .with("userName", &user)
            .with("fullFormattedMessage", message);
        let mut about = Vec::new();
        let mut next = Some(moid.to_owned());
        while let Some(moid) = next {
            let Some(entity) = self.entities.get(&moid) else { break };
            let (kind, field) = match entity.kind() {
                "VirtualMachine" => ("VmEventArgument", "vm"),
                "HostSystem" => ("HostEventArgument", "host"),
                "ClusterComputeResource" | "ComputeResource" => ("ComputeResourceEventArgument", "computeResource"),
                "Datacenter" => ("DatacenterEventArgument", "datacenter"),
                _ => ("", ""),
            };
            if !field.is_empty() {
                let argument = Data::new(kind).with("name", &entity.name).with(field, Ref::new(entity.kind(), &moid));
                data = data.with(field, argument);
                about.push(moid.clone());
            }
            next = self.vm(&moid).map(|vm| vm.host.clone()).or_else(|| entity.parent.clone());
        }
        self.events.push(Event { created, user, about, data });
    }

    /// Posts an event of the virtual machine that has no fields of its own.
    pub fn post_vm(&mut self, kind: &'static str, moid: &str) {
        let message = format!("{kind} of {}", self.name(moid));
        self.post(Data::new(kind), moid, &message);
    }

    /// Posts the change of a pair's state.
    pub fn post_ft_state(&mut self, primary: &str, old: State, new: State) {
        let word = |state: State| Value::Enum("VirtualMachineFaultToleranceState", state.word().to_owned());
        let event =
            Data::new("VmFaultToleranceStateChangedEvent").with("oldState", word(old)).with("newState", word(new));
        let text = format!("Fault Tolerance of {}: {} became {}", self.name(primary), old.word(), new.word());
        self.post(event, primary, &text);
        if new == State::Running {
            self.post_vm("VmSecondaryStartedEvent", primary);
        }
    }

    /// Posts the failed start of a secondary: the messages of the primary's VMX process, vCenter's own event, and since vSphere 6
    /// that of vSphere HA.
    pub fn post_failed_start(&mut self, primary: &str, failed: &Fault) {
        let texts: Vec<(String, String)> = innermost(&failed.data);
        for (id, text) in &texts {
            let info = Data::new("VirtualMachineMessage").with("id", id).with("text", text);
            let event = Data::new("VmMessageErrorEvent").with("message", text).list(
                "messageInfo",
                "VirtualMachineMessage",
                vec![info.into()],
            );
            let message = format!("Error message on {}: {text}", self.name(primary));
            self.post(event, primary, &message);
        }
        let reason = Data::new("VmFailedStartingSecondaryEvent").with("reason", "migrateFailed");
        let message = format!("vCenter Server could not start the secondary of {}", self.name(primary));
        self.post(reason, primary, &message);
        if self.config.personality != Personality::V50 {
            let message = format!("vSphere HA could not start the secondary of {}", self.name(primary));
            let event = Data::new("EventEx")
                .with("eventTypeId", "com.vmware.vc.HA.StartFTSecondaryFailedEvent")
                .with("severity", "error")
                .with("message", &message)
                .with("objectId", primary)
                .with("objectType", "VirtualMachine")
                .with("objectName", self.name(primary))
                .with("fault", failed.localized());
            self.post(event, primary, &message);
        }
    }

    /// The events of a filter, the oldest first.
    pub fn events_of(&self, filter: &EventFilter) -> Vec<&Event> {
        let found: Vec<&Event> = self.events.iter().filter(|event| self.holds(filter, event)).collect();
        let most = filter.most.unwrap_or(MOST);
        found[found.len().saturating_sub(most)..].to_vec()
    }

    fn holds(&self, filter: &EventFilter, event: &Event) -> bool {
        let id = event.data.get("eventTypeId").map(|id| match id {
            Value::Str(id) => id.as_str(),
            _ => "",
        });
        let kind = event.data.kind.as_ref();
        // An EventEx is known by its eventTypeId, others by their types.
        let is = |wanted: &String| {
            id.map_or_else(|| schema::is_a(kind, wanted.trim_start_matches("vim.event.")), |id| id == wanted)
        };
        let all = |list: &[String], test: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(test);
        filter.entity.as_ref().is_none_or(|(moid, recursion)| self.is_about(event, moid, recursion))
            && filter.begin.is_none_or(|begin| event.created >= begin)
            && filter.end.is_none_or(|end| event.created <= end)
            && all(&filter.users, &|user| *user == event.user)
            && all(&filter.types, &|wanted| schema::is_a(kind, wanted))
            && all(&filter.ids, &is)
            && all(&filter.categories, &|wanted| wanted == category(&event.data))
    }

    fn is_about(&self, event: &Event, moid: &str, recursion: &str) -> bool {
        let parent = |of: &str| self.entities.get(of).and_then(|entity| entity.parent.clone());
        let above = |about: &String| {
            let mut next = parent(about);
            while let Some(one) = next {
                if one == moid {
                    return true;
                }
                next = parent(&one);
            }
            false
        };
        let own = event.about.iter().any(|about| about == moid);
        match recursion {
            "self" => own,
            "children" => event.about.iter().any(|about| parent(about).as_deref() == Some(moid)),
            _ => own || event.about.iter().any(above),
        }
    }
}

/// The severity that `EventManager.description` gives the event's type.
pub fn category(event: &Data) -> &'static str {
    let bad = ["Failed", "Error", "Timedout", "NoCompatible", "DisabledBySystem"];
    let id = match event.get("eventTypeId") {
        Some(Value::Str(id)) => id.as_str(),
        _ => event.kind.as_ref(),
    };
    if bad.iter().any(|word| id.contains(word)) { "error" } else { "info" }
}

/// The texts that the innermost faults give, with their keys.
fn innermost(fault: &Data) -> Vec<(String, String)> {
    let text = |data: &Data, name: &str| match data.get(name) {
        Some(Value::Str(text)) => text.clone(),
        _ => String::new(),
    };
    let mut out = Vec::new();
    for (name, value) in &fault.fields {
        let items = match value {
            Value::List(_, items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for item in items {
            match item {
                Value::Data(data) if name == "faultMessage" => out.push((text(data, "key"), text(data, "message"))),
                Value::Data(data) => out.extend(innermost(data)),
                _ => {}
            }
        }
    }
    // Several faults hold the same one.
    let mut seen = std::collections::HashSet::new();
    out.retain(|entry| seen.insert(entry.clone()));
    out
}

#[cfg(test)]
mod tests {
    use crate::model::event::EventFilter;
    use crate::testing;
    use crate::world::World;

    fn kinds(world: &World, filter: &EventFilter) -> Vec<String> {
        world.events_of(filter).iter().map(|event| event.data.kind.to_string()).collect()
    }

    /// A lab in which the start of the secondary has failed.
    fn failed(personality: &str) -> World {
        let mut world = testing::world(&["--personality", personality, "--scenario", "article"]);
        for key in ["replay.supported", "replay.allowFT", "replay.allowBTOnly"] {
            world.vm_mut("vm-63").unwrap().set_extra(key, "true");
        }
        world.boot("vm-63");
        let method = if personality == "5.0" { "CreateSecondaryVM_Task" } else { "CreateSecondaryVMEx_Task" };
        testing::task(&mut world, "vm-63", method, "").unwrap();
        world
    }

    #[test]
    fn the_failed_start_leaves_the_events_of_its_release() {
        for (personality, last) in [("5.0", "VmFailedStartingSecondaryEvent"), ("6.7", "EventEx")] {
            let world = failed(personality);
            let kinds = kinds(&world, &EventFilter::default());
            assert_eq!(kinds[0], "VmSecondaryAddedEvent", "{personality}");
            for kind in ["VmStartingSecondaryEvent", "VmMessageErrorEvent", "VmFaultToleranceStateChangedEvent", last] {
                assert!(kinds.iter().any(|own| own == kind), "{personality}: {kind} of {kinds:?}");
            }
        }
    }

    #[test]
    fn a_filter_selects_by_entity_time_kind_and_number() {
        let world = failed("6.7");
        let own = |moid: &str, recursion: &str| EventFilter {
            entity: Some((moid.into(), recursion.into())),
            ..EventFilter::default()
        };
        let ids = |ids: &[&str]| EventFilter {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..EventFilter::default()
        };
        let all = kinds(&world, &EventFilter::default()).len();
        let secondary = world.secondary_of("vm-63").unwrap().to_owned();
        let cases = [
            (own("vm-63", "self"), all),
            (own(&secondary, "self"), 0),
            (own("host-20", "self"), all),
            (own("group-d1", "self"), 0),
            (own("group-d1", "all"), all),
            (ids(&["VmFailedStartingSecondaryEvent"]), 1),
            (ids(&["vim.event.VmFailedStartingSecondaryEvent"]), 1),
            (ids(&["com.vmware.vc.HA.StartFTSecondaryFailedEvent"]), 1),
            (ids(&["EventEx"]), 0),
            (ids(&["VmEvent"]), all - 1),
            (EventFilter { types: vec!["EventEx".into()], ..EventFilter::default() }, 1),
            (EventFilter { categories: vec!["error".into()], ..EventFilter::default() }, 4),
            (EventFilter { begin: Some(u64::MAX), ..EventFilter::default() }, 0),
            (EventFilter { end: Some(0), ..EventFilter::default() }, 0),
            (EventFilter { most: Some(2), ..EventFilter::default() }, 2),
        ];
        for (filter, count) in cases {
            assert_eq!(kinds(&world, &filter).len(), count, "{filter:?}");
        }
        let last = kinds(&world, &EventFilter { most: Some(1), ..EventFilter::default() });
        assert_eq!(last, kinds(&world, &EventFilter::default())[all - 1..], "the newest ones");
    }
}
