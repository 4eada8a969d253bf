//! Officers' accounts, as whoever runs Songda makes and closes them (`songda staff`).

use super::{People, commit};
use crate::auth::passwords::PasswordError;
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::OfficerId;
use crate::domain::kernel::private::Private;
use crate::domain::people::session::EndedBecause;
use crate::domain::people::staff::{Officer, Role, Username};
use crate::store::officers::{self, ONE_OFFICER_PER_USERNAME};
use crate::store::{StoreError, Tx, sessions};

/// An account to be made. The agency is one that the catalogue knows; the caller looks it up.
#[derive(Debug, Clone)]
pub struct NewOfficer {
    /// What they will type to sign in.
    pub username: Username,
    pub name: String,
    /// Whose cases they will see.
    pub agency: AgencyCode,
    /// What they may do.
    pub role: Role,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// The username is taken, perhaps by a closed account.
    #[error("the username is taken")]
    Taken,
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Makes an account.
    ///
    /// # Errors
    /// [`OfficerError`].
    pub async fn add_officer(&self, new: NewOfficer, password: Private<String>) -> Result<Officer, OfficerError> {
        let hash = self.passwords.hash(password).await?;
        let officer = Officer {
            id: fresh(OfficerId::from_uuid),
            username: new.username,
            name: new.name,
            agency: new.agency,
            role: new.role,
            created_at: self.clock.now(),
            disabled_at: None,
        };
        match officers::insert(&mut *self.store.connection().await?, &officer, &hash).await {
            Err(error) if error.violates(ONE_OFFICER_PER_USERNAME) => Err(OfficerError::Taken),
            other => Ok(other.map(|()| officer)?),
        }
    }

    /// Closes an account and ends its sessions. Its name stays taken: history names it.
    ///
    /// # Errors
    /// [`OfficerError`].
    pub async fn disable_officer(&self, username: &Username) -> Result<(), OfficerError> {
        let mut tx = self.store.begin().await?;
        let officer = officer_of(&mut tx, username).await?;
        let now = self.clock.now();
        officers::disable(&mut tx, officer.id, now).await?;
        sessions::end_all(&mut tx, officer.id.uuid(), EndedBecause::Disabled, now).await?;
        Ok(commit(tx).await?)
    }

    /// Sets a password anew, unlocks the account, and ends its sessions.
    ///
    /// # Errors
    /// [`OfficerError`].
    pub async fn reset_password(&self, username: &Username, password: Private<String>) -> Result<(), OfficerError> {
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.store.begin().await?;
        let officer = officer_of(&mut tx, username).await?;
        officers::set_password(&mut tx, officer.id, &hash).await?;
        sessions::end_all(&mut tx, officer.id.uuid(), EndedBecause::PasswordReset, self.clock.now()).await?;
        Ok(commit(tx).await?)
    }

    /// All accounts, by username.
    pub async fn officers(&self) -> Result<Vec<Officer>, StoreError> {
        officers::all(&mut *self.store.connection().await?).await
    }
}

async fn officer_of(tx: &mut Tx<'_>, username: &Username) -> Result<Officer, OfficerError> {
    officers::find_by_username(tx, username).await?.ok_or(OfficerError::NotFound)
}
