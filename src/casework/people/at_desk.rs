//! Who sits at a desk: what the record says now of the officer of a sign-in. An access token says what was so when it was
//! made; for a resident that is enough, but an officer decides over others.

use std::sync::Arc;

use super::People;
use crate::domain::kernel::ids::SessionId;
use crate::domain::people::staff::Officer;
use crate::store::{StoreError, officers};

impl People {
    /// The officer of a sign-in, unless it ended or the account was closed, as it was within the last second.
    pub async fn officer_at_desk(&self, session: SessionId) -> Result<Option<Arc<Officer>>, StoreError> {
        if let Some(known) = self.recent_officers.find(&session) {
            return Ok(Some(known));
        }
        let found = officers::of_session(&mut *self.store.connection().await?, session).await?.map(Arc::new);
        self.recent_officers.remember(session, found.as_ref());
        Ok(found)
    }
}
