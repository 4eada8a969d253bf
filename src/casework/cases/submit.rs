//! 提交: a draft becomes a case.
//!
//! The application is judged first, with nothing held; then one short transaction opens the case, if the draft still is
//! at the very version that was judged.

use serde_json::json;

use crate::casework::Casework;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once, OnceError};
use crate::casework::frame::powers::{GateError, NotOpen};
use crate::casework::frame::validate::Belongings;
use crate::domain::application::{Application, Particulars};
use crate::domain::case::{Actor, Case, Delivery, State};
use crate::domain::form::Fault;
use crate::domain::item::calendar::UnknownYear;
use crate::domain::item::due::NOTICE_WITHIN;
use crate::domain::kernel::clock::{Instant, beijing_day, fresh};
use crate::domain::kernel::ids::{CaseId, DraftId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::people::person::Person;
use crate::store::cases::VersionedCase;
use crate::store::drafts::{self, Draft};
use crate::store::record::{Opening, Record, SaveError};
use crate::store::{self, Conn, StoreError};

/// Why a draft is not submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// There is no such draft, or it is not the caller's.
    #[error("there is no such draft here")]
    NotFound,
    /// Submitting needs a real name (实名认证).
    #[error("the person's name is not verified")]
    NotVerified,
    /// The item cannot be applied for here.
    #[error(transparent)]
    NotOpen(#[from] NotOpen),
    /// The application is not in order: all faults, each with a JSON pointer into the draft.
    #[error("the application is not in order")]
    Faulty(Vec<Fault>),
    /// It is a case already.
    #[error("the draft was submitted as {0}")]
    Submitted(CaseId),
    /// Another device changed the draft, or threw away a file of it, while it was judged.
    #[error("the draft was changed meanwhile")]
    Stale,
    /// The item was published anew, or withdrawn, while the draft was judged by what it was before.
    #[error("the item was changed meanwhile")]
    ItemChanged,
    /// A due date falls into a year whose working days are not announced yet.
    #[error(transparent)]
    Calendar(#[from] UnknownYear),
    /// The same request is under way, or its key was used for another.
    #[error(transparent)]
    Once(#[from] OnceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<GateError> for SubmitError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::NotOpen(refusal) => Self::NotOpen(refusal),
            GateError::Store(error) => Self::Store(error),
        }
    }
}

impl From<SaveError> for SubmitError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Stale => Self::Stale,
            SaveError::NotInForce => Self::ItemChanged,
            SaveError::Answered => Self::Once(OnceError::InProgress),
            // Their account became another's, and the draft with it.
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
    /// The draft, and the version of it that was judged.
    draft: (DraftId, i64),
}

impl Casework {
    /// Submits a draft, and answers; the same request again gets the same answer. A draft that was judged by an item that is
    /// not in force any more is judged anew, by the catalogue that was published meanwhile.
    ///
    /// # Errors
    /// When there is no such draft, the person's name is not verified, the item cannot be applied for, the application is
    /// not in order, or it was submitted before by another request.
    pub async fn submit_case(
        &self,
        person: PersonId,
        draft: DraftId,
        once: &Once,
        answer: impl Fn(&VersionedCase) -> Answer + Send + Sync,
    ) -> Result<Given, SubmitError> {
        match self.submit_as_published(person, draft, once, &answer).await {
            Err(SubmitError::ItemChanged) => {
                self.refresh_catalogue().await?;
                self.submit_as_published(person, draft, once, &answer).await
            }
            done => done,
        }
    }

