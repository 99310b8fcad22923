//! Sessions and the container views that belong to them.

use crate::value::{Data, Ref, Value};

/// A live session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's key, which is not its cookie.
    pub key: String,
    /// The user who logged in.
    pub user: String,
    /// The time of the login as `xsd:dateTime`.
    pub login: String,
    /// When it was last used, in milliseconds since the start.
    pub last_used: u64,
    /// The number of its calls.
    pub calls: i64,
}

/// The number of sessions so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionCounts {
    /// Successful logins.
    pub logins: u64,
    /// Logouts.
    pub logouts: u64,
}

/// A container view (`ContainerView`).
#[derive(Clone, Debug)]
pub struct View {
    /// The container.
    pub container: Ref,
    /// The types that it contains; an empty list means all.
    pub kinds: Vec<String>,
    /// True if it contains more than the direct children.
    pub recursive: bool,
}

impl Session {
    /// `UserSession`.
    pub fn value(&self, now: &str) -> Data {
        Data::new("UserSession")
            .with("key", &self.key)
            .with("userName", &self.user)
            .with("fullName", &self.user)
            .with("loginTime", Value::Time(self.login.clone()))
            .with("lastActiveTime", Value::Time(now.to_owned()))
            .with("locale", "en")
            .with("messageLocale", "en")
            .with("ipAddress", "127.0.0.1")
            .with("callCount", self.calls)
    }
}
