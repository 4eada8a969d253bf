//! 账号合并: a phone, WeChat account or resident ID that a person proves to be theirs may belong to another account already. Both
//! accounts are in one hand then: one by the session, the other by the proof.
//!
//! An account without any sign-in exists because another system reported its owner. It is joined without asking: the owner has
//! come. Two accounts that were used are joined only if the owner says so, because joining cannot be undone; and never if they
//! were verified as two different people.

use super::Identity;
use crate::domain::kernel::ids::PersonId;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::domain::people::person::Person;
use crate::domain::people::session::EndedBecause;
use crate::store::people::WechatAccount;
use crate::store::record::{self, Record, SaveError};
use crate::store::{Conn, KeyRing, StoreError, Tx, joins, people, sessions};

/// What to do if the proved thing belongs to another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfTaken {
    /// Refuse.
    #[default]
    Refuse,
    /// Join the accounts: everything moves to this account, and the sessions of the other end.
    Join,
    /// Take only the proved thing, because it changed hands: a phone number that was given out again.
    Move,
}

/// Why the proved thing stays with the other account.
#[derive(Debug, thiserror::Error)]
pub enum TakenError {
    /// It is another account's, and the caller did not say what to do then.
    #[error("it belongs to another account")]
    Taken,
    /// Both accounts were verified, as two different people.
    #[error("the accounts were verified as different people")]
    Differ,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a person proves to be theirs.
#[derive(Clone, Copy)]
pub(super) enum Proved<'a> {
    Phone(&'a MobilePhone),
    Wechat(&'a WechatAccount),
    ResidentId(&'a ResidentId),
}

/// The owner of the proved thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    Free,
    /// The person: since before, or because another account was joined with theirs.
    Own,
    /// Another account, which goes on without it.
    ToMove,
}

impl Proved<'_> {
    /// Locks a name that another system may be reporting at this moment.
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
    /// Finds out who owns what a person proved to be theirs. If it was another account, both accounts are locked until the end
    /// of the transaction.
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
        joins::join(tx, record, other, person, now).await?;
        Ok(Claimed::Own)
    }

    /// Commits a change of accounts, and has the clients of the people concerned look again.
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
