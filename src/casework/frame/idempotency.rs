//! Idempotency (`Idempotency-Key`): a repeated request has no second effect, and gets the answer to the first one. The
//! answer is stored in the transaction of the effect, so that either both are stored or neither.
//!
//! A use case calls [`enter`] as its first statement. It stores the answer together with the effect ([`leave_in`]), or
//! in its last statement before the commit ([`leave`]). In between, an advisory lock is held: if a second request with
//! the same key comes, `enter` refuses it without waiting. For a request without a key, these functions do nothing.
//!
//! A repeated disclosure to an officer is the one exception: it is a disclosure of its own, with its own record.
//!
//! The database stores one answer per key. So a use case that writes its effect and its answer in one statement can
//! first try that statement, and call `enter` only after the database has refused the statement.

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

/// An answer that a use case gives to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub answer: Answer,
    /// True if an earlier request with the same key was answered. The answer is then the earlier one. Only a disclosure
    /// gets a new answer, because each one shows the present data and is recorded.
    pub replayed: bool,
}

impl Given {
    pub const fn first(answer: Answer) -> Self {
        Self { answer, replayed: false }
    }
}

/// How a use case must go on after [`enter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// The request is new. The use case must do its work and store its answer.
    First,
    /// The request was answered before. The use case returns this answer by [`again`], if the caller is still allowed to
    /// see it.
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
    // Locked before the look-up, so that the look-up finds the answer that the previous holder of the lock stored.
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

/// Returns a stored answer. Before that, it rolls the transaction back, which unlocks the key, so that the client can
/// repeat the request at once.
pub async fn again(tx: Tx<'_>, answer: Answer) -> Result<Given, StoreError> {
    tx.rollback().await?;
    Ok(Given { answer, replayed: true })
}

/// Adds the answer to the record that contains the effect of the request. The caller saves the record.
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

/// Stores the answer in the transaction that contains the effect. If this fails, the caller must not commit.
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
