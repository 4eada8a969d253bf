//! Signs out: ends one session, or all sessions of an account.

use uuid::Uuid;

use super::Sessions;
use crate::domain::kernel::ids::SessionId;
use crate::domain::people::session::EndedBecause;
use crate::store::{StoreError, sessions};

impl Sessions<'_> {
    /// Ends one session. Its refresh token is refused from now on.
    pub async fn end(self, session: SessionId) -> Result<(), StoreError> {
        let mut connection = self.0.store.connection().await?;
        sessions::end(&mut connection, session, EndedBecause::SignedOut, self.0.clock.now()).await
    }

    /// Ends every session of a person or an officer. `subject` is the UUID of their id.
    pub async fn end_all(self, subject: Uuid) -> Result<(), StoreError> {
        let mut connection = self.0.store.connection().await?;
        sessions::end_all(&mut connection, subject, EndedBecause::SignedOutEverywhere, self.0.clock.now()).await
    }
}
