//! 补正: an applicant answers a supplement notice, and the time limit for the officer's next act starts again.

use serde_json::{Value, json};

use crate::casework::cases::Cases;
use crate::casework::frame::change::{CaseAct, ChangeError};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotentRequest};
use crate::casework::frame::item_of_case::item_of;
use crate::domain::application::Application;
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::domain::form::Fault;
use crate::domain::item::due::NOTICE_WITHIN;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::people::acting::Acting;
use crate::store::StoreError;
use crate::store::cases::{self, Owner, VersionedCase};

#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// All faults of the answer. Each has a JSON pointer to the faulty field.
    #[error("the answer is not in order")]
    Faulty(Vec<Fault>),
    /// A file of the answer was discarded while the answer was being validated.
    #[error("a file of it is gone")]
    Stale,
    #[error(transparent)]
    Change(ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError> for AnswerError {
    /// `Stale` can only mean that a file of the answer was discarded, because the request names no version of the case.
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Stale => Self::Stale,
            error => Self::Change(error),
        }
    }
}

impl Cases<'_> {
    /// Stores the answer to a supplement notice beside the submitted application, which does not change.
    pub async fn answer_supplement(
        self,
        acting: Acting<PersonId>,
        case: CaseId,
        handed_in: &Application,
        request: Option<&IdempotentRequest>,
        trace: Option<&str>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, AnswerError> {
        let person = acting.for_;
        let keys = self.0.store().keys();
        self.check_answer(person, case, handed_in).await?;
        let sealed = keys.seal_json(&cases::supplement_of(case), handed_in)?;
        let cause = |_: &Case| parts_of(handed_in);
        let act = CaseAct::of_applicant(acting, case, Act::SupplementAnswered, &cause, trace);
        let mut tx = self.0.store().begin().await?;
        let entered = idempotency::enter(&mut tx, keys, request, self.0.now()).await.map_err(ChangeError::from)?;
        if let Entered::Replay(answer) = entered {
            return Ok(self.0.again(tx, act.case, act.owner, answer).await?);
        }
        let changed = self.0.change(&mut tx, act, |case, context| {
            let due_on = context.catalog.calendar().add_working_days(context.today, NOTICE_WITHIN)?;
            Ok(case.answer_supplement(due_on, context.now)?)
        });
        let mut changed = changed.await?;
        cases::add_supplement(&mut tx, case, &sealed, self.0.now()).await?;
        changed.hand_in(person, handed_in.uploads());
        Ok(self.0.finish(tx, changed, request, answer).await?)
    }

    async fn check_answer(&self, person: PersonId, case: CaseId, answer: &Application) -> Result<(), AnswerError> {
        let mut connection = self.0.store().connection().await?;
        let found = cases::find(&mut connection, self.0.store().keys(), case, Owner::Applicant(person))
            .await?
            .ok_or(ChangeError::NotFound)?;
        let catalog = self.0.catalog().current();
        let item = item_of(&mut connection, &catalog, &found.case).await?;
        let now = self.0.now();
        let valid = self.0.validate_supplement(&mut connection, &catalog, &item, person, answer, now).await?;
        valid.map_err(AnswerError::Faulty)
    }
}

/// Returns the details for the case's history: which parts the answer has. The content of the parts is personal data
/// and is left out.
fn parts_of(handed_in: &Application) -> Value {
    let materials: Vec<&str> = handed_in.materials.iter().map(|material| material.key.as_str()).collect();
    let form = handed_in.form.expose().as_object().is_some_and(|form| !form.is_empty());
    json!({"note": handed_in.note.is_some(), "form": form, "materials": materials})
}
