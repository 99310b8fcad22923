//! Handles a SOAP call: version, session, injected faults, the method, the log.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde_json::json;

use super::http::{Answer, Drop, session_cookie, set_session_cookie, text};
use super::shared::Server;
use crate::config::Personality;
use crate::fault::Fault;
use crate::methods;
use crate::methods::call::{Ctx, Outcome};
use crate::model::inject::How;
use crate::schema::{self, Version};
use crate::soap::envelope::{self, Call, Reply};
use crate::value::Ref;
use crate::world::World;
use crate::world::work::Work;

const XML: &str = "text/xml; charset=utf-8";

/// The API version that a request's `SOAPAction` asks for.
fn version(headers: &HeaderMap, personality: Personality) -> Result<Version, Fault> {
    let action = headers.get("soapaction").and_then(|value| value.to_str().ok()).unwrap_or_default().trim_matches('"');
    if ["", "urn:vim25"].contains(&action) {
        // Without a number, it is the first version of the namespace.
        return Ok([2, 5, 0, 0]);
    }
    let (newest, prior) = personality.versions();
    match action.strip_prefix("urn:vim25/").filter(|number| *number == newest || prior.contains(number)) {
        Some(number) => Ok(schema::version(number).min(personality.newest())),
        // The text is quoted in govmomi's command session.login.
        None => Err(Fault {
            code: "VersionMismatchFaultCode",
            ..Fault::invalid_request(&format!("Unsupported version URI \"{action}\""))
        }),
    }
}

