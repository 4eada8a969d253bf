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
    /// Returns the case. Every request is a disclosure of its own, also a repeated one (same `Idempotency-Key`): the
    /// officer's authority is checked and the disclosure is recorded. The key has one effect: another request under the
    /// same key is refused.
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
        let entered = idempotency::enter(&mut tx, keys, request, now).await?;
        let replayed = matches!(entered, Entered::Replay(_));
        let file = self.unmasked(&mut tx, officer, id).await?.ok_or(ChangeError::NotFound)?;
        let acting = officer.acting(&file.case.case.agency);
        let mut record = Record::default();
        record.remember(id, &acting, Act::Disclosed, json!({"reason": reason}), now);
        if !replayed {
            // The key is stored with an empty answer, without personal data.
            idempotency::leave_in(&mut record, keys, request, &Answer { form: json!({}), body: json!({}) }, now)?;
        }
        self.0.save_and_commit(tx, &record, now).await?;
        Ok(Given { answer: answer(&file), replayed })
    }
}
