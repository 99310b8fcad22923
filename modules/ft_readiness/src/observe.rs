//! Reads the virtual machine; then, in one request, its cluster with all hosts, their virtual machines, and its datastores
//! and networks; then what vSphere itself reports against it.

use contract::{Error, Kind};
use requirements::{Fact, Facts, Host, Place, Vm};
use vsphere::{Element, Follow, Moref, Object, VmPaths};
use vsphere_module::{Server, VmReport, failure};

use crate::args::Args;
use crate::parse::{cluster_facts, datastore, fact, host_facts, vm_facts};
use crate::vms;

/// The state read from the server.
#[derive(Clone, PartialEq)]
pub struct Observed {
    pub facts: Facts,
    /// The virtual machine, if one was named.
    pub vm: Option<VmReport>,
}

const VM: [&str; 19] = [
    "name",
    "config.instanceUuid",
    "config.template",
    "config.version",
    "config.hardware.numCPU",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "config.extraConfig",
    "config.flags",
    "config.files.vmPathName",
    "config.ftInfo",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.question",
    "runtime.faultToleranceState",
    "runtime.host",
    "snapshot",
    "datastore",
    "network",
];
const HOST: [&str; 10] = [
    "name",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "runtime.powerState",
    // Read the whole object: its parts depend on the version, and a request for an unknown part is a fault.
    "capability",
    "summary.config",
    "summary.hardware",
    "config.virtualNicManagerInfo",
    "datastore",
    "network",
];
const TO_VMS: [Follow<'_>; 2] =
    [Follow { from: "ComputeResource", path: "host" }, Follow { from: "HostSystem", path: "vm" }];
/// Most hosts of a cluster, because every two hosts are compared. vSphere allows 96.
const HOSTS: usize = 4000;
/// The steps to what the virtual machine uses. They lead to what all other virtual machines use too, which is left out later.
const TO_WHAT_THEY_USE: [Follow<'_>; 2] =
    [Follow { from: "VirtualMachine", path: "datastore" }, Follow { from: "VirtualMachine", path: "network" }];

/// Reads all facts.
pub async fn observe(args: &Args, server: &Server) -> Result<Observed, Error> {
    if !server.about().api_type.is_vcenter() {
        return Err(Error::new(Kind::Unsupported, "this server is an ESXi host, which has no cluster")
            .hint("Only a vCenter Server manages Fault Tolerance: set `hostname` to its name."));
    }
    let found = if args.target.is_given() { Some(find_vm(args, server).await?) } else { None };
    let named = match &args.cluster_name {
        Some(name) => Some(server.cluster(name, args.target.datacenter()).await.map_err(failure)?.moref),
        None => None,
    };
    let parent = found.as_ref().map(|(_, parent)| parent.clone());
    if let (Some(name), Some(cluster), Some((vm, home))) = (&args.cluster_name, &named, &found)
        && matches!(home, Fact::Known(home) if home != cluster)
    {
        return Err(Error::new(Kind::Conflict, format!("{} is not in the cluster {name}", vm.name()))
            .hint("Remove `cluster_name`: the cluster of the virtual machine is examined."));
    }
    let vm = found.map(|(vm, _)| vm);
    // If the cluster of the virtual machine is hidden, the one that was named is examined.
    let start = named.or_else(|| parent.as_ref().and_then(Fact::known).cloned());
    let host = vm.as_ref().and_then(|vm| vm.moref("runtime.host"));
    let objects = read_around(server, start.as_ref(), host.as_ref(), vm.as_ref()).await?;
    let count = of_kind(&objects, "HostSystem").count();
    if count > HOSTS {
        let detail = format!("the cluster has {count} hosts; this program examines at most {HOSTS}");
        return Err(Error::new(Kind::Unsupported, detail));
    }
    let hosts = sorted(of_kind(&objects, "HostSystem").map(host_facts).collect());
    let host_names = hosts.iter().map(|host| (host.subject.moid.as_str(), host.subject.name.as_str())).collect();
    let vms = vms::list(of_kind(&objects, "VirtualMachine"), &host_names);
    let report = vm.as_ref().map(VmReport::of);
    let vm = vm.as_ref().map(vm_facts);
    let uses = |moids: fn(&Vm) -> &Fact<Vec<String>>, moid: &String| {
        vm.as_ref().and_then(|vm| moids(vm).known()).is_some_and(|own| own.contains(moid))
    };
    let mut facts = Facts {
        server: server.about().version.clone(),
        datacenter: args.cluster_datacenter().map(str::to_owned),
        place: place(start.as_ref(), parent, &objects),
        hosts,
        datastores: of_kind(&objects, "Datastore")
            .filter(|it| uses(|vm| &vm.datastores, &it.moref.id))
            .map(datastore)
            .collect(),
        // The type is Network or one of its subtypes.
        networks: objects
            .iter()
            .filter(|it| uses(|vm| &vm.networks, &it.moref.id))
            .map(|it| (it.moref.id.clone(), it.name()))
            .collect(),
        vm,
        vms,
    };
    ask(args, server, &mut facts).await?;
    Ok(Observed { facts, vm: report })
}

/// Reads the virtual machine and the parent of its host.
async fn find_vm(args: &Args, server: &Server) -> Result<(Object, Fact<Moref>), Error> {
    let mut paths = VM.to_vec();
    paths.extend(["config.firmware"].iter().filter(|_| server.speaks(5, 0)));
    paths.extend(["config.nestedHVEnabled"].iter().filter(|_| server.speaks(5, 1)));
    paths.extend(["config.files.ftMetadataDirectory"].iter().filter(|_| server.speaks(6, 0)));
    let found = args.target.read(server, &VmPaths { vm: &paths, host: &["parent"], cluster: &[] }, None).await?;
    let parent = match &found.host {
        Some(host) => fact(host, "parent").read(Element::moref),
        None => Fact::Hidden("the host of the virtual machine cannot be read".to_owned()),
    };
    Ok((found.vm, parent))
}

/// Reads the cluster and its hosts, or the standalone host, their virtual machines and what those use, in one request.
async fn read_around(
    server: &Server,
    cluster: Option<&Moref>,
    host: Option<&Moref>,
    vm: Option<&Object>,
) -> Result<Vec<Object>, Error> {
    let mut host_paths = HOST.to_vec();
    host_paths.extend(["runtime.dasHostState"].iter().filter(|_| server.speaks(5, 0)));
    let want: [(&str, &[&str]); 5] = [
        ("ClusterComputeResource", &["name", "configurationEx"]),
        ("HostSystem", &host_paths),
        ("VirtualMachine", &vms::PATHS),
        ("Datastore", &["name", "summary.accessible", "summary.multipleHostAccess"]),
        ("Network", &["name"]),
    ];
    let starts: Vec<Moref> = cluster.or(host).into_iter().chain(vm.map(|vm| &vm.moref)).cloned().collect();
    let uses = if vm.is_some() { &TO_WHAT_THEY_USE[..] } else { &[] };
    server.read(&starts, &want, &[&TO_VMS[..], uses].concat()).await.map_err(failure)
}

/// Asks vSphere what it reports against the virtual machine.
async fn ask(args: &Args, server: &Server, facts: &mut Facts) -> Result<(), Error> {
    let engine = requirements::engine(facts, args.engine());
    let Some(vm) = &mut facts.vm else { return Ok(()) };
    if let Some(why) = requirements::reason_not_to_ask(vm) {
        vm.compatibility = Fact::Hidden(why.to_owned());
        return Ok(());
    }
    let moref = Moref::new("VirtualMachine", &vm.subject.moid);
    vm.compatibility = match server.ft_compatibility(&moref, engine, server.speaks(6, 0)).await {
        Ok(faults) => Fact::Known(faults),
        Err(vsphere::Error::Fault(fault)) => Fact::Hidden(fault.describe()),
        Err(error) => return Err(failure(error)),
    };
    Ok(())
}

fn sorted(mut hosts: Vec<Host>) -> Vec<Host> {
    hosts.sort_by(|one, other| one.subject.name.cmp(&other.subject.name));
    hosts
}

fn of_kind<'a>(objects: &'a [Object], kind: &'a str) -> impl Iterator<Item = &'a Object> {
    objects.iter().filter(move |object| object.moref.kind == kind)
}

fn place(start: Option<&Moref>, parent: Option<Fact<Moref>>, objects: &[Object]) -> Place {
    if let Some(cluster) = of_kind(objects, "ClusterComputeResource").next() {
        return Place::Cluster(cluster_facts(cluster));
    }
    match (start, parent) {
        (Some(start), _) if start.kind != "ClusterComputeResource" => Place::Standalone,
        (_, Some(Fact::Hidden(why))) => Place::Hidden(why),
        _ => Place::Hidden("the cluster cannot be read".to_owned()),
    }
}
