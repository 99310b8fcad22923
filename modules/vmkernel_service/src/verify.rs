//! Reading back.

use std::time::{Duration, Instant};

use contract::{Change as _, Context, Error, Kind};

use crate::args::VmkernelService;
use crate::observe::observe;
use crate::plan::{Change, Observed, plan};

/// The longest time until a change shows, if the host cannot be asked and only vCenter shows it.
const LAG: Duration = Duration::from_secs(15);

/// Reads until the change shows.
pub async fn verify(at: Context<'_, VmkernelService>, observed: &Observed) -> Result<Observed, Error> {
    let end = at.run.deadline().min(Instant::now() + LAG);
    let mut pauses = vsphere_module::pauses();
    loop {
        let last = Instant::now() >= end;
        let now = observe(at, Some(observed)).await.map_err(Error::unsettled)?;
        let rest = plan(&at.args.wish, &now).map_err(Error::unsettled)?.change;
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
