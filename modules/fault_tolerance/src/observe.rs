//! Reading: the virtual machine, its host and its cluster in one request; more only if a plan depends on it.

use contract::{Error, Kind};
use vsphere::{Element, FoundVm, FtPlacement, HostQuery, Object, Version, VmPaths};
use vsphere_module::{Server, VmReport};

use crate::args::{Args, Encryption};
use crate::plan::may_start_secondary;
use crate::secondary::depends_on_host;
use crate::state::{ENCRYPTION_SINCE, FtState, LostHost, Observed};

const VM: [&str; 10] = [
    "name",
    "config.instanceUuid",
    "runtime.powerState",
    "runtime.connectionState",
    "config.template",
    "runtime.faultToleranceState",
    "runtime.needSecondaryReason",
    "config.ftInfo",
    // Holds vm.useLegacyFt, on which the engine of a 6.0 host depends.
    "config.extraConfig",
    "runtime.host",
];
const HOST: [&str; 4] = ["name", "parent", "config.product", "summary.hardware"];
const CLUSTER: [&str; 2] = ["name", "configurationEx"];
/// The properties that decide about the encryption of Fault Tolerance.
const ENCRYPTION: [&str; 2] = ["config.ftEncryptionMode", "config.keyId"];
const SECONDARY_HOST: [&str; 3] = ["name", "runtime.connectionState", "runtime.inMaintenanceMode"];

/// Reads everything that a plan depends on.
pub async fn observe(args: &Args, server: &Server, previous: Option<&Observed>) -> Result<Observed, Error> {
    let (found, mut observed) = read(args, server, previous).await?;
    if depends_on_host(args.wish, &observed, previous) {
        observed.lost_host = lost_host(server, &observed).await?;
    }
    if may_start_secondary(args.wish, &observed) {
        look_further(args, server, &found, &mut observed).await?;
    }
    Ok(observed)
}

/// Reads the state again, while a run waits for it.
pub async fn observe_again(args: &Args, server: &Server, previous: &Observed) -> Result<Observed, Error> {
    read(args, server, Some(previous)).await.map(|(_, observed)| observed)
}

/// Reads the virtual machine, its host and its cluster.
async fn read(args: &Args, server: &Server, previous: Option<&Observed>) -> Result<(FoundVm, Observed), Error> {
    let mut vm_paths = VM.to_vec();
    let has_encryption = server.spoken() >= Version::parse(ENCRYPTION_SINCE);
    if has_encryption {
        vm_paths.extend(ENCRYPTION);
    }
    // The disks matter if their copies are to be placed, a virtual TPM if an encryption is wanted.
    if args.datastore.is_some() || has_encryption && args.wish.encryption.is_some() {
        vm_paths.push("config.hardware.device");
    }
    let paths = VmPaths { vm: &vm_paths, host: &HOST, cluster: &CLUSTER };
    let found = args.target.read(server, &paths, previous.map(|observed| &observed.moref)).await?;
    let state = vsphere_module::ft_state(&found.vm, &vm_paths)?;
    let extra = found.vm.get("config.extraConfig").map(vsphere::extra_config).unwrap_or_default();
    let encrypted = found.vm.get("config.keyId").is_some() || devices(&found.vm, "VirtualTPM").next().is_some();
    let mut observed = Observed {
        moref: found.vm.moref.clone(),
        vm: VmReport::of(&found.vm),
        state,
        reason: found.vm.text("runtime.needSecondaryReason").map(str::to_owned),
        ft: vsphere_module::ft_role(&found.vm),
        template: vsphere_module::is_template(&found.vm),
        vcenter: server.about().api_type.is_vcenter(),
        spoken: server.spoken(),
        // Where the host is hidden, the server's.
        host_version: found
            .host
            .as_ref()
            .and_then(vsphere_module::host_version)
            .unwrap_or_else(|| server.about().version.clone()),
        uses_legacy_ft: extra.iter().any(|(key, value)| vsphere::uses_legacy_ft(key, value)),
        cluster: vsphere_module::ha_cluster(&found),
        host: found.host.as_ref().map(Object::name),
        nested: found.host.as_ref().is_some_and(vsphere_module::is_nested),
        issues: None,
        unasked: None,
        wants_datastore: args.datastore.is_some(),
        secondary_host: None,
        placement: None,
        encryption: has_encryption.then(|| encryption(&found.vm, encrypted)).flatten(),
        encrypted,
        lost_host: None,
    };
    if !observed.has_encryption() {
        // The host is older than the server.
        observed.encryption = None;
    }
    Ok((found, observed))
}

