//! The world and the clock that all connections share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::world::World;

use super::record::Recorder;

/// What every connection shares.
pub struct Server {
    world: Mutex<World>,
    /// Wakes those who wait for something to happen.
    pub changed: Notify,
    start: Instant,
    /// How long each answer is held back.
    pub latency: Duration,
    /// Takes the SOAP exchanges.
    pub recorder: Recorder,
}

impl Server {
    /// A server of this world.
    pub fn new(world: World, recorder: Recorder) -> Self {
        let latency = Duration::from_millis(world.config.latency_ms);
        Self { world: Mutex::new(world), changed: Notify::new(), start: Instant::now(), latency, recorder }
    }

    /// The world, brought to the present time.
    pub fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed().as_millis();
        world.advance(u64::try_from(now).unwrap_or(u64::MAX));
        world
    }
}
