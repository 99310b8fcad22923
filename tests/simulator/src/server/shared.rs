//! The world and the clock that all connections share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::world::World;

use super::record::Recorder;

/// The state that all connections share.
pub struct Server {
    world: Mutex<World>,
    /// Wakes the calls that wait for a change.
    pub changed: Notify,
    start: Instant,
    /// The delay before every answer.
    pub latency: Duration,
    /// The time that a login takes.
    pub login: Duration,
    /// Records SOAP exchanges.
    pub recorder: Recorder,
}

impl Server {
    /// A server of this world.
    pub fn new(world: World, recorder: Recorder) -> Self {
        let latency = Duration::from_millis(world.config.latency_ms);
        let login = Duration::from_millis(world.config.login_ms);
        Self { world: Mutex::new(world), changed: Notify::new(), start: Instant::now(), latency, login, recorder }
    }

    /// The world, advanced to the current time.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed().as_millis();
        world.advance(u64::try_from(now).unwrap_or(u64::MAX));
        world
    }
}
