//! Records reported decisions: a batch in one transaction, a poison row alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::row::says_the_same;
use super::{BackOffice, NewDelivery, NewResult, Recorded, RowFault, RowRefusal};
use crate::casework::Casework;
use crate::casework::change_case::{ChangeError, SERVE_WITHIN};
use crate::casework::enact::Applicant;
use crate::casework::officers::decide::cause;
use crate::casework::power_list::NOT_PUBLISHED;
use crate::catalog::Snapshot;
use crate::domain::case::{Actor, Case, Delivery, Owed, State};
use crate::domain::case_number::CaseNumber;
use crate::domain::clock::{Instant, beijing_day, fresh};
use crate::domain::ids::{CaseId, PersonId};
use crate::domain::item::ItemVersion;
use crate::domain::reach::Reach;
use crate::store::applicants::{self, KnownAs};
use crate::store::cases::{self, Owner, Versioned};
use crate::store::record::{Opening, Record, SaveError};
use crate::store::refused_applications::{By, Refused};
use crate::store::{StoreError, Tx, reach};

/// A decision as a back-office system reports it.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Which system.
    pub office: BackOffice,
    /// What it reports.
    pub result: NewResult,
}

impl Reported {
    /// What names it: the source, and its reference there.
    pub(super) fn key(&self) -> (String, String) {
        (self.office.source.clone(), self.result.reference.clone())
    }
}

/// A row that passed its checks.
struct Row<'a> {
    at: usize,
    office: &'a BackOffice,
    result: &'a NewResult,
    item: &'a ItemVersion,
    delivery: Delivery,
}

impl Casework {
    /// Records reported decisions, each with a verdict of its own, in the order given.
    ///
    /// # Errors
    /// When the record is unavailable: then nothing was recorded, and the same batch may be sent again.
    pub async fn record_results(&self, reported: &[Reported]) -> Result<Vec<Recorded>, StoreError> {
        let recorded = match self.record_as_published(reported).await {
            Err(SaveError::NotInForce) => {
                self.refresh_catalogue().await?;
                self.record_as_published(reported).await
            }
            recorded => recorded,
        };
        let recorded = recorded.map_err(SaveError::into_store)?;
        let refused = reported.iter().zip(&recorded).filter_map(refused_by_the_list).collect::<Vec<_>>();
        self.keep_refusals(&refused).await?;
        Ok(recorded)
    }

