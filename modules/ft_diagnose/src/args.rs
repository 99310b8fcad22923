//! The arguments.

use std::path::PathBuf;

use contract::{Arguments, Rule};
use diagnosis::{Release, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use vsphere_module::{Connection, RemedyHosts, VmTarget};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub connection: Option<Connection>,
    #[serde(flatten)]
    pub target: VmTarget,
    /// The log itself, instead of a virtual machine: no server is needed.
    pub text: Option<String>,
    /// Path of a log file on the machine where this runs, plain or compressed by gzip, instead of a virtual machine: no server
    /// is needed. A file in UTF-16, which Windows PowerShell writes, needs a byte order mark.
    #[schemars(with = "Option<String>", length(min = 1))]
    pub path: Option<PathBuf>,
    /// Whether the files beside O(path) are read too that it was rotated into: V(vmware-3.log), V(vmkernel.0.gz),
    /// V(messages.1).
    #[serde(default)]
    pub rotated: bool,
    /// Whether the ends of the vmkernel logs of the virtual machine's host and of its secondary's are read too. Needs the
    /// privilege C(Global.Diagnostics).
    #[serde(default)]
    pub host_logs: bool,
    /// Number of bytes to read from the end of each of the virtual machine's logs.
    #[serde(default = "one_mebibyte")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    pub tail_bytes: u64,
    /// Number of lines to read from the end of each host's log.
    #[serde(default = "two_thousand")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub tail_lines: u32,
    /// The time from which on events lead to findings, with date, time and zone, such as V(2026-01-31T12:00:00Z). Unless given, it
    /// is the last start of a secondary. If there is no event of a start, only those of the virtual machine count, for 24 hours.
    #[schemars(length(min = 1))]
    pub since: Option<String>,
    /// Name of the cluster on whose hosts a remedy for O(text) or O(path) is to act. A virtual machine's own is read.
    #[schemars(extend("x-aliases" = ["cluster"]), length(min = 1))]
    pub cluster_name: Option<String>,
    /// Names of the hosts on which a remedy for O(text) or O(path) is to act: one, or a list.
    pub esxi_hostname: Option<Vec<String>>,
    /// The version of ESXi that wrote O(text) or O(path), such as V(5.0) or V(7.0 U2), because not every remedy is for every
    /// version. A virtual machine's own is read.
    #[schemars(length(min = 1))]
    pub version: Option<String>,
    /// Seconds after which the run gives up.
    #[serde(default = "vsphere_module::five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout: u64,
}

fn one_mebibyte() -> u64 {
    1 << 20
}

fn two_thousand() -> u32 {
    2000
}

impl Args {
    /// Returns the hosts that were named for remedies.
    pub fn hosts(&self) -> Option<RemedyHosts> {
        let datacenter = self.target.datacenter().map(str::to_owned);
        let cluster = self.cluster_name.clone().map(|name| RemedyHosts::Cluster { name, datacenter });
        cluster.or_else(|| self.esxi_hostname.clone().map(RemedyHosts::Names))
    }

    /// True if a text or a file is read, which needs no server.
    pub fn is_local(&self) -> bool {
        self.path.is_some() || self.text.is_some()
    }

    /// Returns the time from which on events are read.
    pub fn since(&self) -> Option<Result<Timestamp, String>> {
        self.since.as_deref().map(str::parse)
    }

    pub fn release(&self) -> Option<Result<Release, String>> {
        self.version.as_deref().map(str::parse)
    }
}

impl Arguments for Args {
    const RULES: &'static [Rule] = &[
        Rule::ExactlyOne(&["name", "uuid", "moid", "path", "text"]),
        vsphere_module::INSTANCE_UUID_NEEDS_UUID,
        vsphere_module::FOLDER_NEEDS_NAME,
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
        Rule::Needs("rotated", "path"),
        Rule::AtMostOne(&["cluster_name", "esxi_hostname"]),
    ];

    fn timeout(&self) -> u64 {
        self.timeout
    }

    fn needs_no_server(given: &Map<String, Value>) -> bool {
        given.contains_key("path") || given.contains_key("text")
    }

    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        if Self::needs_no_server(given) {
            // Connection arguments and a datacenter may come from module_defaults, and do not matter.
            let api = Rule::Without(
                &["host_logs", "tail_bytes", "tail_lines", "since"],
                "a text or a file is read completely, and without a server",
            );
            return vec![api];
        }
        let read = Rule::Without(
            &["cluster_name", "esxi_hostname", "version"],
            "a run without `text` or `path` reads this from the server",
        );
        vec![vsphere_module::CONNECTION_NEEDED, read]
    }

    fn check(&self) -> Vec<String> {
        let connection = self.connection.iter().filter(|_| !self.is_local());
        let mut problems: Vec<String> = connection.flat_map(Connection::problems).collect();
        if let Some(Err(wrong)) = self.release() {
            problems.push(format!("`version`: {wrong}"));
        }
        if let Some(Err(wrong)) = self.since() {
            problems.push(format!("`since`: {wrong}"));
        }
        let empty = |names: &Vec<String>| names.is_empty() || names.iter().any(|name| name.trim().is_empty());
        if self.esxi_hostname.as_ref().is_some_and(empty) {
            problems.push("`esxi_hostname`: give the name of a host".to_owned());
        }
        problems
    }
}
