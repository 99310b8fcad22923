//! `ViewManager` and `ContainerView`.

use crate::fault::Result;
use crate::model::session::View;
use crate::value::Ref;

use super::call::{Ctx, Outcome, done, void};

/// `CreateContainerView`.
pub fn create(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let container = ctx.need_reference("container")?;
    let view = View {
        container,
        kinds: ctx.call.args.all("type").map(|kind| kind.text.trim().to_owned()).collect(),
        recursive: ctx.call.args.flag("recursive"),
    };
    let moid = format!("session[{}]{}", ctx.session_key(), crate::random::uuid());
    ctx.world.views.insert(moid.clone(), view);
    done(Ref::new("ContainerView", &moid))
}

/// `DestroyView`.
pub fn destroy(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    ctx.world.views.remove(&ctx.this.moid);
    void()
}