    /// The same by the catalogue in memory. Where the record knows of a newer one, some may have been recorded.
    async fn record_as_published(&self, reported: &[Reported]) -> Result<Vec<Recorded>, SaveError> {
        let catalog = self.catalog().current();
        let now = self.now();
        let mut verdicts: BTreeMap<usize, Recorded> = BTreeMap::new();
        let mut rows = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, Reported { office, result }) in reported.iter().enumerate() {
            if !seen.insert((&office.source, &result.reference)) {
                verdicts.insert(at, Recorded::Refused(RowRefusal::Repeated));
                continue;
            }
            match self.check_row(&catalog, office, result, now) {
                Ok((item, delivery)) => rows.push(Row { at, office, result, item, delivery }),
                Err(refusal) => {
                    verdicts.insert(at, Recorded::Refused(refusal));
                }
            }
        }
        match self.record_rows(&catalog, &rows, now).await {
            Ok(recorded) => verdicts.extend(recorded),
            Err(error @ (SaveError::Store(StoreError::Unavailable(_)) | SaveError::NotInForce)) => return Err(error),
            // Something in one of them cannot be written: each goes alone.
            Err(_) => verdicts.extend(self.record_one_by_one(&catalog, &rows, now).await?),
        }
        Ok(verdicts.into_values().collect())
    }

    async fn record_one_by_one(
        &self,
        catalog: &Snapshot,
        rows: &[Row<'_>],
        now: Instant,
    ) -> Result<Vec<(usize, Recorded)>, SaveError> {
        let mut verdicts = Vec::new();
        for row in rows {
            match self.record_rows(catalog, std::slice::from_ref(row), now).await {
                Ok(recorded) => verdicts.extend(recorded),
                Err(error @ (SaveError::Store(StoreError::Unavailable(_)) | SaveError::NotInForce)) => {
                    return Err(error);
                }
                Err(error) => verdicts.push((row.at, Recorded::Refused(error.into_store().into()))),
            }
        }
        Ok(verdicts)
    }

    async fn record_rows(
        &self,
        catalog: &Snapshot,
        rows: &[Row<'_>],
        now: Instant,
    ) -> Result<Vec<(usize, Recorded)>, SaveError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let first = cases::draw_numbers(&mut *self.store().connection().await?, beijing_day(now), count).await?;
        let mut tx = self.store().begin().await?;
        let known = known(&mut tx, rows).await?;
        let mut verdicts: Vec<(usize, Recorded)> = Vec::new();
        let mut new = Vec::new();
        for row in rows {
            match known.get(&(row.office.source.clone(), row.result.reference.clone())) {
                Some(case) if says_the_same(&case.case, row.result, &row.delivery) => {
                    verdicts.push((row.at, Recorded::Known(case.clone())));
                }
                Some(_) => verdicts.push((row.at, Recorded::Refused(RowRefusal::Conflict))),
                None => new.push(row),
            }
        }
        let (people, reach) = self.applicants(&mut tx, &new, now).await?;
        let mut record = Record::default();
        for ((number, row), person) in (first..).zip(new).zip(people) {
            let number = CaseNumber::new(beijing_day(now), number);
            let reach = reach.get(&person).cloned().unwrap_or_default();
            let opened = self.open_decided(&mut record, catalog, row, (number, person, &reach), now);
            verdicts.push((row.at, opened.map_or_else(Recorded::Refused, Recorded::Created)));
        }
        let offers = self.save(&mut tx, &record, now).await?;
        self.commit(tx, &record, offers).await?;
        Ok(verdicts)
    }

    async fn applicants(
        &self,
        tx: &mut Tx,
        rows: &[&Row<'_>],
        now: Instant,
    ) -> Result<(Vec<PersonId>, BTreeMap<PersonId, Reach>), StoreError> {
        let known_as: Vec<KnownAs> = rows.iter().map(|row| row.result.applicant.clone()).collect();
        let people = applicants::find_or_enter(tx, self.store().keys(), &known_as, now).await?;
        let reach = reach::of(tx, &people).await?;
        Ok((people, reach))
    }

    /// Adds a case that is decided from the start to a record, with all that its decision owes.
    fn open_decided(
        &self,
        record: &mut Record,
        catalog: &Snapshot,
        row: &Row<'_>,
        (number, applicant, reach): (CaseNumber, PersonId, &Reach),
        now: Instant,
    ) -> Result<Versioned, RowRefusal> {
        let (office, result) = (row.office, row.result);
        let actor = Actor::Client(office.client);
        let case = Case {
            id: fresh(CaseId::from_uuid),
            number,
            applicant,
            item: row.item.item.code.clone(),
            item_version: row.item.version,
            agency: row.item.item.agency.clone(),
            delivery: row.delivery.clone(),
            submitted_at: result.decided_at,
            due_on: None,
            deadlines: None,
            supplement: None,
            state: State::Submitted,
        };
        let taken_over = case.take_over(result.ruling.clone(), actor.clone(), result.decided_at);
        let (case, owed) = taken_over.map_err(|_| RowRefusal::Faulty(vec![RowFault::NoReasons]))?;
        let recipient = match &result.delivery {
            NewDelivery::Courier(recipient) => Some(recipient.clone()),
            NewDelivery::Electronic | NewDelivery::Counter(_) => None,
        };
        let serve_by = if owed.iter().any(|owed| matches!(owed, Owed::Parcel(_))) {
            // However late it is told of.
            Some(catalog.calendar().add_working_days(beijing_day(result.decided_at), SERVE_WITHIN)?)
        } else {
            None
        };
        let keys = self.store().keys();
        let sealed = recipient.as_ref().map(|recipient| keys.seal_json("cases.recipient", recipient)).transpose()?;
        let opening = Opening {
            source: &office.source,
            source_ref: Some(&result.reference),
            application: &keys.seal_json("cases.application", &json!({"form": {}, "materials": []}))?,
            recipient: sealed.as_deref(),
        };
        record.open(&case, &opening)?;
        record.remember(case.id, &actor, "taken_over", cause(&case), now);
        let applicant = Applicant { reach, recipient, serve_by, trace: office.trace.as_deref() };
        self.enact(record, (&case, &row.item.item), &owed, &applicant, now)?;
        Ok(Versioned { case, version: 1 })
    }

    /// A case of a back-office system by its own reference.
    ///
    /// # Errors
    /// When the record cannot be read, or there is no such case.
    pub async fn result(&self, office: &BackOffice, reference: &str) -> Result<Versioned, ChangeError> {
        let mut connection = self.store().connection().await?;
        let found = cases::id_by_source(&mut connection, &office.source, reference).await?;
        let id = found.ok_or(ChangeError::NotFound)?;
        let case = cases::find(&mut connection, id, Owner::Source(&office.source)).await?;
        case.ok_or(ChangeError::NotFound)
    }
}

/// A decision on what is not published (目录之外不得实施行政审批).
fn refused_by_the_list<'a>((reported, recorded): (&'a Reported, &Recorded)) -> Option<Refused<'a>> {
    let by = By::Client(reported.office.client);
    matches!(recorded, Recorded::Refused(RowRefusal::ItemNotPublished)).then(|| Refused {
        item: &reported.result.item,
        by,
        reason: NOT_PUBLISHED,
    })
}

/// What is known already under the references of these rows, by source and reference.
async fn known(tx: &mut Tx, rows: &[Row<'_>]) -> Result<HashMap<(String, String), Versioned>, StoreError> {
    let sources: Vec<&str> = rows.iter().map(|row| row.office.source.as_str()).collect();
    let references: Vec<&str> = rows.iter().map(|row| row.result.reference.as_str()).collect();
    cases::find_by_source(tx, &sources, &references).await
}
