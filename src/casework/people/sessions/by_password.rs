//! An officer signs in with a password. An unknown name, a locked account and a wrong password get the same answer
//! after the same work, so that an attacker cannot find out which accounts exist.

use std::time::Duration;

use super::Sessions;
use super::open::SignedIn;
use crate::auth::passwords::PasswordError;
use crate::casework::people::commit;
use crate::domain::kernel::ids::OfficerId;
use crate::domain::kernel::private::Private;
use crate::domain::people::staff::Officer;
use crate::store::officers::{self, Lockout};
use crate::store::{StoreError, set_relaxed};

/// Five wrong passwords in a row lock an account for a quarter of an hour.
const LOCKOUT: Lockout = Lockout { after: 5, lasts: Duration::from_secs(15 * 60) };

#[derive(Debug, thiserror::Error)]
pub enum OfficerSignInError {
    /// The name or the password is wrong, or the account is closed or locked for now.
    #[error("wrong name or password, or the account is locked")]
    Refused,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions<'_> {
    pub async fn by_password(
        self,
        username: &str,
        password: Private<String>,
    ) -> Result<SignedIn<Officer>, OfficerSignInError> {
        let account = self.count_try(username).await?;
        let (id, hash) = account.map_or((None, None), |(id, hash)| (Some(id), Some(hash)));
        let fits = self.0.passwords.fits(password, hash).await?;
        let Some(id) = id.filter(|_| fits) else { return Err(OfficerSignInError::Refused) };
        let mut tx = self.0.store.begin().await?;
        officers::forget_failures(&mut tx, id).await?;
        let officer = officers::find_open(&mut tx, id).await?.ok_or(OfficerSignInError::Refused)?;
        Ok(self.open(tx, officer).await?)
    }

    /// Counts the try if the account exists. The commit does not wait for the disk, because the longer response time
    /// would show that the account exists.
    async fn count_try(&self, username: &str) -> Result<Option<(OfficerId, Private<String>)>, StoreError> {
        let Ok(username) = username.parse() else { return Ok(None) };
        let mut tx = self.0.store.begin().await?;
        set_relaxed(&mut tx).await?;
        let account = officers::count_try(&mut tx, &username, &LOCKOUT, self.0.clock.now()).await?;
        commit(tx).await?;
        Ok(account)
    }
}
