//! 决定: an officer grants or denies an application. The notification, the push job and the parcel are saved in the
//! transaction that saves the decision.

use crate::casework::frame::change::{ChangeError, Context};
use crate::casework::frame::history;
use crate::casework::frame::idempotency::{Answer, Given};
use crate::casework::officers::{Asked, OfficerAtWork, Officers};
use crate::domain::case::act::Act;
use crate::domain::case::{Case, Ruling};
use crate::domain::item::due::Deadlines;
use crate::store::cases::VersionedCase;

impl Officers<'_> {
    pub async fn decide(
        self,
        officer: &OfficerAtWork,
        asked: Asked<'_>,
        ruling: Ruling,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let decide = |case: Case, context: &Context<'_>| {
            let complete = |deadlines: Deadlines| deadlines.completed(context.item.legal, context.catalog.calendar());
            Ok(case.decide(ruling, officer.actor(), complete, context.now)?)
        };
        let act = asked.by(officer, Act::Decided, &history::decision);
        self.0.act(act, asked.request, decide, answer).await
    }
}
