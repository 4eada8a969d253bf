//! Doing a thing once although it is asked for twice (`Idempotency-Key`): the answer is stored in the transaction of
//! its effect, so that either both exist or neither.
//!
//! A use case enters as its first statement, and leaves with its effect: in the same [`Record`], or where it has none as its
//! last statement before the commit. In between, an advisory lock of the transaction keeps a second request with the same
//! key out; it is told so rather than made to wait. Where a caller may do without a key and does, both do nothing.
//!
//! Whose effect and answer are one statement may leave without having entered, and enter only where the record refuses: it
//! keeps one answer under a key.

use serde_json::Value;

use crate::domain::kernel::clock::Instant;
use crate::store::idempotency::{self, AnswerKey, StoredAnswer};
use crate::store::record::{self, Record, SaveError};
use crate::store::{KeyRing, StoreError, Tx};

/// A request that is to have its effect once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Who asks for what: `per_…:submit_case`.
    pub scope: String,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the canonical request.
    pub fingerprint: [u8; 32],
}

/// An answer as it was, or will be, given: status, headers beside the usual ones, JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status, as the caller of the use case chose it.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Answer {
    /// An answer without headers of its own.
    #[must_use]
    pub const fn new(status: u16, body: Value) -> Self {
        Self { status, headers: vec![], body }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// What a use case that may be repeated returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub answer: Answer,
    /// Whether it had been given before.
    pub replayed: bool,
}

impl Given {
    /// Given for the first time.
    #[must_use]
    pub const fn first(answer: Answer) -> Self {
        Self { answer, replayed: false }
    }
}

/// Whether there is anything to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// The first such request: do it, and leave ([`leave_in`], [`leave`]).
    First,
    /// It was done: give this answer again.
    Replay(Answer),
}

/// Why a request may not go on.
#[derive(Debug, thiserror::Error)]
pub enum OnceError {
    /// The same request is being worked on.
    #[error("the same request is being worked on")]
    InProgress,
    /// The key was used for another request.
    #[error("the key was used for another request")]
    Mismatch,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Once {
    fn named(&self) -> AnswerKey<'_> {
        AnswerKey { scope: &self.scope, key: &self.key }
    }

    fn stored(&self, answer: &Answer) -> StoredAnswer {
        StoredAnswer {
            fingerprint: self.fingerprint.to_vec(),
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
        }
    }
}

/// Enters. The lock is held until the transaction ends: whoever is not the first should roll back at once.
///
/// # Errors
/// When the same request is in progress, or the key belongs to another.
pub async fn enter(tx: &mut Tx<'_>, keys: &KeyRing, once: Option<&Once>, now: Instant) -> Result<Entered, OnceError> {
    let Some(once) = once else { return Ok(Entered::First) };
    // The lock first: what another stored while it held it is found.
    let is_free = idempotency::try_lock(tx, once.named()).await?;
    match idempotency::find(tx, keys, once.named(), now).await? {
        Some(stored) if stored.fingerprint == once.fingerprint => {
            Ok(Entered::Replay(Answer { status: stored.status, headers: stored.headers, body: stored.body }))
        }
        Some(_) => Err(OnceError::Mismatch),
        None if is_free => Ok(Entered::First),
        None => Err(OnceError::InProgress),
    }
}

/// Gives an answer again, and ends the transaction before: whoever repeats the request at once must not meet its lock.
pub async fn again(tx: Tx<'_>, answer: Answer) -> Result<Given, StoreError> {
    tx.rollback().await?;
    Ok(Given { answer, replayed: true })
}

/// Leaves with a record that is saved afterwards: the answer is stored beside the effect.
///
/// # Errors
/// When the answer cannot be sealed.
pub fn leave_in(
    record: &mut Record,
    keys: &KeyRing,
    once: Option<&Once>,
    answer: &Answer,
    now: Instant,
) -> Result<(), StoreError> {
    let Some(once) = once else { return Ok(()) };
    record.answer(once.named(), &once.stored(answer), keys, now)
}

/// Leaves: stores the answer beside its effect.
///
/// # Errors
/// When the same request was answered since this one entered, or the database fails: then nothing may be committed.
pub async fn leave(
    tx: &mut Tx<'_>,
    keys: &KeyRing,
    once: Option<&Once>,
    answer: &Answer,
    now: Instant,
) -> Result<(), OnceError> {
    let mut record = Record::default();
    leave_in(&mut record, keys, once, answer, now)?;
    match record::save(tx, keys, &record, now).await {
        Ok(_) => Ok(()),
        Err(SaveError::Answered) => Err(OnceError::InProgress),
        Err(error) => Err(error.into_store().into()),
    }
}
