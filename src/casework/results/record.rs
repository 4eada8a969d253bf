//! Records reported decisions: a batch in one statement, a poison row alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::row::says_the_same;
use super::{BackOffice, NewDelivery, NewResult, Recorded, RowRefusal};
use crate::casework::Casework;
use crate::casework::change_case::{ChangeError, SERVE_WITHIN};
use crate::casework::enact::Applicant;
use crate::casework::officers::decide::cause;
use crate::catalog::Snapshot;
use crate::domain::case::{Actor, Case, Delivery, Owed, State};
use crate::domain::case_number::CaseNumber;
use crate::domain::clock::{Instant, beijing_day, fresh};
use crate::domain::identity::MobilePhone;
use crate::domain::ids::{CaseId, PersonId};
use crate::domain::item::ItemVersion;
use crate::domain::reach::Reach;
use crate::store::cases::{self, Owner, Versioned};
use crate::store::record::{Opening, Record};
use crate::store::reported::{self, Known, Named};
use crate::store::{Conn, StoreError};

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

impl<'a> Row<'a> {
    /// What names it: the source, and its reference there.
    fn key(&self) -> (&'a str, &'a str) {
        (&self.office.source, &self.result.reference)
    }

    fn named(&self) -> Named<'a> {
        let (source, reference) = self.key();
        Named { source, reference, applicant: &self.result.applicant }
    }
}

impl Casework {
    /// Records reported decisions, each with a verdict of its own, in the order given.
    ///
    /// # Errors
    /// When the record is unavailable: then nothing was recorded, and the same batch may be sent again.
    pub async fn record_results(&self, reported: &[Reported]) -> Result<Vec<Recorded>, StoreError> {
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
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
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
    ) -> Result<Vec<(usize, Recorded)>, StoreError> {
        let mut verdicts = Vec::new();
        for row in rows {
            match self.record_rows(catalog, std::slice::from_ref(row), now).await {
                Ok(recorded) => verdicts.extend(recorded),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => verdicts.push((row.at, Recorded::Refused(error.into()))),
            }
        }
        Ok(verdicts)
    }

    /// Two statements for all of them: what is known of them, and all that they write. If somebody else writes the same
    /// in between, a rule of the schema is broken, nothing is written, and each is recorded alone.
    async fn record_rows(
        &self,
        catalog: &Snapshot,
        rows: &[Row<'_>],
        now: Instant,
    ) -> Result<Vec<(usize, Recorded)>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.store().connection().await?;
        let named: Vec<Named<'_>> = rows.iter().map(Row::named).collect();
        let known = reported::look_up(&mut connection, self.store().keys(), &named).await?;
        let (old, new): (Vec<_>, Vec<_>) = rows.iter().zip(known).partition(|(_, known)| known.is_case);
        let mut verdicts = compare(&mut connection, old).await?;
        if new.is_empty() {
            return Ok(verdicts);
        }
        let numbers = self.case_numbers(&mut connection, beijing_day(now), new.len()).await?;
        let (mut record, mut newcomers) = (Record::default(), HashMap::new());
        for ((row, known), number) in new.into_iter().zip(numbers) {
            let (person, reach) = match known.applicant {
                Some(applicant) => applicant,
                None => self.enter(&mut record, &mut newcomers, &row.result.applicant.phone, now)?,
            };
            let opened = self.open_decided(&mut record, catalog, row, (number, person, &reach), now);
            verdicts.push((row.at, opened.map_or_else(Recorded::Refused, Recorded::Created)));
        }
        self.save_at_once(&mut connection, &record, now).await?;
        Ok(verdicts)
    }

    /// Enters somebody new, once, however many of their decisions come together.
    fn enter(
        &self,
        record: &mut Record,
        newcomers: &mut HashMap<MobilePhone, PersonId>,
        phone: &MobilePhone,
        now: Instant,
    ) -> Result<(PersonId, Reach), StoreError> {
        let reach = Reach { phone: true, ..Reach::default() };
        if let Some(person) = newcomers.get(phone) {
            return Ok((*person, reach));
        }
        let person = fresh(PersonId::from_uuid);
        record.enter(person, phone, self.store().keys(), now)?;
        newcomers.insert(phone.clone(), person);
        Ok((person, reach))
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
            supplement: None,
            state: State::Submitted,
        };
        let taken_over = case.take_over(result.ruling.clone(), actor.clone(), result.decided_at);
        let (case, owed) = taken_over.map_err(|_| RowRefusal::NoReasons)?;
        let recipient = match &result.delivery {
            NewDelivery::Courier(recipient) => Some(recipient.clone()),
            NewDelivery::Electronic | NewDelivery::Counter(_) => None,
        };
        let serve_by = if owed.iter().any(|owed| matches!(owed, Owed::Parcel(_))) {
            Some(catalog.calendar().add_working_days(beijing_day(now), SERVE_WITHIN)?)
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
        record.remember(case.id, &actor, "taken_over", cause(&result.ruling), now);
        let applicant = Applicant { reach, recipient, serve_by, trace: office.trace.as_deref() };
        self.enact(record, &case, &owed, &applicant, now)?;
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

/// Compares decisions that are cases already with these cases.
async fn compare(conn: &mut Conn, rows: Vec<(&Row<'_>, Known)>) -> Result<Vec<(usize, Recorded)>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (sources, references): (Vec<&str>, Vec<&str>) = rows.iter().map(|(row, _)| row.key()).unzip();
    let cases = cases::find_by_source(conn, &sources, &references).await?;
    let judge = |(row, _): (&Row<'_>, Known)| {
        let (source, reference) = row.key();
        match cases.get(&(source.to_owned(), reference.to_owned())) {
            Some(case) if says_the_same(&case.case, row.result, &row.delivery) => {
                (row.at, Recorded::Known(case.clone()))
            }
            _ => (row.at, Recorded::Refused(RowRefusal::Conflict)),
        }
    };
    Ok(rows.into_iter().map(judge).collect())
}
