//! 决定: an officer grants or denies. The push and the parcel are promised in the same transaction.

use serde_json::{Value, json};

use super::{Asked, Desk};
use crate::casework::Casework;
use crate::casework::frame::change::{ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given};
use crate::domain::case::{Case, Ruling, State};
use crate::domain::item::due::Deadlines;
use crate::store::cases::VersionedCase;

impl Casework {
    /// Decides, and answers.
    ///
    /// # Errors
    /// When the case is not there, was changed, was not accepted; or when a denial gives no reasons.
    pub async fn decide(
        &self,
        desk: &Desk,
        asked: Asked<'_>,
        ruling: Ruling,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let decide = |case: Case, context: &Context<'_>| {
            let complete = |deadlines: Deadlines| deadlines.completed(context.item.legal, context.catalog.calendar());
            Ok(case.decide(ruling, desk.actor(), complete, context.now)?)
        };
        self.act(asked.act(desk, "decided", &cause), asked.once, decide, answer).await
    }
}

/// What the history keeps of a decision.
pub(in crate::casework) fn cause(case: &Case) -> Value {
    match &case.state {
        State::Granted(decision) => json!({"outcome": "grant", "result": decision.result, "reasons": decision.reasons}),
        State::Denied(decision) => json!({"outcome": "deny", "reasons": decision.reasons}),
        _ => json!({}),
    }
}
