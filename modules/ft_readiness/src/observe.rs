//! Reads the virtual machine; then, in one request, its cluster with all hosts, their virtual machines, and its datastores
//! and networks; then what vSphere itself reports against it.

use contract::{Error, Kind};
use requirements::{Cluster, Datastore, Fact, Facts, Host, ListedVm, Place, Vm};
use vsphere::{Element, Follow, Moref, Object, VmPaths};
use vsphere_module::{Server, VmReport, failure};

use crate::args::Args;
use crate::parse::{cluster_facts, datastore, fact, host_facts, vm_facts};
use crate::{probe, vms};

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
/// The properties of a host, with the version that introduced them, because a request for an unknown one is a fault. Most
/// are parts of an object: the whole `capability` alone has 160.
const HOST: [((u32, u32), &[&str]); 5] = [
    (
        (4, 0),
        &[
            "name",
            "runtime.connectionState",
            "runtime.inMaintenanceMode",
            "runtime.powerState",
            "capability.ftSupported",
            "capability.recordReplaySupported",
            "capability.replayUnsupportedReason",
            "summary.config.product.version",
            "summary.config.product.build",
            "summary.config.vmotionEnabled",
            "summary.config.faultToleranceEnabled",
            "summary.hardware.vendor",
            "config.virtualNicManagerInfo",
        ],
    ),
    (
        (4, 1),
        &["capability.ftCompatibilityIssues", "capability.replayCompatibilityIssues", "summary.config.featureVersion"],
    ),
    ((5, 0), &["runtime.dasHostState.state"]),
    ((6, 0), &["capability.smpFtSupported", "capability.smpFtCompatibilityIssues", "capability.maxVcpusPerFtVm"]),
    ((6, 7), &["capability.maxMemMBPerFtVm", "capability.ftEfiSupported"]),
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
    let mut around = read_around(server, start.as_ref(), host.as_ref(), vm.as_ref()).await?;
    let count = around.hosts.len();
    if count > HOSTS {
        let detail = format!("the cluster has {count} hosts; this program examines at most {HOSTS}");
        return Err(Error::new(Kind::Unsupported, detail));
    }
    around.hosts.sort_by(|one, other| one.subject.name.cmp(&other.subject.name));
    let host_names = around.hosts.iter().map(|host| (host.subject.moid.as_str(), host.subject.name.as_str())).collect();
    let vms = vms::list(around.vms, &host_names);
    let report = vm.as_ref().map(VmReport::of);
    let vm = vm.as_ref().map(vm_facts);
    let uses = |moids: fn(&Vm) -> &Fact<Vec<String>>, moid: &String| {
        vm.as_ref().and_then(|vm| moids(vm).known()).is_some_and(|own| own.contains(moid))
    };
    around.datastores.retain(|it| uses(|vm| &vm.datastores, &it.subject.moid));
    around.networks.retain(|(moid, _)| uses(|vm| &vm.networks, moid));
    let mut facts = Facts {
        server: server.about().version.clone(),
        datacenter: args.cluster_datacenter().map(str::to_owned),
        place: place(start.as_ref(), parent, around.cluster),
        hosts: around.hosts,
        datastores: around.datastores,
        networks: around.networks,
        vm,
        vms,
        probe: None,
    };
    ask(args, server, &mut facts).await?;
    if args.probe_network {
        facts.probe = Some(probe::probe(args, server, &facts).await);
    }
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

/// The facts about one object around the virtual machine.
enum Part {
    Cluster(Cluster),
    Host(Box<Host>),
    Vm(ListedVm),
    Datastore(Datastore),
    /// Managed object id and name.
    Network(String, String),
}

impl Part {
    fn of(object: &Object) -> Self {
        match object.moref.kind.as_str() {
            "ClusterComputeResource" => Self::Cluster(cluster_facts(object)),
            "HostSystem" => Self::Host(Box::new(host_facts(object))),
            "VirtualMachine" => Self::Vm(vms::listed(object)),
            "Datastore" => Self::Datastore(datastore(object)),
            // The type is Network or one of its subtypes.
            _ => Self::Network(object.moref.id.clone(), object.name()),
        }
    }
}

/// The facts about all objects around the virtual machine.
#[derive(Default)]
struct Around {
    cluster: Option<Cluster>,
    hosts: Vec<Host>,
    vms: Vec<ListedVm>,
    datastores: Vec<Datastore>,
    networks: Vec<(String, String)>,
}

/// Reads the cluster and its hosts, or the standalone host, their virtual machines and what those use, in one request per
/// page.
async fn read_around(
    server: &Server,
    cluster: Option<&Moref>,
    host: Option<&Moref>,
    vm: Option<&Object>,
) -> Result<Around, Error> {
    let known = HOST.iter().filter(|((major, minor), _)| server.speaks(*major, *minor));
    let mut host_paths: Vec<&str> = known.flat_map(|(_, paths)| paths.iter().copied()).collect();
    if vm.is_some() {
        host_paths.extend(["datastore", "network"]);
    }
    let want: [(&str, &[&str]); 5] = [
        ("ClusterComputeResource", &["name", "configurationEx"]),
        ("HostSystem", &host_paths),
        ("VirtualMachine", &vms::PATHS),
        ("Datastore", &["name", "summary.accessible", "summary.multipleHostAccess"]),
        ("Network", &["name"]),
    ];
    let starts: Vec<Moref> = cluster.or(host).into_iter().chain(vm.map(|vm| &vm.moref)).cloned().collect();
    let uses = if vm.is_some() { &TO_WHAT_THEY_USE[..] } else { &[] };
    // The properties of a large cluster take much more memory than the facts: those of each page are dropped.
    let parts = server.read_each(&starts, &want, &[&TO_VMS[..], uses].concat(), |object| Part::of(&object)).await;
    let mut around = Around::default();
    for part in parts.map_err(failure)? {
        match part {
            Part::Cluster(cluster) => around.cluster = Some(cluster),
            Part::Host(host) => around.hosts.push(*host),
            Part::Vm(vm) => around.vms.push(vm),
            Part::Datastore(datastore) => around.datastores.push(datastore),
            Part::Network(moid, name) => around.networks.push((moid, name)),
        }
    }
    Ok(around)
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

fn place(start: Option<&Moref>, parent: Option<Fact<Moref>>, cluster: Option<Cluster>) -> Place {
    if let Some(cluster) = cluster {
        return Place::Cluster(cluster);
    }
    match (start, parent) {
        (Some(start), _) if start.kind != "ClusterComputeResource" => Place::Standalone,
        (_, Some(Fact::Hidden(why))) => Place::Hidden(why),
        _ => Place::Hidden("the cluster cannot be read".to_owned()),
    }
}