/// Returns the virtual machine's devices of this type. Needs `config.hardware.device`.
fn devices<'a>(vm: &'a Object, kind: &'static str) -> impl Iterator<Item = &'a Element> {
    let all = vm.get("config.hardware.device").map(Element::all).unwrap_or_default();
    all.iter().filter(move |device| device.kind() == Some(kind))
}

/// Returns the encryption in effect. Opportunistic is the default of the API, and required the only mode of an encrypted
/// virtual machine.
fn encryption(vm: &Object, encrypted: bool) -> Option<Encryption> {
    if encrypted {
        return Some(Encryption::Required);
    }
    vm.text("config.ftEncryptionMode").map_or(Some(Encryption::Opportunistic), Encryption::of)
}

/// Reads the host of the secondary, and returns it if it is out of service.
async fn lost_host(server: &Server, observed: &Observed) -> Result<Option<LostHost>, Error> {
    let Some(secondary) = observed.secondary() else { return Ok(None) };
    let paths = VmPaths { vm: &["name"], host: &SECONDARY_HOST, cluster: &[] };
    let found = match server.vm_again(secondary, &paths).await {
        Ok(found) => found,
        // It is gone or hidden: vSphere then decides alone.
        Err(vsphere::Error::Fault(_) | vsphere::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(vsphere_module::failure(error)),
    };
    Ok(found.host.and_then(|host| {
        let state = match host.text("runtime.connectionState") {
            Some("notResponding") => "is not responding".to_owned(),
            Some(state) if state != "connected" => format!("is {state}"),
            _ if host.flag("runtime.inMaintenanceMode") == Some(true) => "is in maintenance mode".to_owned(),
            _ => return None,
        };
        Some(LostHost { name: host.name(), state })
    }))
}

/// An error where the host or the cluster is there, but hidden from this user: that is not a host without a cluster.
fn placed(found: &FoundVm) -> Result<(), Error> {
    if found.host.is_none() && found.vm.moref("runtime.host").is_some() {
        return Err(Error::new(Kind::Permission, format!("the host of {} cannot be read", found.vm.name()))
            .hint("Give the user read access to its host and cluster."));
    }
    if let Some(host) = &found.host {
        vsphere_module::readable(host, &HOST)?;
        let in_cluster = host.moref("parent").is_some_and(|parent| parent.kind == "ClusterComputeResource");
        if in_cluster && found.cluster.is_none() {
            return Err(Error::new(Kind::Permission, format!("the cluster of host {} cannot be read", host.name()))
                .hint("Give the user read access to the cluster."));
        }
    }
    found.cluster.as_ref().map_or(Ok(()), |cluster| vsphere_module::readable(cluster, &CLUSTER))
}

/// Reads what only matters when a secondary is to be made or started.
async fn look_further(args: &Args, server: &Server, found: &FoundVm, observed: &mut Observed) -> Result<(), Error> {
    placed(found)?;
    if observed.state == FtState::NotConfigured {
        let has_ex = observed.spoken.at_least(6, 0);
        match server.ft_compatibility(&observed.moref, observed.engine().into(), has_ex).await {
            Ok(issues) => observed.issues = Some(issues),
            // A fault of the query says nothing about the virtual machine.
            Err(vsphere::Error::Fault(fault)) => observed.unasked = Some(fault.describe()),
            Err(error) => return Err(vsphere_module::failure(error)),
        }
    }
    if let Some(name) = &args.secondary_host {
        let hosts = server
            .hosts(&HostQuery::Names(vec![name.clone()]), None, &["name"])
            .await
            .map_err(vsphere_module::failure)?;
        observed.secondary_host = hosts.first().map(|host| host.moref.clone());
    }
    if let (Some(name), Some(host), FtState::NotConfigured) = (&args.datastore, &found.host, &observed.state) {
        let datastore = server.datastore_of_host(&host.moref, name).await.map_err(vsphere_module::failure)?;
        let disks = devices(&found.vm, "VirtualDisk").cloned().collect();
        observed.placement = Some(FtPlacement { datastore, disks });
    }
    Ok(())
}
