//! One call: its arguments, its session, and the world that it changes.

use crate::fault::{Fault, Result};
use crate::model::session::Session;
use crate::property::{self, Viewer};
use crate::schema::Version;
use crate::soap::envelope::{Call, Reply, reference};
use crate::value::{Ref, Value};
use crate::world::World;

/// The outcome of a call.
#[derive(Debug)]
pub enum Outcome {
    /// The reply
    Done(Reply),
    /// Call again after the next change, or after this many milliseconds
    Wait(u64),
}

/// A call with everything that it can read or change.
pub struct Ctx<'a> {
    /// The world.
    pub world: &'a mut World,
    /// The call.
    pub call: &'a Call,
    /// The object that it is called on, with its actual type.
    pub this: Ref,
    /// The session.
    pub session: Option<Session>,
    /// The session's cookie.
    pub cookie: Option<String>,
    /// The version of the API.
    pub version: Version,
    /// When the call came in, in milliseconds since the start.
    pub started: u64,
    /// The cookie to set.
    pub set_cookie: Option<String>,
}

impl Ctx<'_> {
    /// The reader of properties in this call.
    pub fn viewer(&self) -> Viewer<'_> {
        Viewer { world: self.world, session: self.session.as_ref(), version: self.version }
    }

    /// A string argument.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.call.args.value(name)
    }

    /// A reference argument, resolved.
    pub fn reference(&self, name: &str) -> Result<Option<Ref>> {
        self.call.args.child(name).map(|node| property::resolve(self.world, &reference(node))).transpose()
    }

    /// A required reference argument.
    pub fn need_reference(&self, name: &'static str) -> Result<Ref> {
        self.reference(name)?.ok_or_else(|| Fault::invalid_argument(name))
    }

    /// The key of the session; empty without one. `dispatch` has checked that calls that need a session have one.
    pub fn session_key(&self) -> String {
        self.session.as_ref().map(|session| session.key.clone()).unwrap_or_default()
    }
}

/// A reply with a value.
#[expect(clippy::unnecessary_wraps, reason = "every handler ends in it")]
pub fn done(value: impl Into<Value>) -> Result<Outcome> {
    Ok(Outcome::Done(Reply::Value(value.into())))
}

/// A reply without a value.
#[expect(clippy::unnecessary_wraps, reason = "every handler ends in it")]
pub fn void() -> Result<Outcome> {
    Ok(Outcome::Done(Reply::Void))
}
