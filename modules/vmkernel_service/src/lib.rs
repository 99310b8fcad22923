//! `vmkernel_service`: a VMkernel adapter (vmknic) of ESXi hosts carries services, or does not.
//!
//! `config.virtualNicManagerInfo` of a host tells everything, so that all hosts are read in the request that finds them;
//! `SelectVnicForNicType` and `DeselectVnicForNicType` write, one service at a time. `QueryNetConfig` is asked where the
//! property does not show that.

mod plan;
mod report;
mod verify;

use contract::{Applied, Error, Kind, Module, Outcome, Plan, Rule, Run};
use plan::{Change, Observed};
use report::{Report, host_report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vsphere::{Moref, NicService, Object};
use vsphere_module::{Connection, HostTarget, Server};

#[derive(Debug, Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    connection: Connection,
    #[serde(flatten)]
    target: HostTarget,
    #[serde(flatten)]
    wish: Wish,
    /// Seconds after which the run gives up waiting for vSphere.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    timeout: u64,
}

/// The arguments that decisions depend on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Wish {
    /// The vmknic by its device, such as V(vmk1), on every host.
    #[schemars(length(min = 1))]
    device: Option<String>,
    /// The vmknic by its port group, whatever its device is on each host: the name of a standard switch's port group, or
    /// the key of a distributed one (V(dvportgroup-12)).
    #[schemars(length(min = 1))]
    portgroup: Option<String>,
    /// The services that the vmknic carries, or does not with O(state=absent). Its other services stay as they are.
    #[schemars(length(min = 1))]
    services: Vec<Service>,
    /// What is to be true.
    #[serde(default)]
    state: State,
}

impl Wish {
    /// The names of the services in the API, each once.
    fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for service in &self.services {
            if !names.contains(&service.name()) {
                names.push(service.name());
            }
        }
        names
    }
}

/// A service that Fault Tolerance needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Service {
    /// vMotion, by which the secondary gets its memory too. Several vmknics of a host may carry it where its release
    /// allows that.
    Vmotion,
    /// Fault Tolerance logging. Several vmknics of a host may carry it where its release allows that; elsewhere the one that
    /// carried it loses it.
    FaultToleranceLogging,
}

impl Service {
    /// The name in the API.
    fn name(self) -> &'static str {
        match self {
            Self::Vmotion => "vmotion",
            Self::FaultToleranceLogging => "faultToleranceLogging",
        }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    /// The vmknic carries the services.
    #[default]
    Present,
    /// The vmknic does not carry them.
    Absent,
}

fn five_minutes() -> u64 {
    300
}

/// One host, as it was found.
struct Host {
    found: Object,
    manager: Option<Moref>,
}

const PATHS: [&str; 4] =
    ["name", "config.virtualNicManagerInfo", "configManager.virtualNicManager", "runtime.connectionState"];

impl Host {
    /// The host's `HostVirtualNicManager`.
    fn manager(&self) -> Result<&Moref, Error> {
        self.manager.as_ref().ok_or_else(|| unreadable(&self.found))
    }
}

fn unreadable(host: &Object) -> Error {
    Error::new(Kind::Permission, format!("the vmknics of host {} cannot be read", host.name()))
        .hint("Check that this user may read the host's configuration.")
}

struct VmkernelService;

