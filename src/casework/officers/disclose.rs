//! 查看完整信息: an officer reads a case with unmasked personal data. Before the data is returned, the case's history records
//! the officer, the time and the reason.

use serde_json::json;

use crate::casework::frame::change::ChangeError;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotentRequest};
use crate::casework::officers::read::CaseFile;
use crate::casework::officers::{OfficerAtWork, Officers};
use crate::domain::case::act::Act;
use crate::domain::kernel::ids::CaseId;
use crate::store::record::Record;

impl Officers<'_> {
    /// Returns the case. A repeated request (same `Idempotency-Key`) gets the answer to the first one, and is not
    /// recorded as a second disclosure.
    pub async fn disclose(
        self,
        officer: &OfficerAtWork,
        id: CaseId,
        reason: &str,
        request: Option<&IdempotentRequest>,
        answer: impl FnOnce(&CaseFile) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let keys = self.0.store().keys();
        let now = self.0.now();
        let mut tx = self.0.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, keys, request, now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        let file = self.unmasked(&mut tx, officer, id).await?.ok_or(ChangeError::NotFound)?;
        let acting = officer.acting(&file.case.case.agency);
        let mut record = Record::default();
        record.remember(id, &acting, Act::Disclosed, json!({"reason": reason}), now);
        let answer = answer(&file);
        idempotency::leave_in(&mut record, keys, request, &answer, now)?;
        self.0.save_and_commit(tx, &record, now).await?;
        Ok(Given::first(answer))
    }
}
