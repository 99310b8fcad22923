//! Reads the virtual machine; then, in one request, its cluster with all hosts, their virtual machines, and its datastores
//! and networks; then what vSphere itself reports against it.

use std::collections::HashMap;

use contract::{Error, Kind};
use requirements::{Cluster, Datastore, Fact, Facts, Host, ListedVm, Place, Vm};
use vsphere::{Element, Follow, Moref, Object, VmPaths};
use vsphere_module::{Server, VmReport, failure};

use crate::args::Args;
use crate::parse::{cluster_facts, datastore, host_facts, int, megabytes, vm_facts};
use crate::property::fact;
use crate::{probe, vms};

/// The state read from the server.
pub struct Observed {
    pub facts: Facts,
    /// The virtual machine, if one was named.
    pub vm: Option<VmReport>,
}

const VM: [&str; 23] = [
    "name",
    "config.instanceUuid",
    "config.template",
    "config.version",
    "config.hardware.numCPU",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "config.memoryAllocation.reservation",
    "config.npivNodeWorldWideName",
    "config.extraConfig",
    "config.flags",
    "config.files.vmPathName",
    "config.ftInfo",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.question",
    "runtime.faultToleranceState",
    "runtime.host",
    "summary.quickStats.hostMemoryUsage",
    "resourcePool",
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
            "summary.hardware.memorySize",
            "summary.quickStats.overallMemoryUsage",
            "config.virtualNicManagerInfo",
        ],
    ),
    (
        (4, 1),
        &["capability.ftCompatibilityIssues", "capability.replayCompatibilityIssues", "summary.config.featureVersion"],
    ),
    ((5, 0), &["runtime.dasHostState.state"]),
    (
        (6, 0),
        &[
            "capability.smpFtSupported",
            "capability.smpFtCompatibilityIssues",
            "capability.maxVcpusPerFtVm",
            // Only SMP-FT needs fast uplinks.
            "config.network.pnic",
            "config.network.vswitch",
            "config.network.proxySwitch",
        ],
    ),
    ((6, 7), &["capability.maxMemMBPerFtVm", "capability.ftEfiSupported"]),
];
/// The steps from the cluster down to its virtual machines, and up to its datacenter.
const AROUND: [Follow<'_>; 4] = [
    Follow { from: "ComputeResource", path: "host" },
    Follow { from: "HostSystem", path: "vm" },
    Follow { from: "ComputeResource", path: "parent" },
    Follow { from: "Folder", path: "parent" },
];
/// The memory that a resource pool can still reserve for virtual machines.
const POOL: &str = "runtime.memory.unreservedForVm";
/// Most hosts of a cluster, because every two hosts are compared. vSphere allows 96.
const HOSTS: usize = 4000;
/// The steps to what the virtual machine uses. They lead to what all other virtual machines use too, which is left out later.
const TO_WHAT_THEY_USE: [Follow<'_>; 3] = [
    Follow { from: "VirtualMachine", path: "datastore" },
    Follow { from: "VirtualMachine", path: "network" },
    Follow { from: "VirtualMachine", path: "resourcePool" },
];

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
    let own = vm.as_ref().map(|vm| vm.moref.id.as_str());
    reserve(&mut around.hosts, &around.vms, &around.reservations, own);
    around.hosts.sort_by(|one, other| one.subject.name.cmp(&other.subject.name));
    let host_names = around.hosts.iter().map(|host| (host.subject.moid.as_str(), host.subject.name.as_str())).collect();
    let vms = vms::list(around.vms, &host_names);
    let report = vm.as_ref().map(VmReport::of);
    let vm = vm.as_ref().map(|vm| {
        let pool = vm.moref("resourcePool").and_then(|pool| around.pools.remove(&pool.id));
        let why = || Fact::Hidden("the resource pool of the virtual machine is not visible".to_owned());
        Vm { pool_mb: pool.unwrap_or_else(why), ..vm_facts(vm) }
    });
    let uses = |moids: fn(&Vm) -> &Fact<Vec<String>>, moid: &String| {
        vm.as_ref().and_then(|vm| moids(vm).known()).is_some_and(|own| own.contains(moid))
    };
    around.datastores.retain(|it| uses(|vm| &vm.datastores, &it.subject.moid));
    around.networks.retain(|(moid, _)| uses(|vm| &vm.networks, moid));
    let mut facts = Facts {
        server: server.about().version.clone(),
        datacenter: args.cluster_datacenter().map(str::to_owned).or(around.datacenter),
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
    /// With the memory that it has reserved, in MB.
    Vm(ListedVm, Fact<i64>),
    Template,
    Datastore(Datastore),
    /// Managed object id and name.
    Network(String, String),
    /// Managed object id, and the memory that can be reserved, in MB.
    Pool(String, Fact<i64>),
    /// Its name.
    Datacenter(String),
}

