//! 受理: an officer accepts a case, and the time limit for its decision starts.

use serde_json::json;

use crate::casework::frame::change::{ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given};
use crate::casework::officers::{Asked, OfficerAtWork, Officers};
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::domain::item::due::Deadlines;
use crate::store::cases::VersionedCase;

impl Officers<'_> {
    /// Accepts a case. Its deadlines count from the legal day of acceptance, which may be earlier than today.
    pub async fn accept(
        self,
        officer: &OfficerAtWork,
        asked: Asked<'_>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let accept = |case: Case, context: &Context<'_>| {
            let promised = context.item.promised;
            let legal = context.item.legal;
            let calendar = context.catalog.calendar();
            let deadlines = |accepted_on| Ok(Deadlines::after(accepted_on, promised, legal, calendar)?);
            case.accept(officer.actor(), deadlines, context.now)
        };
        let act = asked.by(officer, Act::Accepted, &|case| json!(case.deadlines));
        self.0.act(act, asked.request, accept, answer).await
    }
}
