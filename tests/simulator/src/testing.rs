//! Worlds and calls for unit tests.

use clap::Parser;

use crate::config::Config;
use crate::fault::Fault;
use crate::methods::call::{Ctx, Outcome};
use crate::methods::dispatch;
use crate::model::task::State;
use crate::soap::envelope::{Call, Reply};
use crate::value::Value;
use crate::world::World;

/// A world with these command line flags, at the article's date.
pub fn world(flags: &[&str]) -> World {
    let arguments = ["simulator"].iter().chain(flags);
    World::new(Config::parse_from(arguments), 1_312_133_499_314_000)
}

/// Makes one call with a session.
pub fn call(world: &mut World, on: &str, method: &str, args: &str) -> Result<Reply, Fault> {
    let kind = crate::property::kind_of(world, on).unwrap_or("VirtualMachine");
    let body = format!(
        r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body><{method} xmlns="urn:vim25"><_this type="{kind}">{on}</_this>{args}</{method}></e:Body></e:Envelope>"#
    );
    let call = Call::parse(&body).unwrap();
    let session = world.open_session("tester", crate::random::cookie());
    let started = world.now;
    let version = world.config.personality.newest();
    let mut ctx = Ctx {
        world,
        this: call.this.clone(),
        call: &call,
        session: Some(session),
        cookie: None,
        version,
        started,
        set_cookie: None,
    };
    match dispatch(&mut ctx)? {
        Outcome::Done(reply) => Ok(reply),
        Outcome::Wait(_) => panic!("{method} waits"),
    }
}

/// Makes a call that starts a task, and returns the result of the task.
pub fn task(world: &mut World, on: &str, method: &str, args: &str) -> Result<Option<Value>, Fault> {
    let Reply::Value(Value::Ref(task)) = call(world, on, method, args)? else {
        panic!("{method} gave no task");
    };
    world.advance(world.now + world.config.task_ms);
    match &world.tasks[&task.moid].state {
        State::Success(result) => Ok(result.clone()),
        State::Error(fault) => Err(fault.clone()),
        other => panic!("{method} is {other:?}"),
    }
}
