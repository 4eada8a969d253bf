//! The accounts behind access tokens, as the database knows them now. An access token says what was so when it was made. For a
//! resident that is enough, but officers and API clients decide over others.

use std::sync::Arc;

use super::People;
use crate::domain::kernel::ids::{ClientId, SessionId};
use crate::domain::people::staff::{ApiClient, Officer};
use crate::store::{StoreError, api_clients, officers};

/// Accounts, cached for a second.
#[derive(Clone, Copy)]
pub struct KnownAccounts<'a>(&'a People);

impl People {
    pub const fn known(&self) -> KnownAccounts<'_> {
        KnownAccounts(self)
    }
}

impl KnownAccounts<'_> {
    /// The officer of a session; `None` if the session ended or the account was closed more than a second ago.
    pub async fn officer(self, session: SessionId) -> Result<Option<Arc<Officer>>, StoreError> {
        if let Some(known) = self.0.recent_officers.find(&session) {
            return Ok(Some(known));
        }
        let found = officers::of_session(&mut *self.0.store.connection().await?, session).await?.map(Arc::new);
        self.0.recent_officers.remember(session, found.as_ref());
        Ok(found)
    }

    /// The API client of an id; `None` if it was revoked more than a second ago.
    pub async fn client(self, id: ClientId) -> Result<Option<Arc<ApiClient>>, StoreError> {
        if let Some(known) = self.0.recent_clients.find(&id) {
            return Ok(Some(known));
        }
        let found = api_clients::find_open(&mut *self.0.store.connection().await?, id).await?;
        let found = found.map(|(client, _)| Arc::new(client));
        self.0.recent_clients.remember(id, found.as_ref());
        Ok(found)
    }
}
