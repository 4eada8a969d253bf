//! 撤回: the applicant takes an application back, any time before the decision.

use serde_json::{Value, json};

use crate::casework::Casework;
use crate::casework::frame::change::{Act, ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given, Once};
use crate::domain::case::{Actor, Case, State};
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::store::cases::{Owner, VersionedCase};

impl Casework {
    /// Withdraws a person's case, and answers. The reason stays with the case.
    ///
    /// # Errors
    /// When there is no such case, or it is decided or withdrawn already.
    pub async fn withdraw_case(
        &self,
        (person, case): (PersonId, CaseId),
        reason: String,
        once: Option<&Once>,
        trace: Option<&str>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let act = Act {
            case,
            owner: Owner::Applicant(person),
            version: None,
            actor: Actor::Person(person),
            name: "withdrawn",
            cause: &cause,
            trace,
        };
        let withdraw = |case: Case, context: &Context<'_>| Ok(case.withdraw(reason, context.now)?);
        self.act(act, once, withdraw, answer).await
    }
}

fn cause(case: &Case) -> Value {
    match &case.state {
        State::Withdrawn { reason, .. } => json!({"reason": reason}),
        _ => json!({}),
    }
}