impl Module for VmkernelService {
    const NAME: &'static str = "vmkernel_service";
    const SUMMARY: &'static str = "VMkernel adapters of ESXi hosts carry services such as vMotion, or do not";
    const DESCRIPTION: &'static [&'static str] = &[
        "Has a VMkernel adapter (vmknic) carry vMotion and Fault Tolerance logging, or not, on one ESXi host, on several, or on all hosts of a cluster, through vCenter Server or the host itself.",
        "The vmknic has to be there. A service that only one vmknic of a host may carry moves to the one that is named here, and a warning names the one that loses it.",
        "Fault Tolerance needs a vmknic for vMotion and one for its logging on every host that it uses.",
    ];
    const EXAMPLES: &'static str = include_str!("../examples.yml");
    const RULES: &'static [Rule] = &[
        vsphere_module::ONE_KIND_OF_HOST,
        Rule::ExactlyOne(&["device", "portgroup"]),
        vsphere_module::PROXY_NEEDS_PORT,
        vsphere_module::PROXY_NEEDS_HOST,
    ];

    const STATE: &'static [&'static str] = &["services", "state"];

    type Args = Args;
    type Session = Server;
    type Target = Host;
    type Observed = Observed;
    type Change = Change;
    type Report = Report;

    fn check(args: &Args) -> Vec<String> {
        let mut problems = args.connection.problems();
        problems.extend(args.target.problems());
        if args.wish.services.is_empty() {
            problems.push("`services`: give at least one service".to_owned());
        }
        problems
    }

    async fn open(args: &Args, run: &Run) -> Result<Server, Error> {
        args.connection.open(run, args.timeout).await
    }

    async fn targets(args: &Args, server: &Server) -> Result<Vec<Host>, Error> {
        let found = args.target.find(server, &PATHS).await?;
        let host = |found: Object| Host { manager: found.moref("configManager.virtualNicManager"), found };
        Ok(found.into_iter().map(host).collect())
    }

    async fn observe(
        args: &Args,
        server: &Server,
        host: &Host,
        previous: Option<&Observed>,
    ) -> Result<Observed, Error> {
        // The request that found the host has read it too: the first look costs nothing.
        let again = match previous {
            Some(_) => {
                let moref = std::slice::from_ref(&host.found.moref);
                server.read(moref, &[("HostSystem", &PATHS)], &[]).await.map_err(vsphere_module::failure)?.pop()
            }
            None => None,
        };
        let now = again.as_ref().unwrap_or(&host.found);
        vsphere_module::reachable(&now.name(), now.text("runtime.connectionState"))?;
        let info = now.get("config.virtualNicManagerInfo").ok_or_else(|| unreadable(now))?;
        Ok(Observed { host: now.name(), asked: args.wish.names(), services: NicService::list(info) })
    }

    fn plan(args: &Args, observed: &Observed) -> Result<Plan<Change>, Error> {
        plan::plan(&args.wish, observed)
    }

    fn predict(observed: &Observed, change: &Change) -> Observed {
        plan::predict(observed, change)
    }

    async fn apply(
        _: &Args,
        server: &Server,
        host: &Host,
        observed: &Observed,
        change: &Change,
        run: &Run,
    ) -> Result<Applied, Error> {
        let manager = host.manager()?;
        let mut wrote = false;
        for service in &change.services {
            let what = if change.select { "to carry" } else { "not to carry" };
            let what = format!("{} of host {} {what} {service}", change.device, observed.host);
            run.progress.waiting(&format!("waiting for {what}"));
            match server.select_nic(manager, service, &change.device, change.select).await {
                Ok(()) => wrote = true,
                Err(error) => {
                    return vsphere_module::judge_write(error, wrote).map_err(|mut error| {
                        error.detail.insert_str(0, &format!("getting {what}: "));
                        error
                    });
                }
            }
        }
        Ok(Applied::Done)
    }

    async fn verify(
        args: &Args,
        server: &Server,
        host: &Host,
        observed: &Observed,
        _: &Change,
        run: &Run,
    ) -> Result<Observed, Error> {
        verify::verify(args, server, host, observed, run).await
    }

    fn actual(args: &Args, hosts: &[&Observed]) -> Map<String, Value> {
        plan::actual(&args.wish, hosts)
    }

    fn view(observed: &Observed) -> Value {
        let asked = observed.services.iter().filter(|service| observed.asked.contains(&service.name.as_str()));
        asked.map(|service| (service.name.clone(), json!(service.selected))).collect()
    }

    fn label(host: &Host, _: Option<&Observed>) -> String {
        host.found.name()
    }

    fn report(args: &Args, outcomes: &[Outcome<Self>]) -> Report {
        Report { hosts: outcomes.iter().map(|outcome| host_report(&args.wish, outcome)).collect() }
    }

    fn message(args: &Args, _: &Report, outcomes: &[Outcome<Self>], run: &Run) -> String {
        let changed: Vec<String> =
            outcomes.iter().filter(|outcome| outcome.changed).map(|outcome| outcome.target.found.name()).collect();
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        let nic = match (&args.wish.device, &args.wish.portgroup) {
            (Some(device), _) => device.clone(),
            (None, portgroup) => format!("The vmknic on `{}`", portgroup.as_deref().unwrap_or_default()),
        };
        let services = args.wish.names().join(" and ");
        let carries = match (args.wish.state, run.check && !changed.is_empty()) {
            (State::Present, false) => "carries",
            (State::Present, true) => "would carry",
            (State::Absent, false) => "does not carry",
            (State::Absent, true) => "would not carry",
        };
        let (names, unchanged) = (vsphere_module::few_hosts(&changed), outcomes.len() - changed.len());
        let hosts = if unchanged == 1 { "host" } else { "hosts" };
        match (changed.len(), unchanged) {
            (0, 0) => "The cluster has no hosts.".to_owned(),
            (0, count) => format!("Nothing to do: {nic} {carries} {services} on {count} {hosts}."),
            (_, 0) => format!("{nic} {carries} {services} on {names}."),
            (_, count) => format!("{nic} {carries} {services} on {names}; on {count} {hosts} it was so already."),
        }
    }
}

/// The program.
pub const PROGRAM: callers::Program = callers::Program::of::<VmkernelService>();
