//! Reads cases. [`super::record`] writes new cases and changes of cases.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::case::number::CaseNumber;
use crate::domain::case::{Case, Delivery, State, Supplement};
use crate::domain::item::due::Deadlines;
use crate::domain::item::{AgencyCode, ItemCode};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::people::remit::Remit;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedCase {
    pub case: Case,
    /// The version number: 1 for a new case, and one more after each change. Clients see it as the strong `ETag` of the
    /// case.
    pub version: i64,
}

/// Keyed hashes of a back-office system's report of a decision. They show whether the same report is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMark {
    /// Hash of the report's content: item, applicant, decision, time and delivery.
    pub said: Vec<u8>,
    /// Hash of the report's `Idempotency-Key`, if the report did not come in a batch.
    pub key: Option<Vec<u8>>,
}

/// The sealed (encrypted) details of a case: the content of the column `cases.detail_sealed`.
#[derive(Serialize, Deserialize)]
pub(super) struct Detail {
    #[serde(flatten)]
    pub state: State,
    pub supplement: Option<Supplement>,
}

#[derive(FromRow)]
struct CaseRow {
    id: CaseId,
    number: CaseNumber,
    person_id: PersonId,
    item_code: ItemCode,
    item_version: i32,
    agency: AgencyCode,
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
        "id, number, person_id, item_code, item_version, agency, detail_sealed, delivery, version, due_on,
         accepted_on, promised_on, legal_on, submitted_at"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("select ", columns!(), " from cases ", $rest)
    };
}

