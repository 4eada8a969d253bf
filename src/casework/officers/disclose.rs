//! 查看完整信息: an officer sees the numbers that are masked elsewhere. The history of the case keeps who did, when and
//! why, before anything is shown.

use serde_json::json;

use super::Desk;
use super::read::CaseFile;
use crate::casework::Casework;
use crate::casework::frame::change::ChangeError;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once};
use crate::domain::kernel::ids::CaseId;
use crate::store::record::Record;

impl Casework {
    /// Answers with a case of the agency with nothing masked; the same request again gets the same answer, and is no
    /// second look.
    ///
    /// # Errors
    /// When the agency has none of that id, or the record cannot be read or written.
    pub async fn disclose(
        &self,
        desk: &Desk,
        id: CaseId,
        reason: &str,
        once: Option<&Once>,
        answer: impl FnOnce(&CaseFile) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let (mut tx, now) = (self.store().begin().await?, self.now());
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store().keys(), once, now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        let file = self.case_file_unmasked(&mut tx, desk, id).await?.ok_or(ChangeError::NotFound)?;
        let mut record = Record::default();
        record.remember(id, &desk.actor(), "disclosed", json!({"reason": reason}), now);
        let answer = answer(&file);
        idempotency::leave_in(&mut record, self.store().keys(), once, &answer, now)?;
        let offers = self.save(&mut tx, &record, now).await?;
        self.commit(tx, &record, offers).await?;
        Ok(Given::first(answer))
    }
}
