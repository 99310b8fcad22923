//! Reading: both halves of the pair with their hosts, and the cluster.

use contract::{Error, Kind};
use vsphere::{FoundVm, Moref, Object, VmPaths};
use vsphere_module::{At, Named as _, Server, VmReport};

use crate::args::FtFailover;
use crate::state::{Half, Observed};

const VM: [&str; 9] = [
    "name",
    "config.instanceUuid",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.bootTime",
    "runtime.faultToleranceState",
    "runtime.needSecondaryReason",
    "config.ftInfo",
    "runtime.host",
];
/// Read at first.
const FIRST: VmPaths<'static> = VmPaths { vm: &VM, host: &["name"], cluster: &["name", "configurationEx"] };
/// Read again and again.
const AGAIN: VmPaths<'static> = VmPaths { vm: &VM, host: &["name"], cluster: &[] };

pub async fn observe(at: At<'_, FtFailover>, previous: Option<&Observed>) -> Result<Observed, Error> {
    let (server, done) = (at.session, at.target.done.get());
    let Some(previous) = previous else {
        let found = at.args.target.read(server, &FIRST, None).await?;
        let first = half(&found)?;
        let secondary = match partner(&first) {
            Some(partner) => read(server, &[partner]).await?.pop(),
            None => None,
        };
        let cluster = vsphere_module::ha_cluster(&found);
        let vcenter = server.about().api_type.is_vcenter();
        return Ok(Observed { primary: first, secondary, vcenter, cluster, done });
    };
    let mut known = vec![previous.primary.moref.clone()];
    known.extend(previous.secondary.as_ref().map(|half| half.moref.clone()));
    let mut halves = match read(server, &known).await {
        // One that is started anew may be another virtual machine; after a failover that is the old primary.
        Err(error) if error.kind == Kind::NotFound && known.len() > 1 => match read(server, &known[..1]).await {
            Err(error) if error.kind == Kind::NotFound => read(server, &known[1..]).await?,
            halves => halves?,
        },
        halves => halves?,
    };
    // Those that were asked for come in any order.
    halves.sort_by_key(|half| (!half.is_primary(), half.moref != previous.primary.moref));
    let mut halves = halves.into_iter();
    let Some(primary) = halves.next() else {
        return Err(Error::new(Kind::NotFound, format!("{} no longer exists", previous.label())));
    };
    let secondary = match (halves.next(), partner(&primary)) {
        (Some(half), Some(partner)) if half.moref == partner => Some(half),
        (_, Some(partner)) => read(server, &[partner]).await?.pop(),
        (other, None) => other,
    };
    Ok(Observed { primary, secondary, done, ..previous.clone() })
}

/// The secondary of a primary.
fn partner(half: &Half) -> Option<Moref> {
    half.ft.as_ref().filter(|ft| !ft.is_secondary())?.secondaries.first().cloned()
}

async fn read(server: &Server, vms: &[Moref]) -> Result<Vec<Half>, Error> {
    let found = server.vms_again(vms, &AGAIN).await.map_err(vsphere_module::failure)?;
    found.iter().map(half).collect()
}

fn half(found: &FoundVm) -> Result<Half, Error> {
    let state = vsphere_module::ft_state(&found.vm, &VM)?;
    let text = |path| found.vm.text(path).map(str::to_owned);
    Ok(Half {
        moref: found.vm.moref.clone(),
        vm: VmReport::of(&found.vm),
        host: found.host.as_ref().map(Object::name),
        boot: text("runtime.bootTime"),
        state,
        reason: text("runtime.needSecondaryReason"),
        ft: vsphere_module::ft_role(&found.vm),
    })
}
