//! Writing: one service at a time.

use contract::{Applied, Context, Error};

use crate::args::VmkernelService;
use crate::plan::{Change, Observed};

pub async fn apply(at: Context<'_, VmkernelService>, observed: &Observed, change: &Change) -> Result<Applied, Error> {
    let manager = at.target.manager()?;
    let mut wrote = false;
    for service in &change.services {
        let what = if change.select { "to carry" } else { "not to carry" };
        let what = format!("{} of host {} {what} {service}", change.device, observed.host);
        at.run.progress.waiting(&format!("waiting for {what}"));
        match at.session.select_nic(manager, service, &change.device, change.select).await {
            Ok(()) => wrote = true,
            Err(error) => {
                return vsphere_module::judge_write(error, wrote).map_err(|mut error| {
                    error.detail.insert_str(0, &format!("getting {what}: "));
                    error
                });
            }
        }
    }
    Ok(Applied::Done)
}
