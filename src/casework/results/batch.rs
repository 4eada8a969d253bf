//! Records a batch of reported decisions. The batch gets one answer, which is normally stored in the transaction that
//! writes the rows.

use super::Results;
use super::record::{Row, Written, concerns_all, is_raced, of_unpublished_items};
use super::report::{Recorded, Reported};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotencyError, IdempotentRequest};
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::store::record::SaveError;
use crate::store::{StoreError, Tx};

enum Batch {
    /// The batch was answered before. This is the stored answer.
    Given(Given),
    /// The rows are written in this open transaction. The answer must be stored before the commit.
    Written(Tx<'static>, Box<Written>),
}

#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Save(#[from] SaveError),
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Save(error.into())
    }
}

impl Results<'_> {
    /// Records reported decisions (called rows), and returns one answer for all of them. A repeated request (same
    /// `Idempotency-Key`) gets the answer to the first one. The answer is stored only if a row had an effect.
    ///
    /// If the database refuses a row, the rows are written one by one, and the answer is stored afterwards. If the
    /// process crashes in between, the answer is lost. If the client then repeats the batch, the new answer reports the
    /// rows as already known.
    pub async fn record_batch(
        self,
        reported: &[Reported],
        request: &IdempotentRequest,
        answer: impl Fn(Vec<Recorded>) -> Answer + Send + Sync,
    ) -> Result<Given, IdempotencyError> {
        let given = match self.batch_as_published(reported, request, &answer).await {
            Err(BatchError::Save(SaveError::NotInForce)) => {
                self.0.refresh_catalogue().await?;
                self.batch_as_published(reported, request, &answer).await
            }
            given => given,
        };
        given.map_err(|error| match error {
            BatchError::Idempotency(error) => error,
            BatchError::Save(error) => error.into_store().into(),
        })
    }

    async fn batch_as_published(
        &self,
        reported: &[Reported],
        request: &IdempotentRequest,
        answer: &(impl Fn(Vec<Recorded>) -> Answer + Send + Sync),
    ) -> Result<Given, BatchError> {
        let catalog = self.0.catalog().current();
        let keys = self.0.store().keys();
        let now = self.0.now();
        // A repeated request is answered here, before case numbers are drawn for its rows.
        let mut look = self.0.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut look, keys, Some(request), now).await? {
            return Ok(idempotency::again(look, answer).await?);
        }
        look.rollback().await.map_err(StoreError::from)?;
        let (rows, mut verdicts) = self.check_rows(&catalog, reported, now);
        let refused = of_unpublished_items(reported, &verdicts);
        if rows.is_empty() {
            self.0.keep_refusals(&refused).await?;
            return Ok(Given::first(answer(verdicts.into_values().collect())));
        }
        let mut written = self.write_batch(&rows, request, now).await;
        if matches!(&written, Err(BatchError::Save(error)) if is_raced(error)) {
            written = self.write_batch(&rows, request, now).await;
        }
        let given = match written {
            Ok(Batch::Given(given)) => return Ok(given),
            Ok(Batch::Written(mut tx, written)) => {
                verdicts.extend(written.verdicts);
                let answer = answer(verdicts.into_values().collect());
                idempotency::leave(&mut tx, keys, Some(request), &answer, now).await?;
                self.0.commit(tx, &written.record, written.offers).await?;
                Given::first(answer)
            }
            Err(BatchError::Save(error)) if !concerns_all(&error) => {
                verdicts.extend(self.record_one_by_one(&rows, now).await?);
                let has_effect = verdicts.values().any(|verdict| !matches!(verdict, Recorded::Refused(_)));
                let answer = answer(verdicts.into_values().collect());
                if has_effect { self.keep_answer(answer, request, now).await? } else { Given::first(answer) }
            }
            Err(error) => return Err(error),
        };
        self.0.keep_refusals(&refused).await?;
        Ok(given)
    }

    /// Stores the answer to a batch whose rows were written one by one. If the same request was repeated at the same
    /// time, both get the answer that was stored first.
    async fn keep_answer(
        &self,
        answer: Answer,
        request: &IdempotentRequest,
        now: Instant,
    ) -> Result<Given, IdempotencyError> {
        let keys = self.0.store().keys();
        let mut tx = self.0.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, keys, Some(request), now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        idempotency::leave(&mut tx, keys, Some(request), &answer, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(Given::first(answer))
    }

    /// Writes the rows in a transaction that stays open, so that the answer can be stored in it.
    async fn write_batch(
        &self,
        rows: &[Row<'_>],
        request: &IdempotentRequest,
        now: Instant,
    ) -> Result<Batch, BatchError> {
        let mut connection = self.0.store().connection().await?;
        let numbers = self.0.numbers.take(&mut connection, beijing_day(now), rows.len()).await?;
        drop(connection);
        let mut tx = self.0.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.0.store().keys(), Some(request), now).await? {
            return Ok(Batch::Given(idempotency::again(tx, answer).await?));
        }
        match self.write_rows(&mut tx, rows, numbers, now).await {
            Ok(written) => Ok(Batch::Written(tx, Box::new(written))),
            Err(error) => {
                // If `tx` were only dropped, the rollback would come later, and the request's key would stay locked
                // until then.
                tx.rollback().await.map_err(StoreError::from)?;
                Err(error.into())
            }
        }
    }
}
