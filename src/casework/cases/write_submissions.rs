//! Writes submissions: in one transaction those that come at the same moment; if the database refuses them, each alone.

use std::time::Duration;

use crate::casework::cases::Cases;
use crate::casework::cases::submissions::Submission;
use crate::casework::frame::gather::Writer;
use crate::domain::kernel::ids::DraftId;
use crate::store::StoreError;
use crate::store::record::{Record, SaveError};

/// The time-out of a transaction. PostgreSQL ends a statement sooner, so a longer wait means a broken connection.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

impl Writer<Submission> for Cases<'_> {
    type Outcome = Result<(), SaveError>;
    type Key = DraftId;

    fn key(submission: &Submission) -> DraftId {
        submission.draft
    }

    async fn write(&self, submissions: Vec<Submission>) -> Vec<Self::Outcome> {
        let mut together = Record::default();
        for submission in &submissions {
            together.append(submission.record.clone());
        }
        let outcome = self.write_record(&together).await;
        if submissions.len() == 1 || concerns_all(&outcome) {
            return submissions.iter().map(|_| outcome.clone()).collect();
        }
        let mut outcomes = Vec::with_capacity(submissions.len());
        for submission in &submissions {
            outcomes.push(self.write_record(&submission.record).await);
        }
        outcomes
    }
}

/// True if each submission alone would have the same outcome. Two transactions may wait for each other's rows (two drafts
/// of a person with the same files); submissions that are written alone may not.
fn concerns_all(outcome: &Result<(), SaveError>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(SaveError::Store(error)) => matches!(error, StoreError::Unavailable(_)) && !error.is_deadlock(),
        Err(_) => false,
    }
}

impl Cases<'_> {
    async fn write_record(&self, record: &Record) -> Result<(), SaveError> {
        let save = async {
            let tx = self.0.store().begin().await?;
            self.0.save_and_commit(tx, record, self.0.now()).await
        };
        tokio::time::timeout(WRITE_WITHIN, save).await.unwrap_or_else(|_| Err(StoreError::silent().into()))
    }
}
