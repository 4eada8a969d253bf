//! Reading cases. Changes of cases are written by [`super::record`].

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

/// A case, and the version at which it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedCase {
    pub case: Case,
    /// Counts the changes of the case from 1. It is the strong `ETag` of the case.
    pub version: i64,
}

/// Keyed hashes by which a report of a back-office system is recognised if it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMark {
    /// Hash of everything that the report says.
    pub said: Vec<u8>,
    /// Hash of the report's `Idempotency-Key`, if the report did not come in a batch.
    pub key: Option<Vec<u8>>,
}

/// What belongs to a case's state, stored in a single sealed column.
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

/// The owner of a case. A caller reads only the cases of one owner.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    Applicant(PersonId),
    /// The agencies of a remit.
    Remit(&'a Remit),
    /// The name of a back-office system.
    Source(&'a str),
}

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

/// Reads a case of an owner and locks it until the end of the transaction. The lock is `no key`, so that history rows
/// that refer to the case can be written meanwhile.
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

/// The codes of the agencies of a remit, as a parameter.
fn codes(remit: &Remit) -> Vec<&str> {
    remit.agencies().iter().map(AgencyCode::as_str).collect()
}

/// A case of a back-office system, and the hashes of its report.
pub struct ReportedCase {
    pub case: VersionedCase,
    pub mark: ReportMark,
}

/// Reads cases of back-office systems: `sources[i]` with `references[i]`.
pub async fn find_by_source(
    conn: &mut Conn,
    keys: &KeyRing,
    sources: &[&str],
    references: &[&str],
) -> Result<HashMap<(String, String), ReportedCase>, StoreError> {
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
    let reported = |row: Row| {
        let mark = ReportMark { said: row.report_hash, key: row.report_key_hash };
        Ok(((row.source, row.source_ref), ReportedCase { case: row.case.open(keys)?, mark }))
    };
    rows.into_iter().map(reported).collect()
}

/// The case for which a back-office system uses this reference.
pub async fn id_by_source(conn: &mut Conn, source: &str, reference: &str) -> Result<Option<CaseId>, StoreError> {
    let id: Option<Uuid> = sqlx::query_scalar("select id from cases where source = $1 and source_ref = $2")
        .bind(source)
        .bind(reference)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(CaseId::from_uuid))
}

/// An applicant's cases after a position in the list, the newest first.
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

/// An agency's open cases after a position in the queue, in the order of their due dates. Cases that wait for their
/// applicant come last.
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

/// A page of a queue: of an agency ($1), in one state or in any ($2), after a day and an id ($3, $4), at most $5 rows.
/// Every page, also the first, begins after a position, so that PostgreSQL always finds it by the index
/// `cases_in_queue`.
const QUEUE: &str = concat!(
    "select ",
    columns!(),
    " from cases
      where agency = $1 and state in ('submitted', 'supplement_noticed', 'accepted')
        and state = coalesce($2, state)
        and (coalesce(due_on, 'infinity'::date), id) > (coalesce($3::date, 'infinity'::date), $4::uuid)
      order by coalesce(due_on, 'infinity'::date), id limit $5"
);

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

/// The sealed parts of these cases. A case that does not exist is left out.
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

pub struct SealedParts {
    pub case: CaseId,
    /// Form and materials as submitted.
    pub application: Vec<u8>,
    /// The recipient of a parcel, if the delivery is by courier.
    pub recipient: Option<Vec<u8>>,
}

/// The sealed application of every case of these people, and the sealed answer to its supplement notice. Cases of
/// back-office systems have neither form nor materials, and are left out.
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

#[derive(Debug, FromRow)]
pub struct SealedApplication {
    /// As submitted.
    pub application: Vec<u8>,
    /// The answer to the supplement notice, if there is one.
    pub supplement: Option<Vec<u8>>,
}

/// Draws the next `count` numbers of a day and returns the first of them. Must not run in the transaction that uses the
/// numbers, because every transaction that draws a number waits for this row. A number that is then not used leaves a
/// harmless gap.
///
/// The numbers are on disk when this returns: they may be used much later, and no other process may draw them again.
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

/// Stores the answer to a supplement notice beside the application, which never changes.
pub async fn add_supplement(conn: &mut Conn, id: CaseId, sealed: &[u8], now: Instant) -> Result<(), StoreError> {
    sqlx::query("insert into case_supplements (case_id, sealed, at) values ($1, $2, $3)")
        .bind(id.uuid())
        .bind(sealed)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Changes the recipient of a case's result, for parcels that are added from now on.
pub async fn redirect(conn: &mut Conn, id: CaseId, recipient_sealed: &[u8]) -> Result<(), StoreError> {
    sqlx::query("update cases set recipient_sealed = $2 where id = $1")
        .bind(id.uuid())
        .bind(recipient_sealed)
        .execute(conn)
        .await?;
    Ok(())
}

/// The sealed answer to a case's supplement notice.
pub async fn supplement(conn: &mut Conn, id: CaseId) -> Result<Option<Vec<u8>>, StoreError> {
    let sealed = sqlx::query_scalar("select sealed from case_supplements where case_id = $1")
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(sealed)
}

#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    pub at: Instant,
    /// Class and id of the caller: `officer:ofc_…`.
    pub by: String,
    /// Class and id of the party it acted for: `agency:police`.
    pub for_: String,
    /// The word of the act. A newer release may have stored one that this release does not know.
    pub act: String,
    /// Reasons and particulars; an empty object if there are none.
    pub cause: Value,
}

/// A case's whole history, the oldest entry first.
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
