//! 提交: a draft becomes a case.
//!
//! The draft is validated without a lock. Then one short transaction opens the case. The submission is refused if the
//! draft was changed after its validation.

use serde_json::json;

use crate::casework::cases::Cases;
use crate::casework::cases::submissions::Submission;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotencyError, IdempotentRequest};
use crate::casework::frame::powers::NotOpen;
use crate::casework::frame::validate::Belongings;
use crate::domain::application::{Application, Particulars};
use crate::domain::case::act::Act;
use crate::domain::case::{Case, Delivery, State};
use crate::domain::form::Fault;
use crate::domain::item::calendar::UnknownYear;
use crate::domain::item::due::NOTICE_WITHIN;
use crate::domain::kernel::clock::{Instant, beijing_day, fresh};
use crate::domain::kernel::ids::{CaseId, DraftId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::people::acting::Acting;
use crate::domain::people::person::Person;
use crate::store::cases::{self, VersionedCase};
use crate::store::drafts::{self, Draft};
use crate::store::record::{Opening, Record, SaveError};
use crate::store::{self, Conn, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The draft does not exist, or is not the applicant's.
    #[error("there is no such draft here")]
    NotFound,
    /// Only a person with a verified name (实名认证) may submit.
    #[error("the person's name is not verified")]
    NotVerified,
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    /// All faults of the draft. Each has a JSON pointer to the faulty field.
    #[error("the application is not in order")]
    Faulty(Vec<Fault>),
    #[error("the draft was submitted as {0}")]
    Submitted(CaseId),
    /// Another device changed the draft, or discarded a file of it, while the draft was being validated.
    #[error("the draft was changed meanwhile")]
    Stale,
    /// A new version of the item was published, or the item was withdrawn, while the draft was being validated.
    #[error("the item was changed meanwhile")]
    ItemChanged,
    /// The person has as many open cases of the item as the database admits at once (`cases_open_at_once`).
    #[error("there are too many open cases of the item")]
    TooManyOpen,
    /// A due date falls into a year whose working days are not announced yet.
    #[error(transparent)]
    Calendar(#[from] UnknownYear),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SaveError> for SubmitError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Stale => Self::Stale,
            SaveError::NotInForce => Self::ItemChanged,
            SaveError::TooManyOpen => Self::TooManyOpen,
            SaveError::Answered => Self::Idempotency(IdempotencyError::InProgress),
            // The person was deleted: the account was joined into another account, to which the draft now belongs.
            SaveError::Store(error) if error.violates("cases_person_id_fkey") => Self::NotFound,
            SaveError::Store(error) => Self::Store(error),
        }
    }
}

/// A case that is ready to be opened.
struct Ready {
    case: Case,
    application: Application,
    belongings: Belongings,
    draft: DraftId,
    /// The version of the draft that was validated.
    draft_version: i64,
}

