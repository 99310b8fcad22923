//! Facts for tests: a lab in which every requirement is met, and the tables of changes to it.

use vsphere::{FtEngine, NicService, Version, Vmknic};

use crate::check::{Check, Subject};
use crate::context::Context;
use crate::fact::Fact;
use crate::facts::{Capability, Cluster, Datastore, Device, Drs, Facts, Host, Place, Support, Vm};
use crate::finding::Status;
use crate::judgement::checks;
use crate::listed_vm::{ListedVm, Role};
use crate::path::{Answer, Path};
use crate::probe::plan;
use crate::replay::OPTIONS;
use crate::requirement::Requirement;

pub fn subject(kind: &str, name: &str, moid: &str) -> Subject {
    Subject { kind: kind.to_owned(), name: name.to_owned(), moid: moid.to_owned() }
}

pub fn known(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

pub fn issues(reasons: &[&str]) -> Support {
    let reasons: Vec<String> = reasons.iter().map(|reason| (*reason).to_owned()).collect();
    Support {
        supported: Fact::Known(reasons.is_empty()),
        issues: if reasons.is_empty() { Fact::Unset } else { Fact::Known(reasons) },
    }
}

/// vmk0 for management and vMotion, vmk1 for FT logging.
fn services(number: u8) -> Vec<NicService> {
    let nic = |device: &str, portgroup: &str| Vmknic {
        device: device.to_owned(),
        portgroup: Some(portgroup.to_owned()),
        ip: Some(format!("172.30.{number}.{}", &device[3..])),
        mask: Some([255, 255, 0, 0].into()),
        mtu: Some(1500),
        stack: Some("defaultTcpipStack".to_owned()),
        switch: None,
    };
    [("management", "vmk0"), ("vmotion", "vmk0"), ("faultToleranceLogging", "vmk1")]
        .into_iter()
        .map(|(name, device)| NicService {
            name: name.to_owned(),
            multiple: false,
            candidates: vec![nic("vmk0", "Management Network"), nic("vmk1", "FT")],
            selected: [device.to_owned()].into(),
        })
        .collect()
}

fn host(engine: FtEngine, number: u8) -> Host {
    let legacy = engine == FtEngine::Legacy;
    Host {
        subject: subject("HostSystem", &format!("esxi0{number}"), &format!("host-{number}")),
        connection: known("connected"),
        maintenance: Fact::Known(false),
        power: known("poweredOn"),
        agent: known(if number == 1 { "master" } else { "connectedToMaster" }),
        nested: true,
        version: Fact::Known(Version::parse(if legacy { "5.0.0" } else { "6.7.0" })),
        build: known("469512"),
        ft_version: known("3.0.0"),
        vmotion: Fact::Known(true),
        ft_logging: Fact::Known(true),
        services: Fact::Known(services(number)),
        ft_uplinks: Fact::Known(vec![10_000]),
        memory_mb: Fact::Known(8192),
        used_mb: Fact::Known(1024),
        reserved_mb: Fact::Known(0),
        capability: Capability {
            legacy: issues(if legacy { &[] } else { &["incompatibleProduct"] }),
            replay: issues(if legacy { &[] } else { &["incompatibleProduct"] }),
            smp: if legacy { Support { supported: Fact::Unset, issues: Fact::Unset } } else { issues(&[]) },
            max_vcpus: if legacy { Fact::Unset } else { Fact::Known(8) },
            max_memory_mb: if legacy { Fact::Unset } else { Fact::Known(131_072) },
            efi: Fact::Known(true),
        },
        datastores: Fact::Known(vec!["datastore-1".to_owned()]),
        networks: Fact::Known(vec!["network-1".to_owned()]),
    }
}

pub fn disk() -> Device {
    Device {
        kind: "VirtualDisk".to_owned(),
        label: "Hard disk 1".to_owned(),
        backing: "VirtualDiskFlatVer2BackingInfo".to_owned(),
        thin: Some(false),
        eagerly_scrubbed: Some(true),
        mode: Some("persistent".to_owned()),
        size_kb: Some(16 << 20),
        store: Some("datastore-1".to_owned()),
        file: Some("[ds] inner/inner.vmdk".to_owned()),
        ..Device::default()
    }
}

fn vm() -> Vm {
    let options = OPTIONS.map(|key| (key.to_owned(), "TRUE".to_owned()));
    Vm {
        subject: subject("VirtualMachine", "inner", "vm-63"),
        host: Some("host-1".to_owned()),
        connection: known("connected"),
        power: known("poweredOn"),
        question: Fact::Unset,
        template: Fact::Known(false),
        ft_state: known("notConfigured"),
        ft: Fact::Unset,
        ft_type: Fact::Unset,
        snapshot: Fact::Unset,
        cpus: Fact::Known(1),
        memory_mb: Fact::Known(512),
        reserved_mb: Fact::Known(0),
        used_mb: Fact::Known(400),
        pool_mb: Fact::Known(16_384),
        npiv: Fact::Unset,
        hardware: known("vmx-08"),
        devices: Fact::Known(vec![disk()]),
        nested_hv: Fact::Known(false),
        vbs: Fact::Known(false),
        firmware: known("bios"),
        options: Fact::Known(options.to_vec()),
        vmx: known("[ds] inner/inner.vmx"),
        metadata: Fact::Unset,
        datastores: Fact::Known(vec!["datastore-1".to_owned()]),
        networks: Fact::Known(vec!["network-1".to_owned()]),
        compatibility: Fact::Known(Vec::new()),
    }
}

/// A cluster of two nested hosts with a running virtual machine, of ESXi 5.0 or 6.7.
pub fn lab(engine: FtEngine) -> Facts {
    Facts {
        server: Version::parse(if engine == FtEngine::Legacy { "5.0.0" } else { "6.7.0" }),
        datacenter: None,
        place: Place::Cluster(Box::new(Cluster {
            subject: subject("ClusterComputeResource", "Cluster", "domain-c7"),
            ha: Fact::Known(true),
            admission_control: Fact::Known(true),
            host_monitoring: known("enabled"),
            options: Fact::Known(vec![("das.maxFtVmsPerHost".to_owned(), "0".to_owned())]),
            ha_off: Fact::Known(Vec::new()),
            drs: Fact::Known(Drs { on: true, level: Some("fullyAutomated".to_owned()), overrides: Vec::new() }),
            evc: Fact::Known(()),
        })),
        hosts: vec![host(engine, 1), host(engine, 2)],
        vm: Some(vm()),
        datastores: vec![Datastore {
            subject: subject("Datastore", "ds", "datastore-1"),
            accessible: Fact::Known(true),
            shared: Fact::Known(true),
            kind: known("VMFS"),
        }],
        networks: vec![("network-1".to_owned(), "VM Network".to_owned())],
        vms: Vec::new(),
        probe: None,
    }
}

/// Short names for changes to a lab.
impl Facts {
    /// The cluster.
    pub(crate) fn cluster(&mut self) -> &mut Cluster {
        if let Place::Cluster(cluster) = &mut self.place { cluster } else { panic!("the lab has no cluster") }
    }

    /// DRS of the cluster, at this level.
    pub(crate) fn drs(&mut self, level: Option<&str>) -> &mut Drs {
        let Fact::Known(drs) = &mut self.cluster().drs else { panic!("no DRS") };
        drs.level = level.map(str::to_owned);
        drs
    }

    /// The virtual machine.
    pub(crate) fn machine(&mut self) -> &mut Vm {
        self.vm.as_mut().unwrap()
    }

    /// The second host.
    pub(crate) fn second(&mut self) -> &mut Host {
        &mut self.hosts[1]
    }

    /// A third host, as good as the others.
    pub(crate) fn third(&mut self) -> &mut Host {
        if self.hosts.len() < 3 {
            let engine = if self.server.at_least(6, 0) { FtEngine::Smp } else { FtEngine::Legacy };
            self.hosts.push(host(engine, 3));
        }
        &mut self.hosts[2]
    }

    /// A virtual machine with Fault Tolerance that runs on this host.
    pub(crate) fn protect(&mut self, host: &str, vcpus: u64) -> &mut ListedVm {
        self.vms.push(ListedVm {
            name: "other".to_owned(),
            moid: format!("vm-{}", 100 + self.vms.len()),
            host: Some(host.to_owned()),
            vcpus: Some(vcpus),
            power_state: Some("poweredOn".to_owned()),
            ft_state: Some("running".to_owned()),
            role: Some(Role::Primary),
        });
        self.vms.last_mut().unwrap()
    }

    /// The disk of the virtual machine.
    pub(crate) fn disk(&mut self) -> &mut Device {
        if let Fact::Known(devices) = &mut self.machine().devices { &mut devices[0] } else { panic!("no devices") }
    }

    /// Probes the network, with these answers to large and to small packets.
    pub(crate) fn probe(&mut self, answer: impl Fn(&Path) -> [Answer; 2]) {
        let mut probe = plan(self);
        for path in &mut probe.paths {
            [path.large, path.small] = answer(path);
        }
        self.probe = Some(probe);
    }

    /// The vmknic of the second host that carries the service.
    pub(crate) fn nic(&mut self, service: &str) -> &mut Vmknic {
        let Fact::Known(services) = &mut self.second().services else { panic!("no services") };
        let service = services.iter_mut().find(|own| own.name == service).unwrap();
        service.candidates.iter_mut().find(|nic| service.selected.contains(&nic.device)).unwrap()
    }

    /// Changes the version of the server and of all hosts.
    pub(crate) fn upgrade(&mut self, version: &str) {
        self.server = Version::parse(version);
        self.hosts.iter_mut().for_each(|host| host.version = Fact::Known(Version::parse(version)));
    }

    /// Nothing carries the service on the second host.
    pub(crate) fn lose(&mut self, service: &str) {
        let Fact::Known(services) = &mut self.second().services else { panic!("no services") };
        services.iter_mut().find(|own| own.name == service).unwrap().selected.clear();
    }
}

pub fn answered() -> Answer {
    Answer::Answered { sent: 3, received: 3 }
}

pub fn lost() -> Answer {
    Answer::Lost("0 of 3 answered".to_owned())
}

/// Judges a changed lab.
pub fn judged(engine: FtEngine, change: impl FnOnce(&mut Facts)) -> Vec<Check> {
    let mut facts = lab(engine);
    change(&mut facts);
    checks(Context { facts: &facts, engine })
}

/// Returns the one check of the requirement.
pub fn the(checks: &[Check], id: Requirement) -> &Check {
    checks.iter().find(|check| check.id == id).unwrap()
}

/// A requirement, the engine, the expected status, and the change to a good lab.
pub type Row = (Requirement, FtEngine, Status, fn(&mut Facts));

/// Checks that every row leads to its status.
pub fn hold(rows: &[Row]) {
    for (index, (id, engine, expected, change)) in rows.iter().enumerate() {
        let checks = judged(*engine, change);
        assert_eq!(worst(&checks, *id), Some(*expected), "row {index}, {} of {engine:?}", id.id);
        for check in checks {
            assert_eq!(check.why.is_none(), check.status == Status::Met, "row {index}, {}", check.id.id);
        }
    }
}

fn worst(checks: &[Check], id: Requirement) -> Option<Status> {
    checks.iter().filter(|check| check.id == id).map(|check| check.status).max()
}

pub fn hidden<T>() -> Fact<T> {
    Fact::Hidden("NoPermission (privilegeId System.Read)".to_owned())
}

pub fn moids(moids: &[&str]) -> Fact<Vec<String>> {
    Fact::Known(moids.iter().map(|moid| (*moid).to_owned()).collect())
}
