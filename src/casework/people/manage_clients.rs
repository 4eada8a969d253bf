//! API clients, as whoever runs Songda lets them in and shuts them out (`songda staff client`).

use std::sync::Arc;

use serde_json::Value;

use super::People;
use crate::auth::client_assertion::{KeysFault, check_keys};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::ClientId;
use crate::domain::people::staff::{ApiClient, Scopes, Source};
use crate::store::StoreError;
use crate::store::api_clients::{self, ONE_CLIENT_PER_SOURCE};

/// A client to be let in. The agencies are ones that the catalogue knows; the caller looks them up.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Its name, for people.
    pub name: String,
    /// Its name in `/results/{source}/…`.
    pub source: Source,
    /// For which it may decide.
    pub agencies: Vec<AgencyCode>,
    /// What it may do.
    pub scopes: Scopes,
}

/// Why a client was not let in or shut out.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The source is taken, perhaps by a client that was shut out.
    #[error("the source is taken")]
    Taken,
    /// There is no such client.
    #[error("there is no such client")]
    NotFound,
    #[error("the keys are not taken: {0}")]
    Keys(#[from] KeysFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Lets a client in, with the public keys (a JWK set) that it handed over.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn add_client(&self, new: NewClient, keys: &Value) -> Result<ApiClient, ClientError> {
        check_keys(keys)?;
        let client = ApiClient {
            id: fresh(ClientId::from_uuid),
            name: new.name,
            source: new.source,
            agencies: new.agencies,
            scopes: new.scopes,
            created_at: self.clock.now(),
            revoked_at: None,
        };
        match api_clients::insert(&mut *self.store.connection().await?, &client, keys).await {
            Err(error) if error.violates(ONE_CLIENT_PER_SOURCE) => Err(ClientError::Taken),
            other => Ok(other.map(|()| client)?),
        }
    }

    /// Shuts a client out: it gets no token from now on, and nothing is taken from it a second later.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn revoke_client(&self, source: &Source) -> Result<(), ClientError> {
        let mut connection = self.store.connection().await?;
        let revoked = api_clients::revoke(&mut connection, source, self.clock.now()).await?;
        revoked.then_some(()).ok_or(ClientError::NotFound)
    }

    /// All clients, by source.
    pub async fn clients(&self) -> Result<Vec<ApiClient>, StoreError> {
        api_clients::all(&mut *self.store.connection().await?).await
    }

    /// The client of an id, unless it was shut out, as it was within the last second.
    pub async fn client(&self, id: ClientId) -> Result<Option<Arc<ApiClient>>, StoreError> {
        if let Some(known) = self.recent_clients.find(&id) {
            return Ok(Some(known));
        }
        let found = api_clients::find_open(&mut *self.store.connection().await?, id).await?;
        let found = found.map(|(client, _)| Arc::new(client));
        self.recent_clients.remember(id, found.as_ref());
        Ok(found)
    }
}
