//! Makes facts of the objects that the server returned.

use requirements::{Capability, Cluster, Datastore, Device, Drs, Fact, Host, Subject, Support, Vm};
use vsphere::{Element, FtInfo, HaOverride, NicService, Object, Version};

use crate::property::fact;
use crate::uplinks;

/// Most issues of a host to read; vSphere has fewer.
const ISSUES: usize = 50;

fn subject(object: &Object) -> Subject {
    Subject { kind: object.moref.kind.clone(), name: object.name(), moid: object.moref.id.clone() }
}

fn text(object: &Object, path: &str) -> Fact<String> {
    fact(object, path).map(|value| value.text().to_owned())
}

fn flag(object: &Object, path: &str) -> Fact<bool> {
    fact(object, path).read(Element::flag)
}

pub fn int(object: &Object, path: &str) -> Fact<i64> {
    fact(object, path).read(Element::int)
}

/// Returns a number of bytes in MB.
pub fn megabytes(object: &Object, path: &str) -> Fact<i64> {
    int(object, path).map(|bytes| bytes >> 20)
}

fn moids(object: &Object, path: &str) -> Fact<Vec<String>> {
    fact(object, path).map(|list| list.all().iter().filter_map(Element::moref).map(|moref| moref.id).collect())
}

pub fn cluster_facts(cluster: &Object) -> Cluster {
    let das = |name: &str| fact(cluster, &format!("configurationEx.dasConfig.{name}"));
    let config = fact(cluster, "configurationEx").read(|config| config.child("dasConfig").map(|_| config));
    Cluster {
        subject: subject(cluster),
        ha: das("enabled").read(Element::flag),
        admission_control: das("admissionControlEnabled").read(Element::flag),
        host_monitoring: das("hostMonitoring").map(|state| state.text().to_owned()),
        options: config.map(vsphere::ha_options),
        ha_off: fact(cluster, "configurationEx").map(|config| {
            let overrides = HaOverride::list(config).into_iter();
            let off = overrides.filter(|one| one.restart_priority.as_deref() == Some("disabled"));
            off.map(|one| one.vm.id).collect()
        }),
        drs: fact(cluster, "configurationEx").read(drs),
        evc: fact(cluster, "summary").read(|summary| summary.child("currentEVCModeKey").map(|_| ())),
    }
}

fn drs(config: &Element) -> Option<Drs> {
    let own = config.child("drsConfig")?;
    let text = |at: &Element, name: &str| at.child(name).map(|level| level.text().to_owned());
    // True is the default of the API.
    let overridden = own.child("enableVmBehaviorOverrides").and_then(Element::flag) != Some(false);
    let overrides = config.children("drsVmConfig").filter(|_| overridden).filter_map(|one| {
        let off = one.child("enabled").and_then(Element::flag) == Some(false);
        let level = text(one, "behavior").filter(|_| !off);
        // One that sets nothing does not count.
        (off || level.is_some()).then_some((one.child("key")?.moref()?.id, level))
    });
    Some(Drs {
        on: own.child("enabled").and_then(Element::flag)?,
        level: text(own, "defaultVmBehavior"),
        overrides: overrides.collect(),
    })
}

/// Reads the services of vmknics. Candidates matter only for the services that Fault Tolerance needs; they take much memory.
fn services(info: &Element) -> Vec<NicService> {
    let mut services = NicService::list(info);
    for service in services.iter_mut().filter(|own| !["vmotion", uplinks::FT_LOGGING].contains(&own.name.as_str())) {
        service.candidates = Vec::new();
    }
    services
}

