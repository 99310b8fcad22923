//! Reconfiguring the cluster, and waiting for the agents of its hosts.

use std::time::{Duration, Instant};

use contract::{Applied, Error};
use vsphere_module::At;

use crate::args::ClusterHa;
use crate::observe;
use crate::plan::{self, Change, Observed, Since};

/// Time after turning vSphere HA on within which vSphere retries a failed agent, and a silent agent may start where others have.
const AGAIN: Duration = Duration::from_secs(60);
/// Time within which a server reports the first state of an agent; some servers never report any.
const UNTOLD: Duration = Duration::from_secs(5);

pub async fn apply(at: At<'_, ClusterHa>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
    let cluster = &observed.moref;
    let what = format!("waiting for vSphere to reconfigure the cluster {}", observed.name);
    let start = async || at.session.reconfigure_ha(cluster, &change.write).await;
    let written = vsphere_module::carry_out(at.session, cluster, at.run, at.run.deadline(), &what, start).await;
    vsphere_module::applied(written).map_err(|mut error| {
        error.detail.insert_str(0, &format!("reconfiguring vSphere HA of the cluster {}: ", observed.name));
        error
    })
}

pub async fn verify(at: At<'_, ClusterHa>, observed: &Observed, change: &Change) -> Result<Observed, Error> {
    let began = Instant::now();
    let turned_on = change.write.config.enabled == Some(true);
    let end = at.run.deadline();
    let mut pauses = vsphere_module::pauses();
    loop {
        let now = observe::observe(at.args, at.session, Some(observed)).await?;
        let ignored = plan::missing(&now, change);
        if !ignored.is_empty() {
            return Err(plan::ignored(&now, &ignored));
        }
        let waits = if turned_on {
            let since = match began.elapsed() {
                passed if passed < UNTOLD => Since::Moments,
                passed if passed < AGAIN => Since::NotLong,
                _ => Since::Long,
            };
            plan::settling(&now, since)
        } else {
            change.settling && plan::coming(&now)
        };
        let left = end.saturating_duration_since(Instant::now());
        if !waits || left.is_zero() {
            // If nothing was written, the next plan gives these warnings.
            if turned_on || change.tells_later() {
                for warning in plan::not_ready(&now) {
                    at.run.warn(warning);
                }
            }
            return Ok(now);
        }
        at.run.progress.waiting(&format!("waiting for the agents of vSphere HA in the cluster {}", now.name));
        tokio::time::sleep(pauses.next().unwrap_or_default().min(left)).await;
    }
}