    async fn submit_as_published(
        &self,
        person: PersonId,
        draft: DraftId,
        once: &Once,
        answer: &(impl Fn(&VersionedCase) -> Answer + Send + Sync),
    ) -> Result<Given, SubmitError> {
        let (keys, now) = (self.store().keys(), self.now());
        let mut connection = self.store().connection().await?;
        let found = drafts::find(&mut connection, keys, person, draft).await?.ok_or(SubmitError::NotFound)?;
        if let Some(case) = found.submitted_as {
            let before = self.answered_before(&mut connection, once, now).await?;
            return before.ok_or(SubmitError::Submitted(case));
        }
        let ready = self.prepare(&mut connection, found, now).await?;
        let mut record = self.open(&ready, now)?;
        let answer = answer(&VersionedCase { case: ready.case, version: 1 });
        idempotency::leave_in(&mut record, keys, Some(once), &answer, now)?;
        let mut tx = store::begin_on(&mut connection).await?;
        match self.save(&mut tx, &record, now).await {
            Ok(offers) => {
                self.commit(tx, &record, offers).await?;
                Ok(Given::first(answer))
            }
            Err(SaveError::Stale | SaveError::Answered) => {
                tx.rollback().await.map_err(StoreError::from)?;
                match self.answered_before(&mut connection, once, now).await? {
                    Some(given) => Ok(given),
                    None => Err(self.changed(&mut connection, person, draft).await),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The answer to this very request, if it was given one. The record itself refuses to keep two under a key, so that it is
    /// looked for only where something is there already.
    async fn answered_before(&self, conn: &mut Conn, once: &Once, now: Instant) -> Result<Option<Given>, OnceError> {
        let mut tx = store::begin_on(conn).await?;
        match idempotency::enter(&mut tx, self.store().keys(), Some(once), now).await? {
            Entered::Replay(answer) => Ok(Some(idempotency::again(tx, answer).await?)),
            Entered::First => Ok(None),
        }
    }

    /// Judges the draft, and fixes all that the case will never change: who, what, how it arrives, its number.
    async fn prepare(&self, conn: &mut Conn, draft: Draft, now: Instant) -> Result<Ready, SubmitError> {
        let catalog = self.catalog().current();
        let belongings = self.belongings(conn, draft.person, &draft.content).await?;
        let applicant = belongings.person.as_ref().and_then(particulars).ok_or(SubmitError::NotVerified)?;
        let item = self.open_item(&catalog, &draft.item, draft.person).await?;
        let delivery = self.judge(&catalog, &item.item, &draft.content, &belongings, now);
        let delivery = delivery.map_err(SubmitError::Faulty)?;
        let today = beijing_day(now);
        let due_on = catalog.calendar().add_working_days(today, NOTICE_WITHIN)?;
        let case = Case {
            id: fresh(CaseId::from_uuid),
            number: self.case_number(conn, today).await?,
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
        Ok(Ready { case, application, belongings, draft: (draft.id, draft.version) })
    }

    /// Why the draft is not any more as it was judged.
    async fn changed(&self, conn: &mut Conn, person: PersonId, draft: DraftId) -> SubmitError {
        match drafts::find(conn, self.store().keys(), person, draft).await {
            Ok(Some(Draft { submitted_as: Some(case), .. })) => SubmitError::Submitted(case),
            Ok(Some(_)) => SubmitError::Stale,
            Ok(None) => SubmitError::NotFound,
            Err(error) => error.into(),
        }
    }

    /// Everything that a submission writes. The address is copied: a later change of the address book does not reach it.
    fn open(&self, ready: &Ready, now: Instant) -> Result<Record, StoreError> {
        let Ready { case, application, belongings, draft } = ready;
        let keys = self.store().keys();
        let recipient = match (&case.delivery, &belongings.address) {
            (Delivery::Courier { .. }, Some(saved)) => Some(keys.seal_json("cases.recipient", &saved.address)?),
            _ => None,
        };
        let opening = Opening {
            source: "mobile",
            source_ref: None,
            report: None,
            application: &keys.seal_json("cases.application", application)?,
            recipient: recipient.as_deref(),
        };
        let mut record = Record::default();
        record.open(case, &opening)?;
        let cause = json!({"item": case.item, "item_version": case.item_version, "delivery": case.delivery});
        record.remember(case.id, &Actor::Person(case.applicant), "submitted", cause, now);
        record.submit_draft(draft.0, draft.1, case);
        record.hand_in(case.applicant, application.uploads());
        Ok(record)
    }
}

/// A person as their real name is known; nothing where it is not.
fn particulars(person: &Person) -> Option<Particulars> {
    let identity = person.identity.as_ref()?;
    Some(Particulars {
        name: identity.name.clone(),
        resident_id: Private::new(identity.resident_id.expose().to_owned()),
        phone: person.phone.as_ref().map(|phone| Private::new(phone.expose().to_owned())),
    })
}
