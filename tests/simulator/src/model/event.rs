//! Events, and the collectors that page through them.

use crate::value::Data;

/// An event that was posted.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it was created, in microseconds since 1970.
    pub created: u64,
    /// The user who caused it; empty for the system.
    pub user: String,
    /// The moids of the objects that it is about.
    pub about: Vec<String>,
    /// `Event` and its subtypes.
    pub data: Data,
}

/// `EventFilterSpec`.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// The moid of the entity, and `self`, `children` or `all`.
    pub entity: Option<(String, String)>,
    /// The first instant, in microseconds since 1970.
    pub begin: Option<u64>,
    /// The last instant.
    pub end: Option<u64>,
    /// User names; an empty name is the system.
    pub users: Vec<String>,
    /// Types of the API.
    pub types: Vec<String>,
    /// Types, or values of `eventTypeId`.
    pub ids: Vec<String>,
    /// `info`, `warning`, `error` or `user`.
    pub categories: Vec<String>,
    /// True if the events are returned without `fullFormattedMessage`.
    pub bare: bool,
    /// The most events that are returned.
    pub most: Option<usize>,
}

/// `EventHistoryCollector`.
#[derive(Clone, Debug)]
pub struct History {
    /// The key of the session that it belongs to.
    pub session: String,
    /// The events that it holds.
    pub filter: EventFilter,
    /// The size of the latest page.
    pub page: usize,
    /// How many of its events are older than the position of the next read.
    pub position: usize,
}
