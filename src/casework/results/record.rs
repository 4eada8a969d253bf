//! Records reported decisions, called rows here. One statement writes all rows; if the database refuses it because of
//! one row, the rows are written one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::Results;
use super::report::{NewDelivery, NewResult, Recorded, Reported, Reporter, RowFault, RowRefusal};
use super::row::Repetition;
use crate::casework::frame::apply::{Applicant, CaseOfItem};
use crate::casework::frame::change::ChangeError;
use crate::casework::frame::history;
use crate::casework::frame::idempotency::IdempotencyError;
use crate::casework::frame::powers::NOT_PUBLISHED;
use crate::catalog::Snapshot;
use crate::domain::case::act::Act;
use crate::domain::case::number::CaseNumber;
use crate::domain::case::{Case, Delivery, State};
use crate::domain::item::ItemVersion;
use crate::domain::kernel::clock::{Instant, beijing_day, fresh};
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::notice::reach::Reach;
use crate::domain::people::acting::{Acting, Actor};
use crate::domain::work::job::Offer;
use crate::store::cases::{self, Owner, ReportMark, ReportedCase, VersionedCase};
use crate::store::record::{NamedPerson, Opening, Record, SaveError};
use crate::store::refused_applications::{By, Refused};
use crate::store::reported::{self, KnownApplicant, Name, Named};
use crate::store::{Conn, KeyRing, StoreError, people};

/// A reported decision that passed all checks.
pub(super) struct Row<'a> {
    at: usize,
    office: &'a Reporter,
    result: &'a NewResult,
    mark: ReportMark,
    item: &'a ItemVersion,
    delivery: Delivery,
}

impl<'a> Row<'a> {
    /// Returns the identifiers by which the database is searched for the row's case and applicant.
    fn named(&self, keys: &KeyRing) -> Named<'a> {
        let NewResult { reference, applicant, .. } = self.result;
        Named { source: &self.office.source, reference, applicant: Name::of(keys, applicant) }
    }
}

struct NewOwner<'a> {
    number: CaseNumber,
    person: PersonId,
    reach: &'a Reach,
}

/// The results of written rows. If they were written in a transaction, it is not committed yet.
pub(super) struct Written {
    pub verdicts: Verdicts,
    pub record: Record,
    pub offers: Vec<Offer>,
}

/// The outcome of each row, by the row's position in the batch.
pub(super) type Verdicts = BTreeMap<usize, Recorded>;

