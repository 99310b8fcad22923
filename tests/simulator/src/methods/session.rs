//! `ServiceInstance` and `SessionManager`.

use crate::fault::{Fault, Result};
use crate::property::service_content;
use crate::random::cookie;
use crate::value::Value;

use super::call::{Ctx, Outcome, done, void};

/// `RetrieveServiceContent`.
pub fn content(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    done(service_content(ctx.world))
}

/// `CurrentTime`.
pub fn current_time(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    done(Value::Time(ctx.world.time()))
}

/// `Login`. It fails if the session is already logged in.
pub fn login(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let invalid = || Fault::new("InvalidLogin", "Cannot complete login due to an incorrect user name or password.");
    if ctx.session.is_some() {
        return Err(invalid());
    }
    if ctx.text("locale").is_some_and(|locale| locale.chars().any(|c| !(c.is_alphanumeric() || "_-.".contains(c)))) {
        return Err(Fault::new("InvalidLocale", "The locale is not valid."));
    }
    let user = ctx.text("userName").unwrap_or_default().to_owned();
    // Spaces at the ends may be part of a password.
    let password = ctx.call.args.child("password").map(|node| node.text.as_str()).unwrap_or_default();
    // A cookie that the server set before is kept. Otherwise it sets one, even if the login fails.
    let set_before = ctx.cookie.clone().filter(|cookie| ctx.world.cookies.contains(cookie));
    let cookie = set_before.unwrap_or_else(|| ctx.set_cookie.insert(cookie()).clone());
    if !user.eq_ignore_ascii_case(&ctx.world.config.username) || password != ctx.world.password {
        return Err(invalid());
    }
    ctx.world.cookies.remove(&cookie);
    let session = ctx.world.open_session(&user, cookie);
    let now = ctx.world.time();
    done(session.value(&now))
}

/// `Logout`.
pub fn logout(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    if let Some(cookie) = &ctx.cookie {
        ctx.world.sessions.remove(cookie);
        ctx.world.counts.logouts += 1;
    }
    let key = ctx.session_key();
    ctx.world.collectors.retain(|_, collector| collector.session != key);
    ctx.world.histories.retain(|_, history| history.session != key);
    void()
}

/// `SessionIsActive`, which ESXi does not implement.
pub fn is_active(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    if ctx.world.config.direct {
        return Err(Fault::new("NotImplemented", "The operation is not implemented."));
    }
    let active = ctx.world.sessions.values().any(|session| {
        Some(session.key.as_str()) == ctx.text("sessionID") && Some(session.user.as_str()) == ctx.text("userName")
    });
    done(active)
}
