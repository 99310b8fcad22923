//! Reading back: vCenter may go on showing a host as it was before a change, long after the host made it.

use std::time::{Duration, Instant};

use contract::{Change as _, Context, Error, Kind};
use vsphere_module::Server;

use crate::args::VmkernelService;
use crate::observe::{Host, observe};
use crate::plan::{Change, Observed, confirmed, plan};

/// The time for which `config.virtualNicManagerInfo` may lag behind before the host is asked directly.
const MOMENT: Duration = Duration::from_secs(2);
/// The longest time until a change shows.
const LAG: Duration = Duration::from_secs(15);

/// Reads until the change shows, in the property or, where that lags, in `QueryNetConfig`.
pub async fn verify(at: Context<'_, VmkernelService>, observed: &Observed) -> Result<Observed, Error> {
    let began = Instant::now();
    let end = at.run.deadline().min(began + LAG);
    let mut pauses = vsphere_module::pauses();
    loop {
        let last = Instant::now() >= end;
        let mut now = observe(at, Some(observed)).await.map_err(Error::unsettled)?;
        let mut rest = plan(&at.args.wish, &now).map_err(Error::unsettled)?.change;
        if !rest.is_empty() && (last || began.elapsed() >= MOMENT) {
            now = ask(at.session, at.target, now, &rest).await?;
            rest = plan(&at.args.wish, &now).map_err(Error::unsettled)?.change;
        }
        if rest.is_empty() {
            return Ok(now);
        }
        if last {
            return Err(unseen(&now, &rest));
        }
        at.run.progress.waiting(&format!("waiting for the server to show the change of host {}", now.host));
        let left = end.saturating_duration_since(Instant::now());
        tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
    }
}

/// Returns `now` with the services of `rest` as the host's `HostVirtualNicManager` reports them.
async fn ask(server: &Server, host: &Host, mut now: Observed, rest: &Change) -> Result<Observed, Error> {
    let manager = host.manager()?;
    for service in &rest.services {
        // If the host cannot be asked directly, only the property counts.
        if let Ok(service) = server.nic_service(manager, service).await {
            now = confirmed(now, service);
        }
    }
    Ok(now)
}

/// Returns the failure if nothing shows the change. The host accepted it, so it may be there.
fn unseen(now: &Observed, rest: &Change) -> Error {
    let still = if rest.select { "does not carry" } else { "still carries" };
    let text = format!(
        "host {} accepted the change, but the server shows that {} {still} {}",
        now.host,
        rest.device,
        rest.services.join(", ")
    );
    Error::new(Kind::Fault, text).hint("vCenter may show it late: run the task again.").unsettled()
}
