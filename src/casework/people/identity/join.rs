//! 账号合并: a person proves that a phone, WeChat account or resident ID is theirs, but another account has it already.
//! The person then controls both accounts: one by the session, the other by the proof.
//!
//! If no person ever signed in to the other account, it exists only because a back-office system reported its owner.
//! Such an account is joined without a question. Otherwise the accounts are joined only if the person agrees, because
//! joining cannot be undone. Accounts that were verified as two different people are never joined.

use super::Identity;
use crate::domain::kernel::ids::PersonId;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::domain::people::person::Person;
use crate::domain::people::session::EndedBecause;
use crate::store::people::WechatAccount;
use crate::store::record::{self, Record, SaveError};
use crate::store::{Conn, KeyRing, StoreError, Tx, joins, people, sessions};

/// The caller's choice if the phone, WeChat account or resident ID belongs to another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfTaken {
    #[default]
    Refuse,
    /// Join the accounts: all data of the other account moves to the caller's account, and the other account's sessions
    /// end.
    Join,
    /// Take only the phone or WeChat account from the other account. This is for a phone number that a mobile network
    /// has given to a new owner.
    Move,
}

#[derive(Debug, thiserror::Error)]
pub enum TakenError {
    /// The caller chose [`IfTaken::Refuse`], and another account has the phone, WeChat account or resident ID.
    #[error("it belongs to another account")]
    Taken,
    #[error("the accounts were verified as different people")]
    Differ,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The phone, WeChat account or resident ID that a person proved to be theirs.
#[derive(Clone, Copy)]
pub(super) enum Proved<'a> {
    Phone(&'a MobilePhone),
    Wechat(&'a WechatAccount),
    ResidentId(&'a ResidentId),
}

/// The account to which the proved phone, WeChat account or resident ID belongs, after [`Identity::claim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    /// No account.
    Free,
    /// The person's own account.
    Own,
    /// Another account. The caller must move only this phone or WeChat account to the person.
    ToMove,
}

impl Proved<'_> {
    /// Locks the phone or resident ID, because a back-office system may be reporting it at the same time.
    async fn reserve(self, conn: &mut Conn, keys: &KeyRing) -> Result<(), StoreError> {
        match self {
            Self::Phone(phone) => people::reserve_phone(conn, keys, phone).await,
            Self::ResidentId(id) => people::reserve_resident_id(conn, keys, id).await,
            Self::Wechat(_) => Ok(()),
        }
    }

    async fn owner(self, conn: &mut Conn, keys: &KeyRing) -> Result<Option<Person>, StoreError> {
        match self {
            Self::Phone(phone) => people::find_by_phone(conn, keys, phone).await,
            Self::Wechat(account) => people::find_by_wechat(conn, keys, account).await,
            Self::ResidentId(id) => people::find_by_resident_id(conn, keys, id).await,
        }
    }
}

impl Identity<'_> {
    /// Finds the account that has the proved phone, WeChat account or resident ID, and joins it into the person's
    /// account if that is allowed. Both accounts are locked until the end of the transaction.
    pub(super) async fn claim(
        self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        person: PersonId,
        proved: Proved<'_>,
        if_taken: IfTaken,
    ) -> Result<Claimed, TakenError> {
        let keys = self.0.store.keys();
        proved.reserve(tx, keys).await?;
        let other = match proved.owner(tx, keys).await? {
            None => return Ok(Claimed::Free),
            Some(owner) if owner.id == person => return Ok(Claimed::Own),
            Some(other) => other.id,
        };
        joins::hold(tx, other, person).await?;
        let owner = proved.owner(tx, keys).await?;
        let claimant = people::find(tx, keys, person).await?;
        let owner = owner.filter(|owner| owner.id == other).ok_or_else(people::changed_hands)?;
        let claimant = claimant.ok_or_else(people::changed_hands)?;
        match if_taken {
            _ if owner.is_awaited() => {}
            IfTaken::Refuse => return Err(TakenError::Taken),
            IfTaken::Move => return Ok(Claimed::ToMove),
            IfTaken::Join if owner.is_verified() && claimant.is_verified() => return Err(TakenError::Differ),
            IfTaken::Join => {}
        }
        let now = self.0.clock.now();
        sessions::end_all(tx, other.uuid(), EndedBecause::Joined, now).await?;
        joins::join(tx, keys, record, other, person, now).await?;
        Ok(Claimed::Own)
    }

    /// Saves the record, commits, and wakes the waiting clients of the people whose accounts changed.
    pub(super) async fn commit_claim(self, mut tx: Tx<'_>, record: &Record) -> Result<(), StoreError> {
        if !record.is_empty() {
            record::save(&mut tx, self.0.store.keys(), record, self.0.clock.now())
                .await
                .map_err(SaveError::into_store)?;
        }
        tx.commit().await?;
        self.0.bell.ring(Vec::new(), record.people());
        Ok(())
    }
}
