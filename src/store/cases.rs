//! Cases as PostgreSQL keeps them. Their changes are written by [`super::record`].

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::case::number::CaseNumber;
use crate::domain::case::{Case, Delivery, State, Supplement};
use crate::domain::item::due::Deadlines;
use crate::domain::item::{AgencyCode, ItemCode};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::people::remit::Remit;

/// A case and the version it was read at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedCase {
    /// The case.
    pub case: Case,
    /// Counts its changes from 1; the strong `ETag` of the case.
    pub version: i64,
}

/// What a report of another system is known by when it comes again: keyed hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMark {
    /// Of all that it said.
    pub said: Vec<u8>,
    /// Of the `Idempotency-Key` that it came with, if it came alone.
    pub key: Option<Vec<u8>>,
}

/// What belongs to a case's state, as stored in one column.
#[derive(Serialize, Deserialize)]
pub(super) struct Detail {
    #[serde(flatten)]
    pub state: State,
    pub supplement: Option<Supplement>,
}

#[derive(FromRow)]
struct CaseRow {
    id: Uuid,
    number: String,
    person_id: Uuid,
    item_code: String,
    item_version: i32,
    agency: String,
    detail_sealed: Vec<u8>,
    delivery: Value,
    version: i64,
    due_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    promised_on: Option<NaiveDate>,
    legal_on: Option<NaiveDate>,
    submitted_at: Instant,
}

macro_rules! columns {
    () => {
        "id, number, person_id, item_code, item_version, agency, detail_sealed, delivery, version, due_on, accepted_on, promised_on, legal_on, submitted_at"
    };
}

impl CaseRow {
    fn open(self, keys: &KeyRing) -> Result<VersionedCase, StoreError> {
        let broken = |column: &str| StoreError::Broken(format!("cases.{column} of {}", CaseId::from_uuid(self.id)));
        let detail: Detail = keys.open_json("cases.detail", &self.detail_sealed)?;
        let delivery: Delivery = serde_json::from_value(self.delivery).map_err(|_| broken("delivery"))?;
        let days = self.accepted_on.zip(self.promised_on);
        let deadlines =
            days.map(|(accepted_on, promised_on)| Deadlines { accepted_on, promised_on, legal_on: self.legal_on });
        let case = Case {
            id: CaseId::from_uuid(self.id),
            number: CaseNumber::from_stored(self.number),
            applicant: PersonId::from_uuid(self.person_id),
            item: ItemCode::new(self.item_code),
            item_version: self.item_version,
            agency: AgencyCode::new(self.agency),
            delivery,
            submitted_at: self.submitted_at,
            due_on: self.due_on,
            deadlines,
            supplement: detail.supplement,
            state: detail.state,
        };
        Ok(VersionedCase { case, version: self.version })
    }
}

/// Whose case is meant: everybody reads only their own.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    /// The applicant's.
    Applicant(PersonId),
    /// An agency's of this remit.
    Remit(&'a Remit),
    /// A back-office system's.
    Source(&'a str),
}

/// Reads one case of an owner.
///
/// # Errors
/// When the database is unavailable or holds something unreadable.
pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    id: CaseId,
    owner: Owner<'_>,
) -> Result<Option<VersionedCase>, StoreError> {
    let (person, agency, source) = owner.columns();
    let row: Option<CaseRow> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from cases where id = $1 and person_id = coalesce($2, person_id)
          and agency = any(coalesce($3, array[agency]))          and source = coalesce($4, source)"
    ))
    .bind(id.uuid())
    .bind(person)
    .bind(agency)
    .bind(source)
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Reads one case of an owner and locks it until the end of the transaction. (`no key`: history rows that refer to
/// the case may be written beside it.)
///
/// # Errors
/// As [`find`].
pub async fn find_for_change(
    conn: &mut Conn,
    keys: &KeyRing,
    id: CaseId,
    owner: Owner<'_>,
) -> Result<Option<VersionedCase>, StoreError> {
    let (person, agency, source) = owner.columns();
    let row: Option<CaseRow> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from cases where id = $1 and person_id = coalesce($2, person_id)
          and agency = any(coalesce($3, array[agency]))          and source = coalesce($4, source) for no key update"
    ))
    .bind(id.uuid())
    .bind(person)
    .bind(agency)
    .bind(source)
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(keys)).transpose()
}

impl Owner<'_> {
    fn columns(&self) -> (Option<Uuid>, Option<Vec<&str>>, Option<&str>) {
        match self {
            Self::Applicant(person) => (Some(person.uuid()), None, None),
            Self::Remit(remit) => (None, Some(codes(remit)), None),
            Self::Source(source) => (None, None, Some(source)),
        }
    }
}

/// The codes of a remit's agencies, as a parameter.
fn codes(remit: &Remit) -> Vec<&str> {
    remit.agencies().iter().map(AgencyCode::as_str).collect()
}