impl CaseRow {
    fn open(self, keys: &KeyRing) -> Result<VersionedCase, StoreError> {
        let detail: Detail = keys.open_json("cases.detail", &self.detail_sealed)?;
        let broken = |_| StoreError::Broken(format!("cases.delivery of {}", self.id));
        let delivery: Delivery = serde_json::from_value(self.delivery).map_err(broken)?;
        let days = self.accepted_on.zip(self.promised_on);
        let deadlines =
            days.map(|(accepted_on, promised_on)| Deadlines { accepted_on, promised_on, legal_on: self.legal_on });
        let case = Case {
            id: self.id,
            number: self.number,
            applicant: self.person_id,
            item: self.item_code,
            item_version: self.item_version,
            agency: self.agency,
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

/// The party whose cases a caller may read.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    Applicant(PersonId),
    /// The agencies whose cases an officer may handle.
    Remit(&'a Remit),
    /// The name of a back-office system.
    Source(&'a str),
}

impl Owner<'_> {
    /// Returns the parameters of `of_owner!`: person, agencies and source. Exactly one of them is `Some`.
    fn columns(&self) -> (Option<PersonId>, Option<&[AgencyCode]>, Option<&str>) {
        match self {
            Self::Applicant(person) => (Some(*person), None, None),
            Self::Remit(remit) => (None, Some(remit.agencies()), None),
            Self::Source(source) => (None, None, Some(source)),
        }
    }
}

/// Selects a case ($1) if it belongs to a person ($2), to one of some agencies ($3) or to a back-office system ($4).
macro_rules! of_owner {
    ($lock:literal) => {
        concat!(
            "select ",
            columns!(),
            " from cases where id = $1 and person_id = coalesce($2, person_id)
              and agency = any(coalesce($3, array[agency])) and source = coalesce($4, source)",
            $lock
        )
    };
}

/// Finds a case. A case of another owner is not found.
pub async fn find(
    conn: &mut Conn,
    keys: &KeyRing,
    id: CaseId,
    owner: Owner<'_>,
) -> Result<Option<VersionedCase>, StoreError> {
    find_by(conn, keys, of_owner!(""), id, owner).await
}

/// Finds a case like [`find`], and locks it until the end of the transaction. The lock is `no key`, so that other
/// transactions can still write history rows that refer to the case.
pub async fn find_for_change(
    conn: &mut Conn,
    keys: &KeyRing,
    id: CaseId,
    owner: Owner<'_>,
) -> Result<Option<VersionedCase>, StoreError> {
    find_by(conn, keys, of_owner!(" for no key update"), id, owner).await
}

async fn find_by(
    conn: &mut Conn,
    keys: &KeyRing,
    sql: &'static str,
    id: CaseId,
    owner: Owner<'_>,
) -> Result<Option<VersionedCase>, StoreError> {
    let (person, agencies, source) = owner.columns();
    let query = sqlx::query_as(sql).bind(id).bind(person).bind(agencies).bind(source);
    let row: Option<CaseRow> = query.fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// A case that a back-office system reported, and the hashes of the report.
pub struct ReportedCase {
    pub case: VersionedCase,
    pub mark: ReportMark,
}

/// Finds reported cases by the name of the back-office system and its reference: `sources[i]` with `references[i]`.
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
    let sql = concat!(
        "select source, source_ref, report_hash, report_key_hash, ",
        columns!(),
        " from cases where (source, source_ref) in (select * from unnest($1::text[], $2::text[]))"
    );
    let rows: Vec<Row> = sqlx::query_as(sql).bind(sources).bind(references).fetch_all(conn).await?;
    let reported = |row: Row| {
        let mark = ReportMark { said: row.report_hash, key: row.report_key_hash };
        Ok(((row.source, row.source_ref), ReportedCase { case: row.case.open(keys)?, mark }))
    };
    rows.into_iter().map(reported).collect()
}

/// Finds the case for which a back-office system uses this reference.
pub async fn id_by_source(conn: &mut Conn, source: &str, reference: &str) -> Result<Option<CaseId>, StoreError> {
    let sql = "select id from cases where source = $1 and source_ref = $2";
    Ok(sqlx::query_scalar(sql).bind(source).bind(reference).fetch_optional(conn).await?)
}

/// Returns an applicant's cases after a position in the list, the newest first.
pub async fn of_applicant(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    after: Option<(Instant, CaseId)>,
    limit: i64,
) -> Result<Vec<VersionedCase>, StoreError> {
    let sql = select!(
        "where person_id = $1 and (submitted_at, id) < (coalesce($2, timestamptz 'infinity'), $3)
         order by submitted_at desc, id desc limit $4"
    );
    let (at, id) = after.map_or((None, Uuid::max()), |(at, id)| (Some(at), id.uuid()));
    let rows: Vec<CaseRow> = sqlx::query_as(sql).bind(person).bind(at).bind(id).bind(limit).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Returns an agency's open cases after a position in the queue, in the order of their due dates. Cases that wait for
/// their applicant have no due date and come last. `state` limits the list to cases in one state.
pub async fn queue(
    conn: &mut Conn,
    keys: &KeyRing,
    agency: &AgencyCode,
    state: Option<&str>,
    after: Option<(Option<NaiveDate>, CaseId)>,
    limit: i64,
) -> Result<Vec<VersionedCase>, StoreError> {
    // Every page, also the first, begins after a position, so that PostgreSQL always uses the index `cases_in_queue`.
    let sql = select!(
        "where agency = $1 and state in ('submitted', 'supplement_noticed', 'accepted')
           and state = coalesce($2, state)
           and (coalesce(due_on, 'infinity'::date), id) > (coalesce($3::date, 'infinity'::date), $4::uuid)
         order by coalesce(due_on, 'infinity'::date), id limit $5"
    );
    let (due_on, id) = after.map_or((NaiveDate::from_yo_opt(1, 1), Uuid::nil()), |(due_on, id)| (due_on, id.uuid()));
    let query = sqlx::query_as(sql).bind(agency).bind(state).bind(due_on).bind(id).bind(limit);
    let rows: Vec<CaseRow> = query.fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Finds a case by its number. A case outside the remit (the officer's agencies) is not found.
pub async fn by_number(
    conn: &mut Conn,
    keys: &KeyRing,
    remit: &Remit,
    number: &CaseNumber,
) -> Result<Option<VersionedCase>, StoreError> {
    let sql = select!("where number = $1 and agency = any($2)");
    let row: Option<CaseRow> = sqlx::query_as(sql).bind(number).bind(remit.agencies()).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// The parts of a case that are sealed (encrypted).
#[derive(FromRow)]
pub struct SealedParts {
    #[sqlx(rename = "id")]
    pub case: CaseId,
    /// Form and materials as submitted.
    pub application: Vec<u8>,
    /// The recipient of a parcel, if the delivery is by courier.
    #[sqlx(rename = "recipient_sealed")]
    pub recipient: Option<Vec<u8>>,
}

/// Returns the sealed parts of these cases without decrypting them. A case that does not exist is left out.
pub async fn sealed_parts(conn: &mut Conn, ids: &[CaseId]) -> Result<Vec<SealedParts>, StoreError> {
    let sql = "select id, application, recipient_sealed from cases where id = any($1)";
    Ok(sqlx::query_as(sql).bind(ids).fetch_all(conn).await?)
}

#[derive(Debug, FromRow)]
pub struct SealedApplication {
    #[sqlx(rename = "id")]
    pub case: CaseId,
    /// Form and materials as submitted.
    pub application: Vec<u8>,
    /// The applicant's answer to the supplement notice (补正告知), if there is one.
    pub supplement: Option<Vec<u8>>,
}

/// Returns the sealed application of every case of these people. Cases that a back-office system reported are left out,
/// because they have neither form nor materials.
pub async fn applications_of(conn: &mut Conn, people: &[PersonId]) -> Result<Vec<SealedApplication>, StoreError> {
    let sql = "select c.id, c.application, s.sealed as supplement
               from cases c left join case_supplements s on s.case_id = c.id
               where c.person_id = any($1) and c.source_ref is null";
    Ok(sqlx::query_as(sql).bind(people).fetch_all(conn).await?)
}

/// Draws the next `count` case numbers of a day and returns the first of them. Must not run in the transaction that
/// uses the numbers: every other transaction that draws numbers of this day waits until the drawing transaction ends. A
/// number that is not used in the end leaves a harmless gap.
///
/// Outside a transaction, the draw is on disk when this function returns. So no process can draw the same numbers
/// again, even if the database crashes before they are used.
pub async fn draw_numbers(conn: &mut Conn, day: NaiveDate, count: u32) -> Result<u32, StoreError> {
    let sql = "insert into case_counters (day, last) values ($1, $2)
               on conflict (day) do update set last = case_counters.last + excluded.last returning last";
    let drawn = i32::try_from(count).unwrap_or(i32::MAX);
    let last: i32 = sqlx::query_scalar(sql).bind(day).bind(drawn).fetch_one(conn).await?;
    Ok(u32::try_from(last).unwrap_or(u32::MAX).saturating_sub(count) + 1)
}

/// Stores the applicant's answer to a supplement notice (补正告知) beside the application. The application itself never
/// changes.
pub async fn add_supplement(conn: &mut Conn, id: CaseId, sealed: &[u8], now: Instant) -> Result<(), StoreError> {
    let sql = "insert into case_supplements (case_id, sealed, at) values ($1, $2, $3)";
    sqlx::query(sql).bind(id).bind(sealed).bind(now).execute(conn).await?;
    Ok(())
}

/// Changes the recipient of a case's result. Parcels that exist already keep their recipient.
pub async fn redirect(conn: &mut Conn, id: CaseId, recipient_sealed: &[u8]) -> Result<(), StoreError> {
    let sql = "update cases set recipient_sealed = $2 where id = $1";
    sqlx::query(sql).bind(id).bind(recipient_sealed).execute(conn).await?;
    Ok(())
}

/// Returns the applicant's sealed (encrypted) answer to the supplement notice (补正告知) of a case.
pub async fn supplement(conn: &mut Conn, id: CaseId) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "select sealed from case_supplements where case_id = $1";
    Ok(sqlx::query_scalar(sql).bind(id).fetch_optional(conn).await?)
}

#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    pub at: Instant,
    /// Class and id of the caller: `officer:ofc_…`.
    pub by: String,
    /// Class and id of the party for which the caller acted: `agency:police`.
    pub for_: String,
    /// The name of the act, as it is stored. A newer release may have stored a name that this release does not know.
    pub act: String,
    /// The reasons and details of the act, as a JSON object.
    pub cause: Value,
}

/// Returns a case's whole history, the oldest entry first.
pub async fn history(conn: &mut Conn, keys: &KeyRing, id: CaseId) -> Result<Vec<HistoryEntry>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        at: Instant,
        actor: String,
        behalf: String,
        act: String,
        cause_sealed: Option<Vec<u8>>,
    }
    let sql = "select at, actor, behalf, act, cause_sealed from case_history where case_id = $1 order by id";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(id).fetch_all(conn).await?;
    let open = |Row { at, actor, behalf, act, cause_sealed }: Row| {
        let cause = match cause_sealed {
            Some(sealed) => keys.open_json("case_history.cause", &sealed)?,
            None => json!({}),
        };
        Ok(HistoryEntry { at, by: actor, for_: behalf, act, cause })
    };
    rows.into_iter().map(open).collect()
}
