//! Reading: the cluster and its hosts' agents in one request; its virtual machines only when vSphere HA is to be turned off.

use std::collections::BTreeSet;

use contract::{Error, Kind};
use vsphere::{Follow, FtInfo, FtState, HaConfig, HaOverride, Moref, Object};
use vsphere_module::Server;

use crate::args::{Args, State};
use crate::details::{HaOption, HaVm};
use crate::plan::{Agent, Observed};

const CLUSTER: [&str; 2] = ["name", "configurationEx"];
const TO_HOSTS: Follow<'static> = Follow { from: "ComputeResource", path: "host" };
const TO_VMS: Follow<'static> = Follow { from: "HostSystem", path: "vm" };

pub async fn observe(args: &Args, server: &Server, previous: Option<&Observed>) -> Result<Observed, Error> {
    if !server.about().api_type.is_vcenter() {
        return Err(Error::new(
            Kind::Unsupported,
            "vSphere HA and clusters are managed by vCenter Server; this is an ESXi host",
        )
        .hint("Set `hostname` to the vCenter Server that manages this host."));
    }
    let moref = if let Some(previous) = previous {
        previous.moref.clone()
    } else {
        let found = server.cluster(&args.cluster_name, args.datacenter.as_deref()).await;
        found.map_err(vsphere_module::failure)?.moref
    };
    let mut host = vec!["name", "runtime.connectionState", "runtime.powerState", "runtime.inMaintenanceMode"];
    // Older servers refuse to be asked for what they do not know.
    if server.speaks(5, 0) {
        host.push("runtime.dasHostState");
    }
    let want: [(&str, &[&str]); 2] = [("ClusterComputeResource", &CLUSTER), ("HostSystem", &host)];
    let found = server.read(std::slice::from_ref(&moref), &want, &[TO_HOSTS]).await.map_err(vsphere_module::failure)?;
    let (clusters, hosts): (Vec<Object>, Vec<Object>) = found.into_iter().partition(|object| object.moref == moref);
    let unread = || {
        Error::new(Kind::Permission, format!("the configuration of the cluster {} cannot be read", args.cluster_name))
            .hint("Check that this user may read the cluster.")
    };
    let cluster = clusters.first().ok_or_else(unread)?;
    let configuration = cluster.get("configurationEx").ok_or_else(unread)?;
    let config = HaConfig::parse(configuration);
    let all = vsphere::ha_options(configuration);
    let options = args.wish.advanced_options.keys().map(|asked| HaOption::find(asked, &all)).collect();
    let overrides = HaOverride::list(configuration);
    let vms = match previous {
        Some(previous) => previous.vms.clone(),
        None => vms(args, server, &moref).await?,
    };
    let vms = vms.into_iter().map(|vm| vm.with(&overrides)).collect();
    let mut agents: Vec<Agent> = hosts.iter().map(agent).collect();
    agents.sort_by(|one, other| one.host.cmp(&other.host));
    let turns_off = args.wish.state == State::Disabled && config.enabled == Some(true);
    let protected = if turns_off { protected(server, cluster).await? } else { Vec::new() };
    let since_6_5 = server.speaks(6, 5);
    Ok(Observed { moref, name: cluster.name(), config, options, vms, since_6_5, agents, protected })
}

/// Finds the virtual machines whose restart priority was asked for, in one request, or none if there are none.
async fn vms(args: &Args, server: &Server, cluster: &Moref) -> Result<Vec<HaVm>, Error> {
    let asked: Vec<&str> = args.wish.vm_restart_priority.keys().map(String::as_str).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let found = server.cluster_vms(cluster, &asked).await.map_err(|error| {
        let mut failure = vsphere_module::failure(error);
        if failure.kind == Kind::NotFound {
            failure.detail = format!("{} in the cluster {}", failure.detail, args.cluster_name);
        }
        if failure.kind == Kind::Ambiguous {
            failure = failure.hint("Use its managed object id, such as vm-63, in `vm_restart_priority`.");
        }
        failure
    })?;
    let vm = |(asked, found): (&str, Object)| HaVm {
        asked: asked.to_owned(),
        name: found.name(),
        ft: found.get("config.ftInfo").is_some(),
        moref: found.moref,
        priority: String::new(),
        exists: false,
    };
    Ok(asked.into_iter().zip(found).map(vm).collect())
}

fn agent(host: &Object) -> Agent {
    let state = host.get("runtime.dasHostState").and_then(|fdm| fdm.child("state"));
    let state = state.map(|state| state.text().to_owned()).filter(|state| !state.is_empty());
    let connected = host.text("runtime.connectionState").is_none_or(|state| state == "connected");
    // One that DRS put to standby is still connected.
    let asleep = host.text("runtime.powerState").is_some_and(|power| ["standBy", "poweredOff"].contains(&power));
    let expected = connected && !asleep && host.flag("runtime.inMaintenanceMode") != Some(true);
    Agent::new(host.name(), state, expected)
}

/// The names of the virtual machines on the cluster's hosts that Fault Tolerance protects now, or is about to.
async fn protected(server: &Server, cluster: &Object) -> Result<Vec<String>, Error> {
    let want: [(&str, &[&str]); 1] = [("VirtualMachine", &["name", "runtime.faultToleranceState", "config.ftInfo"])];
    let found = server.read(std::slice::from_ref(&cluster.moref), &want, &[TO_HOSTS, TO_VMS]).await;
    let runs = |vm: &&Object| {
        let state = vm.text("runtime.faultToleranceState").map(FtState::of);
        let primary = vm.get("config.ftInfo").map(FtInfo::parse).is_some_and(|ft| !ft.is_secondary());
        primary && matches!(state, Some(FtState::NeedSecondary | FtState::Starting | FtState::Running))
    };
    let names: BTreeSet<String> =
        found.map_err(vsphere_module::failure)?.iter().filter(runs).map(Object::name).collect();
    Ok(names.into_iter().collect())
}
