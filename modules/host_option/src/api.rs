//! Hosts through vCenter Server or their own API.
//!
//! Every host has an `OptionManager`. `QueryOptions` returns an option's value and, by the value's type, how it must be
//! written; `supportedOption` holds its range and default. That list holds a thousand entries, so it is read only when
//! something may have to be written, and once for all hosts of the same build.

use contract::{Applied, Error, Kind, Run};
use vsphere::{Moref, Object, OptionValue};
use vsphere_module::Server;

use crate::args::Args;
use crate::definitions::Definitions;
use crate::plan::{self, Change, Found, Observed};

/// The server, and what its hosts' builds say about their options.
pub struct Hosts {
    pub server: Server,
    definitions: Definitions,
}

impl Hosts {
    pub fn of(server: Server) -> Self {
        Self { server, definitions: Definitions::default() }
    }
}

/// One host, as it was found.
pub struct Host {
    pub name: String,
    pub moid: String,
    manager: Option<Moref>,
    /// Version and build, such as `ESXi 6.7.0 build-8169922`.
    build: String,
    state: Option<String>,
}

pub const PATHS: [&str; 4] = ["name", "config.product", "configManager.advancedOption", "runtime.connectionState"];

impl Host {
    pub fn of(host: &Object) -> Self {
        let product = |field| {
            host.get("config.product").and_then(|product| product.at(field)).map(|found| found.text().to_owned())
        };
        let build = match (product("version"), product("build")) {
            (Some(version), Some(build)) => format!("ESXi {version} build-{build}"),
            _ => format!("the build of {}", host.name()),
        };
        Self {
            name: host.name(),
            moid: host.moref.id.clone(),
            manager: host.moref("configManager.advancedOption"),
            build,
            state: host.text("runtime.connectionState").map(str::to_owned),
        }
    }

    /// The host's `OptionManager`, unless the server cannot reach the host.
    fn manager(&self) -> Result<&Moref, Error> {
        vsphere_module::reachable(&self.name, self.state.as_deref())?;
        self.manager.as_ref().ok_or_else(|| {
            Error::new(Kind::Permission, format!("the advanced options of host {} cannot be read", self.name))
                .hint("Check that this user may read the host's configuration.")
        })
    }
}

pub async fn observe(args: &Args, hosts: &Hosts, host: &Host) -> Result<Observed, Error> {
    let manager = host.manager()?;
    let mut options = Vec::new();
    for (asked, wanted) in &args.options {
        let key = plan::api_name(asked);
        let value =
            hosts.server.query_option(manager, &key).await.map_err(vsphere_module::failure)?.map(|found| found.value);
        let mut found = Found { key, value, definition: None, similar: None };
        if plan::needs_definition(args.state, wanted, found.value.as_ref()) {
            hosts.definitions.complete(&mut found, &hosts.server, manager, &host.build).await?;
        }
        options.push(found);
    }
    Ok(Observed { host: host.name.clone(), build: host.build.clone(), resets: false, options })
}

pub async fn apply(hosts: &Hosts, host: &Host, change: &Change, run: &Run) -> Result<Applied, Error> {
    run.progress.waiting(&format!("setting {} on {}", change.keys().join(", "), host.name));
    let values: Vec<OptionValue> = change
        .0
        .iter()
        .filter_map(|write| Some(OptionValue { key: write.key.clone(), value: write.to.value()?.clone() }))
        .collect();
    match hosts.server.update_options(host.manager()?, &values).await {
        Ok(()) => Ok(Applied::Done),
        // The server's own text may not even name the option.
        Err(error) => vsphere_module::judge_write(error, false).map_err(|mut error| {
            error.detail.insert_str(0, &format!("setting {}: ", change.keys().join(", ")));
            error
        }),
    }
}
