//! The parts of this installation that the doctor checks, as the settings of this process name them.

use songda::config::{DatabaseSettings, RedisSettings};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::queue::Queue;

/// The parts to check. A part whose settings are missing or wrong is `None`; the check of the settings reports why.
pub(super) struct Installation {
    pub(super) database: Option<DatabaseSettings>,
    pub(super) queue: Option<Queue>,
    pub(super) clock: Clock,
}

impl Installation {
    /// Reads the settings of this process.
    pub(super) fn of_process() -> Self {
        let env = &mut Env::of_process();
        let redis = RedisSettings::read(env);
        Self {
            database: DatabaseSettings::read(env),
            queue: redis.and_then(|redis| Queue::new(&redis.address, &redis.prefix).ok()),
            clock: Clock::system(),
        }
    }
}
