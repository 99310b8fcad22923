//! The arguments that name hosts.

use contract::{Error, Kind, Rule};
use schemars::JsonSchema;
use serde::Deserialize;
use vsphere::{HostQuery, Object, Session, Version};

use crate::failure;

/// Hosts are named one by one, or by their cluster.
pub const ONE_KIND_OF_HOST: Rule = Rule::ExactlyOne(&["esxi_hostname", "cluster_name"]);
/// The rules for the arguments of [`HostTarget`] and of [`Connection`](crate::Connection).
pub const HOST_RULES: &[Rule] =
    &[ONE_KIND_OF_HOST, crate::connection::PROXY_NEEDS_PORT, crate::connection::PROXY_NEEDS_HOST];

/// The hosts to act on.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct HostTarget {
    /// Names of the ESXi hosts, as the inventory shows them: one, or a list.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    esxi_hostname: Option<Vec<String>>,
    /// Name of the cluster all of whose hosts are meant.
    #[schemars(extend("x-aliases" = ["cluster"]), length(min = 1))]
    cluster_name: Option<String>,
    /// Datacenter of the hosts. Needed when clusters in several have the name.
    #[schemars(length(min = 1))]
    datacenter: Option<String>,
}

impl HostTarget {
    /// Returns the problems that no schema can express.
    pub fn problems(&self) -> Vec<String> {
        let empty = |names: &Vec<String>| names.is_empty() || names.iter().any(|name| name.trim().is_empty());
        match &self.esxi_hostname {
            Some(names) if empty(names) => vec!["`esxi_hostname`: give the name of a host".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Finds the hosts and reads `paths` of each, all in one request.
    pub async fn find(&self, server: &Session, paths: &[&str]) -> Result<Vec<Object>, Error> {
        let query = match (&self.esxi_hostname, &self.cluster_name) {
            (_, Some(cluster)) => HostQuery::Cluster(cluster.clone()),
            (names, None) => HostQuery::Names(names.clone().unwrap_or_default()),
        };
        server.hosts(&query, self.datacenter.as_deref(), paths).await.map_err(failure)
    }
}

/// Fails for a host that the server cannot reach (`runtime.connectionState` is not `connected`): its properties may
/// be out of date, and nothing can be written.
pub fn reachable(name: &str, state: Option<&str>) -> Result<(), Error> {
    match state {
        None | Some("connected") => Ok(()),
        Some(state) => {
            let state = if state == "notResponding" { "not responding" } else { state };
            Err(Error::new(Kind::Conflict, format!("host {name} is {state}"))
                .hint("Reconnect the host, then run the task again."))
        }
    }
}

/// Returns the version of a host. Needs `config.product`.
pub fn host_version(host: &Object) -> Option<Version> {
    host.get("config.product")?.at("version").map(|version| Version::parse(version.text()))
}

/// Lists the first names, and counts the other hosts.
pub fn few_hosts(names: &[&str]) -> String {
    match names {
        [first @ .., _, _] if first.len() > 8 => {
            format!("{} and {} more hosts", names[..8].join(", "), names.len() - 8)
        }
        all => all.join(", "),
    }
}
