//! The inventory at the start: a datacenter, a cluster of nested hosts, a few VMs.

use crate::config::{Config, Personality, Scenario};
use crate::model::cluster::{Cluster, Drs, Ha};
use crate::model::entity::{Body, Entity, Store};
use crate::model::hardware::Hardware;
use crate::model::host::Host;
use crate::model::vm::{Power, Tools, Vm};
use crate::model::{nics, options};
use crate::random::uuid;

use super::World;

impl World {
    /// A world with the inventory of its scenario. `epoch` is the present time, in microseconds since 1970.
    pub fn new(config: Config, epoch: u64) -> Self {
        let mut world = Self::empty(config, epoch);
        build(&mut world);
        world
    }

    fn put(&mut self, moid: &str, name: &str, parent: &str, body: Body) {
        let entity = Entity { name: name.to_owned(), parent: (!parent.is_empty()).then(|| parent.to_owned()), body };
        self.insert(moid, entity);
    }

    /// The moid of the datastore of this name, which is created if it does not exist.
    pub fn need_datastore(&mut self, name: &str) -> String {
        let all = self.of_kind("Datastore");
        if let Some(moid) = all.iter().find(|moid| self.name(moid) == name) {
            return moid.clone();
        }
        let parent = all.first().and_then(|moid| self.entities.get(moid)?.parent.clone()).unwrap_or_default();
        let moid = format!("datastore-{}", 11 + all.len());
        self.put(&moid, name, &parent, Body::Datastore(store()));
        moid
    }

    /// The root folder's moid.
    pub fn root(&self) -> &'static str {
        if self.config.direct { "ha-folder-root" } else { "group-d1" }
    }
}

const VM_TYPES: [&str; 3] = ["Folder", "VirtualMachine", "VirtualApp"];

fn build(world: &mut World) {
    if world.config.direct {
        return direct(world);
    }
    let scenario = world.config.scenario;
    world.put("group-d1", "Datacenters", "", Body::Folder(vec!["Folder", "Datacenter"]));
    datacenter(world, "datacenter-2", "Lab", ["group-v3", "group-h4", "group-s5", "group-n6"]);
    let mut drs = Drs::new(true);
    if scenario == Scenario::DrsManual {
        (drs.level, drs.evc) = ("manual".into(), true);
    }
    let cluster = Cluster {
        real: true,
        ha: Ha::new(!matches!(scenario, Scenario::HaOff | Scenario::Bare)),
        drs,
        pool: "resgroup-8".into(),
        pool_memory: None,
    };
    world.put("domain-c7", "Cluster", "group-h4", Body::Cluster(cluster));
    world.put("resgroup-8", "Resources", "domain-c7", Body::Pool);
    world.put("datastore-11", "shared01", "group-s5", Body::Datastore(store()));
    world.put("network-12", "VM Network", "group-n6", Body::Network);
    let hosts: Vec<String> = (1..=world.config.hosts)
        .map(|number| {
            let moid = format!("host-{}", 10 + 10 * number);
            let name = format!("esxi{number:02}.lab.local");
            host(world, &moid, &name, "domain-c7", number - 1);
            moid
        })
        .collect();
    vms(world, &hosts);
}

fn vms(world: &mut World, hosts: &[String]) {
    let scenario = world.config.scenario;
    let vm_folder = || Body::Folder(VM_TYPES.to_vec());
    world.put("group-v13", "nested", "group-v3", vm_folder());
    let place = |number: usize| hosts[number % hosts.len().max(1)].clone();
    let power = match scenario {
        Scenario::Off => Power::Off,
        Scenario::Suspended => Power::Suspended,
        _ => Power::On,
    };
    vm(world, "vm-63", "inner", "group-v13", place(0), power);
    vm(world, "vm-64", "other", "group-v3", place(0), Power::Off);
    vm(world, "vm-65", "template01", "group-v3", place(0), Power::Off);
    if let Some(template) = world.vm_mut("vm-65") {
        template.template = true;
    }
    if scenario == Scenario::Duplicates {
        world.put("group-v14", "second", "group-v3", vm_folder());
        vm(world, "vm-66", "twin", "group-v13", place(0), Power::Off);
        vm(world, "vm-67", "twin", "group-v14", place(1), Power::Off);
        datacenter(world, "datacenter-90", "DC2", ["group-v91", "group-h92", "group-s93", "group-n94"]);
        world.put("group-v95", "nested", "group-v91", vm_folder());
        vm(world, "vm-96", "elsewhere", "group-v95", place(1), Power::Off);
    }
    for number in 0..world.config.vms {
        let name = format!("vm{number:04}");
        vm(world, &format!("vm-{}", 10_000 + number), &name, "group-v3", place(number), Power::Off);
    }
}

