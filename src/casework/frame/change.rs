//! The steps that every act on a case shares: the case is read under a lock, the domain makes the transition, and the
//! new state is saved together with the notifications, parcels and jobs that follow from it.

use chrono::NaiveDate;
use serde_json::Value;

use crate::casework::Casework;
use crate::casework::frame::apply::{Applicant, CaseOfItem};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotencyError, IdempotentRequest};
use crate::casework::frame::item_of_case::item_of;
use crate::catalog::Snapshot;
use crate::domain::case::act::Act;
use crate::domain::case::{Case, Owed, Refusal};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::item::Item;
use crate::domain::item::calendar::UnknownYear;
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::domain::kernel::ids::{CaseId, PersonId, UploadId};
use crate::domain::people::acting::{Acting, Actor, Behalf};
use crate::store::cases::{self, Owner, VersionedCase};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, Tx, reach};

/// The reason why an act on a case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The case does not exist, or is not the caller's.
    #[error("there is no such case here")]
    NotFound,
    #[error("the case was changed since it was read")]
    Stale,
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A due date falls into a year whose working days are not announced yet.
    #[error(transparent)]
    Calendar(#[from] UnknownYear),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SaveError> for ChangeError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Stale => Self::Stale,
            SaveError::Answered => Self::Idempotency(IdempotencyError::InProgress),
            SaveError::NotInForce | SaveError::TooManyOpen => Self::Store(error.into_store()),
            SaveError::Store(error) => Self::Store(error),
        }
    }
}

/// An act on a case, as a caller requests it.
pub(in crate::casework) struct CaseAct<'a> {
    pub case: CaseId,
    /// The act is refused as [`ChangeError::NotFound`] if the case has another owner.
    pub owner: Owner<'a>,
    /// The version of the case that the caller has read; `None` if any version is accepted.
    pub version: Option<i64>,
    pub by: Actor,
    pub act: Act,
    /// Returns the details for the case's history, given the case after the act.
    pub cause: &'a (dyn Fn(&Case) -> Value + Sync),
    /// The `traceparent` of the request.
    pub trace: Option<&'a str>,
}

impl<'a> CaseAct<'a> {
    /// An act of an applicant on their own case. Any version of the case is accepted.
    pub(in crate::casework) fn of_applicant(
        acting: Acting<PersonId>,
        case: CaseId,
        act: Act,
        cause: &'a (dyn Fn(&Case) -> Value + Sync),
        trace: Option<&'a str>,
    ) -> Self {
        Self { case, owner: Owner::Applicant(acting.for_), version: None, by: acting.by, act, cause, trace }
    }

    /// Returns the actor, and the party for which the act is done: the applicant if the owner is the applicant, else
    /// the agency of the case.
    fn acting(&self, case: &Case) -> Acting {
        let for_ = match self.owner {
            Owner::Applicant(person) => Behalf::Person(person),
            Owner::Remit(_) | Owner::Source(_) => Behalf::Agency(case.agency.clone()),
        };
        Acting { by: self.by.clone(), for_ }
    }
}

/// Data that a transition can use in addition to the case.
pub(in crate::casework) struct Context<'a> {
    /// The item in the version for which the case was opened.
    pub item: &'a Item,
    pub catalog: &'a Snapshot,
    /// Today in Beijing.
    pub today: NaiveDate,
    pub now: Instant,
}

/// A changed case, and the [`Record`] of all rows that must be saved with it.
pub(in crate::casework) struct Changed {
    case: VersionedCase,
    record: Record,
}

impl Changed {
    /// Marks the applicant's files as part of the case, so that housekeeping never deletes them.
    pub(in crate::casework) fn hand_in(&mut self, person: PersonId, files: impl IntoIterator<Item = UploadId>) {
        self.record.hand_in(person, files);
    }
}