impl Cases<'_> {
    /// Submits a draft. A repeated request (same `Idempotency-Key`) gets the answer to the first one. If the item's
    /// version is not in force any more, a newer catalogue was published. This process then loads the newer catalogue,
    /// and tries once more.
    pub async fn submit(
        self,
        acting: &Acting<PersonId>,
        draft: DraftId,
        request: &IdempotentRequest,
        answer: impl Fn(&VersionedCase) -> Answer + Send + Sync,
    ) -> Result<Given, SubmitError> {
        match self.submit_as_published(acting, draft, request, &answer).await {
            Err(SubmitError::ItemChanged) => {
                self.0.refresh_catalogue().await?;
                self.submit_as_published(acting, draft, request, &answer).await
            }
            done => done,
        }
    }

    async fn submit_as_published(
        &self,
        acting: &Acting<PersonId>,
        draft: DraftId,
        request: &IdempotentRequest,
        answer: &(impl Fn(&VersionedCase) -> Answer + Send + Sync),
    ) -> Result<Given, SubmitError> {
        let keys = self.0.store().keys();
        let now = self.0.now();
        let mut connection = self.0.store().connection().await?;
        let found = drafts::find(&mut connection, keys, acting.for_, draft).await?.ok_or(SubmitError::NotFound)?;
        if let Some(case) = found.submitted_as {
            let before = self.answered_before(&mut connection, request, now).await?;
            return before.ok_or(SubmitError::Submitted(case));
        }
        let ready = self.prepare(&mut connection, found, now).await?;
        let mut record = self.open(acting, &ready, now)?;
        let answer = answer(&VersionedCase { case: ready.case, version: 1 });
        idempotency::leave_in(&mut record, keys, Some(request), &answer, now)?;
        // Other requests need the connection more while this one waits for its turn.
        drop(connection);
        match self.0.submissions.write(Submission { draft, record }, self).await {
            Ok(()) => Ok(Given::first(answer)),
            Err(SaveError::Stale | SaveError::Answered) => {
                let mut connection = self.0.store().connection().await?;
                match self.answered_before(&mut connection, request, now).await? {
                    Some(given) => Ok(given),
                    None => Err(self.why_changed(&mut connection, acting.for_, draft).await),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the stored answer if this request was answered before. Called only if the draft cannot be submitted.
    /// Otherwise no look-up is needed, because the database refuses to store a second answer under the same
    /// `Idempotency-Key`.
    async fn answered_before(
        &self,
        conn: &mut Conn,
        request: &IdempotentRequest,
        now: Instant,
    ) -> Result<Option<Given>, IdempotencyError> {
        let mut tx = store::begin_on(conn).await?;
        match idempotency::enter(&mut tx, self.0.store().keys(), Some(request), now).await? {
            Entered::Replay(answer) => Ok(Some(idempotency::again(tx, answer).await?)),
            Entered::First => Ok(None),
        }
    }

    /// Validates the draft, and builds the case from it.
    async fn prepare(&self, conn: &mut Conn, draft: Draft, now: Instant) -> Result<Ready, SubmitError> {
        let catalog = self.0.catalog().current();
        let belongings = self.0.belongings(conn, draft.person, &draft.content).await?;
        let applicant = belongings.person.as_ref().and_then(particulars).ok_or(SubmitError::NotVerified)?;
        let item = self.0.open_item(&catalog, &draft.item, draft.person).await??;
        let delivery = self.0.validate(&catalog, &item.item, &draft.content, &belongings, now);
        let delivery = delivery.map_err(SubmitError::Faulty)?;
        let today = beijing_day(now);
        let due_on = catalog.calendar().add_working_days(today, NOTICE_WITHIN)?;
        let case = Case {
            id: fresh(CaseId::from_uuid),
            number: self.0.numbers.next(conn, today).await?,
            applicant: draft.person,
            item: item.item.code.clone(),
            item_version: item.version,
            agency: item.item.agency.clone(),
            delivery,
            submitted_at: now,
            due_on: Some(due_on),
            deadlines: None,
            supplement: None,
            state: State::Submitted,
        };
        let application = Application { applicant: Some(applicant), note: None, ..draft.content.application };
        Ok(Ready { case, application, belongings, draft: draft.id, draft_version: draft.version })
    }

    /// Finds out why the draft is no longer at the version that was validated.
    async fn why_changed(&self, conn: &mut Conn, person: PersonId, draft: DraftId) -> SubmitError {
        match drafts::find(conn, self.0.store().keys(), person, draft).await {
            Ok(Some(Draft { submitted_as: Some(case), .. })) => SubmitError::Submitted(case),
            Ok(Some(_)) => SubmitError::Stale,
            Ok(None) => SubmitError::NotFound,
            Err(error) => error.into(),
        }
    }

    /// Collects the rows of a submission. The case gets its own copy of the address, which does not change with the
    /// address book.
    fn open(&self, acting: &Acting<PersonId>, ready: &Ready, now: Instant) -> Result<Record, StoreError> {
        let Ready { case, application, belongings, draft, draft_version } = ready;
        let keys = self.0.store().keys();
        let recipient = match (&case.delivery, &belongings.address) {
            (Delivery::Courier { .. }, Some(saved)) => {
                Some(keys.seal_json(&cases::recipient_of(case.id), &saved.address)?)
            }
            _ => None,
        };
        let opening = Opening {
            source: "mobile",
            source_ref: None,
            report: None,
            application: &keys.seal_json(&cases::application_of(case.id), application)?,
            recipient: recipient.as_deref(),
        };
        let mut record = Record::default();
        record.open(case, &opening)?;
        let cause = json!({"item": case.item, "item_version": case.item_version, "delivery": case.delivery});
        record.remember(case.id, &acting.on_behalf(), Act::Submitted, cause, now);
        record.submit_draft(*draft, *draft_version, case);
        record.hand_in(case.applicant, application.uploads());
        Ok(record)
    }
}

/// Returns the applicant's name, resident ID and phone; `None` if the name is not verified.
fn particulars(person: &Person) -> Option<Particulars> {
    let identity = person.identity.as_ref()?;
    Some(Particulars {
        name: identity.name.clone(),
        resident_id: Private::new(identity.resident_id.expose().to_owned()),
        phone: person.phone.as_ref().map(|phone| Private::new(phone.expose().to_owned())),
    })
}