enum Step {
    Answer(Result<Reply, Fault>, Option<String>),
    Raw(StatusCode, &'static str),
    Drop,
    Hang,
    Wait(u64),
}

/// Answers one call.
pub async fn call(server: &Arc<Server>, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Drop> {
    let (started, version, secure, early_cookie) = {
        let world = server.world();
        let personality = world.config.personality;
        (world.now, version(headers, personality), !world.config.http, personality.early_cookie())
    };
    let cookie = session_cookie(headers);
    let call = version.clone().and_then(|_| Call::parse(body));
    let version = version.unwrap_or_default();
    let mut injected = None;
    if let Ok(call) = &call {
        if call.method == "Login" && !server.login.is_zero() {
            tokio::time::sleep(server.login).await;
        }
        injected = server.world().injected(&call.method, &call.this.moid);
    }
    loop {
        // Subscribe before reading the world, so that no change is missed.
        let mut changed = pin!(server.changed.notified());
        changed.as_mut().enable();
        let (step, next) = {
            let mut world = server.world();
            let step = step(&mut world, &call, cookie.as_deref(), version, started, injected.take());
            (step, world.next_event())
        };
        let method = call.as_ref().map_or("", |call| call.method.as_str());
        match step {
            Step::Wait(limit) => {
                let limit = next.map_or(limit, |next| limit.min(next + 1));
                // A wait without a limit still reads the world once a minute.
                let pause = Duration::from_millis(limit.min(60_000));
                let _ = tokio::time::timeout(pause, changed).await;
            }
            Step::Drop => {
                record(server, &call, cookie.as_deref(), started, Some("drop"));
                return Err(Drop);
            }
            Step::Hang => {
                record(server, &call, cookie.as_deref(), started, Some("hang"));
                std::future::pending::<()>().await;
            }
            Step::Raw(status, body) => {
                record(server, &call, cookie.as_deref(), started, Some("raw"));
                return Ok(text(status, "text/html", body));
            }
            Step::Answer(result, mut set_cookie) => {
                if early_cookie && cookie.is_none() && set_cookie.is_none() {
                    let fresh = set_cookie.insert(crate::random::cookie());
                    server.world().cookies.insert(fresh.clone());
                }
                let kind = result.as_ref().err().map(|fault| fault.kind().to_owned());
                let seen = set_cookie.clone().filter(|_| kind.is_none()).or(cookie);
                record(server, &call, seen.as_deref(), started, kind.as_deref());
                if !method.starts_with("Retrieve") && !method.starts_with("Wait") {
                    server.changed.notify_waiters();
                }
                let mut answer = match result {
                    Ok(reply) => text(StatusCode::OK, XML, envelope::response(method, &reply, version)),
                    Err(fault) => text(StatusCode::INTERNAL_SERVER_ERROR, XML, envelope::fault(&fault, version)),
                };
                if let Some(cookie) = set_cookie {
                    set_session_cookie(&mut answer, &cookie, secure);
                }
                return Ok(answer);
            }
        }
    }
}

fn step(
    world: &mut World,
    call: &Result<Call, Fault>,
    cookie: Option<&str>,
    version: Version,
    started: u64,
    injected: Option<How>,
) -> Step {
    let call = match call {
        Ok(call) => call,
        Err(fault) => return Step::Answer(Err(fault.clone()), None),
    };
    match &injected {
        Some(How::Drop) => return Step::Drop,
        Some(How::Hang) => return Step::Hang,
        Some(How::Http500) => {
            return Step::Raw(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        }
        Some(How::Garbage) => return Step::Raw(StatusCode::OK, "<html><p>not a SOAP answer"),
        Some(How::Fault(fault)) => return Step::Answer(Err(fault.clone().complete(&call.this)), None),
        Some(How::ExpireSession) => {
            world.sessions.remove(cookie.unwrap_or_default());
        }
        _ => {}
    }
    let now = world.now;
    let session = cookie.and_then(|cookie| world.sessions.get_mut(cookie)).map(|session| {
        session.last_used = now;
        session.calls += 1;
        session.clone()
    });
    if injected == Some(How::Silent) && session.is_some() {
        return Step::Answer(Ok(silent(world, call)), None);
    }
    let mut ctx = Ctx {
        world,
        call,
        this: call.this.clone(),
        session,
        cookie: cookie.map(ToOwned::to_owned),
        version,
        started,
        set_cookie: None,
    };
    let outcome = methods::dispatch(&mut ctx);
    let set_cookie = ctx.set_cookie.take();
    match outcome {
        Ok(Outcome::Wait(limit)) => Step::Wait(limit),
        Ok(Outcome::Done(reply)) => {
            if let Reply::Value(crate::value::Value::Ref(Ref { kind, moid })) = &reply
                && kind == "Task"
            {
                match injected {
                    Some(How::TaskError(fault)) => {
                        world.task_faults.insert(moid.clone(), fault.complete(&call.this));
                    }
                    Some(How::TaskVanishes { early: true }) => {
                        world.tasks.remove(moid);
                    }
                    Some(How::TaskVanishes { early: false }) => {
                        world.vanishing.insert(moid.clone());
                    }
                    _ => {}
                }
            }
            Step::Answer(Ok(reply), set_cookie)
        }
        Err(fault) => Step::Answer(Err(fault), set_cookie),
    }
}

/// Reports success and does nothing.
fn silent(world: &mut World, call: &Call) -> Reply {
    if call.method.ends_with("_Task") {
        let work = Work::at_end(|_| Ok(None));
        let task = world.start_task(&call.this, ("ReconfigVM_Task", "VirtualMachine.silent"), work);
        Reply::Value(task.into())
    } else {
        Reply::Void
    }
}

fn record(server: &Server, call: &Result<Call, Fault>, cookie: Option<&str>, started: u64, fault: Option<&str>) {
    let mut world = server.world();
    let user = cookie.and_then(|cookie| world.sessions.get(cookie)).map(|session| session.user.clone());
    let (method, object) = call.as_ref().map_or(("", ""), |call| (call.method.as_str(), call.this.moid.as_str()));
    let mut line = json!({
        "n": world.log.len() + 1,
        "method": method,
        "object": object,
        "ms": world.now - started,
    });
    if let Some(user) = user {
        line["user"] = user.into();
    }
    if let Some(fault) = fault {
        line["fault"] = fault.into();
    }
    world.record(line);
}
