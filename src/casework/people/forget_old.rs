//! What served its purpose is forgotten: used assertions, old one-time codes, sessions long over.

use chrono::TimeDelta;

use super::People;
use crate::domain::login_code;
use crate::store::{StoreError, api_clients, login_codes, sessions};

/// How long an ended session is kept, so that somebody can ask how it ended.
const SESSION_MEMORY: TimeDelta = TimeDelta::days(30);

impl People {
    /// Forgets what is old; returns how many rows that were. For a periodical call.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn forget_old(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let assertions = api_clients::forget_assertions(&mut connection, now).await?;
        let codes = login_codes::forget(&mut connection, now - login_code::MEMORY).await?;
        let sessions = sessions::forget(&mut connection, now - SESSION_MEMORY).await?;
        Ok(assertions + codes + sessions)
    }
}
