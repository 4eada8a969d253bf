//! Writes submissions: in one transaction those that come at the same moment. If the database refuses them, each half is
//! written in a transaction of its own, and so on, until the refused submissions are alone.

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
        let mut outcomes = Vec::with_capacity(submissions.len());
        // The parts that are not written yet, the first one last.
        let mut parts = vec![submissions.as_slice()];
        while let Some(part) = parts.pop() {
            let outcome = self.write_together(part).await;
            if part.len() > 1 && !concerns_all(&outcome) {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            } else {
                outcomes.extend(std::iter::repeat_n(outcome, part.len()));
            }
        }
        outcomes
    }
}

/// True if each submission alone would have the same outcome. A deadlock does not concern all: one of the submissions
/// waited for rows that another transaction had locked.
fn concerns_all(outcome: &Result<(), SaveError>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(SaveError::Store(error)) => matches!(error, StoreError::Unavailable(_)) && !error.is_deadlock(),
        Err(_) => false,
    }
}

impl Cases<'_> {
    async fn write_together(&self, submissions: &[Submission]) -> Result<(), SaveError> {
        let mut record = Record::default();
        for submission in submissions {
            record.append(submission.record.clone());
        }
        let save = async {
            let tx = self.0.store().begin().await?;
            self.0.save_and_commit(tx, &record, self.0.now()).await
        };
        tokio::time::timeout(WRITE_WITHIN, save).await.unwrap_or_else(|_| Err(StoreError::silent().into()))
    }
}
