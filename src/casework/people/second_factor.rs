//! The second factor of an officer: enrolment of an authenticator app in two steps, and recovery codes. A new app takes the
//! place of the old one only when it has shown a code, so that a failed enrolment keeps no officer out.

use super::commit;
use super::own_account::OwnAccount;
use super::sessions::by_password::OfficerSignInError;
use crate::auth::totp::TotpSecret;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::domain::people::recovery_code;
use crate::domain::people::session::SignInPlace;
use crate::store::{StoreError, Tx, second_factors};

#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    #[error("the account is closed")]
    Closed,
    /// The password or the code was not accepted.
    #[error(transparent)]
    Proof(#[from] OfficerSignInError),
    /// The app's code is wrong: the app has another secret, or its clock is wrong.
    #[error("the app's code does not fit")]
    CodeWrong,
    /// No enrolment was begun.
    #[error("there is nothing to confirm")]
    NothingOffered,
    /// Recovery codes belong to an app.
    #[error("the account has no second factor")]
    Missing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the officer's app needs.
pub struct Enrolment {
    /// The secret in base32.
    pub secret: Private<String>,
    /// The `otpauth` URI that pages show as a QR code.
    pub uri: Private<String>,
}

/// What proves, in a session, that the officer is still there.
pub struct Proof<'a> {
    pub password: Private<String>,
    /// A code, if the account has a second factor.
    pub code: Option<Private<String>>,
    pub place: &'a SignInPlace,
}

/// The second factor, without its secrets.
#[derive(Debug, Clone, Copy)]
pub struct SecondFactor {
    /// `None` if the account has no second factor.
    pub since: Option<Instant>,
    pub recovery_codes_left: i64,
}

impl OwnAccount<'_> {
    pub async fn second_factor(self) -> Result<SecondFactor, StoreError> {
        let mut connection = self.people.store.connection().await?;
        let (since, recovery_codes_left) = second_factors::overview(&mut connection, self.id).await?;
        Ok(SecondFactor { since, recovery_codes_left })
    }

    /// Offers a new secret to the officer's app.
    pub async fn enrol(self, proof: Proof<'_>) -> Result<Enrolment, SecondFactorError> {
        let officer = self.people.officers().find(self.id).await?.ok_or(SecondFactorError::Closed)?;
        self.prove(proof).await?;
        let secret = TotpSecret::fresh();
        let mut connection = self.people.store.connection().await?;
        second_factors::offer(&mut connection, self.people.store.keys(), self.id, secret.expose()).await?;
        let uri = Private::new(secret.uri(&officer.username));
        Ok(Enrolment { secret: Private::new(secret.base32()), uri })
    }

    /// Makes the offered secret the second factor, because the app shows its code. Returns new recovery codes.
    pub async fn confirm_enrolment(self, code: &Private<String>) -> Result<Vec<Private<String>>, SecondFactorError> {
        let now = self.people.clock.now();
        let keys = self.people.store.keys();
        let mut tx = self.people.store.begin().await?;
        let held = second_factors::hold(&mut tx, keys, self.id, now).await?;
        let secret = TotpSecret::of(held.offered.ok_or(SecondFactorError::NothingOffered)?.into_exposed());
        let step = secret.step_of(code.expose().trim(), now, None).ok_or(SecondFactorError::CodeWrong)?;
        second_factors::confirm(&mut tx, keys, self.id, secret.expose(), step, now).await?;
        let codes = self.new_recovery_codes(tx).await?;
        self.forget_cached();
        Ok(codes)
    }

    /// Replaces all recovery codes.
    pub async fn renew_recovery_codes(self, proof: Proof<'_>) -> Result<Vec<Private<String>>, SecondFactorError> {
        self.prove(proof).await?;
        let mut tx = self.people.store.begin().await?;
        let held = second_factors::hold(&mut tx, self.people.store.keys(), self.id, self.people.clock.now()).await?;
        if held.secret.is_none() {
            return Err(SecondFactorError::Missing);
        }
        Ok(self.new_recovery_codes(tx).await?)
    }

    async fn new_recovery_codes(self, mut tx: Tx<'_>) -> Result<Vec<Private<String>>, StoreError> {
        let codes: Vec<_> = (0..recovery_code::COUNT).map(|_| recovery_code::fresh_code()).collect();
        second_factors::replace_recovery_codes(&mut tx, self.people.store.keys(), self.id, &codes).await?;
        commit(tx).await?;
        Ok(codes)
    }

    async fn prove(self, Proof { password, code, place }: Proof<'_>) -> Result<(), SecondFactorError> {
        let officer = self.people.officers().find(self.id).await?.ok_or(SecondFactorError::Closed)?;
        Ok(self.people.sessions().prove_again(&officer.username, password, code.as_ref(), place).await?)
    }
}
