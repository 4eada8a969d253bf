//! 受理: an officer accepts a case, and its decision clock starts.

use serde_json::json;

use super::Desk;
use crate::casework::Casework;
use crate::casework::change_case::{Act, ChangeError};
use crate::domain::due::Deadlines;
use crate::domain::ids::CaseId;
use crate::store::cases::Versioned;

impl Casework {
    /// Accepts a case that was read at a version.
    ///
    /// # Errors
    /// When it is not there, was changed, does not wait for acceptance, or its due date falls into a year whose working
    /// days are not announced.
    pub async fn accept(&self, desk: &Desk, case: CaseId, version: i64) -> Result<Versioned, ChangeError> {
        let act = Act {
            case,
            owner: desk.owner(),
            version: Some(version),
            actor: desk.actor(),
            name: "accepted",
            cause: json!({}),
            trace: desk.trace.as_deref(),
        };
        let mut tx = self.store().begin().await?;
        let changed = self
            .change(&mut tx, act, |case, context| {
                let (promised, legal) = (context.item.promised, context.item.legal);
                let deadlines = Deadlines::after(context.today, promised, legal, context.catalog.calendar())?;
                Ok(case.accept(desk.actor(), deadlines.due_on(), context.now)?)
            })
            .await?;
        Ok(self.finish(tx, changed).await?)
    }
}
