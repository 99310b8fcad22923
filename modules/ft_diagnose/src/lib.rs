//! `ft_diagnose`: finds known failure signatures of Fault Tolerance and vMotion in logs, and says what to do. Changes nothing.
//!
//! Logs come as text or as files (`local`), or from a virtual machine and its hosts through the API (`api`). Reading them
//! (`examine`) is the observation; what it means (`report`) is a pure function of that.

mod api;
mod examine;
mod local;
mod report;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use contract::{Applied, Error, Kind, Module, NoChange, Outcome, Plan, Rule, Run};
use diagnosis::{Catalogue, Release};
use examine::{Examination, Examined};
use report::Report;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use vsphere_module::{Connection, RemedyHosts, Server, VmReport, VmTarget};

/// What is looked for.
const SIGNATURES: &str = include_str!("../signatures.json");

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Option<Connection>,
    #[serde(flatten)]
    target: VmTarget,
    /// The log itself, instead of a virtual machine: no server is needed.
    text: Option<String>,
    /// Path of a log file on the machine where this runs, plain or compressed by gzip, instead of a virtual machine: no server
    /// is needed.
    #[schemars(with = "Option<String>", length(min = 1))]
    path: Option<PathBuf>,
    /// Whether the files beside O(path) are read too that it was rotated into: V(vmware-3.log), V(vmkernel.0.gz),
    /// V(messages.1).
    #[serde(default)]
    rotated: bool,
    /// Whether the ends of the vmkernel logs of the virtual machine's host and of its secondary's are read too. Needs the
    /// privilege C(Global.Diagnostics).
    #[serde(default)]
    host_logs: bool,
    /// So many bytes are read of the end of each of the virtual machine's logs.
    #[serde(default = "one_mebibyte")]
    #[schemars(range(min = 1024, max = 67_108_864))]
    tail_bytes: u64,
    /// So many lines are read of the end of each host's log.
    #[serde(default = "two_thousand")]
    #[schemars(range(min = 1, max = 1_000_000))]
    tail_lines: u32,
    /// Name of the cluster on whose hosts a remedy for O(text) or O(path) is to act. A virtual machine's own is read.
    #[schemars(extend("x-aliases" = ["cluster"]), length(min = 1))]
    cluster_name: Option<String>,
    /// Names of the hosts on which a remedy for O(text) or O(path) is to act: one, or a list.
    esxi_hostname: Option<Vec<String>>,
    /// The version of ESXi that wrote O(text) or O(path), such as V(5.0) or V(7.0 U2), because not every remedy is for every
    /// version. A virtual machine's own is read.
    #[schemars(length(min = 1))]
    version: Option<String>,
    /// Seconds after which the run gives up.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

fn one_mebibyte() -> u64 {
    1 << 20
}

fn two_thousand() -> u32 {
    2000
}

fn five_minutes() -> u64 {
    300
}

impl Args {
    /// The hosts that were named for remedies.
    fn hosts(&self) -> Option<RemedyHosts> {
        let datacenter = self.target.datacenter().map(str::to_owned);
        let cluster = self.cluster_name.clone().map(|name| RemedyHosts::Cluster { name, datacenter });
        cluster.or_else(|| self.esxi_hostname.clone().map(RemedyHosts::Names))
    }

    fn release(&self) -> Option<Result<Release, String>> {
        self.version.as_deref().map(str::parse)
    }
}

/// Where the logs are, what is looked for in them, and until when.
struct Place {
    server: Option<Server>,
    catalogue: Rc<Catalogue>,
    deadline: Instant,
}

impl contract::Close for Place {
    async fn close(&self) {
        if let Some(server) = &self.server {
            contract::Close::close(server).await;
        }
    }
}

/// What the logs hold, and what decides about remedies.
#[derive(Debug, Clone, Default)]
struct Observed {
    examined: Examined,
    vm: Option<VmReport>,
    hosts: Option<RemedyHosts>,
    release: Option<Release>,
    catalogue: Option<Rc<Catalogue>>,
}

struct FtDiagnose;

