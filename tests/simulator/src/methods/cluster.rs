//! `ClusterComputeResource`: vSphere HA on and off, DRS recommendations.

use crate::fault::{Fault, Result};
use crate::world::entity::Body;
use crate::world::task::Work;

use super::{Ctx, Outcome, done, void};

/// `ReconfigureComputeResource_Task`, of which `dasConfig.enabled` is looked at.
pub fn reconfigure(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let spec = ctx.call.args.child("spec");
    let das = spec.and_then(|spec| spec.child("dasConfig"));
    let enabled = das.filter(|das| das.child("enabled").is_some()).map(|das| das.flag("enabled"));
    let this = ctx.this.clone();
    let work = Work::at_end(move |world| {
        let entity = world.entities.get_mut(&this.moid);
        if let (Some(Body::Cluster(cluster)), Some(enabled)) = (entity.map(|e| &mut e.body), enabled) {
            cluster.ha = enabled;
        }
        Ok(None)
    });
    let names = ("ReconfigureComputeResource_Task", "ComputeResource.reconfigureEx");
    let this = ctx.this.clone();
    done(ctx.world.start_task(&this, names, work))
}

/// `ApplyRecommendation`.
pub fn apply_recommendation(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let key = ctx.text("key").unwrap_or_default().to_owned();
    if key.is_empty() {
        return Err(Fault::invalid_argument("key"));
    }
    ctx.world.apply_recommendation(&key)?;
    void()
}