impl Casework {
    /// Makes a transition of a case in its own transaction, and saves it. A repeated request (same `Idempotency-Key`)
    /// gets the answer to the first one.
    pub(in crate::casework) async fn act(
        &self,
        act: CaseAct<'_>,
        request: Option<&IdempotentRequest>,
        transition: impl FnOnce(Case, &Context<'_>) -> Result<(Case, Vec<Owed>), ChangeError>,
        answer: impl FnOnce(&VersionedCase) -> Answer,
    ) -> Result<Given, ChangeError> {
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store().keys(), request, self.now()).await? {
            return self.again(tx, act.case, act.owner, answer).await;
        }
        let changed = self.change(&mut tx, act, transition).await?;
        self.finish(tx, changed, request, answer).await
    }

    /// Returns the stored answer to an earlier request, if the case is still the caller's. An officer may have moved to
    /// another agency since.
    pub(in crate::casework) async fn again(
        &self,
        mut tx: Tx<'_>,
        case: CaseId,
        owner: Owner<'_>,
        answer: Answer,
    ) -> Result<Given, ChangeError> {
        cases::find(&mut tx, self.store().keys(), case, owner).await?.ok_or(ChangeError::NotFound)?;
        Ok(idempotency::again(tx, answer).await?)
    }

    /// Makes a transition of a case without saving it. The case stays locked until the transaction ends.
    /// [`Casework::finish`] saves the transition.
    pub(in crate::casework) async fn change(
        &self,
        tx: &mut Tx<'_>,
        act: CaseAct<'_>,
        transition: impl FnOnce(Case, &Context<'_>) -> Result<(Case, Vec<Owed>), ChangeError>,
    ) -> Result<Changed, ChangeError> {
        let now = self.now();
        let found =
            cases::find_for_change(tx, self.store().keys(), act.case, act.owner).await?.ok_or(ChangeError::NotFound)?;
        if act.version.is_some_and(|version| version != found.version) {
            return Err(ChangeError::Stale);
        }
        let catalog = self.catalog().current();
        let item = item_of(tx, &catalog, &found.case).await?;
        let context = Context { item: &item, catalog: &catalog, today: beijing_day(now), now };
        let (case, owed) = transition(found.case, &context)?;

        let mut record = Record::default();
        record.change_case(&case, found.version, now)?;
        record.remember(case.id, &act.acting(&case), act.act, (act.cause)(&case), now);
        self.enqueue(tx, &mut record, &case, &owed, &context, act.trace).await?;
        Ok(Changed { case: VersionedCase { case, version: found.version + 1 }, record })
    }

    /// Adds the rows of a transition's consequences (`owed`) to the record.
    async fn enqueue(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        case: &Case,
        owed: &[Owed],
        context: &Context<'_>,
        trace: Option<&str>,
    ) -> Result<(), ChangeError> {
        if owed.is_empty() {
            return Ok(());
        }
        let reach = reach::of(tx, &[case.applicant]).await?.remove(&case.applicant).unwrap_or_default();
        let parcel_owed = owed.iter().any(|owed| matches!(owed, Owed::Parcel(_)));
        let recipient = if parcel_owed { self.recipient(tx, case.id).await? } else { None };
        let applicant = Applicant { reach: &reach, recipient, trace };
        self.apply(record, CaseOfItem { case, item: context.item }, owed, &applicant, context.now)?;
        Ok(())
    }

    async fn recipient(&self, tx: &mut Tx<'_>, case: CaseId) -> Result<Option<PostalAddress>, StoreError> {
        let parts = cases::sealed_parts(tx, &[case]).await?.into_iter().next();
        let sealed = parts.and_then(|parts| parts.recipient);
        sealed.map(|sealed| self.store().keys().open_json(&cases::recipient_of(case), &sealed)).transpose()
    }

    /// Saves a changed case together with the answer to the request, commits, and announces the commit by the bell.
    pub(in crate::casework) async fn finish(
        &self,
        tx: Tx<'_>,
        Changed { case, mut record }: Changed,
        request: Option<&IdempotentRequest>,
        answer: impl FnOnce(&VersionedCase) -> Answer,
    ) -> Result<Given, ChangeError> {
        let now = self.now();
        let answer = answer(&case);
        idempotency::leave_in(&mut record, self.store().keys(), request, &answer, now)?;
        self.save_and_commit(tx, &record, now).await?;
        Ok(Given::first(answer))
    }
}