/// A case of another system, and what its report is known by.
pub type Taken = (VersionedCase, ReportMark);

/// Reads cases of back-office systems by source and reference, pair by pair.
///
/// # Errors
/// As [`find`].
pub async fn find_by_source(
    conn: &mut Conn,
    keys: &KeyRing,
    sources: &[&str],
    references: &[&str],
) -> Result<HashMap<(String, String), Taken>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        source: String,
        source_ref: String,
        report_hash: Vec<u8>,
        report_key_hash: Option<Vec<u8>>,
        #[sqlx(flatten)]
        case: CaseRow,
    }
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select source, source_ref, report_hash, report_key_hash, ",
        columns!(),
        " from cases where (source, source_ref) in (select * from unnest($1::text[], $2::text[]))"
    ))
    .bind(sources)
    .bind(references)
    .fetch_all(conn)
    .await?;
    let taken = |row: Row| {
        let mark = ReportMark { said: row.report_hash, key: row.report_key_hash };
        Ok(((row.source, row.source_ref), (row.case.open(keys)?, mark)))
    };
    rows.into_iter().map(taken).collect()
}

/// The case that a back-office system knows by a reference.
///
/// # Errors
/// When the database is unavailable.
pub async fn id_by_source(conn: &mut Conn, source: &str, reference: &str) -> Result<Option<CaseId>, StoreError> {
    let id: Option<Uuid> = sqlx::query_scalar("select id from cases where source = $1 and source_ref = $2")
        .bind(source)
        .bind(reference)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(CaseId::from_uuid))
}

