//! Sessions and what belongs to them.

use crate::value::{Data, Ref};

use super::World;

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
            .with("loginTime", crate::value::Value::Time(self.login.clone()))
            .with("lastActiveTime", crate::value::Value::Time(now.to_owned()))
            .with("locale", "en")
            .with("messageLocale", "en")
            .with("ipAddress", "127.0.0.1")
            .with("callCount", self.calls)
    }
}

impl World {
    /// Opens a session under this cookie.
    pub fn open_session(&mut self, user: &str, cookie: String) -> Session {
        let (key, login) = (uuid(), self.time());
        let session = Session { key, user: user.to_owned(), login, last_used: self.now, calls: 1 };
        self.sessions.insert(cookie, session.clone());
        self.counts.logins += 1;
        session
    }
}

/// A new cookie: forty hex digits as a real server's.
pub fn cookie() -> String {
    random_hex(20)
}

/// So many random bytes in hex.
pub fn random_hex(bytes: usize) -> String {
    use ring::rand::SecureRandom;
    let mut buffer = vec![0; bytes];
    // The system's generator does not fail on anything the simulator runs on; zeros would still be a valid cookie.
    let _ = ring::rand::SystemRandom::new().fill(&mut buffer);
    hex(&buffer)
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A random UUID.
pub fn uuid() -> String {
    let digits = random_hex(16);
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}
