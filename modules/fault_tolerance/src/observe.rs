//! Reading: the virtual machine, its host and its cluster in one request; more only when a secondary is to be made.

use contract::{Error, Kind};
use vsphere::{Element, FoundVm, FtPlacement, HaConfig, HostQuery, Object, Version, VmPaths};
use vsphere_module::{Server, VmReport};

use crate::args::Args;
use crate::plan::may_start_secondary;
use crate::state::{FtState, Observed};

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

pub async fn observe(args: &Args, server: &Server, previous: Option<&Observed>) -> Result<Observed, Error> {
    let mut vm_paths = VM.to_vec();
    // The disks are only of interest when their copies are to be placed.
    if args.datastore.is_some() {
        vm_paths.push("config.hardware.device");
    }
    let paths = VmPaths { vm: &vm_paths, host: &HOST, cluster: &CLUSTER };
    let found = args.target.read(server, &paths, previous.map(|observed| &observed.moref)).await?;
    let ft = vsphere_module::ft_role(&found.vm);
    // An orphan is not reachable either; that it is one says more.
    if !ft.as_ref().is_some_and(|ft| ft.orphaned) {
        vsphere_module::accessible(&found.vm)?;
    }
    vsphere_module::readable(&found.vm, &vm_paths)?;
    let Some(state) = found.vm.text("runtime.faultToleranceState") else {
        return Err(Error::new(
            Kind::Unsupported,
            format!("this server tells no Fault Tolerance state for {}", found.vm.name()),
        )
        .hint("It has to be a vCenter Server 4.1 or later."));
    };
    let extra = found.vm.get("config.extraConfig").map(vsphere::extra_config).unwrap_or_default();
    let mut observed = Observed {
        moref: found.vm.moref.clone(),
        vm: VmReport::of(&found.vm),
        state: FtState::of(state),
        reason: found.vm.text("runtime.needSecondaryReason").map(str::to_owned),
        ft,
        template: vsphere_module::is_template(&found.vm),
        vcenter: server.about().api_type.is_vcenter(),
        spoken: server.spoken(),
        host_version: host_version(server, &found),
        uses_legacy_ft: extra.iter().any(|(key, value)| vsphere::uses_legacy_ft(key, value)),
        cluster: found.cluster.as_ref().map(|cluster| (cluster.name(), ha(cluster))),
        host: found.host.as_ref().map(Object::name),
        nested: found.host.as_ref().is_some_and(is_nested),
        issues: None,
        wants_datastore: args.datastore.is_some(),
        secondary_host: None,
        placement: None,
    };
    if may_start_secondary(args.wish, &observed) {
        look_further(args, server, &found, &mut observed).await?;
    }
    Ok(observed)
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

/// What only matters when a secondary is to be made or started.
async fn look_further(args: &Args, server: &Server, found: &FoundVm, observed: &mut Observed) -> Result<(), Error> {
    placed(found)?;
    if observed.state == FtState::NotConfigured {
        let has_ex = observed.spoken.at_least(6, 0);
        observed.issues = server
            .query_ft_compatibility(&observed.moref, observed.engine().wire(), has_ex)
            .await
            .map_err(vsphere_module::failure)?;
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
        let devices = found.vm.get("config.hardware.device").map(Element::all).unwrap_or_default();
        let disks = devices.iter().filter(|device| device.kind() == Some("VirtualDisk")).cloned().collect();
        observed.placement = Some(FtPlacement { datastore, disks });
    }
    Ok(())
}

/// The version of the host; where that is hidden, the server's.
fn host_version(server: &Server, found: &FoundVm) -> Version {
    let product =
        found.host.as_ref().and_then(|host| host.get("config.product")).and_then(|product| product.at("version"));
    product.map_or_else(|| server.about().version.clone(), |version| Version::parse(version.text()))
}

/// `ClusterConfigInfoEx.dasConfig.enabled`, which a server may leave out.
fn ha(cluster: &Object) -> Option<bool> {
    HaConfig::parse(cluster.get("configurationEx")?).enabled
}

/// Whether the host's hardware is VMware's.
fn is_nested(host: &Object) -> bool {
    let vendor = host.get("summary.hardware").and_then(|hardware| hardware.child("vendor"));
    vendor.is_some_and(|vendor| vendor.text().starts_with("VMware"))
}
