//! A client exchanges its refresh token for new tokens, by the rules of [`crate::domain::people::session`].

use super::Sessions;
use super::open::{SessionOwner, SignedIn};
use crate::casework::people::commit;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{OfficerId, PersonId};
use crate::domain::people::person::Person;
use crate::domain::people::session::{EndedBecause, Presented, RefreshToken};
use crate::domain::people::staff::Officer;
use crate::store::sessions::{self, HeldToken};
use crate::store::{StoreError, Tx, officers, people};

/// Why the client must sign in again.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token does not exist, or its session has ended.
    #[error("the refresh token is not valid")]
    Invalid,
    /// The token was used before. In addition, its first use was too long ago, or its successor (the token issued in
    /// exchange) was used too. So the token was copied, and its session is ended.
    #[error("the refresh token was used before")]
    Copied,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions<'_> {
    pub async fn refresh(self, token: &RefreshToken) -> Result<SignedIn<Person>, RefreshError> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.begin().await?;
        let held = self.hold::<Person>(&mut tx, token, now).await?;
        let person = people::find(&mut tx, self.0.store.keys(), PersonId::from_uuid(held.subject)).await?;
        self.go_on(tx, person.ok_or(RefreshError::Invalid)?, token, held, now).await
    }

    /// Like [`Self::refresh`], for an officer. Fails if the officer's account is closed, or if the session was idle: then
    /// it ends.
    pub async fn refresh_officer(self, token: &RefreshToken) -> Result<SignedIn<Officer>, RefreshError> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.begin().await?;
        let held = self.hold::<Officer>(&mut tx, token, now).await?;
        // A repeated refresh belongs to the first one, which was in time.
        if held.used_at.is_none() && now >= held.issued_at + self.0.staff_rules.idle {
            sessions::end(&mut tx, held.session, EndedBecause::Idle, now).await?;
            commit(tx).await?;
            return Err(RefreshError::Invalid);
        }
        let officer = officers::find_open(&mut tx, OfficerId::from_uuid(held.subject)).await?;
        self.go_on(tx, officer.ok_or(RefreshError::Invalid)?, token, held, now).await
    }

    async fn hold<T: SessionOwner>(
        &self,
        tx: &mut Tx<'_>,
        token: &RefreshToken,
        now: Instant,
    ) -> Result<HeldToken, RefreshError> {
        let held = sessions::hold_token(tx, T::AUDIENCE, token).await?;
        held.filter(|held| !held.ended && now < held.expires_at).ok_or(RefreshError::Invalid)
    }

    async fn go_on<T: SessionOwner>(
        &self,
        mut tx: Tx<'_>,
        who: T,
        token: &RefreshToken,
        held: HeldToken,
        now: Instant,
    ) -> Result<SignedIn<T>, RefreshError> {
        let successor = sessions::successor(self.0.store.keys(), token);
        match Presented::judge(held.used_at, now) {
            Presented::First => sessions::rotate(&mut tx, held.session, token, &successor, now).await?,
            Presented::Again if sessions::is_unused(&mut tx, &successor).await? => {}
            Presented::Again | Presented::Copied => {
                sessions::end(&mut tx, held.session, EndedBecause::TokenCopied, now).await?;
                commit(tx).await?;
                return Err(RefreshError::Copied);
            }
        }
        commit(tx).await?;
        Ok(self.signed_in(who, held.session, successor, now)?)
    }
}
