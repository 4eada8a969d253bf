//! 补正: the applicant hands in what a supplement notice asked for; the officer's clock starts anew.

use serde_json::json;

use super::Casework;
use super::change_case::{Act, ChangeError};
use super::submit_case::ACCEPT_WITHIN;
use crate::domain::application::Application;
use crate::domain::case::Actor;
use crate::domain::form::Fault;
use crate::domain::ids::{CaseId, PersonId};
use crate::store::StoreError;
use crate::store::cases::{self, Owner, Versioned};

/// Why an answer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not in order: all faults, each with a JSON pointer into the answer.
    #[error("the answer is not in order")]
    Faulty(Vec<Fault>),
    /// The case does not take it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The record.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Casework {
    /// Answers the supplement notice of a person's case. The application stays as it was submitted; the answer is kept
    /// beside it.
    ///
    /// # Errors
    /// When there is no such case, it does not wait for an answer, or the answer is not in order.
    pub async fn answer_supplement(
        &self,
        person: PersonId,
        case: CaseId,
        answer: &Application,
        trace: Option<&str>,
    ) -> Result<Versioned, AnswerError> {
        self.check_answer(person, case, answer).await?;
        let sealed = self.store().keys().seal_json("case_supplements.sealed", answer)?;
        let act = Act {
            case,
            owner: Owner::Applicant(person),
            version: None,
            actor: Actor::Person(person),
            name: "supplement_answered",
            cause: json!({}),
            trace,
        };
        let mut tx = self.store().begin().await?;
        let changed = self
            .change(&mut tx, act, |case, context| {
                let due_on = context.catalog.calendar().add_working_days(context.today, ACCEPT_WITHIN)?;
                Ok(case.answer_supplement(due_on, context.now)?)
            })
            .await?;
        cases::add_supplement(&mut tx, case, &sealed, self.now()).await?;
        Ok(self.finish(tx, changed).await?)
    }

    async fn check_answer(&self, person: PersonId, case: CaseId, answer: &Application) -> Result<(), AnswerError> {
        let found = self.case(person, case).await?.ok_or(ChangeError::NotFound)?.case;
        let catalog = self.catalog().current();
        let item = catalog.version(&found.item, found.item_version);
        let item = item.ok_or_else(|| StoreError::Broken(format!("the item of {case}")))?;
        let judgement = self.judge_supplement((&catalog, &item.item), person, answer, self.now()).await?;
        judgement.map_err(AnswerError::Faulty)
    }
}
