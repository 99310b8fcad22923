//! Reading back: vCenter may go on showing a host as it was before a change, long after the host made it.

use std::time::{Duration, Instant};

use contract::{Change as _, Error, Kind, Module as _, Run};
use vsphere_module::Server;

use crate::plan::{Change, Observed, confirmed};
use crate::{Args, Host, VmkernelService};

/// So long `config.virtualNicManagerInfo` may lag behind without a second opinion.
const MOMENT: Duration = Duration::from_secs(2);
/// So long a change may take to show at all.
const LAG: Duration = Duration::from_secs(15);

/// Reads until the change shows, in the property or, where that lags, in `QueryNetConfig`.
pub async fn verify(
    args: &Args,
    server: &Server,
    host: &Host,
    observed: &Observed,
    run: &Run,
) -> Result<Observed, Error> {
    let began = Instant::now();
    let end = run.deadline(args.timeout).min(began + LAG);
    let mut pauses = vsphere_module::pauses();
    loop {
        let last = Instant::now() >= end;
        let mut now = VmkernelService::observe(args, server, host, Some(observed)).await.map_err(Error::unsettled)?;
        let mut rest = VmkernelService::plan(args, &now).map_err(Error::unsettled)?.change;
        if !rest.is_empty() && (last || began.elapsed() >= MOMENT) {
            now = ask(server, host, now, &rest).await?;
            rest = VmkernelService::plan(args, &now).map_err(Error::unsettled)?.change;
        }
        if rest.is_empty() {
            return Ok(now);
        }
        if last {
            return Err(unseen(&now, &rest));
        }
        run.progress.waiting(&format!("waiting for the server to show the change of host {}", now.host));
        let left = end.saturating_duration_since(Instant::now());
        tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
    }
}

/// What is there, with the services of `rest` as the host's `HostVirtualNicManager` tells them.
async fn ask(server: &Server, host: &Host, mut now: Observed, rest: &Change) -> Result<Observed, Error> {
    let manager = host.manager()?;
    for service in &rest.services {
        // Where it cannot be asked, the property alone tells.
        if let Ok(service) = server.nic_service(manager, service).await {
            now = confirmed(now, service);
        }
    }
    Ok(now)
}

/// Nothing showed the change: the host accepted it all the same, so that it may well be there.
fn unseen(now: &Observed, rest: &Change) -> Error {
    let still = if rest.select { "does not carry" } else { "still carries" };
    let text = format!(
        "host {} accepted the change, but by what the server shows {} {still} {}",
        now.host,
        rest.device,
        rest.services.join(", ")
    );
    Error::new(Kind::Fault, text).hint("vCenter may show it late: run it again.").unsettled()
}