impl Results<'_> {
    /// Records decisions, and returns their outcomes in the same order. If this fails, the client can safely report the
    /// same decisions again.
    pub async fn record_all(self, reported: &[Reported]) -> Result<Vec<Recorded>, StoreError> {
        let recorded = match self.record_as_published(reported).await {
            Err(SaveError::NotInForce) => {
                self.0.refresh_catalogue().await?;
                self.record_as_published(reported).await
            }
            recorded => recorded,
        };
        let verdicts = recorded.map_err(SaveError::into_store)?;
        self.0.keep_refusals(&of_unpublished_items(reported, &verdicts)).await?;
        Ok(verdicts.into_values().collect())
    }

    /// Checks decisions against the catalogue in memory, and records them. If the database has a newer catalogue, this
    /// fails, possibly after some rows were recorded.
    async fn record_as_published(&self, reported: &[Reported]) -> Result<Verdicts, SaveError> {
        let catalog = self.0.catalog().current();
        let now = self.0.now();
        let (rows, mut verdicts) = self.check_rows(&catalog, reported, now);
        match self.record_rows(&rows, now).await {
            Ok(recorded) => verdicts.extend(recorded),
            Err(error) if concerns_all(&error) => return Err(error),
            Err(_) => verdicts.extend(self.record_one_by_one(&rows, now).await?),
        }
        Ok(verdicts)
    }

    /// Returns the valid rows, and the outcomes of the invalid ones.
    pub(super) fn check_rows<'a>(
        &self,
        catalog: &'a Snapshot,
        reported: &'a [Reported],
        now: Instant,
    ) -> (Vec<Row<'a>>, Verdicts) {
        let mut rows = Vec::new();
        let mut verdicts = Verdicts::new();
        let mut seen = BTreeSet::new();
        for (at, one) in reported.iter().enumerate() {
            let Reported { office, result, .. } = one;
            if !seen.insert((&office.source, &result.reference)) {
                verdicts.insert(at, Recorded::Refused(RowRefusal::Repeated));
                continue;
            }
            match self.check_row(catalog, office, result, now) {
                Ok((item, delivery)) => {
                    let mark = one.mark(self.0.store().keys());
                    rows.push(Row { at, office, result, mark, item, delivery });
                }
                Err(refusal) => drop(verdicts.insert(at, Recorded::Refused(refusal))),
            }
        }
        (rows, verdicts)
    }

    pub(super) async fn record_one_by_one(self, rows: &[Row<'_>], now: Instant) -> Result<Verdicts, SaveError> {
        let mut verdicts = Verdicts::new();
        for row in rows {
            match self.record_rows(std::slice::from_ref(row), now).await {
                Ok(recorded) => verdicts.extend(recorded),
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => drop(verdicts.insert(row.at, Recorded::Refused(error.into_store().into()))),
            }
        }
        Ok(verdicts)
    }

    async fn record_rows(&self, rows: &[Row<'_>], now: Instant) -> Result<Verdicts, SaveError> {
        if rows.is_empty() {
            return Ok(Verdicts::new());
        }
        match self.record_at_once(rows, now).await {
            Err(error) if is_raced(&error) => self.record_at_once(rows, now).await,
            recorded => recorded,
        }
    }

    /// Writes rows without an explicit transaction, because a single statement writes all of them.
    async fn record_at_once(&self, rows: &[Row<'_>], now: Instant) -> Result<Verdicts, SaveError> {
        let mut connection = self.0.store().connection().await?;
        let numbers = self.0.numbers.take(&mut connection, beijing_day(now), rows.len()).await?;
        let Written { verdicts, record, offers } = self.write_rows(&mut connection, rows, numbers, now).await?;
        self.0.ring(&record, offers);
        Ok(verdicts)
    }

    /// Looks up all rows with one statement, and writes the new rows with a second statement. If another process writes
    /// one of these rows in between, a constraint refuses the second statement, and nothing is written.
    pub(super) async fn write_rows(
        self,
        conn: &mut Conn,
        rows: &[Row<'_>],
        numbers: Vec<CaseNumber>,
        now: Instant,
    ) -> Result<Written, SaveError> {
        let keys = self.0.store().keys();
        let named: Vec<Named<'_>> = rows.iter().map(|row| row.named(keys)).collect();
        let known = reported::look_up(conn, &named).await?;
        let looked_up = rows.iter().zip(named).zip(known);
        let (taken, new): (Vec<_>, Vec<_>) = looked_up.partition(|(_, known)| known.is_taken);
        let taken: Vec<&Row<'_>> = taken.into_iter().map(|((row, _), _)| row).collect();
        let mut verdicts = compare(conn, keys, &taken).await?;
        let mut record = Record::default();
        let mut strangers = HashMap::new();
        for (((row, named), known), number) in new.into_iter().zip(numbers) {
            let phone = &row.result.applicant.phone;
            let (person, reach) = match known.applicant {
                Some(KnownApplicant { id, is_awaited: false, reach }) => (id, reach),
                // The applicant has not signed in yet. Messages go to the phone that was reported last.
                awaited => {
                    let new = || (fresh(PersonId::from_uuid), Reach::default());
                    let (id, reach) = awaited.map_or_else(new, |awaited| (awaited.id, awaited.reach));
                    // Several rows of a batch may name the same new person, who must be added only once.
                    let (id, last_phone) = strangers.entry(named.applicant).or_insert((id, phone));
                    *last_phone = phone;
                    (*id, Reach { phone: true, ..reach })
                }
            };
            let opened = self.open_decided(&mut record, row, NewOwner { number, person, reach: &reach }, now);
            verdicts.insert(row.at, opened.map_or_else(Recorded::Refused, Recorded::Created));
        }
        for (name, (person, phone)) in strangers {
            record.add_person(&NamedPerson { id: person, name: &name, phone }, keys, now)?;
        }
        if record.is_empty() {
            return Ok(Written { verdicts, record, offers: Vec::new() });
        }
        let offers = self.0.save(conn, &record, now).await?;
        Ok(Written { verdicts, record, offers })
    }

    /// Adds a case that is decided from the start, with the notification, push job and parcel that follow.
    fn open_decided(
        &self,
        record: &mut Record,
        row: &Row<'_>,
        NewOwner { number, person, reach }: NewOwner<'_>,
        now: Instant,
    ) -> Result<VersionedCase, RowRefusal> {
        let office = row.office;
        let result = row.result;
        let agency = row.item.item.agency.clone();
        let acting = Acting { by: Actor::Client(office.client), for_: agency.clone().into() };
        let case = Case {
            id: fresh(CaseId::from_uuid),
            number,
            applicant: person,
            item: row.item.item.code.clone(),
            item_version: row.item.version,
            agency,
            delivery: row.delivery.clone(),
            submitted_at: result.decided_at,
            due_on: None,
            deadlines: None,
            supplement: None,
            state: State::Submitted,
        };
        let taken_over = case.take_over(result.ruling.clone(), acting.by.clone(), result.decided_at);
        let (case, owed) = taken_over.map_err(|_| RowRefusal::Faulty(vec![RowFault::NoReasons]))?;
        let recipient = match &result.delivery {
            NewDelivery::Courier(recipient) => Some(recipient.clone()),
            NewDelivery::Electronic | NewDelivery::Counter(_) => None,
        };
        let keys = self.0.store().keys();
        let place = cases::recipient_of(case.id);
        let sealed = recipient.as_ref().map(|recipient| keys.seal_json(&place, recipient)).transpose()?;
        let opening = Opening {
            source: &office.source,
            source_ref: Some(&result.reference),
            report: Some(&row.mark),
            application: &keys.seal_json(&cases::application_of(case.id), &json!({"form": {}, "materials": []}))?,
            recipient: sealed.as_deref(),
        };
        record.open(&case, &opening)?;
        record.remember(case.id, &acting, Act::TakenOver, history::decision(&case), now);
        let applicant = Applicant { reach, recipient, trace: office.trace.as_deref() };
        self.0.apply(record, CaseOfItem { case: &case, item: &row.item.item }, &owed, &applicant, now)?;
        Ok(VersionedCase { case, version: 1 })
    }

    /// Finds a case by the reference of the back-office system that reported it.
    pub async fn find(self, office: &Reporter, reference: &str) -> Result<VersionedCase, ChangeError> {
        let mut connection = self.0.store().connection().await?;
        let found = cases::id_by_source(&mut connection, &office.source, reference).await?;
        let id = found.ok_or(ChangeError::NotFound)?;
        let case = cases::find(&mut connection, self.0.store().keys(), id, Owner::Source(&office.source)).await?;
        case.ok_or(ChangeError::NotFound)
    }
}

/// Collects the decisions on items that are not published (目录之外不得实施行政审批), for the log of refusals.
pub(super) fn of_unpublished_items<'a>(reported: &'a [Reported], verdicts: &Verdicts) -> Vec<Refused<'a>> {
    let is_refused = |at: &usize| matches!(verdicts.get(at), Some(Recorded::Refused(RowRefusal::ItemNotPublished)));
    let refused = reported.iter().enumerate().filter(|(at, _)| is_refused(at));
    let refused = refused.map(|(_, Reported { office, result, .. })| Refused {
        item: &result.item,
        by: By::Client(office.client),
        reason: NOT_PUBLISHED,
    });
    refused.collect()
}

/// True if another process wrote a row or its applicant after the rows were looked up. A second look-up finds those
/// rows.
pub(super) fn is_raced(error: &SaveError) -> bool {
    matches!(error, SaveError::Store(error) if people::raced(error) || error.violates("cases_source_ref"))
}

/// True if the error concerns all rows, so that it is useless to write them one by one.
pub(super) const fn concerns_all(error: &SaveError) -> bool {
    matches!(error, SaveError::Store(StoreError::Unavailable(_)) | SaveError::NotInForce)
}

/// Returns the outcomes of rows whose references are already in the database.
async fn compare(conn: &mut Conn, keys: &KeyRing, rows: &[&Row<'_>]) -> Result<Verdicts, StoreError> {
    if rows.is_empty() {
        return Ok(Verdicts::new());
    }
    let sources: Vec<&str> = rows.iter().map(|row| row.office.source.as_str()).collect();
    let references: Vec<&str> = rows.iter().map(|row| row.result.reference.as_str()).collect();
    let known = cases::find_by_source(conn, keys, &sources, &references).await?;
    let verdict = |row: &&Row<'_>| {
        let taken = known.get(&(row.office.source.clone(), row.result.reference.clone()))?;
        Some((row.at, again(taken, &row.mark)))
    };
    Ok(rows.iter().filter_map(verdict).collect())
}

fn again(taken: &ReportedCase, report: &ReportMark) -> Recorded {
    match Repetition::of(&taken.mark, report) {
        Repetition::SameRequest => Recorded::Replayed(taken.case.clone()),
        Repetition::SameReport => Recorded::Known(taken.case.clone()),
        Repetition::KeyReused => Recorded::Refused(RowRefusal::Idempotency(IdempotencyError::Mismatch)),
        Repetition::Conflict => Recorded::Refused(RowRefusal::Conflict),
    }
}
