//! Somebody signs out: of the session at hand, or of all of theirs.

use uuid::Uuid;

use super::People;
use crate::domain::kernel::ids::SessionId;
use crate::domain::people::session::EndedBecause;
use crate::store::{StoreError, sessions};

impl People {
    /// Ends one session. Its refresh token is refused from now on.
    pub async fn sign_out(&self, session: SessionId) -> Result<(), StoreError> {
        let mut connection = self.store.connection().await?;
        sessions::end(&mut connection, session, EndedBecause::SignedOut, self.clock.now()).await
    }

    /// Ends every session of a person or an officer.
    pub async fn sign_out_everywhere(&self, subject: Uuid) -> Result<(), StoreError> {
        let mut connection = self.store.connection().await?;
        sessions::end_all(&mut connection, subject, EndedBecause::SignedOutEverywhere, self.clock.now()).await
    }
}
