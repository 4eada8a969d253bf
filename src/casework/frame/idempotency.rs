//! Idempotency (`Idempotency-Key`): a request that is repeated has its effect one time. The answer is stored in the
//! transaction of the effect, so that either both exist or neither.
//!
//! A use case enters as its first statement. It leaves with its effect, in the same [`Record`], or as its last statement
//! before the commit. In between, an advisory lock of the transaction keeps a second request with the same key out; that
//! request is refused and does not wait. Without a key, entering and leaving do nothing.
//!
//! A use case that writes its effect and its answer in one statement may skip `enter`, and call it only if the write is
//! refused: the record keeps one answer under a key.

use serde_json::Value;

use crate::domain::kernel::clock::Instant;
use crate::store::idempotency::{self, AnswerKey, StoredAnswer};
use crate::store::record::{self, Record, SaveError};
use crate::store::{KeyRing, StoreError, Tx};

/// A request that is to have its effect one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The caller and the operation: `per_…:submit_case`.
    pub scope: String,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the canonical request.
    pub fingerprint: [u8; 32],
}

/// An answer as it was, or will be, given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How the caller of the use case gives the answer: its own notes, stored and returned as they are.
    pub form: Value,
    pub body: Value,
}

/// The answer of a use case that may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub answer: Answer,
    /// True if the answer was given before.
    pub replayed: bool,
}

impl Given {
    /// An answer that is given for the first time.
    #[must_use]
    pub const fn first(answer: Answer) -> Self {
        Self { answer, replayed: false }
    }
}

/// What a use case has to do after it entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// This is the first such request: have the effect, and leave ([`leave_in`], [`leave`]).
    First,
    /// The effect is there: give this answer again.
    Replay(Answer),
}

/// Why a request may not go on.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    #[error("the same request is being worked on")]
    InProgress,
    #[error("the key was used for another request")]
    Mismatch,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IdempotentRequest {
    fn named(&self) -> AnswerKey<'_> {
        AnswerKey { scope: &self.scope, key: &self.key }
    }

    fn stored(&self, answer: &Answer) -> StoredAnswer {
        StoredAnswer { fingerprint: self.fingerprint.to_vec(), form: answer.form.clone(), body: answer.body.clone() }
    }
}

/// Enters. The lock is held until the transaction ends, so a caller that is not the first should roll back at once.
pub async fn enter(
    tx: &mut Tx<'_>,
    keys: &KeyRing,
    request: Option<&IdempotentRequest>,
    now: Instant,
) -> Result<Entered, IdempotencyError> {
    let Some(request) = request else { return Ok(Entered::First) };
    // The lock first: an answer that another request stored while it held the lock is found then.
    let is_free = idempotency::try_lock(tx, request.named()).await?;
    match idempotency::find(tx, keys, request.named(), now).await? {
        Some(StoredAnswer { fingerprint, form, body }) if fingerprint == request.fingerprint => {
            Ok(Entered::Replay(Answer { form, body }))
        }
        Some(_) => Err(IdempotencyError::Mismatch),
        None if is_free => Ok(Entered::First),
        None => Err(IdempotencyError::InProgress),
    }
}

/// Gives an answer again. The transaction ends first: a caller that repeats the request at once must not meet its lock.
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
    request: Option<&IdempotentRequest>,
    answer: &Answer,
    now: Instant,
) -> Result<(), StoreError> {
    let Some(request) = request else { return Ok(()) };
    record.answer(request.named(), &request.stored(answer), keys, now)
}

/// Leaves: stores the answer beside its effect.
///
/// # Errors
/// When the same request was answered since this one entered, or the database fails: then nothing may be committed.
pub async fn leave(
    tx: &mut Tx<'_>,
    keys: &KeyRing,
    request: Option<&IdempotentRequest>,
    answer: &Answer,
    now: Instant,
) -> Result<(), IdempotencyError> {
    let mut record = Record::default();
    leave_in(&mut record, keys, request, answer, now)?;
    match record::save(tx, keys, &record, now).await {
        Ok(_) => Ok(()),
        Err(SaveError::Answered) => Err(IdempotencyError::InProgress),
        Err(error) => Err(error.into_store().into()),
    }
}
