//! The decision about the vmknics of one host.

use contract::{Error, Kind, Plan};
use serde_json::{Map, Value, json};
use vsphere::{NicService, Vmknic};

use crate::args::{Service, State, Wish};

/// The state read from one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub host: String,
    /// The services that were asked for: a diff is of these.
    pub asked: Vec<&'static str>,
    /// Every service that the host knows.
    pub services: Vec<NicService>,
}

impl contract::Observed for Observed {
    fn view(&self) -> Value {
        let asked = self.services.iter().filter(|service| self.asked.contains(&service.name.as_str()));
        asked.map(|service| (service.name.clone(), json!(service.selected))).collect()
    }
}

/// The services to select or deselect, and on which vmknic.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub device: String,
    pub services: Vec<&'static str>,
    /// They are to be carried, not given up.
    pub select: bool,
}

impl contract::Change for Change {
    type Observed = Observed;

    fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    fn predict(&self, observed: &Observed) -> Observed {
        let mut after = observed.clone();
        for service in after.services.iter_mut().filter(|service| self.services.contains(&service.name.as_str())) {
            if !self.select {
                service.selected.remove(&self.device);
                continue;
            }
            if !service.multiple {
                service.selected.clear();
            }
            service.selected.insert(self.device.clone());
        }
        after
    }
}

impl Observed {
    fn service(&self, name: &str) -> Option<&NicService> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The services that this vmknic carries.
    pub fn carried(&self, device: &str) -> Vec<String> {
        let carried = self.services.iter().filter(|service| service.selected.contains(device));
        carried.map(|service| service.name.clone()).collect()
    }

    /// The vmknic that is meant.
    pub fn vmknic(&self, wish: &Wish) -> Result<&Vmknic, Error> {
        let candidates = self.candidates(wish);
        let meant: Vec<&Vmknic> = match (&wish.device, &wish.portgroup) {
            (Some(device), _) => candidates.iter().copied().filter(|nic| nic.device == *device).collect(),
            (None, Some(group)) => {
                candidates.iter().copied().filter(|nic| nic.portgroup.as_ref() == Some(group)).collect()
            }
            (None, None) => match candidates.iter().find(|nic| self.carries_all(nic, wish)) {
                Some(carrier) => vec![carrier],
                None => candidates.clone(),
            },
        };
        let services = wish.names().join(" or ");
        let place = wish.portgroup.as_ref().map(|group| format!(" on the port group `{group}`")).unwrap_or_default();
        match meant.as_slice() {
            [only] => Ok(only),
            [] => {
                let device = wish.device.as_ref().map(|device| format!(" {device}")).unwrap_or_default();
                Err(self.no_candidate(&format!("vmknic{device}{place}"), &services, &candidates))
            }
            several => {
                let text = format!(
                    "host {} has several vmknics{place} that can carry {services}: {}",
                    self.host,
                    list(several)
                );
                let hint = if wish.portgroup.is_some() { "Set `device`" } else { "Set `device` or `portgroup`" };
                Err(Error::new(Kind::Ambiguous, text).hint(format!("{hint} to select one.")))
            }
        }
    }

    fn carries_all(&self, nic: &Vmknic, wish: &Wish) -> bool {
        let carried = self.carried(&nic.device);
        wish.names().into_iter().all(|name| carried.iter().any(|service| service == name))
    }

    /// The vmknics that may carry one of the services asked for, each once.
    fn candidates(&self, wish: &Wish) -> Vec<&Vmknic> {
        let mut candidates: Vec<&Vmknic> = Vec::new();
        for nic in wish.names().iter().filter_map(|name| self.service(name)).flat_map(|service| &service.candidates) {
            if !candidates.iter().any(|known| known.device == nic.device) {
                candidates.push(nic);
            }
        }
        candidates
    }

    fn no_candidate(&self, what: &str, services: &str, candidates: &[&Vmknic]) -> Error {
        let error = Error::new(Kind::NotFound, format!("host {} has no {what} that can carry {services}", self.host));
        if candidates.is_empty() {
            return error.hint("Add a vmknic to the host first.");
        }
        error.hint(format!("Its candidates are {}.", list(candidates)))
    }
}

fn list(nics: &[&Vmknic]) -> String {
    nics.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Returns the requested services that the vmknics carry, in the terms of the arguments. A service that no vmknic
/// carries is absent.
pub fn actual(wish: &Wish, hosts: &[&Observed]) -> Map<String, Value> {
    let as_wanted = |host: &&&Observed| plan(wish, host).is_ok_and(|plan| plan.change.services.is_empty());
    let Some(host) = hosts.iter().find(|host| !as_wanted(host)).or(hosts.first()) else { return Map::new() };
    // Without the vmknic that is meant, there is nothing to tell of it.
    let Ok(nic) = host.vmknic(wish) else { return Map::new() };
    let carried = host.carried(&nic.device);
    let there = wish.services.iter().filter(|service| carried.iter().any(|name| name == service.name()));
    let there: Vec<&Service> = there.collect();
    let (services, state) =
        if there.is_empty() { (json!(wish.services), State::Absent) } else { (json!(there), State::Present) };
    Map::from_iter([("services".to_owned(), services), ("state".to_owned(), json!(state))])
}

/// Decides, for one host.
pub fn plan(wish: &Wish, observed: &Observed) -> Result<Plan<Change>, Error> {
    let select = wish.state == State::Present;
    let known = |name: &'static str| {
        observed.service(name).ok_or_else(|| {
            Error::new(Kind::Unsupported, format!("host {} does not support the service {name}", observed.host))
                .hint("Check the version and the licence of the host.")
        })
    };
    // A host without the service has no candidates for it either: the former says more.
    let services = wish.names().into_iter().map(|name| known(name).map(|service| (name, service)));
    let services: Vec<(&'static str, &NicService)> = services.collect::<Result<_, _>>()?;
    let nic = observed.vmknic(wish)?;
    let device = &nic.device;
    let mut plan = Plan::from(Change { device: device.clone(), services: Vec::new(), select });
    for (name, service) in services {
        if service.selected.contains(device) == select {
            continue;
        }
        if select {
            let candidates: Vec<&Vmknic> = service.candidates.iter().collect();
            if !candidates.iter().any(|candidate| candidate.device == *device) {
                return Err(observed.no_candidate(&format!("vmknic {device}"), name, &candidates));
            }
            for loser in service.selected.iter().filter(|_| !service.multiple) {
                plan.warnings.push(format!(
                    "{device} of host {} takes over {name} from {loser}: only one vmknic of a host can carry it",
                    observed.host
                ));
            }
        }
        plan.change.services.push(name);
    }
    Ok(plan)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
