//! The database settings, the Redis client and the clock that several checks of the doctor use.

use songda::config::{DatabaseSettings, RedisSettings};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::queue::Queue;

/// A member is `None` if its settings are missing or wrong. The check of the settings then reports why.
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
