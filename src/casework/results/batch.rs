//! A batch of reported decisions that is answered as a whole, once: in one transaction with its answer.

use super::Recorded;
use super::record::{Reported, Row, Written, is_of_all, is_raced, refused_by_the_list};
use crate::casework::Casework;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once, OnceError};
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::store::record::SaveError;
use crate::store::{StoreError, Tx};

/// What became of a batch.
enum Batch {
    /// It had been answered.
    Given(Given),
    /// It is written, but not answered yet.
    Written(Tx<'static>, Box<Written>),
}

/// Why a batch was not recorded.
#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Once(#[from] OnceError),
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
}

impl Casework {
    /// Records reported decisions, and answers for all of them; the same request again gets the same answer. An answer is kept
    /// where it is of an effect: not if no row was taken. Where the record refused a row, so that each went alone, it is
    /// kept after them: a crash in between costs the answer, and the batch that is sent again finds its rows.
    ///
    /// # Errors
    /// When the same request is in progress, its key belongs to another, or the record is unavailable.
    pub async fn record_batch(
        &self,
        reported: &[Reported],
        once: &Once,
        answer: impl Fn(Vec<Recorded>) -> Answer + Send + Sync,
    ) -> Result<Given, OnceError> {
        let given = match self.batch_as_published(reported, once, &answer).await {
            Err(BatchError::Save(SaveError::NotInForce)) => {
                self.refresh_catalogue().await?;
                self.batch_as_published(reported, once, &answer).await
            }
            given => given,
        };
        given.map_err(|error| match error {
            BatchError::Once(error) => error,
            BatchError::Save(error) => error.into_store().into(),
        })
    }

    async fn batch_as_published(
        &self,
        reported: &[Reported],
        once: &Once,
        answer: &(impl Fn(Vec<Recorded>) -> Answer + Send + Sync),
    ) -> Result<Given, BatchError> {
        let (catalog, keys, now) = (self.catalog().current(), self.store().keys(), self.now());
        // Before it draws numbers, which a repetition does not need.
        let mut look = self.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut look, keys, Some(once), now).await? {
            return Ok(idempotency::again(look, answer).await?);
        }
        look.rollback().await.map_err(StoreError::from)?;
        let (rows, mut verdicts) = self.check_rows(&catalog, reported, now);
        let refused = refused_by_the_list(reported, &verdicts);
        if rows.is_empty() {
            self.keep_refusals(&refused).await?;
            return Ok(Given::first(answer(verdicts.into_values().collect())));
        }
        let mut written = self.write_batch(&rows, once, now).await;
        if matches!(&written, Err(BatchError::Save(error)) if is_raced(error)) {
            written = self.write_batch(&rows, once, now).await;
        }
        let given = match written {
            Ok(Batch::Given(given)) => return Ok(given),
            Ok(Batch::Written(mut tx, written)) => {
                verdicts.extend(written.verdicts);
                let answer = answer(verdicts.into_values().collect());
                idempotency::leave(&mut tx, keys, Some(once), &answer, now).await?;
                self.commit(tx, &written.record, written.offers).await?;
                Given::first(answer)
            }
            Err(BatchError::Save(error)) if !is_of_all(&error) => {
                verdicts.extend(self.record_one_by_one(&rows, now).await?);
                let has_effect = verdicts.values().any(|verdict| !matches!(verdict, Recorded::Refused(_)));
                let answer = answer(verdicts.into_values().collect());
                if has_effect { self.keep_answer(answer, once, now).await? } else { Given::first(answer) }
            }
            Err(error) => return Err(error),
        };
        self.keep_refusals(&refused).await?;
        Ok(given)
    }

    /// Keeps the answer to a batch whose rows went alone. The same request may have been at it at the same time: the first
    /// answer that is kept is the answer.
    async fn keep_answer(&self, answer: Answer, once: &Once, now: Instant) -> Result<Given, OnceError> {
        let keys = self.store().keys();
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, keys, Some(once), now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        idempotency::leave(&mut tx, keys, Some(once), &answer, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(Given::first(answer))
    }

    /// Enters a batch, and writes its rows, in a transaction that is left open for the answer.
    async fn write_batch(&self, rows: &[Row<'_>], once: &Once, now: Instant) -> Result<Batch, BatchError> {
        let mut connection = self.store().connection().await?;
        let numbers = self.case_numbers(&mut connection, beijing_day(now), rows.len()).await?;
        drop(connection);
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store().keys(), Some(once), now).await? {
            return Ok(Batch::Given(idempotency::again(tx, answer).await?));
        }
        match self.write_rows(&mut tx, rows, numbers, now).await {
            Ok(written) => Ok(Batch::Written(tx, Box::new(written))),
            Err(error) => {
                // Now, and not when the connection is next used: whoever tries again finds the key free.
                tx.rollback().await.map_err(StoreError::from)?;
                Err(error.into())
            }
        }
    }
}
