//! 补正告知: an officer says, once, everything that is missing.

use serde_json::json;

use super::Desk;
use crate::casework::Casework;
use crate::casework::change_case::{Act, ChangeError};
use crate::domain::ids::CaseId;
use crate::store::cases::Versioned;

impl Casework {
    /// Gives notice of what is missing in a case that was read at a version.
    ///
    /// # Errors
    /// When it is not there, was changed, does not wait for acceptance, had a notice before, or nothing is listed.
    pub async fn notice_supplement(
        &self,
        desk: &Desk,
        case: CaseId,
        version: i64,
        points: Vec<String>,
    ) -> Result<Versioned, ChangeError> {
        let act = Act {
            case,
            owner: desk.owner(),
            version: Some(version),
            actor: desk.actor(),
            name: "supplement_noticed",
            cause: json!({ "points": points }),
            trace: desk.trace.as_deref(),
        };
        let mut tx = self.store().begin().await?;
        let changed = self
            .change(&mut tx, act, |case, context| Ok(case.notice_supplement(points, desk.actor(), context.now)?))
            .await?;
        Ok(self.finish(tx, changed).await?)
    }
}
