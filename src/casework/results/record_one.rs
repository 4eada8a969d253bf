//! Records a decision that a request reports alone, not in a batch. One transaction writes it together with other
//! decisions that come at the same moment.

use std::time::Duration;

use super::Results;
use super::gather::{RecordOutcome, Waiting};
use super::report::{NewResult, Recorded, Reported, Reporter, RowRefusal};
use crate::casework::frame::idempotency::IdempotencyError;
use crate::store::StoreError;

/// The time-out for writing the decisions. PostgreSQL ends a statement sooner, so a longer wait means a broken
/// connection.
const RECORD_WITHIN: Duration = Duration::from_secs(20);

impl Results<'_> {
    /// Records one reported decision. The case stores the request's key, so idempotency costs no further statement. If
    /// this fails, the client can safely report the same decision again.
    pub async fn record(self, office: Reporter, result: NewResult, key: String) -> RecordOutcome {
        let gather = &self.0.gather;
        let reported = Reported { office, result, key: Some(key) };
        let Some(_until_answered) = gather.enter(&reported) else {
            return Ok(Recorded::Refused(RowRefusal::Idempotency(IdempotencyError::InProgress)));
        };
        loop {
            let mut outcome = gather.add(reported.clone());
            let permit = tokio::select! {
                biased;
                told = &mut outcome => match told {
                    Ok(told) => return told,
                    Err(_) => continue,
                },
                permit = gather.writers.acquire() => permit,
            };
            self.record_gathered(gather.take()).await;
            drop(permit);
            if let Ok(told) = outcome.await {
                return told;
            }
        }
    }

    async fn record_gathered(&self, gathered: Vec<Waiting>) {
        let (reported, answers): (Vec<Reported>, Vec<_>) =
            gathered.into_iter().map(|Waiting { reported, answer }| (reported, answer)).unzip();
        let recorded = tokio::time::timeout(RECORD_WITHIN, self.record_all(&reported)).await;
        let outcomes: Vec<RecordOutcome> = match recorded.unwrap_or_else(|_| Err(StoreError::silent())) {
            Ok(recorded) => recorded.into_iter().map(Ok).collect(),
            Err(error) => answers.iter().map(|_| Err(error.clone())).collect(),
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // If the client has disconnected, it will report the decision again, and find it recorded.
            let _ = answer.send(outcome);
        }
    }
}