pub fn host_facts(host: &Object) -> Host {
    let feature = |features: &Element| {
        let mut all = features.all().iter();
        let found = all.find(|feature| feature.child("key").is_some_and(|key| key.text() == "faultTolerance"));
        Some(found?.child("value")?.text().to_owned())
    };
    let services = fact(host, "config.virtualNicManagerInfo").map(services);
    Host {
        subject: subject(host),
        connection: text(host, "runtime.connectionState"),
        maintenance: flag(host, "runtime.inMaintenanceMode"),
        power: text(host, "runtime.powerState"),
        agent: text(host, "runtime.dasHostState.state"),
        nested: vsphere_module::is_nested(host),
        version: fact(host, "summary.config.product.version").map(|version| Version::parse(version.text())),
        build: text(host, "summary.config.product.build"),
        ft_version: fact(host, "summary.config.featureVersion").read(feature),
        vmotion: flag(host, "summary.config.vmotionEnabled"),
        ft_logging: flag(host, "summary.config.faultToleranceEnabled"),
        ft_uplinks: uplinks::speeds(host, &services),
        services,
        memory_mb: megabytes(host, "summary.hardware.memorySize"),
        used_mb: int(host, "summary.quickStats.overallMemoryUsage"),
        // The reservations of the virtual machines are added later.
        reserved_mb: Fact::Unset,
        capability: capability(host),
        datastores: moids(host, "datastore"),
        networks: moids(host, "network"),
    }
}

fn capability(host: &Object) -> Capability {
    let one = |name: &str| fact(host, &format!("capability.{name}"));
    let list = |name: &str| {
        one(name).read(|all| {
            let list: Vec<String> = all.all().iter().take(ISSUES).map(|reason| reason.text().to_owned()).collect();
            (!list.is_empty()).then_some(list)
        })
    };
    let replay = match list("replayCompatibilityIssues") {
        // Before 4.1 a host reports a single reason.
        Fact::Unset => one("replayUnsupportedReason").map(|reason| vec![reason.text().to_owned()]),
        issues => issues,
    };
    // vcsim reports an unset number as 0.
    let limit = |name: &str| one(name).read(|most| most.int().filter(|most| *most > 0));
    let support = |name: &str, issues| Support { supported: one(name).read(Element::flag), issues };
    Capability {
        legacy: support("ftSupported", list("ftCompatibilityIssues")),
        replay: support("recordReplaySupported", replay),
        smp: support("smpFtSupported", list("smpFtCompatibilityIssues")),
        max_vcpus: limit("maxVcpusPerFtVm"),
        max_memory_mb: limit("maxMemMBPerFtVm"),
        efi: one("ftEfiSupported").read(Element::flag),
    }
}

pub fn vm_facts(vm: &Object) -> Vm {
    let connection = text(vm, "runtime.connectionState");
    let state = connection.known().filter(|state| *state != "connected").cloned();
    Vm {
        subject: subject(vm),
        host: vm.moref("runtime.host").map(|host| host.id),
        connection,
        power: text(vm, "runtime.powerState"),
        question: reachable(fact(vm, "runtime.question"), state.as_deref())
            .map(|it| it.child("text").map_or("", Element::text).to_owned()),
        template: flag(vm, "config.template"),
        ft_state: text(vm, "runtime.faultToleranceState"),
        ft: reachable(fact(vm, "config.ftInfo"), state.as_deref()).map(FtInfo::parse),
        ft_type: text(vm, "config.flags.faultToleranceType"),
        snapshot: reachable(fact(vm, "snapshot"), state.as_deref()).map(drop),
        cpus: int(vm, "config.hardware.numCPU"),
        memory_mb: int(vm, "config.hardware.memoryMB"),
        reserved_mb: int(vm, "config.memoryAllocation.reservation"),
        used_mb: int(vm, "summary.quickStats.hostMemoryUsage"),
        pool_mb: Fact::Unset,
        npiv: reachable(fact(vm, "config.npivNodeWorldWideName"), state.as_deref()).map(drop),
        hardware: text(vm, "config.version"),
        devices: fact(vm, "config.hardware.device").map(|list| list.all().iter().map(device).collect()),
        nested_hv: flag(vm, "config.nestedHVEnabled"),
        vbs: flag(vm, "config.flags.vbsEnabled"),
        firmware: text(vm, "config.firmware"),
        options: fact(vm, "config.extraConfig").map(vsphere::extra_config),
        vmx: text(vm, "config.files.vmPathName"),
        metadata: text(vm, "config.files.ftMetadataDirectory"),
        datastores: moids(vm, "datastore"),
        networks: moids(vm, "network"),
        compatibility: Fact::Unset,
    }
}

