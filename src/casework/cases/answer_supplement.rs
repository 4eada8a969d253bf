//! 补正: the applicant hands in what a supplement notice asked for; the officer's clock starts anew.

use serde_json::{Value, json};

use crate::casework::Casework;
use crate::casework::frame::change::{Act, ChangeError};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once};
use crate::casework::frame::item_of_case::item_of;
use crate::domain::application::Application;
use crate::domain::case::Actor;
use crate::domain::form::Fault;
use crate::domain::item::due::NOTICE_WITHIN;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::store::StoreError;
use crate::store::cases::{self, Owner, VersionedCase};

/// Why an answer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not in order: all faults, each with a JSON pointer into the answer.
    #[error("the answer is not in order")]
    Faulty(Vec<Fault>),
    /// A file of it was thrown away while it was judged.
    #[error("a file of it is gone")]
    Stale,
    /// The case does not take it.
    #[error(transparent)]
    Change(ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError> for AnswerError {
    /// Nobody names a version here, so that only a file can be stale.
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Stale => Self::Stale,
            error => Self::Change(error),
        }
    }
}

impl Casework {
    /// Answers the supplement notice of a person's case, and answers the person. The application stays as it was submitted;
    /// what is handed in now is kept beside it.
    ///
    /// # Errors
    /// When there is no such case, it does not wait for an answer, or the answer is not in order.
    pub async fn answer_supplement(
        &self,
        (person, case): (PersonId, CaseId),
        handed_in: &Application,
        once: Option<&Once>,
        trace: Option<&str>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, AnswerError> {
        self.check_answer(person, case, handed_in).await?;
        let sealed = self.store().keys().seal_json("case_supplements.sealed", handed_in)?;
        let act = Act {
            case,
            owner: Owner::Applicant(person),
            version: None,
            actor: Actor::Person(person),
            name: "supplement_answered",
            cause: &|_| cause(handed_in),
            trace,
        };
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) =
            idempotency::enter(&mut tx, self.store().keys(), once, self.now()).await.map_err(ChangeError::from)?
        {
            return Ok(idempotency::again(tx, answer).await?);
        }
        let mut changed = self
            .change(&mut tx, act, |case, context| {
                let due_on = context.catalog.calendar().add_working_days(context.today, NOTICE_WITHIN)?;
                Ok(case.answer_supplement(due_on, context.now)?)
            })
            .await?;
        cases::add_supplement(&mut tx, case, &sealed, self.now()).await?;
        changed.hand_in(person, handed_in.uploads());
        Ok(self.finish(tx, changed, once, answer).await?)
    }

    async fn check_answer(&self, person: PersonId, case: CaseId, answer: &Application) -> Result<(), AnswerError> {
        let mut connection = self.store().connection().await?;
        let found = cases::find(&mut connection, self.store().keys(), case, Owner::Applicant(person))
            .await?
            .ok_or(ChangeError::NotFound)?;
        let catalog = self.catalog().current();
        let item = item_of(&mut connection, &catalog, &found.case).await?;
        let judgement = self.judge_supplement(&mut connection, (&catalog, &item), person, answer, self.now()).await?;
        judgement.map_err(AnswerError::Faulty)
    }
}

/// What the history keeps of an answer: what it consists of. Its content is sealed elsewhere.
fn cause(handed_in: &Application) -> Value {
    let materials: Vec<&str> = handed_in.materials.iter().map(|material| material.key.as_str()).collect();
    let form = handed_in.form.expose().as_object().is_some_and(|form| !form.is_empty());
    json!({"note": handed_in.note.is_some(), "form": form, "materials": materials})
}
