//! Looks up the officer or API client of an access token. The token itself only shows the account as it was when the
//! token was issued. Officers and API clients act on the cases of others, so a closed account must lose its access at
//! once.

use std::sync::Arc;

use super::People;
use crate::domain::kernel::ids::{ClientId, SessionId};
use crate::domain::people::staff::{ApiClient, Officer};
use crate::store::{StoreError, api_clients, officers};

/// The use cases for accounts behind access tokens. Each account is cached for a second.
#[derive(Clone, Copy)]
pub struct KnownAccounts<'a>(&'a People);

impl People {
    pub const fn known(&self) -> KnownAccounts<'_> {
        KnownAccounts(self)
    }
}

impl KnownAccounts<'_> {
    /// Finds the officer of a session; `None` if the session has ended or the account is closed.
    pub async fn officer(self, session: SessionId) -> Result<Option<Arc<Officer>>, StoreError> {
        if let Some(known) = self.0.recent_officers.find(&session) {
            return Ok(Some(known));
        }
        let found = officers::of_session(&mut *self.0.store.connection().await?, session).await?.map(Arc::new);
        self.0.recent_officers.remember(session, found.as_ref());
        Ok(found)
    }

    /// Finds an API client; `None` if it is revoked.
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
