//! Operators add and revoke API clients of back-office systems (`songda clients`).

use serde_json::Value;

use super::People;
use crate::auth::client_assertion::{KeysFault, check_keys};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::{Clock, fresh};
use crate::domain::kernel::ids::ClientId;
use crate::domain::people::staff::{ApiClient, Scopes, Source};
use crate::store::api_clients::{self, ONE_CLIENT_PER_SOURCE};
use crate::store::{Store, StoreError};

/// A client to be added. The caller checks that the catalogue knows the agencies.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// The name that operators read.
    pub name: String,
    /// The client's name in paths of the API: `/results/{source}/…`.
    pub source: Source,
    /// The agencies for which the client may report decisions.
    pub agencies: Vec<AgencyCode>,
    pub scopes: Scopes,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Another client has this source; it may be a revoked one.
    #[error("the source is taken")]
    Taken,
    #[error("there is no such client")]
    NotFound,
    #[error("the keys are not taken: {0}")]
    Keys(#[from] KeysFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The use cases for API clients. They need only two dependencies, so `songda clients` works without a whole
/// [`People`].
#[derive(Clone, Copy)]
pub struct ApiClients<'a> {
    pub store: &'a Store,
    pub clock: &'a Clock,
}

impl People {
    pub const fn clients(&self) -> ApiClients<'_> {
        ApiClients { store: &self.store, clock: &self.clock }
    }
}

impl ApiClients<'_> {
    /// Adds a client with its public keys (a JWK set).
    pub async fn add(self, new: NewClient, keys: &Value) -> Result<ApiClient, ClientError> {
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

    /// Revokes a client. The client gets no new token, and its requests are refused after at most a second.
    pub async fn revoke(self, source: &Source) -> Result<(), ClientError> {
        let mut connection = self.store.connection().await?;
        let revoked = api_clients::revoke(&mut connection, source, self.clock.now()).await?;
        revoked.then_some(()).ok_or(ClientError::NotFound)
    }

    /// Lists all clients, sorted by source.
    pub async fn list(self) -> Result<Vec<ApiClient>, StoreError> {
        api_clients::all(&mut *self.store.connection().await?).await
    }
}