/// Hides an unset property if vSphere does not reach the virtual machine (`state`): the property may be set after all.
fn reachable<T>(fact: Fact<T>, state: Option<&str>) -> Fact<T> {
    match (fact, state) {
        (Fact::Unset, Some(state)) => Fact::Hidden(format!("the virtual machine is {state}")),
        (fact, _) => fact,
    }
}

fn device(device: &Element) -> Device {
    let of_backing = |name: &str| device.child("backing").and_then(|backing| backing.child(name));
    let text = |element: Option<&Element>| element.map(|element| element.text().to_owned());
    let flag = |element: Option<&Element>| element.and_then(Element::flag);
    Device {
        kind: device.kind().unwrap_or_default().to_owned(),
        label: text(device.at("deviceInfo/label")).unwrap_or_default(),
        backing: device.child("backing").and_then(Element::kind).unwrap_or_default().to_owned(),
        thin: flag(of_backing("thinProvisioned")),
        eagerly_scrubbed: flag(of_backing("eagerlyScrub")),
        mode: text(of_backing("diskMode")),
        compatibility_mode: text(of_backing("compatibilityMode")),
        video_3d: flag(device.child("enable3DSupport")),
        size_kb: device.child("capacityInKB").and_then(Element::int),
        store: of_backing("datastore").and_then(Element::moref).map(|moref| moref.id),
        file: text(of_backing("fileName")),
        has_parent: of_backing("parent").is_some(),
        native_clone: flag(device.child("nativeUnmanagedLinkedClone")) == Some(true),
        filters: device.children("iofilter").map(|filter| filter.text().to_owned()).collect(),
        connected: flag(device.at("connectable/connected")),
    }
}

pub fn datastore(datastore: &Object) -> Datastore {
    Datastore {
        subject: subject(datastore),
        accessible: flag(datastore, "summary.accessible"),
        shared: flag(datastore, "summary.multipleHostAccess"),
        kind: text(datastore, "summary.type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_of_drs_count_unless_the_cluster_ignores_them() {
        let one =
            |vm: &str, rest: &str| format!(r#"<drsVmConfig><key type="VirtualMachine">{vm}</key>{rest}</drsVmConfig>"#);
        let overrides = [
            one("vm-1", "<behavior>manual</behavior>"),
            one("vm-2", "<enabled>false</enabled><behavior>manual</behavior>"),
            one("vm-3", "<enabled>true</enabled>"),
        ];
        let all = vec![("vm-1".to_owned(), Some("manual".to_owned())), ("vm-2".to_owned(), None)];
        let (on, level) = ("<enabled>true</enabled>", "<defaultVmBehavior>partiallyAutomated</defaultVmBehavior>");
        let read = |on, overrides| Some(Drs { on, level: Some("partiallyAutomated".to_owned()), overrides });
        for (settings, expected) in [
            (format!("{on}{level}"), read(true, all.clone())),
            (
                format!("{on}<enableVmBehaviorOverrides>true</enableVmBehaviorOverrides>{level}"),
                read(true, all.clone()),
            ),
            (
                format!("{on}<enableVmBehaviorOverrides>false</enableVmBehaviorOverrides>{level}"),
                read(true, Vec::new()),
            ),
            (format!("<enabled>false</enabled>{level}"), read(false, all.clone())),
            (on.to_owned(), Some(Drs { on: true, level: None, overrides: all })),
            (level.to_owned(), None),
        ] {
            let text = format!("<val><drsConfig>{settings}</drsConfig>{}</val>", overrides.concat());
            assert_eq!(drs(&Element::parse(&text).unwrap()), expected, "{settings}");
        }
    }
}