/// An applicant's cases, the newest first, after a place in the list.
///
/// # Errors
/// As [`find`].
pub async fn of_applicant(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    after: Option<(Instant, CaseId)>,
    limit: i64,
) -> Result<Vec<VersionedCase>, StoreError> {
    let rows: Vec<CaseRow> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from cases where person_id = $1 and (submitted_at, id) < (coalesce($2, timestamptz 'infinity'), $3)
          order by submitted_at desc, id desc limit $4"
    ))
    .bind(person.uuid())
    .bind(after.map(|(at, _)| at))
    .bind(after.map_or(Uuid::max(), |(_, id)| id.uuid()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// An agency's open cases by due date (those that wait for their applicant last), after a place in the queue.
///
/// # Errors
/// As [`find`].
pub async fn queue(
    conn: &mut Conn,
    keys: &KeyRing,
    agency: &AgencyCode,
    state: Option<&str>,
    after: Option<(Option<NaiveDate>, CaseId)>,
    limit: i64,
) -> Result<Vec<VersionedCase>, StoreError> {
    let (due_on, id) = after.map_or((NaiveDate::from_yo_opt(1, 1), Uuid::nil()), |(due_on, id)| (due_on, id.uuid()));
    let rows: Vec<CaseRow> = sqlx::query_as(QUEUE)
        .bind(agency.as_str())
        .bind(state)
        .bind(due_on)
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// A page of a queue: of an agency ($1), in one state or any ($2), after a day and an id ($3, $4), so many at most ($5).
/// Every page has a place that it comes after, the first one a place before all others, so that the index
/// `cases_in_queue` leads to it.
const QUEUE: &str = concat!(
    "select ",
    columns!(),
    " from cases
      where agency = $1 and state in ('submitted', 'supplement_noticed', 'accepted')
        and state = coalesce($2, state)
        and (coalesce(due_on, 'infinity'::date), id) > (coalesce($3::date, 'infinity'::date), $4::uuid)
      order by coalesce(due_on, 'infinity'::date), id limit $5"
);

/// One case of a remit by its number.
///
/// # Errors
/// As [`find`].
pub async fn by_number(
    conn: &mut Conn,
    keys: &KeyRing,
    remit: &Remit,
    number: &CaseNumber,
) -> Result<Option<VersionedCase>, StoreError> {
    let row: Option<CaseRow> =
        sqlx::query_as(concat!("select ", columns!(), " from cases where number = $1 and agency = any($2)"))
            .bind(number.as_str())
            .bind(codes(remit))
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// The sealed parts of a case: the application, and the recipient of a parcel.
///
/// # Errors
/// When the database is unavailable, or the case is not there.
pub async fn sealed_parts(conn: &mut Conn, ids: &[CaseId]) -> Result<Vec<SealedParts>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        id: Uuid,
        application: Vec<u8>,
        recipient_sealed: Option<Vec<u8>>,
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as("select id, application, recipient_sealed from cases where id = any($1)")
        .bind(ids)
        .fetch_all(conn)
        .await?;
    let part = |row: Row| SealedParts {
        case: CaseId::from_uuid(row.id),
        application: row.application,
        recipient: row.recipient_sealed,
    };
    Ok(rows.into_iter().map(part).collect())
}

/// The sealed parts of a case.
pub struct SealedParts {
    /// Whose.
    pub case: CaseId,
    /// Form and materials, as submitted.
    pub application: Vec<u8>,
    /// The recipient, where the delivery is by courier.
    pub recipient: Option<Vec<u8>>,
}

/// What people handed in: the sealed application of each of their cases, and the sealed answer to its supplement notice.
/// Cases of back-office systems hold none.
///
/// # Errors
/// When the database is unavailable.
pub async fn applications_of(conn: &mut Conn, people: &[PersonId]) -> Result<Vec<SealedApplication>, StoreError> {
    let people: Vec<Uuid> = people.iter().map(|id| id.uuid()).collect();
    let sealed = sqlx::query_as(
        "select c.application, s.sealed as supplement from cases c left join case_supplements s on s.case_id = c.id
         where c.person_id = any($1) and c.source_ref is null",
    )
    .bind(people)
    .fetch_all(conn)
    .await?;
    Ok(sealed)
}

/// What was handed in with a case.
#[derive(Debug, FromRow)]
pub struct SealedApplication {
    /// When it was submitted.
    pub application: Vec<u8>,
    /// After a supplement notice.
    pub supplement: Option<Vec<u8>>,
}

/// Draws the next numbers of a day: the first of `count` in a row. Never within the transaction that uses
/// them: everybody who opens a case waits for this row. A number that is then not used leaves a gap, which harms nobody.
///
/// They are on the disk when they are told, because they may be used long after: no other process may draw them again.
///
/// # Errors
/// When the database is unavailable.
pub async fn draw_numbers(conn: &mut Conn, day: NaiveDate, count: u32) -> Result<u32, StoreError> {
    let last: i32 = sqlx::query_scalar(
        "insert into case_counters (day, last) values ($1, $2)
         on conflict (day) do update set last = case_counters.last + excluded.last returning last",
    )
    .bind(day)
    .bind(i32::try_from(count).unwrap_or(i32::MAX))
    .fetch_one(conn)
    .await?;
    Ok(u32::try_from(last).unwrap_or(u32::MAX).saturating_sub(count) + 1)
}

/// Keeps an applicant's answer to a supplement notice beside the application, which itself never changes.
///
/// # Errors
/// When the database is unavailable.
pub async fn add_supplement(conn: &mut Conn, id: CaseId, sealed: &[u8], now: Instant) -> Result<(), StoreError> {
    sqlx::query("insert into case_supplements (case_id, sealed, at) values ($1, $2, $3)")
        .bind(id.uuid())
        .bind(sealed)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Changes to whom and where the result of a case goes: a parcel that is promised from now on goes there.
///
/// # Errors
/// When the database is unavailable.
pub async fn redirect(conn: &mut Conn, id: CaseId, recipient_sealed: &[u8]) -> Result<(), StoreError> {
    sqlx::query("update cases set recipient_sealed = $2 where id = $1")
        .bind(id.uuid())
        .bind(recipient_sealed)
        .execute(conn)
        .await?;
    Ok(())
}

/// An applicant's sealed answer to a supplement notice, if there is one.
///
/// # Errors
/// When the database is unavailable.
pub async fn supplement(conn: &mut Conn, id: CaseId) -> Result<Option<Vec<u8>>, StoreError> {
    let sealed = sqlx::query_scalar("select sealed from case_supplements where case_id = $1")
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(sealed)
}

/// One entry of a case's history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// When.
    pub at: Instant,
    /// Who acted: `officer:ofc_…`.
    pub by: String,
    /// For whom: `agency:police`.
    pub for_: String,
    /// The word of the act. A newer release may have stored one that this release does not know.
    pub act: String,
    /// Why, and with what.
    pub cause: Value,
}

/// A case's whole history, oldest first.
///
/// # Errors
/// When the database is unavailable or holds something unreadable.
pub async fn history(conn: &mut Conn, keys: &KeyRing, id: CaseId) -> Result<Vec<HistoryEntry>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        at: Instant,
        actor: String,
        behalf: String,
        act: String,
        cause_sealed: Option<Vec<u8>>,
    }
    let rows: Vec<Row> =
        sqlx::query_as("select at, actor, behalf, act, cause_sealed from case_history where case_id = $1 order by id")
            .bind(id.uuid())
            .fetch_all(conn)
            .await?;
    let open = |Row { at, actor, behalf, act, cause_sealed }: Row| {
        let cause = match cause_sealed {
            Some(sealed) => keys.open_json("case_history.cause", &sealed)?,
            None => json!({}),
        };
        Ok(HistoryEntry { at, by: actor, for_: behalf, act, cause })
    };
    rows.into_iter().map(open).collect()
}
