//! An officer signs in with a password. An unknown name and a wrong password get the same answer after the same work, so
//! that an attacker cannot find out which accounts exist. How guesses are slowed down: [`crate::domain::people::guesses`].

use std::time::Duration;

use super::Sessions;
use super::open::SignedIn;
use crate::auth::passwords::PasswordError;
use crate::casework::people::commit;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::domain::people::guesses::{BUDGET, SignIns};
use crate::domain::people::session::SignInPlace;
use crate::domain::people::staff::{Officer, Username};
use crate::store::officer_sign_ins::{self, SignInKey};
use crate::store::officers::{self, Account};
use crate::store::{StoreError, set_relaxed};

/// What an officer presents to sign in.
#[derive(Debug, Clone)]
pub struct PasswordSignIn {
    pub username: String,
    pub password: Private<String>,
    pub place: SignInPlace,
}

#[derive(Debug, thiserror::Error)]
pub enum OfficerSignInError {
    /// The name or the password is wrong, or the account is closed. Or it was guessed at from many networks, and this
    /// network is not one of the officer's.
    #[error("wrong name or password, or the account is closed")]
    Refused,
    /// Too many failures with this name from this network.
    #[error("too many failed sign-ins from this network; wait {0:?}")]
    TooMany(Duration),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A try to sign in. It is already counted as a failure of its network.
pub(in crate::casework::people) struct Attempt {
    key: SignInKey,
    account: Option<Account>,
    /// True if a password alone suffices: the account is not being guessed at, or the officer has used this network.
    is_trusted: bool,
    at: Instant,
}

impl Sessions<'_> {
    /// Every sign-in of an officer passes [`Self::succeeded`] or [`Self::failed`], or ends with
    /// [`OfficerSignInError::TooMany`] before its password is looked at.
    pub async fn by_password(self, sign_in: PasswordSignIn) -> Result<SignedIn<Officer>, OfficerSignInError> {
        let Ok(username) = sign_in.username.parse::<Username>() else {
            self.0.passwords.fits(sign_in.password, None).await?;
            return Err(OfficerSignInError::Refused);
        };
        let attempt = self.begin(&username, &sign_in.place).await?;
        let hash = attempt.account.as_ref().map(|account| account.password_hash.clone());
        if self.0.passwords.fits(sign_in.password, hash).await? && attempt.is_trusted {
            self.succeeded(attempt, &sign_in.place).await
        } else {
            self.failed(&attempt).await?;
            Err(OfficerSignInError::Refused)
        }
    }

    /// Counts a try before the slow comparison of passwords. The commit does not wait for the disk.
    pub(in crate::casework::people) async fn begin(
        &self,
        username: &Username,
        place: &SignInPlace,
    ) -> Result<Attempt, OfficerSignInError> {
        let at = self.0.clock.now();
        let key = SignInKey::new(self.0.store.keys(), username, &place.network);
        let mut tx = self.0.store.begin().await?;
        set_relaxed(&mut tx).await?;
        let before = officer_sign_ins::hold(&mut tx, &key, at).await?;
        if let Some(wait) = before.wait(at) {
            return Err(OfficerSignInError::TooMany(wait));
        }
        officer_sign_ins::save(&mut tx, &key, &before.tried(at), at).await?;
        let account = officers::find_account(&mut tx, username, at).await?;
        commit(tx).await?;
        let is_guessed_at = account.as_ref().is_some_and(|account| account.wrong_passwords >= BUDGET);
        Ok(Attempt { key, account, is_trusted: !is_guessed_at || before.is_known(at), at })
    }

    async fn succeeded(self, attempt: Attempt, place: &SignInPlace) -> Result<SignedIn<Officer>, OfficerSignInError> {
        let Attempt { key, account, at, .. } = attempt;
        let account = account.ok_or(OfficerSignInError::Refused)?;
        let mut tx = self.0.store.begin().await?;
        officer_sign_ins::save(&mut tx, &key, &SignIns::succeeded(at), at).await?;
        let officer = officers::find_open(&mut tx, account.id).await?.ok_or(OfficerSignInError::Refused)?;
        Ok(self.open_at(tx, officer, Some(place.clone())).await?)
    }

    /// Counts the failure for the account too. Does the same work for an account that does not exist.
    async fn failed(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut tx = self.0.store.begin().await?;
        set_relaxed(&mut tx).await?;
        let id = attempt.account.as_ref().map(|account| account.id);
        officers::count_wrong_password(&mut tx, id, attempt.at).await?;
        commit(tx).await
    }

    /// Proves once more that the officer of a session knows the password. Wrong ones are counted as at a sign-in.
    pub(in crate::casework::people) async fn prove_password(
        self,
        username: &Username,
        password: Private<String>,
        place: &SignInPlace,
    ) -> Result<(), OfficerSignInError> {
        let attempt = self.begin(username, place).await?;
        let hash = attempt.account.as_ref().map(|account| account.password_hash.clone());
        if !self.0.passwords.fits(password, hash).await? {
            self.failed(&attempt).await?;
            return Err(OfficerSignInError::Refused);
        }
        let mut connection = self.0.store.connection().await?;
        officer_sign_ins::save(&mut connection, &attempt.key, &SignIns::succeeded(attempt.at), attempt.at).await?;
        Ok(())
    }
}
