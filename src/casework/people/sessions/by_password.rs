//! An officer signs in with a password. An unknown name and a wrong password get the same answer after the same work, so
//! that an attacker cannot find out which accounts exist. How guesses are slowed down: [`crate::domain::people::guesses`].

use std::time::Duration;

use super::Sessions;
use super::open::SignedIn;
use crate::auth::passwords::PasswordError;
use crate::auth::totp::TotpSecret;
use crate::casework::people::commit;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::OfficerId;
use crate::domain::kernel::private::Private;
use crate::domain::people::guesses::{BUDGET, CODE_BUDGET, SignIns};
use crate::domain::people::recovery_code;
use crate::domain::people::session::SignInPlace;
use crate::domain::people::staff::{Officer, Username};
use crate::store::officer_sign_ins::{self, SignInKey};
use crate::store::officers::{self, Account};
use crate::store::{StoreError, second_factors, set_relaxed};

/// What an officer presents to sign in.
#[derive(Debug, Clone)]
pub struct PasswordSignIn {
    pub username: String,
    pub password: Private<String>,
    /// A code of the authenticator app or a recovery code, if the account has a second factor.
    pub code: Option<Private<String>>,
    pub place: SignInPlace,
}

#[derive(Debug, thiserror::Error)]
pub enum OfficerSignInError {
    /// The name or the password is wrong, or the account is closed. Or it was guessed at from many networks, and this
    /// network is not one of the officer's.
    #[error("wrong name or password, or the account is closed")]
    Refused,
    /// The password is right, and the account needs a code beside it.
    #[error("the account has a second factor")]
    CodeNeeded,
    /// The password is right, and the code is not, or it was used.
    #[error("the code is wrong, or was used")]
    CodeWrong,
    /// Too many failures with this name from this network.
    #[error("too many failed sign-ins from this network; wait {0:?}")]
    TooMany(Duration),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A try to sign in. It is already counted as a failure of its network.
pub(in crate::casework::people) struct SignInTry {
    key: SignInKey,
    account: Option<Account>,
    /// True if the account was signed in from this network.
    is_known: bool,
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
        match self.prove(&attempt, sign_in.password, sign_in.code.as_ref()).await {
            Ok(()) => self.succeeded(attempt, &sign_in.place).await,
            Err(error) => {
                self.failed(&attempt, &error).await?;
                Err(error)
            }
        }
    }

    /// Checks the password, and then the code. Without a second factor a right password is enough, unless the account is
    /// being guessed at and its officer has never used this network.
    async fn prove(
        &self,
        attempt: &SignInTry,
        password: Private<String>,
        code: Option<&Private<String>>,
    ) -> Result<(), OfficerSignInError> {
        let hash = attempt.account.as_ref().map(|account| account.password_hash.clone());
        let fits = self.0.passwords.fits(password, hash).await?;
        let account = attempt.account.as_ref().filter(|_| fits).ok_or(OfficerSignInError::Refused)?;
        if account.has_second_factor {
            let code = code.ok_or(OfficerSignInError::CodeNeeded)?;
            return self.prove_code(account.id, code, attempt).await;
        }
        let is_enough = account.wrong_passwords < BUDGET || attempt.is_known;
        is_enough.then_some(()).ok_or(OfficerSignInError::Refused)
    }

    /// Checks a code of the app or a recovery code, and marks it as used.
    async fn prove_code(
        &self,
        id: OfficerId,
        code: &Private<String>,
        attempt: &SignInTry,
    ) -> Result<(), OfficerSignInError> {
        let at = attempt.at;
        let keys = self.0.store.keys();
        let mut tx = self.0.store.begin().await?;
        let held = second_factors::hold(&mut tx, keys, id, at).await?;
        let is_right = match recovery_code::read(code.expose()) {
            Some(code) => second_factors::use_recovery_code(&mut tx, keys, id, &code, at).await?,
            None if held.wrong_codes >= CODE_BUDGET && !attempt.is_known => false,
            None => {
                let secret = held.secret.map(|secret| TotpSecret::of(secret.into_exposed()));
                let step = secret.and_then(|secret| secret.step_of(code.expose().trim(), at, held.used_step));
                if let Some(step) = step {
                    second_factors::use_step(&mut tx, id, step).await?;
                }
                step.is_some()
            }
        };
        commit(tx).await?;
        is_right.then_some(()).ok_or(OfficerSignInError::CodeWrong)
    }

    /// Counts a try before the slow comparison of passwords. The commit does not wait for the disk.
    pub(in crate::casework::people) async fn begin(
        &self,
        username: &Username,
        place: &SignInPlace,
    ) -> Result<SignInTry, OfficerSignInError> {
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
        Ok(SignInTry { key, account, is_known: before.is_known(at), at })
    }

    /// Opens the session of a good sign-in, and forgets the failures of its network.
    async fn succeeded(self, attempt: SignInTry, place: &SignInPlace) -> Result<SignedIn<Officer>, OfficerSignInError> {
        let SignInTry { key, account, at, .. } = attempt;
        let account = account.ok_or(OfficerSignInError::Refused)?;
        let mut tx = self.0.store.begin().await?;
        officer_sign_ins::save(&mut tx, &key, &SignIns::succeeded(at), at).await?;
        let officer = officers::find_open(&mut tx, account.id).await?.ok_or(OfficerSignInError::Refused)?;
        Ok(self.open_at(tx, officer, Some(place.clone())).await?)
    }

    /// Counts the failure for the account too. Does the same work if there is no account.
    async fn failed(&self, attempt: &SignInTry, error: &OfficerSignInError) -> Result<(), StoreError> {
        let id = attempt.account.as_ref().map(|account| account.id);
        let mut tx = self.0.store.begin().await?;
        set_relaxed(&mut tx).await?;
        match (error, id) {
            (OfficerSignInError::Refused, id) => officers::count_wrong_password(&mut tx, id, attempt.at).await?,
            (OfficerSignInError::CodeWrong, Some(id)) => {
                second_factors::count_wrong_code(&mut tx, id, attempt.at).await?;
            }
            _ => {}
        }
        commit(tx).await
    }

    /// Proves once more that the officer of a session knows the password, and has the second factor if there is one.
    /// Failures count as at a sign-in.
    pub(in crate::casework::people) async fn prove_again(
        self,
        username: &Username,
        password: Private<String>,
        code: Option<&Private<String>>,
        place: &SignInPlace,
    ) -> Result<(), OfficerSignInError> {
        let attempt = self.begin(username, place).await?;
        if let Err(error) = self.prove(&attempt, password, code).await {
            self.failed(&attempt, &error).await?;
            return Err(error);
        }
        let mut connection = self.0.store.connection().await?;
        officer_sign_ins::save(&mut connection, &attempt.key, &SignIns::succeeded(attempt.at), attempt.at).await?;
        Ok(())
    }
}
