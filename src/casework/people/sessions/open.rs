//! The last step of every sign-in: opens a session, and issues its first refresh token and access token.

use std::time::Duration;

use uuid::Uuid;

use super::Sessions;
use crate::auth::tokens::{Grant, LIFETIME, TokenAudience};
use crate::casework::people::commit;
use crate::domain::kernel::clock::{Instant, fresh};
use crate::domain::kernel::ids::SessionId;
use crate::domain::kernel::private::Private;
use crate::domain::people::person::Person;
use crate::domain::people::session::{RefreshToken, SessionAudience, SignInPlace};
use crate::domain::people::staff::Officer;
use crate::store::sessions::{self, NewSession};
use crate::store::{StoreError, Tx};

/// The answer to a client that signs its user in or refreshes the user's session.
#[derive(Debug, Clone)]
pub struct SignedIn<T> {
    pub who: T,
    pub access_token: Private<String>,
    pub expires_in: Duration,
    /// The client can exchange this token once for a new access token and a new refresh token.
    pub refresh_token: RefreshToken,
}

/// An account that can sign in.
pub trait SessionOwner {
    const AUDIENCE: SessionAudience;
    /// The part of the API that accepts the account's access tokens.
    const TOKENS_FOR: TokenAudience;

    fn id(&self) -> impl ToString;
    fn uuid(&self) -> Uuid;
    /// The claims of the account's access token, except the id.
    fn grant(&self, session: SessionId) -> Grant;
}

impl SessionOwner for Person {
    const AUDIENCE: SessionAudience = SessionAudience::Mobile;
    const TOKENS_FOR: TokenAudience = TokenAudience::Mobile;

    fn id(&self) -> impl ToString {
        self.id
    }

    fn uuid(&self) -> Uuid {
        self.id.uuid()
    }

    fn grant(&self, session: SessionId) -> Grant {
        Grant { sid: Some(session), ..Grant::default() }
    }
}

impl SessionOwner for Officer {
    const AUDIENCE: SessionAudience = SessionAudience::Staff;
    const TOKENS_FOR: TokenAudience = TokenAudience::Staff;

    fn id(&self) -> impl ToString {
        self.id
    }

    fn uuid(&self) -> Uuid {
        self.id.uuid()
    }

    fn grant(&self, session: SessionId) -> Grant {
        let agency = Some(self.agency.to_string());
        let role = Some(self.role.to_string());
        Grant { sid: Some(session), agency, role, ..Grant::default() }
    }
}

impl Sessions<'_> {
    /// Opens a session for an account that proved its identity, and commits.
    pub(super) async fn open<T: SessionOwner>(self, tx: Tx<'_>, who: T) -> Result<SignedIn<T>, StoreError> {
        self.open_at(tx, who, None).await
    }

    /// Like [`Self::open`], and stores where the account signed in.
    pub(super) async fn open_at<T: SessionOwner>(
        self,
        mut tx: Tx<'_>,
        who: T,
        place: Option<SignInPlace>,
    ) -> Result<SignedIn<T>, StoreError> {
        let now = self.0.clock.now();
        let session = NewSession {
            id: fresh(SessionId::from_uuid),
            audience: T::AUDIENCE,
            subject: who.uuid(),
            created_at: now,
            expires_at: now + T::AUDIENCE.session_life(),
            place,
        };
        let refresh_token = RefreshToken::fresh();
        sessions::open(&mut tx, &session, &refresh_token).await?;
        commit(tx).await?;
        self.signed_in(who, session.id, refresh_token, now)
    }

    pub(super) fn signed_in<T: SessionOwner>(
        &self,
        who: T,
        session: SessionId,
        refresh_token: RefreshToken,
        now: Instant,
    ) -> Result<SignedIn<T>, StoreError> {
        let access_token = self.0.tokens.issue(who.id(), T::TOKENS_FOR, who.grant(session), now);
        let access_token = Private::new(access_token.map_err(|error| StoreError::Broken(error.to_string()))?);
        Ok(SignedIn { who, access_token, expires_in: LIFETIME, refresh_token })
    }
}
