//! 账号合并: what somebody proves to be theirs may be another account's already. Then both are in one hand at this moment: one
//! by the session, the other by the proof.
//!
//! An account that nobody ever signed in to, because only another system spoke of its owner, is joined without a word: its
//! owner has come. Two accounts that were used are joined when their owner says so, because it cannot be undone; and never
//! when they were verified as two different people.

use super::People;
use crate::domain::kernel::ids::PersonId;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::domain::people::person::Person;
use crate::domain::people::session::EndedBecause;
use crate::store::people::WechatAccount;
use crate::store::record::{self, Record, SaveError};
use crate::store::{Conn, KeyRing, StoreError, Tx, joins, people, sessions};

/// What to do if what somebody proves to be theirs belongs to another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfTaken {
    /// Nothing: say so.
    #[default]
    Refuse,
    /// Make both one: all that the other has moves here, and its sign-ins end.
    Join,
    /// Take this alone from it, because it changed hands: a number that was given out again.
    Move,
}

/// Why what somebody proved to be theirs stays another account's.
#[derive(Debug, thiserror::Error)]
pub enum TakenError {
    /// It is another account's, and nobody said what to do then.
    #[error("it belongs to another account")]
    Taken,
    /// Both accounts were verified, as two different people.
    #[error("the accounts were verified as different people")]
    Differ,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What somebody proves to be theirs.
#[derive(Clone, Copy)]
pub(super) enum Proved<'a> {
    Phone(&'a MobilePhone),
    Wechat(&'a WechatAccount),
    ResidentId(&'a ResidentId),
}

/// Whose it is, once that is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    Free,
    /// The person's own: since before, or since another account was joined with theirs.
    Own,
    /// Another account's, which is to go on without it.
    ToMove,
}

impl Proved<'_> {
    /// Keeps what other systems may be naming at this moment.
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

impl People {
    /// Settles whose something is that a person proved to be theirs. If it was another account's, both accounts are held
    /// until the end of the transaction.
    pub(super) async fn claim(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        person: PersonId,
        proved: Proved<'_>,
        if_taken: IfTaken,
    ) -> Result<Claimed, TakenError> {
        let keys = self.store.keys();
        proved.reserve(tx, keys).await?;
        let other = match proved.owner(tx, keys).await? {
            None => return Ok(Claimed::Free),
            Some(owner) if owner.id == person => return Ok(Claimed::Own),
            Some(other) => other.id,
        };
        joins::hold(tx, other, person).await?;
        let (owner, claimant) = (proved.owner(tx, keys).await?, people::find(tx, keys, person).await?);
        let owner = owner.filter(|owner| owner.id == other).ok_or_else(people::changed_hands)?;
        let claimant = claimant.ok_or_else(people::changed_hands)?;
        match if_taken {
            _ if owner.is_awaited() => {}
            IfTaken::Refuse => return Err(TakenError::Taken),
            IfTaken::Move => return Ok(Claimed::ToMove),
            IfTaken::Join if owner.is_verified() && claimant.is_verified() => return Err(TakenError::Differ),
            IfTaken::Join => {}
        }
        let now = self.clock.now();
        sessions::end_all(tx, other.uuid(), EndedBecause::Joined, now).await?;
        joins::join(tx, record, other, person, now).await?;
        Ok(Claimed::Own)
    }

    /// Makes a change of accounts last, and has the clients of those whom it concerns look again.
    pub(super) async fn commit_claim(&self, mut tx: Tx<'_>, record: &Record) -> Result<(), StoreError> {
        if !record.is_empty() {
            record::save(&mut tx, self.store.keys(), record, self.clock.now()).await.map_err(SaveError::into_store)?;
        }
        tx.commit().await?;
        self.bell.ring(Vec::new(), record.people());
        Ok(())
    }
}
