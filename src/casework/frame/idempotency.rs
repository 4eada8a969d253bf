//! Idempotency (`Idempotency-Key`): a repeated request has its effect only once, and gets the first answer. The answer
//! is stored in the transaction of the effect, so that both exist or neither.
//!
//! A use case calls [`enter`] as its first statement. It stores the answer with its effect ([`leave_in`]), or as its
//! last statement before the commit ([`leave`]). In between, an advisory lock refuses a second request with the same
//! key at once. For a request without a key, these functions do nothing.
//!
//! The database stores one answer per key. So a use case that writes its effect and its answer in one statement may
//! call `enter` only after that statement was refused.

use serde_json::Value;

use crate::domain::kernel::clock::Instant;
use crate::store::idempotency::{self, AnswerKey, StoredAnswer};
use crate::store::record::{self, Record, SaveError};
use crate::store::{KeyRing, StoreError, Tx};

/// A request with an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The caller and the operation: `per_…:submit_case`.
    pub scope: String,
    pub key: String,
    /// SHA-256 of the canonical request.
    pub fingerprint: [u8; 32],
}

/// An answer to a request, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The API's own data about the answer (status, headers), stored and returned unchanged.
    pub form: Value,
    pub body: Value,
}

/// An answer that a use case returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub answer: Answer,
    /// True if it is the stored answer to an earlier request with the same key.
    pub replayed: bool,
}

impl Given {
    pub const fn first(answer: Answer) -> Self {
        Self { answer, replayed: false }
    }
}

/// Tells a use case how to go on after [`enter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// The request is new: the use case has its effect and stores its answer.
    First,
    /// The request had its effect before: the use case returns this answer ([`again`]).
    Replay(Answer),
}

/// Why a request is refused because of its key.
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

/// Locks the request's key until the transaction ends, and looks for a stored answer.
pub async fn enter(
    tx: &mut Tx<'_>,
    keys: &KeyRing,
    request: Option<&IdempotentRequest>,
    now: Instant,
) -> Result<Entered, IdempotencyError> {
    let Some(request) = request else { return Ok(Entered::First) };
    // Locked before the look, so that the look finds an answer that the last holder of the lock stored.
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

/// Returns a stored answer. Rolls back first: if the caller repeats the request at once, the key must be unlocked.
pub async fn again(tx: Tx<'_>, answer: Answer) -> Result<Given, StoreError> {
    tx.rollback().await?;
    Ok(Given { answer, replayed: true })
}

/// Adds the answer to the record of the effect, which the caller saves afterwards.
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

/// Stores the answer in the transaction of the effect. If this fails, the caller must not commit.
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
