//! 撤回: the applicant takes an application back, any time before the decision.

use serde_json::json;

use super::Casework;
use super::change_case::{Act, ChangeError};
use crate::domain::case::Actor;
use crate::domain::ids::{CaseId, PersonId};
use crate::store::cases::{Owner, Versioned};

impl Casework {
    /// Withdraws a person's case. The reason stays with the case.
    ///
    /// # Errors
    /// When there is no such case, or it is decided or withdrawn already.
    pub async fn withdraw_case(
        &self,
        person: PersonId,
        case: CaseId,
        reason: String,
        trace: Option<&str>,
    ) -> Result<Versioned, ChangeError> {
        let act = Act {
            case,
            owner: Owner::Applicant(person),
            version: None,
            actor: Actor::Person(person),
            name: "withdrawn",
            cause: json!({}),
            trace,
        };
        let mut tx = self.store().begin().await?;
        let changed = self.change(&mut tx, act, |case, context| Ok(case.withdraw(reason, context.now)?)).await?;
        Ok(self.finish(tx, changed).await?)
    }
}
