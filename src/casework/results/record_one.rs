//! Records a decision that a request reports alone, not in a batch. One transaction writes it together with other
//! decisions that come at the same moment.

use std::time::Duration;

use super::Results;
use super::report::{NewResult, Recorded, Reported, Reporter, RowRefusal};
use super::reports::RecordOutcome;
use crate::casework::frame::gather::Writer;
use crate::casework::frame::idempotency::IdempotencyError;
use crate::store::StoreError;

/// The time-out for writing the decisions. PostgreSQL ends a statement sooner, so a longer wait means a broken
/// connection.
const RECORD_WITHIN: Duration = Duration::from_secs(20);

impl Results<'_> {
    /// Records one reported decision. The case stores the request's key, so idempotency costs no further statement. If
    /// this fails, the client can safely report the same decision again.
    pub async fn record(self, office: Reporter, result: NewResult, key: String) -> RecordOutcome {
        let reported = Reported { office, result, key: Some(key) };
        let Some(_until_answered) = self.0.reports.enter(&reported) else {
            return Ok(Recorded::Refused(RowRefusal::Idempotency(IdempotencyError::InProgress)));
        };
        self.0.reports.gather.write(reported, &self).await
    }
}

impl Writer<Reported> for Results<'_> {
    type Outcome = RecordOutcome;
    /// The source and its reference of the decision.
    type Key = (String, String);

    fn key(reported: &Reported) -> Self::Key {
        reported.key()
    }

    async fn write(&self, reported: Vec<Reported>) -> Vec<RecordOutcome> {
        let recorded = tokio::time::timeout(RECORD_WITHIN, self.record_all(&reported)).await;
        match recorded.unwrap_or_else(|_| Err(StoreError::silent())) {
            Ok(recorded) => recorded.into_iter().map(Ok).collect(),
            Err(error) => reported.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}
