//! The frame of every act on a case: read it under a lock, let the domain act, save the new case with all that it owes.

use chrono::NaiveDate;
use serde_json::Value;

use crate::casework::Casework;
use crate::casework::frame::apply::Applicant;
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once, OnceError};
use crate::casework::frame::item_of_case::item_of;
use crate::catalog::Snapshot;
use crate::domain::case::{Actor, Case, Owed, Refusal};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::item::Item;
use crate::domain::item::calendar::UnknownYear;
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::domain::kernel::ids::{CaseId, PersonId, UploadId};
use crate::store::cases::{self, Owner, VersionedCase};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, Tx, reach};

/// Why an act on a case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such case, or it is not the caller's.
    #[error("there is no such case here")]
    NotFound,
    /// Somebody changed it since the caller read it.
    #[error("the case was changed since it was read")]
    Stale,
    /// The case does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A due date falls into a year whose working days are not announced yet.
    #[error(transparent)]
    Calendar(#[from] UnknownYear),
    /// The same request is under way, or its key was used for another.
    #[error(transparent)]
    Once(#[from] OnceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SaveError> for ChangeError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Stale => Self::Stale,
            SaveError::Answered => Self::Once(OnceError::InProgress),
            SaveError::NotInForce => Self::Store(error.into_store()),
            SaveError::Store(error) => Self::Store(error),
        }
    }
}

/// Who does what to which case.
pub(in crate::casework) struct Act<'a> {
    pub case: CaseId,
    /// Whose it must be.
    pub owner: Owner<'a>,
    /// At which version the caller read it; `None` where nobody can collide.
    pub version: Option<i64>,
    pub actor: Actor,
    /// What the history calls it.
    pub name: &'static str,
    /// Why, and with what, for the history; the case as it is afterwards tells.
    pub cause: &'a (dyn Fn(&Case) -> Value + Sync),
    /// The `traceparent` of the request.
    pub trace: Option<&'a str>,
}

/// What an act may look at beside the case.
pub(in crate::casework) struct Context<'a> {
    /// The item, as it was when the case was opened.
    pub item: &'a Item,
    pub catalog: &'a Snapshot,
    /// Today, in Beijing.
    pub today: NaiveDate,
    pub now: Instant,
}

/// A case that is changed, with all that it owes, but not saved yet.
pub(in crate::casework) struct Changed {
    case: VersionedCase,
    record: Record,
}

impl Changed {
    /// Keeps the applicant's files for good with it.
    pub(in crate::casework) fn hand_in(&mut self, person: PersonId, files: impl IntoIterator<Item = UploadId>) {
        self.record.hand_in(person, files);
    }
}

impl Casework {
    /// Acts on a case in a transaction of its own, and answers; the same request again gets the same answer.
    pub(in crate::casework) async fn act(
        &self,
        act: Act<'_>,
        once: Option<&Once>,
        transition: impl FnOnce(Case, &Context<'_>) -> Result<(Case, Vec<Owed>), ChangeError>,
        answer: impl FnOnce(&VersionedCase) -> Answer,
    ) -> Result<Given, ChangeError> {
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store().keys(), once, self.now()).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        let changed = self.change(&mut tx, act, transition).await?;
        self.finish(tx, changed, once, answer).await
    }

    /// Changes a case, which is locked from here on; [`Casework::finish`] writes it down.
    pub(in crate::casework) async fn change(
        &self,
        tx: &mut Tx<'_>,
        act: Act<'_>,
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
        record.remember(case.id, &act.actor, act.name, (act.cause)(&case), now);
        self.owe(tx, &mut record, &case, &owed, &context, act.trace).await?;
        Ok(Changed { case: VersionedCase { case, version: found.version + 1 }, record })
    }

    /// Adds what a transition owes to the record of a case.
    pub(in crate::casework) async fn owe(
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
        self.enact(record, (case, context.item), owed, &applicant, context.now)?;
        Ok(())
    }

    async fn recipient(&self, tx: &mut Tx<'_>, case: CaseId) -> Result<Option<PostalAddress>, StoreError> {
        let parts = cases::sealed_parts(tx, &[case]).await?.into_iter().next();
        let sealed = parts.and_then(|parts| parts.recipient);
        sealed.map(|sealed| self.store().keys().open_json("cases.recipient", &sealed)).transpose()
    }

    /// Saves a change with its answer, makes it last, and rings.
    pub(in crate::casework) async fn finish(
        &self,
        mut tx: Tx<'_>,
        Changed { case, mut record }: Changed,
        once: Option<&Once>,
        answer: impl FnOnce(&VersionedCase) -> Answer,
    ) -> Result<Given, ChangeError> {
        let (answer, now) = (answer(&case), self.now());
        idempotency::leave_in(&mut record, self.store().keys(), once, &answer, now)?;
        let offers = self.save(&mut tx, &record, now).await?;
        self.commit(tx, &record, offers).await?;
        Ok(Given::first(answer))
    }
}
