//! 撤回: an applicant withdraws an application, at any time before the decision.

use serde_json::{Value, json};

use crate::casework::cases::Cases;
use crate::casework::frame::change::{CaseAct, ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given, IdempotentRequest};
use crate::domain::case::act::Act;
use crate::domain::case::{Case, State};
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::people::acting::Acting;
use crate::store::cases::VersionedCase;

impl Cases<'_> {
    pub async fn withdraw(
        self,
        acting: Acting<PersonId>,
        case: CaseId,
        reason: String,
        request: Option<&IdempotentRequest>,
        trace: Option<&str>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let act = CaseAct::of_applicant(acting, case, Act::Withdrawn, &cause, trace);
        let withdraw = |case: Case, context: &Context<'_>| Ok(case.withdraw(reason, context.now)?);
        self.0.act(act, request, withdraw, answer).await
    }
}

fn cause(case: &Case) -> Value {
    match &case.state {
        State::Withdrawn { reason, .. } => json!({"reason": reason}),
        _ => json!({}),
    }
}