fn direct(world: &mut World) {
    world.put("ha-folder-root", "ha-folder-root", "", Body::Folder(vec!["Datacenter"]));
    let folders = ["ha-folder-vm", "ha-folder-host", "ha-folder-datastore", "ha-folder-network"];
    datacenter(world, "ha-datacenter", "ha-datacenter", folders);
    let cluster = Cluster {
        real: false,
        ha: Ha::new(false),
        drs: Drs::new(false),
        pool: "ha-root-pool".into(),
        pool_memory: None,
    };
    world.put("ha-compute-res", "esxi01.lab.local", "ha-folder-host", Body::Cluster(cluster));
    world.put("ha-root-pool", "Resources", "ha-compute-res", Body::Pool);
    world.put("4e35a3b1-11d0cd3a-6f1c-005056000001", "shared01", "ha-folder-datastore", Body::Datastore(store()));
    world.put("HaNetwork-VM Network", "VM Network", "ha-folder-network", Body::Network);
    host(world, "ha-host", "esxi01.lab.local", "ha-compute-res", 0);
    let power = match world.config.scenario {
        Scenario::Off => Power::Off,
        Scenario::Suspended => Power::Suspended,
        _ => Power::On,
    };
    vm(world, "1", "inner", "ha-folder-vm", "ha-host".into(), power);
    vm(world, "2", "other", "ha-folder-vm", "ha-host".into(), Power::Off);
}

fn datacenter(world: &mut World, moid: &str, name: &str, folders: [&str; 4]) {
    let body = Body::Datacenter(folders.map(ToOwned::to_owned));
    let root = world.root();
    world.put(moid, name, root, body);
    let kinds = [
        ("vm", VM_TYPES.to_vec()),
        ("host", vec!["Folder", "ComputeResource"]),
        ("datastore", vec!["Folder", "Datastore", "StoragePod"]),
        ("network", vec!["Folder", "Network", "DistributedVirtualSwitch"]),
    ];
    for (folder, (name, kinds)) in folders.into_iter().zip(kinds) {
        world.put(folder, name, moid, Body::Folder(kinds));
    }
}

fn store() -> Store {
    Store { accessible: true, shared: true, kind: "VMFS".into() }
}

fn host(world: &mut World, moid: &str, name: &str, parent: &str, place: u16) {
    let host = Host {
        options: options::esxi(world.config.personality, world.config.options),
        connection: "connected".into(),
        maintenance: false,
        power: "poweredOn".into(),
        lacks: Vec::new(),
        uuid: uuid(),
        vmknics: nics::vmknics(world.config.scenario, place),
        nics: nics::services(world.config.scenario, place),
        shown_nics: None,
        nic_lag: 0,
        outer_mtu: match world.config.scenario {
            Scenario::OuterBlocked => 0,
            Scenario::OuterMtu => 1500,
            _ => 9000,
        },
        // A nested host of the article's time has E1000 adapters, later ones have VMXNET3.
        link_speed: Some(if world.config.personality == Personality::V50 { 1000 } else { 10_000 }),
        memory: 8192,
        used_memory: 1024,
        ft_multi_select: world.config.personality == Personality::V80,
        agent: None,
        build: None,
        feature_version: world.config.personality.ft_version().into(),
        issues: Vec::new(),
        vmkernel_key: "vmkernel".into(),
        vmkernel_log: world.vmkernel_filler(10 + world.config.log_lines),
    };
    world.put(moid, name, parent, Body::Host(Box::new(host)));
}

fn vm(world: &mut World, moid: &str, name: &str, folder: &str, host: String, power: Power) {
    let extra: Vec<(String, String)> =
        [("nvram", format!("{name}.nvram")), ("scsi0:0.redo", String::new()), ("svga.present", "TRUE".into())]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
    let pool = if world.config.direct { "ha-root-pool" } else { "resgroup-8" };
    // UUIDs contain the number of the moid, so that they are the same in every run.
    let number: u64 = moid.trim_start_matches("vm-").parse().unwrap_or(0);
    let (vmware_log, rotated_logs) = world.past_logs(name);
    let hardware = Hardware::new(world.config.personality);
    let vm = Vm {
        template: false,
        power,
        connection: "connected".into(),
        uuid: format!("4211a5c2-7b1f-3d42-9c1e-{number:012x}"),
        instance_uuid: format!("5011b3f0-2c4d-1e5f-8a6b-{number:012x}"),
        change: 1,
        effective: extra.clone(),
        extra,
        memory: 512,
        cpus: 1,
        hardware: if name == "inner" { hardware.in_scenario(world.config.scenario) } else { hardware },
        guest: "otherLinux64Guest".into(),
        host,
        datastore: world.of_kind("Datastore").into_iter().next().unwrap_or_default(),
        pool: pool.into(),
        directory: name.to_owned(),
        question: None,
        busy: None,
        tools: Tools::Running,
        shutting_down: false,
        ft: None,
        ft_encryption: "ftEncryptionOpportunistic".into(),
        encrypted: false,
        unreadable: Vec::new(),
        booted: 0,
        vmware_log,
        rotated_logs,
    };
    world.put(moid, name, folder, Body::Vm(Box::new(vm)));
}
