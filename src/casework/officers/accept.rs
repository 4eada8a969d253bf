//! 受理: an officer accepts a case, and its decision clock starts.

use serde_json::json;

use super::{Asked, Desk};
use crate::casework::Casework;
use crate::casework::frame::change::{ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given};
use crate::domain::case::Case;
use crate::domain::item::due::Deadlines;
use crate::store::cases::VersionedCase;

impl Casework {
    /// Accepts a case, and answers. Its deadlines count from the day on which the law takes it as accepted.
    ///
    /// # Errors
    /// When it is not there, was changed, does not wait for acceptance, or its due date falls into a year whose working
    /// days are not announced.
    pub async fn accept(
        &self,
        desk: &Desk,
        asked: Asked<'_>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let accept = |case: Case, context: &Context<'_>| {
            let (promised, legal) = (context.item.promised, context.item.legal);
            let calendar = context.catalog.calendar();
            let deadlines = |accepted_on| Ok(Deadlines::after(accepted_on, promised, legal, calendar)?);
            case.accept(desk.actor(), deadlines, context.now)
        };
        let act = asked.act(desk, "accepted", &|case| json!(case.deadlines));
        self.act(act, asked.once, accept, answer).await
    }
}
