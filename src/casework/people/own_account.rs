//! What officers do with their own account: choose a password, look at their sign-ins and end them.

use chrono::TimeDelta;

use super::sessions::by_password::OfficerSignInError;
use super::{People, commit};
use crate::auth::passwords::PasswordError;
use crate::domain::kernel::ids::{OfficerId, SessionId};
use crate::domain::kernel::private::Private;
use crate::domain::people::password::{NewPassword, WeakPassword};
use crate::domain::people::session::{EndedBecause, SignInPlace};
use crate::store::sessions::OpenSession;
use crate::store::{StoreError, officers, sessions};

#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    #[error("the account is closed")]
    Closed,
    /// The current password was not accepted.
    #[error(transparent)]
    Current(OfficerSignInError),
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The new password is the current one.
    #[error("the new password is the current one")]
    Same,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account of the officer who is signed in.
#[derive(Clone, Copy)]
pub struct OwnAccount<'a> {
    pub(super) people: &'a People,
    pub(super) id: OfficerId,
    pub(super) session: SessionId,
}

impl People {
    pub const fn own_account(&self, id: OfficerId, session: SessionId) -> OwnAccount<'_> {
        OwnAccount { people: self, id, session }
    }
}

impl OwnAccount<'_> {
    /// Sets a new password, and ends the officer's other sessions.
    pub async fn change_password(
        self,
        current: Private<String>,
        code: Option<Private<String>>,
        new: Private<String>,
        place: &SignInPlace,
    ) -> Result<(), ChangePasswordError> {
        let officer = self.people.officers().find(self.id).await?.ok_or(ChangePasswordError::Closed)?;
        let is_same = current.expose() == new.expose();
        let new = NewPassword::parse(new, &officer.username)?;
        let proof = self.people.sessions().prove_again(&officer.username, current, code.as_ref(), place).await;
        proof.map_err(ChangePasswordError::Current)?;
        if is_same {
            return Err(ChangePasswordError::Same);
        }
        let hash = self.people.passwords.hash(new).await?;
        let now = self.people.clock.now();
        let mut tx = self.people.store.begin().await?;
        officers::set_password(&mut tx, self.id, &hash, false).await?;
        sessions::end_others(&mut tx, self.id.uuid(), self.session, EndedBecause::PasswordChanged, now).await?;
        commit(tx).await?;
        self.forget_cached();
        Ok(())
    }

    /// Lists the officer's sign-ins that have not ended, latest first.
    pub async fn sessions(self) -> Result<Vec<OpenSession>, StoreError> {
        let now = self.people.clock.now();
        let idle = TimeDelta::from_std(self.people.staff_rules.idle).unwrap_or(TimeDelta::MAX);
        let since = now.checked_sub_signed(idle).unwrap_or(now);
        sessions::open_of(&mut *self.people.store.connection().await?, self.id.uuid(), now, since).await
    }

    /// Ends one of the officer's sessions. Returns false if the officer has no such session.
    pub async fn end_session(self, session: SessionId) -> Result<bool, StoreError> {
        let now = self.people.clock.now();
        sessions::end_own(&mut *self.people.store.connection().await?, self.id.uuid(), session, now).await
    }

    /// Ends all of the officer's sessions except this one.
    pub async fn end_other_sessions(self) -> Result<(), StoreError> {
        let now = self.people.clock.now();
        let mut connection = self.people.store.connection().await?;
        let why = EndedBecause::EndedByOwner;
        sessions::end_others(&mut connection, self.id.uuid(), self.session, why, now).await
    }

    /// Makes this process look the officer up again, so that the next request sees the change. Other processes see it
    /// within a second.
    pub(super) fn forget_cached(self) {
        self.people.recent_officers.remember(self.session, None);
    }
}
