//! The parts of this installation that several checks of the doctor use.

use songda::config::{DatabaseSettings, RedisSettings};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::queue::Queue;

/// A part whose settings are missing or wrong is `None`; the check of the settings reports why.
pub(super) struct Installation {
    pub(super) database: Option<DatabaseSettings>,
    pub(super) queue: Option<Queue>,
    pub(super) clock: Clock,
}

impl Installation {
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