impl Module for FtDiagnose {
    const NAME: &'static str = "ft_diagnose";
    const SUMMARY: &'static str = "Known failures of Fault Tolerance and vMotion are found in logs, with what to do";
    const DESCRIPTION: &'static [&'static str] = &[
        "Looks for the signatures of known failures in vmware.log and vmkernel.log, and says what they mean and what to do. It changes nothing: RV(findings[].remedies) are sentences, and where a module of this collection can do what they say, the arguments that it takes as they are.",
        "The logs are those of a virtual machine, of its Fault Tolerance secondary and (O(host_logs)) of their hosts, read through vCenter Server or an ESXi host; or a file (O(path)), or a text (O(text)), for which no server is needed.",
        "vmware.log is rotated when a virtual machine is powered on: where the newest shows nothing, those before it are read, as far as the virtual machine lists them.",
        "Finding nothing is no failure: RV(healthy) says so. Lines with the prefixes of ESXi 4 to 9 and without any are understood.",
        "Nested Fault Tolerance is unsupported by VMware, and for labs only.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = &[
        Rule::ExactlyOne(&["name", "uuid", "moid", "path", "text"]),
        vsphere_module::INSTANCE_UUID_NEEDS_UUID,
        vsphere_module::FOLDER_NEEDS_NAME,
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
        Rule::Needs("rotated", "path"),
        Rule::AtMostOne(&["cluster_name", "esxi_hostname"]),
    ];

    type Args = Args;
    type Session = Place;
    type Target = ();
    type Observed = Observed;
    type Change = NoChange;
    type Report = Report;

    fn needs_no_server(given: &Map<String, Value>) -> bool {
        given.contains_key("path") || given.contains_key("text")
    }

    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        if Self::needs_no_server(given) {
            // Connection arguments and a datacenter may come from module_defaults, and do not matter.
            let api = Rule::Without(
                &["host_logs", "tail_bytes", "tail_lines"],
                "a text or a file is read whole, and from no server",
            );
            return vec![api];
        }
        let read = Rule::Without(
            &["cluster_name", "esxi_hostname", "version"],
            "they are read from the server; they belong to `text` and `path`",
        );
        vec![vsphere_module::CONNECTION_NEEDED, read]
    }

    fn check(args: &Args) -> Vec<String> {
        let local = args.path.is_some() || args.text.is_some();
        let connection = args.connection.iter().filter(|_| !local);
        let mut problems: Vec<String> = connection.flat_map(Connection::problems).collect();
        if let Some(Err(wrong)) = args.release() {
            problems.push(format!("`version`: {wrong}"));
        }
        let empty = |names: &Vec<String>| names.is_empty() || names.iter().any(|name| name.trim().is_empty());
        if args.esxi_hostname.as_ref().is_some_and(empty) {
            problems.push("`esxi_hostname`: give the name of a host".to_owned());
        }
        problems
    }

    async fn open(args: &Args, run: &Run) -> Result<Place, Error> {
        let catalogue = Catalogue::parse(SIGNATURES).map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
        let local = args.path.is_some() || args.text.is_some();
        let server = match &args.connection {
            _ if local => None,
            Some(connection) => Some(connection.open(run, args.timeout).await?),
            None => return Err(Error::new(Kind::InvalidArguments, "give `hostname`, or `path`, or `text`")),
        };
        Ok(Place { server, catalogue: Rc::new(catalogue), deadline: run.deadline(args.timeout) })
    }

    async fn targets(_: &Args, _: &Place) -> Result<Vec<()>, Error> {
        Ok(vec![()])
    }

    async fn observe(args: &Args, place: &Place, (): &(), _: Option<&Observed>) -> Result<Observed, Error> {
        let mut examination = Examination::new(&place.catalogue, place.deadline);
        let mut observed = Observed { catalogue: Some(Rc::clone(&place.catalogue)), ..Observed::default() };
        match (&place.server, &args.text, &args.path) {
            (Some(server), ..) => {
                let seen = api::examine(args, server, &mut examination).await?;
                observed.release = seen.version.and_then(|version| version.parse().ok());
                observed.hosts = seen.hosts;
                observed.vm = Some(seen.vm);
            }
            (None, Some(text), _) => local::text(text, &mut examination).await?,
            (None, None, Some(path)) => local::file(path, args.rotated, &mut examination).await?,
            (None, None, None) => {}
        }
        if place.server.is_none() {
            observed.release = args.release().and_then(Result::ok);
            observed.hosts = args.hosts();
        }
        observed.examined = examination.conclude()?;
        Ok(observed)
    }

    fn plan(_: &Args, observed: &Observed) -> Result<Plan<NoChange>, Error> {
        let unread = observed.examined.sources.iter().filter_map(|source| {
            let reason = source.error.as_ref()?;
            // Most of them name the log themselves.
            Some(if reason.contains(&source.file) { reason.clone() } else { format!("{}: {reason}", source.file) })
        });
        let mut warnings: Vec<String> = unread.collect();
        if observed.examined.dropped > 0 {
            warnings.push(format!("{} more findings, which tell less, are left out", observed.examined.dropped));
        }
        Ok(Plan { warnings, ..Plan::from(NoChange) })
    }

    fn predict(observed: &Observed, _: &NoChange) -> Observed {
        observed.clone()
    }

    async fn apply(_: &Args, _: &Place, (): &(), _: &Observed, _: &NoChange, _: &Run) -> Result<Applied, Error> {
        Ok(Applied::Done)
    }

    fn view(_: &Observed) -> Value {
        json!({})
    }

    fn label((): &(), observed: Option<&Observed>) -> String {
        match observed.and_then(|observed| observed.vm.as_ref()) {
            Some(vm) => format!("{} ({})", vm.name, vm.moid),
            None => "the logs".to_owned(),
        }
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        let before = outcomes.first().and_then(|outcome| outcome.before.as_ref());
        before.map_or_else(Report::default, |observed| {
            let signatures = observed.catalogue.as_ref().map_or(&[][..], |catalogue| catalogue.signatures());
            report::report(observed, signatures)
        })
    }

    fn message(_: &Args, report: &Report, _: &[Outcome<Self>], _: &Run) -> String {
        report::message(report)
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<FtDiagnose>();
