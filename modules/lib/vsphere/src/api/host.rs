//! Finds hosts and their datastores.

use crate::api::similar;
use crate::session::about::ApiType;
use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::property::{Follow, union};
use crate::session::state::Session;
use crate::soap::moref::Moref;

/// Selects hosts.
#[derive(Debug, Clone)]
pub enum HostQuery {
    /// Hosts by name (ASCII letters of either case).
    Names(Vec<String>),
    /// All hosts of the cluster of that name.
    Cluster(String),
}

/// From the root folder to every host.
const TO_HOSTS: [Follow<'_>; 3] = [
    Follow { from: "Folder", path: "childEntity" },
    Follow { from: "Datacenter", path: "hostFolder" },
    Follow { from: "ComputeResource", path: "host" },
];

impl Session {
    /// Finds hosts in the whole inventory or in one datacenter, and reads `name` and the properties at `paths`: one request, and
    /// one or two more to find the datacenter.
    ///
    /// Hosts by name come in the order of the query, each once; hosts of a cluster in the order of their names. On ESXi, the
    /// one host is also found by the name that the session was opened with. [`Error::NotFound`] names all missing hosts.
    pub async fn hosts(
        &self,
        query: &HostQuery,
        datacenter: Option<&str>,
        paths: &[&str],
    ) -> Result<Vec<Object>, Error> {
        let mut host_paths = union(&["name"], paths);
        let mut want: Vec<(&str, &[&str])> = Vec::new();
        if let HostQuery::Cluster(_) = query {
            host_paths = union(&host_paths, &["parent"]);
            want.push(("ClusterComputeResource", &["name"]));
        }
        want.push(("HostSystem", &host_paths));
        let root = self.root(datacenter).await?;
        let found = self.read(&[root], &want, &TO_HOSTS).await?;
        match query {
            HostQuery::Names(names) => self.named(names, found),
            HostQuery::Cluster(name) => self.members(name, found).await,
        }
    }

    fn named(&self, wanted: &[String], found: Vec<Object>) -> Result<Vec<Object>, Error> {
        let mut hosts: Vec<Option<Object>> = found.into_iter().map(Some).collect();
        let names: Vec<String> = hosts.iter().flatten().map(Object::name).collect();
        let direct = self.about().api_type == ApiType::HostAgent && hosts.len() == 1;
        let mut chosen = Vec::new();
        let mut missing = Vec::new();
        for wanted in wanted {
            let wanted = wanted.trim();
            let at = names.iter().position(|name| name.eq_ignore_ascii_case(wanted)).or_else(|| {
                let own = self.host().eq_ignore_ascii_case(wanted);
                (direct && own).then_some(0)
            });
            match at {
                // Nothing is left to take if the query names a host twice.
                Some(at) => chosen.extend(hosts[at].take()),
                None => missing.push(wanted.to_owned()),
            }
        }
        if missing.is_empty() {
            return Ok(chosen);
        }
        let mut near: Vec<String> = Vec::new();
        for wanted in &missing {
            for name in similar::nearest(wanted, names.iter().cloned()) {
                if !near.contains(&name) {
                    near.push(name);
                }
            }
        }
        let plural = if missing.len() == 1 { "host" } else { "hosts" };
        Err(Error::NotFound {
            what: format!("{plural} {}", similar::quoted(&missing)),
            hint: (!near.is_empty()).then(|| format!("similar names: {}", similar::quoted(&near))),
        })
    }

    async fn members(&self, wanted: &str, found: Vec<Object>) -> Result<Vec<Object>, Error> {
        let (clusters, mut hosts): (Vec<Object>, Vec<Object>) =
            found.into_iter().partition(|object| object.moref.kind == "ClusterComputeResource");
        let cluster = self.only("cluster", wanted, &clusters).await?;
        hosts.retain(|host| host.moref("parent").as_ref() == Some(&cluster.moref));
        hosts.sort_by_key(Object::name);
        Ok(hosts)
    }

    /// Finds a datastore by name among those that the host has mounted (`HostSystem.datastore`): one request.
    pub async fn datastore_of_host(&self, host: &Moref, name: &str) -> Result<Moref, Error> {
        let follow = [Follow { from: "HostSystem", path: "datastore" }];
        let want: [(&str, &[&str]); 2] = [("Datastore", &["name"]), ("HostSystem", &["name"])];
        let found = self.read(std::slice::from_ref(host), &want, &follow).await?;
        let (hosts, datastores): (Vec<Object>, Vec<Object>) =
            found.into_iter().partition(|object| object.moref == *host);
        match datastores.iter().find(|datastore| datastore.name() == name) {
            Some(datastore) => Ok(datastore.moref.clone()),
            None => Err(Error::NotFound {
                what: format!(
                    "datastore `{name}` of host {}",
                    hosts.first().map_or_else(|| host.to_string(), Object::name)
                ),
                hint: similar::hint(name, datastores.iter().map(Object::name)),
            }),
        }
    }
}
