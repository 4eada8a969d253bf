//! A back-office system exchanges its signed assertion for an access token (RFC 6749 §4.4 with RFC 7523).

use std::time::Duration;

use super::Sessions;
use crate::auth::client_assertion::{self, AssertionFault};
use crate::auth::tokens::{Grant, LIFETIME, TokenAudience};
use crate::casework::people::commit;
use crate::domain::kernel::private::Private;
use crate::domain::people::staff::Scopes;
use crate::store::{StoreError, api_clients};

#[derive(Debug, Clone)]
pub struct ClientToken {
    pub access_token: Private<String>,
    pub expires_in: Duration,
    pub scopes: Scopes,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientTokenError {
    #[error("unknown or revoked client")]
    UnknownClient,
    #[error("the assertion is refused: {0}")]
    Assertion(#[from] AssertionFault),
    #[error("the assertion was used before")]
    Replayed,
    /// The client has none of the scopes that it asks for.
    #[error("none of the scopes is granted")]
    NoScope,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions<'_> {
    /// Checks a client's assertion, and issues an access token. The token has those of the `wanted` scopes that the
    /// client may use. If `wanted` is `None`, it has all scopes of the client.
    pub async fn by_assertion(self, assertion: &str, wanted: Option<&str>) -> Result<ClientToken, ClientTokenError> {
        let now = self.0.clock.now();
        let id = client_assertion::claimed_client(assertion).ok_or(AssertionFault::Form)?;
        let mut tx = self.0.store.begin().await?;
        let (client, keys) = api_clients::find_open(&mut tx, id).await?.ok_or(ClientTokenError::UnknownClient)?;
        let proof = client_assertion::verify(assertion, id, &keys, &self.0.token_endpoint, now)?;
        if !api_clients::use_assertion(&mut tx, id, &proof.jti, proof.forget_after).await? {
            return Err(ClientTokenError::Replayed);
        }
        commit(tx).await?;
        let scopes = client.scopes.narrowed(wanted);
        if scopes.is_empty() {
            return Err(ClientTokenError::NoScope);
        }
        let grant = Grant { scope: Some(scopes.to_string()), ..Grant::default() };
        let access_token = self.0.tokens.issue(id, TokenAudience::Integration, grant, now);
        let access_token = Private::new(access_token.map_err(|error| StoreError::Broken(error.to_string()))?);
        Ok(ClientToken { access_token, expires_in: LIFETIME, scopes })
    }
}
