//! Through the API: the virtual machine's `config.extraConfig`, written by `ReconfigVM_Task`. Only the difference is sent:
//! the list is a set of modifications, and other people's keys are none of this module's business.

mod plan;

use std::collections::BTreeMap;

use contract::{Applied, Error, Kind, Run};
pub use plan::{Observed, plan, without_effect};
use vsphere::VmPaths;
use vsphere_module::{Server, VmReport};

use crate::args::Args;
use crate::options::{Changes, Found};

const PATHS: VmPaths<'static> = VmPaths {
    vm: &[
        "name",
        "config.instanceUuid",
        "runtime.powerState",
        "runtime.connectionState",
        "config.template",
        "config.changeVersion",
        "config.extraConfig",
    ],
    host: &["name", "config.product"],
    cluster: &[],
};

pub async fn observe(args: &Args, server: &Server, previous: Option<&Observed>) -> Result<Observed, Error> {
    let found = args.target.read_all(server, &PATHS, previous.map(|observed| &observed.moref)).await?;
    let Some(extra) = found.vm.get("config.extraConfig") else {
        return Err(Error::new(
            Kind::Permission,
            format!("the options of virtual machine {} cannot be read", found.vm.name()),
        )
        .hint("Check that this user may read its configuration."));
    };
    let extra: BTreeMap<String, (String, String)> =
        vsphere::extra_config(extra).into_iter().map(|(key, value)| (key.to_ascii_lowercase(), (key, value))).collect();
    let value = |key: &str| extra.get(&key.to_ascii_lowercase()).cloned();
    Ok(Observed {
        moref: found.vm.moref.clone(),
        vm: VmReport::of(&found.vm),
        template: vsphere_module::is_template(&found.vm),
        ft: vsphere_module::ft_role(&found.vm),
        change_version: found.vm.text("config.changeVersion").map(str::to_owned),
        options: args
            .options
            .keys()
            .map(|asked| match value(asked) {
                Some((key, value)) => Found { asked: asked.clone(), key, value: Some(value) },
                None => Found { asked: asked.clone(), key: asked.clone(), value: None },
            })
            .collect(),
        uses_legacy_ft: value("vm.useLegacyFt").is_some_and(|(key, value)| vsphere::uses_legacy_ft(&key, &value)),
        host: found.host.as_ref().map(vsphere::Object::name),
        host_version: found.host.as_ref().and_then(vsphere_module::host_version),
    })
}

pub async fn apply(server: &Server, observed: &Observed, changes: &Changes, run: &Run) -> Result<Applied, Error> {
    let what = format!("waiting for vSphere to reconfigure {}", observed.vm.name);
    let version = observed.change_version.as_deref();
    // In the API, an empty value removes the key.
    let changes: Vec<(String, String)> =
        changes.iter().map(|(key, value)| (key.clone(), value.clone().unwrap_or_default())).collect();
    let start = async || server.reconfigure_extra_config(&observed.moref, version, &changes).await;
    vsphere_module::applied(vsphere_module::carry_out(server, &observed.moref, run, run.deadline(), &what, start).await)
}
