//! Sessions and the container views that belong to them.

use crate::value::{Data, Ref, Value};

/// A live session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's key, which is not its cookie.
    pub key: String,
    /// Who logged in.
    pub user: String,
    /// When, as `xsd:dateTime`.
    pub login: String,
    /// Milliseconds since the start when it was last used.
    pub last_used: u64,
    /// How many calls it made.
    pub calls: i64,
}

/// How many sessions there were.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionCounts {
    /// Logins that succeeded.
    pub logins: u64,
    /// Logouts.
    pub logouts: u64,
}

/// A container view (`ContainerView`).
#[derive(Clone, Debug)]
pub struct View {
    /// The container.
    pub container: Ref,
    /// Which types it shows; none means all.
    pub kinds: Vec<String>,
    /// Whether it looks below the container's own children.
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