impl Part {
    fn of(object: &Object) -> Self {
        match object.moref.kind.as_str() {
            "ClusterComputeResource" => Self::Cluster(cluster_facts(object)),
            "HostSystem" => Self::Host(Box::new(host_facts(object))),
            "VirtualMachine" if object.get(vms::TEMPLATE).and_then(Element::flag) == Some(true) => Self::Template,
            "VirtualMachine" => Self::Vm(vms::listed(object), int(object, vms::RESERVATION)),
            "Datastore" => Self::Datastore(datastore(object)),
            "ResourcePool" | "VirtualApp" => Self::Pool(object.moref.id.clone(), megabytes(object, POOL)),
            "Datacenter" => Self::Datacenter(object.name()),
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
    /// The memory that each virtual machine has reserved, in MB.
    reservations: Vec<Fact<i64>>,
    /// The memory that each resource pool can reserve, in MB.
    pools: HashMap<String, Fact<i64>>,
    datacenter: Option<String>,
}

/// Adds up what the running virtual machines on each host have reserved, without the one that was asked about.
fn reserve(hosts: &mut [Host], vms: &[ListedVm], reservations: &[Fact<i64>], own: Option<&str>) {
    let mut by_host: HashMap<&str, Fact<i64>> = HashMap::new();
    for (vm, reserved) in vms.iter().zip(reservations) {
        let power = vm.power_state.as_deref();
        if power.is_some_and(|power| power != "poweredOn") || own == Some(vm.moid.as_str()) {
            continue;
        }
        let Some(host) = &vm.host else { continue };
        let sum = by_host.entry(host).or_insert(Fact::Known(0));
        *sum = match (&*sum, reserved, power) {
            (Fact::Known(sum), Fact::Known(more), Some(_)) => Fact::Known(sum.saturating_add(*more)),
            _ => Fact::Hidden(format!("the reservation of {} is not known", vm.name)),
        };
    }
    for host in hosts {
        host.reserved_mb = by_host.remove(host.subject.moid.as_str()).unwrap_or(Fact::Known(0));
    }
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
    let want: [(&str, &[&str]); 7] = [
        ("ClusterComputeResource", &["name", "configurationEx", "summary"]),
        ("HostSystem", &host_paths),
        ("VirtualMachine", &vms::PATHS),
        ("Datastore", &["name", "summary.accessible", "summary.multipleHostAccess", "summary.type"]),
        ("Network", &["name"]),
        ("ResourcePool", &[POOL]),
        ("Datacenter", &["name"]),
    ];
    let starts: Vec<Moref> = cluster.or(host).into_iter().chain(vm.map(|vm| &vm.moref)).cloned().collect();
    let uses = if vm.is_some() { &TO_WHAT_THEY_USE[..] } else { &[] };
    // The properties of a large cluster take much more memory than the facts: those of each page are dropped.
    let parts = server.read_each(&starts, &want, &[&AROUND[..], uses].concat(), |object| Part::of(&object)).await;
    let mut around = Around::default();
    for part in parts.map_err(failure)? {
        match part {
            Part::Cluster(cluster) => around.cluster = Some(cluster),
            Part::Host(host) => around.hosts.push(*host),
            Part::Vm(vm, reserved) => {
                around.vms.push(vm);
                around.reservations.push(reserved);
            }
            Part::Template => {}
            Part::Datastore(datastore) => around.datastores.push(datastore),
            Part::Network(moid, name) => around.networks.push((moid, name)),
            Part::Pool(moid, free) => drop(around.pools.insert(moid, free)),
            Part::Datacenter(name) => around.datacenter = Some(name),
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
        return Place::Cluster(Box::new(cluster));
    }
    match (start, parent) {
        (Some(start), _) if start.kind != "ClusterComputeResource" => Place::Standalone,
        (_, Some(Fact::Hidden(why))) => Place::Hidden(why),
        _ => Place::Hidden("the cluster cannot be read".to_owned()),
    }
}
