//! Operators add and close officers' accounts (`songda staff`).

use super::{People, commit};
use crate::auth::passwords::{PasswordError, Passwords};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::{Clock, fresh};
use crate::domain::kernel::ids::OfficerId;
use crate::domain::kernel::private::Private;
use crate::domain::people::password::{NewPassword, WeakPassword};
use crate::domain::people::session::EndedBecause;
use crate::domain::people::staff::{Officer, Role, Username};
use crate::store::officers::{self, ONE_OFFICER_PER_USERNAME};
use crate::store::{Store, StoreError, Tx, second_factors, sessions};

/// An officer's account to be added. The caller checks that the catalogue knows the agency.
#[derive(Debug, Clone)]
pub struct NewOfficer {
    pub username: Username,
    pub name: String,
    pub agency: AgencyCode,
    pub role: Role,
    /// True if the officer must choose another password at the first sign-in.
    pub must_change_password: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// Another account has this username; it may be a closed one.
    #[error("the username is taken")]
    Taken,
    #[error("there is no such account")]
    NotFound,
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The use cases for officers' accounts. They need only three dependencies, so `songda staff` works without a whole
/// [`People`].
#[derive(Clone, Copy)]
pub struct OfficerAccounts<'a> {
    pub store: &'a Store,
    pub clock: &'a Clock,
    pub passwords: &'a Passwords,
}

impl People {
    pub const fn officers(&self) -> OfficerAccounts<'_> {
        OfficerAccounts { store: &self.store, clock: &self.clock, passwords: &self.passwords }
    }
}

impl OfficerAccounts<'_> {
    pub async fn add(self, new: NewOfficer, password: Private<String>) -> Result<Officer, OfficerError> {
        let password = NewPassword::parse(password, &new.username)?;
        let hash = self.passwords.hash(password).await?;
        let officer = Officer {
            id: fresh(OfficerId::from_uuid),
            username: new.username,
            name: new.name,
            agency: new.agency,
            role: new.role,
            must_change_password: new.must_change_password,
            has_second_factor: false,
            created_at: self.clock.now(),
            disabled_at: None,
        };
        match officers::insert(&mut *self.store.connection().await?, &officer, &hash).await {
            Err(error) if error.violates(ONE_OFFICER_PER_USERNAME) => Err(OfficerError::Taken),
            other => Ok(other.map(|()| officer)?),
        }
    }

    /// Closes an account and ends its sessions. The account stays stored, because histories of cases contain its id. So
    /// no other account can ever get its username.
    pub async fn disable(self, username: &Username) -> Result<(), OfficerError> {
        let mut tx = self.store.begin().await?;
        let officer = officer_of(&mut tx, username).await?;
        let now = self.clock.now();
        officers::disable(&mut tx, officer.id, now).await?;
        sessions::end_all(&mut tx, officer.id.uuid(), EndedBecause::Disabled, now).await?;
        Ok(commit(tx).await?)
    }

    /// Sets a new password, and ends the account's sessions. If `must_change`, the officer must choose another password at
    /// the next sign-in.
    pub async fn reset_password(
        self,
        username: &Username,
        password: Private<String>,
        must_change: bool,
    ) -> Result<(), OfficerError> {
        let hash = self.passwords.hash(NewPassword::parse(password, username)?).await?;
        let mut tx = self.store.begin().await?;
        let officer = officer_of(&mut tx, username).await?;
        officers::set_password(&mut tx, officer.id, &hash, must_change).await?;
        sessions::end_all(&mut tx, officer.id.uuid(), EndedBecause::PasswordReset, self.clock.now()).await?;
        Ok(commit(tx).await?)
    }

    /// Removes the second factor of an officer who lost app and recovery codes, and ends the account's sessions.
    pub async fn reset_second_factor(self, username: &Username) -> Result<(), OfficerError> {
        let mut tx = self.store.begin().await?;
        let officer = officer_of(&mut tx, username).await?;
        second_factors::remove(&mut tx, officer.id).await?;
        sessions::end_all(&mut tx, officer.id.uuid(), EndedBecause::SecondFactorReset, self.clock.now()).await?;
        Ok(commit(tx).await?)
    }

    /// Finds an account that is not closed.
    pub async fn find(self, id: OfficerId) -> Result<Option<Officer>, StoreError> {
        officers::find_open(&mut *self.store.connection().await?, id).await
    }

    /// Lists all accounts, sorted by username.
    pub async fn list(self) -> Result<Vec<Officer>, StoreError> {
        officers::all(&mut *self.store.connection().await?).await
    }
}

async fn officer_of(tx: &mut Tx<'_>, username: &Username) -> Result<Officer, OfficerError> {
    officers::find_by_username(tx, username).await?.ok_or(OfficerError::NotFound)
}
