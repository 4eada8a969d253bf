//! What one transition wrote, in one statement.
//!
//! A use case gathers the new state of its cases and all that they owe in a [`Record`]; [`save`] hands the whole of
//! it to PostgreSQL as a single statement, for one case or for two hundred. That is one round trip, and nothing
//! can be saved without what it owes.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use sqlx::Row;
use sqlx::types::Json;
use uuid::Uuid;

use super::reported::Name;
use super::{Conn, StoreError};
use crate::domain::case::{Actor, Case};
use crate::domain::clock::{Instant, fresh_uuid};
use crate::domain::identity::MobilePhone;
use crate::domain::ids::{CaseId, DraftId, JobId, ParcelId, PersonId};
use crate::domain::item::AgencyCode;
use crate::domain::job::{Job, Lane, Offer};
use crate::domain::notification::Notification;
use crate::domain::parcel::{Parcel, ParcelState};
use crate::store::cases::ReportMark;
use crate::store::seal::KeyRing;

/// Everything that a transition wrote. Empty parts cost nothing.
#[derive(Default)]
pub struct Record {
    people: Vec<PersonRow>,
    new_cases: Vec<NewCaseRow>,
    cases: Vec<CaseRow>,
    drafts: Vec<DraftRow>,
    history: Vec<HistoryRow>,
    notifications: Vec<NotificationRow>,
    parcels: Vec<ParcelRow>,
    changes: Vec<ChangeRow>,
    jobs: Vec<JobRow>,
}

/// What a client should look at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A case.
    Case,
    /// A notification.
    Notification,
    /// A parcel.
    Parcel,
    /// A draft.
    Draft,
}

impl ChangeKind {
    /// As stored and as clients read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Notification => "notification",
            Self::Parcel => "parcel",
            Self::Draft => "draft",
        }
    }
}

/// Why a record was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else changed a case or a draft since it was read.
    #[error("changed by somebody else in between")]
    Stale,
    /// A case was to be opened on an item that is not in force: the catalogue in memory is not the published one any more.
    #[error("an item that is not in force")]
    NotInForce,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SaveError {
    /// The database's error. A record that opens no case, and changes neither case nor draft, is never refused otherwise.
    #[must_use]
    pub fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Stale | Self::NotInForce => StoreError::Broken("a record without cases was refused".to_owned()),
        }
    }
}

/// The sealed and foreign parts that a case is opened with.
pub struct Opening<'a> {
    /// `mobile`, or the back-office system that owns the case.
    pub source: &'a str,
    /// Its reference there.
    pub source_ref: Option<&'a str>,
    /// What its report is known by.
    pub report: Option<&'a ReportMark>,
    /// The sealed application.
    pub application: &'a [u8],
    /// The sealed recipient, where the delivery is by courier.
    pub recipient: Option<&'a [u8]>,
}

impl Record {
    /// Enters somebody whom nobody knew, by what they were named by. Of somebody who is awaited under a resident ID, it
    /// changes the phone at which they are told until they come.
    ///
    /// # Errors
    /// When the phone cannot be sealed.
    pub fn enter(
        &mut self,
        id: PersonId,
        (name, phone): (&Name, &MobilePhone),
        keys: &KeyRing,
        now: Instant,
    ) -> Result<(), StoreError> {
        self.people.push(PersonRow {
            id: id.uuid(),
            phone_hash: name.phone().map(bytea),
            resident_id_hash: name.resident_id().map(bytea),
            phone_sealed: bytea(&keys.seal("people.phone", phone.expose().as_bytes())?),
            created_at: now,
        });
        Ok(())
    }

    /// Opens a case.
    ///
    /// # Errors
    /// When the case has no JSON form.
    pub fn open(&mut self, case: &Case, opening: &Opening<'_>) -> Result<(), StoreError> {
        self.new_cases.push(NewCaseRow {
            id: case.id.uuid(),
            number: case.number.as_str().to_owned(),
            person_id: case.applicant.uuid(),
            item_code: case.item.as_str().to_owned(),
            item_version: case.item_version,
            agency: case.agency.as_str().to_owned(),
            source: opening.source.to_owned(),
            source_ref: opening.source_ref.map(str::to_owned),
            report_hash: opening.report.map(|report| bytea(&report.said)),
            report_key_hash: opening.report.and_then(|report| report.key.as_deref()).map(bytea),
            state: case.state.as_str(),
            detail: detail(case)?,
            delivery: json("cases.delivery", &case.delivery)?,
            application: bytea(opening.application),
            recipient_sealed: opening.recipient.map(bytea),
            version: 1,
            due_on: case.due_on,
            submitted_at: case.submitted_at,
            updated_at: case.submitted_at,
        });
        self.change(case.applicant, ChangeKind::Case, case.id);
        Ok(())
    }

    /// Changes a case that was read at a version.
    ///
    /// # Errors
    /// When the case has no JSON form.
    pub fn change_case(&mut self, case: &Case, read_at_version: i64, now: Instant) -> Result<(), StoreError> {
        self.cases.push(CaseRow {
            id: case.id.uuid(),
            state: case.state.as_str(),
            detail: detail(case)?,
            due_on: case.due_on,
            accepted_on: case.deadlines.map(|deadlines| deadlines.accepted_on),
            promised_on: case.deadlines.map(|deadlines| deadlines.promised_on),
            legal_on: case.deadlines.and_then(|deadlines| deadlines.legal_on),
            version: read_at_version,
            updated_at: now,
        });
        self.change(case.applicant, ChangeKind::Case, case.id);
        Ok(())
    }

    /// Marks a draft that was read at a version as the case that it became.
    pub fn submit_draft(&mut self, draft: DraftId, read_at_version: i64, case: &Case) {
        self.drafts.push(DraftRow {
            id: draft.uuid(),
            person_id: case.applicant.uuid(),
            version: read_at_version,
            submitted_as: case.id.uuid(),
        });
        self.change(case.applicant, ChangeKind::Draft, draft);
    }

    /// Adds to a case's history: who did what, when, and why.
    pub fn remember(&mut self, case: CaseId, actor: &Actor, act: &'static str, cause: Value, now: Instant) {
        self.history.push(HistoryRow {
            id: fresh_uuid(),
            case_id: case.uuid(),
            at: now,
            actor: actor.to_string(),
            act,
            cause,
        });
    }

    /// Puts a notification into the inbox.
    pub fn notify(&mut self, notification: &Notification) {
        self.notifications.push(NotificationRow {
            id: notification.id.uuid(),
            person_id: notification.person.uuid(),
            case_id: notification.case.uuid(),
            case_number: notification.case_number.as_str().to_owned(),
            event: notification.event.as_str(),
            parcel_id: notification.parcel.map(ParcelId::uuid),
            item_zh: notification.item.zh.clone(),
            item_en: notification.item.en.clone(),
            created_at: notification.created_at,
        });
        self.change(notification.person, ChangeKind::Notification, notification.id);
    }

    /// Promises a parcel, of whose case the agency looks after it.
    ///
    /// # Errors
    /// When the recipient cannot be sealed.
    pub fn send(
        &mut self,
        parcel: &Parcel,
        agency: &AgencyCode,
        serve_by: Option<NaiveDate>,
        keys: &KeyRing,
    ) -> Result<(), StoreError> {
        self.parcels.push(ParcelRow {
            id: parcel.id.uuid(),
            person_id: parcel.person.uuid(),
            case_id: parcel.case.uuid(),
            agency: agency.as_str().to_owned(),
            carrier: parcel.carrier.as_str().to_owned(),
            order_no: parcel.order_no.as_str().to_owned(),
            round: i32::try_from(parcel.round).unwrap_or(i32::MAX),
            state: ParcelState::Pending.as_str(),
            recipient_sealed: bytea(&keys.seal_json("parcels.recipient", &parcel.recipient)?),
            serve_by,
            created_at: parcel.created_at,
        });
        self.change(parcel.person, ChangeKind::Parcel, parcel.id);
        Ok(())
    }

    /// Tells a person's clients to look at something again.
    pub fn change(&mut self, person: PersonId, kind: ChangeKind, subject: impl ToString) {
        self.changes.push(ChangeRow { person_id: person.uuid(), kind: kind.as_str(), subject: subject.to_string() });
    }

    /// Promises a job.
    ///
    /// # Errors
    /// When the work has no JSON form.
    pub fn promise(&mut self, job: &Job, trace: Option<&str>) -> Result<(), StoreError> {
        self.jobs.push(JobRow {
            id: fresh_uuid(),
            lane: job.work.lane().as_str().to_owned(),
            kind: job.work.kind(),
            key: job.work.key(),
            payload: json("jobs.payload", &job.work)?,
            delay_ms: i64::try_from(job.delay.as_millis()).unwrap_or(i64::MAX),
            trace: trace.map(str::to_owned),
        });
        Ok(())
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.people.is_empty()
            && self.new_cases.is_empty()
            && self.cases.is_empty()
            && self.drafts.is_empty()
            && self.history.is_empty()
            && self.notifications.is_empty()
            && self.parcels.is_empty()
            && self.changes.is_empty()
            && self.jobs.is_empty()
    }

    /// The people whose clients will be told.
    pub fn people(&self) -> impl Iterator<Item = PersonId> {
        self.changes.iter().map(|change| PersonId::from_uuid(change.person_id))
    }
}

/// Saves a record, and returns the jobs that are due at once and were not promised before.
///
/// The advisory locks of [`Record::people`] are taken with it (see [`super::changes`]): after those who are new have their
/// names, which whoever proves such a name waits for while it holds nobody ([`super::people::reserve_phone`]), and before
/// anything else is written, so that two records of the same people wait for each other in one order.
///
/// # Errors
/// [`SaveError::Stale`] when a case or a draft is not at the version that it was read at, [`SaveError::NotInForce`] when a
/// case is opened on an item that is not in force: then nothing may be committed.
pub async fn save(conn: &mut Conn, keys: &KeyRing, record: &Record, now: Instant) -> Result<Vec<Offer>, SaveError> {
    let row = sqlx::query(SAVE)
        .bind(Json(&record.people))
        .bind(sealed(keys, "cases.detail", json("cases", &record.new_cases)?)?)
        .bind(sealed(keys, "cases.detail", json("cases", &record.cases)?)?)
        .bind(Json(&record.drafts))
        .bind(sealed(keys, "case_history.cause", json("case_history", &record.history)?)?)
        .bind(Json(&record.notifications))
        .bind(Json(&record.parcels))
        .bind(Json(&record.changes))
        .bind(Json(&record.jobs))
        .bind(now)
        .fetch_one(conn)
        .await
        .map_err(|error| refusal(error.into()))?;
    let changed: i64 = row.try_get("changed").map_err(StoreError::from)?;
    if usize::try_from(changed) != Ok(record.cases.len() + record.drafts.len()) {
        return Err(SaveError::Stale);
    }
    let jobs: Vec<Uuid> = row.try_get("job_ids").map_err(StoreError::from)?;
    let lanes: Vec<String> = row.try_get("job_lanes").map_err(StoreError::from)?;
    let offer = |(job, lane)| Offer { job: JobId::from_uuid(job), lane: Lane::from_stored(lane) };
    Ok(jobs.into_iter().zip(lanes).map(offer).collect())
}

fn refusal(error: StoreError) -> SaveError {
    if error.broke("cases_in_force") { SaveError::NotInForce } else { error.into() }
}

/// A job that is due at once counts as offered: its process rings the bell after the commit, and the sweeper notices
/// when it could not.
///
/// A draft is found by its id, and that nobody submitted it is asked in a way that no index answers. On an empty table the
/// index of open drafts would do as well, and the plan that a connection made then would read all of them ever after.
const SAVE: &str = r"
with entered as (
    insert into people as p (id, phone_hash, resident_id_hash, phone_sealed, created_at)
    select id, phone_hash, resident_id_hash, phone_sealed, created_at
    from jsonb_populate_recordset(null::people, $1) order by phone_hash, resident_id_hash
    on conflict (resident_id_hash) do update set phone_sealed = excluded.phone_sealed
    where p.signed_in_at is null and p.phone_hash is null
    returning p.id
), held as materialized (
    select count(pg_advisory_xact_lock(hashtextextended(person_id::text, 0))) as people
    from (select distinct person_id from jsonb_populate_recordset(null::changes, $8), (select count(*) from entered) before
          order by person_id) concerned
), opened as (
    insert into cases (id, number, person_id, item_code, item_version, agency, source, source_ref, report_hash,
                       report_key_hash, state, detail_sealed, delivery, application, recipient_sealed, version,
                       due_on, submitted_at, updated_at)
    select id, number, person_id, item_code, item_version, agency, source, source_ref, report_hash,
           report_key_hash, state, detail_sealed, delivery, application, recipient_sealed, version,
           due_on, submitted_at, updated_at
    from jsonb_populate_recordset(null::cases, $2), held
), saved as (
    update cases c
    set state = t.state, detail = null, detail_sealed = t.detail_sealed, due_on = t.due_on, accepted_on = t.accepted_on,
        promised_on = t.promised_on, legal_on = t.legal_on, updated_at = t.updated_at, version = c.version + 1
    from jsonb_populate_recordset(null::cases, $3) t
    where c.id = t.id and c.version = t.version
    returning c.id
), submitted as (
    update drafts d set submitted_as = t.submitted_as, version = d.version + 1, updated_at = $10
    from jsonb_populate_recordset(null::drafts, $4) t
    where d.id = t.id and d.person_id = t.person_id and d.version = t.version and num_nulls(d.submitted_as) = 1
    returning d.id
), remembered as (
    insert into case_history (id, case_id, at, actor, act, cause_sealed)
    select id, case_id, at, actor, act, cause_sealed from jsonb_populate_recordset(null::case_history, $5)
), notified as (
    insert into notifications (id, person_id, case_id, case_number, event, parcel_id, item_zh, item_en, created_at)
    select id, person_id, case_id, case_number, event, parcel_id, item_zh, item_en, created_at
    from jsonb_populate_recordset(null::notifications, $6)
), sent as (
    insert into parcels (id, person_id, case_id, agency, carrier, order_no, round, state, recipient_sealed, serve_by,
                         created_at, updated_at)
    select id, person_id, case_id, agency, carrier, order_no, round, state, recipient_sealed, serve_by,
           created_at, created_at
    from jsonb_populate_recordset(null::parcels, $7)
), changed as (
    insert into changes (person_id, kind, subject, at)
    select person_id, kind, subject, $10 from jsonb_populate_recordset(null::changes, $8), held
), promised as (
    insert into jobs (id, lane, kind, key, payload, due_at, offered_at, trace, created_at)
    select id, lane, kind, key, payload, now() + delay_ms * interval '1 millisecond',
           case when delay_ms = 0 then now() end, trace, now()
    from jsonb_to_recordset($9)
         as t (id uuid, lane text, kind text, key text, payload jsonb, delay_ms bigint, trace text)
    on conflict on constraint jobs_key do nothing
    returning id, lane, offered_at
)
select (select count(*) from saved) + (select count(*) from submitted) as changed,
       coalesce(array_agg(id), '{}') as job_ids,
       coalesce(array_agg(lane), '{}') as job_lanes
from promised where offered_at is not null";

#[derive(Serialize)]
struct PersonRow {
    id: Uuid,
    phone_hash: Option<String>,
    resident_id_hash: Option<String>,
    phone_sealed: String,
    created_at: Instant,
}

#[derive(Serialize)]
struct DraftRow {
    id: Uuid,
    person_id: Uuid,
    version: i64,
    submitted_as: Uuid,
}

#[derive(Serialize)]
struct NewCaseRow {
    id: Uuid,
    number: String,
    person_id: Uuid,
    item_code: String,
    item_version: i32,
    agency: String,
    source: String,
    source_ref: Option<String>,
    report_hash: Option<String>,
    report_key_hash: Option<String>,
    state: &'static str,
    detail: Value,
    delivery: Value,
    application: String,
    recipient_sealed: Option<String>,
    version: i64,
    due_on: Option<NaiveDate>,
    submitted_at: Instant,
    updated_at: Instant,
}

#[derive(Serialize)]
struct CaseRow {
    id: Uuid,
    state: &'static str,
    detail: Value,
    due_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    promised_on: Option<NaiveDate>,
    legal_on: Option<NaiveDate>,
    version: i64,
    updated_at: Instant,
}

#[derive(Serialize)]
struct HistoryRow {
    id: Uuid,
    case_id: Uuid,
    at: Instant,
    actor: String,
    act: &'static str,
    cause: Value,
}

#[derive(Serialize)]
struct NotificationRow {
    id: Uuid,
    person_id: Uuid,
    case_id: Uuid,
    case_number: String,
    event: &'static str,
    parcel_id: Option<Uuid>,
    item_zh: String,
    item_en: String,
    created_at: Instant,
}

#[derive(Serialize)]
struct ParcelRow {
    id: Uuid,
    person_id: Uuid,
    case_id: Uuid,
    agency: String,
    carrier: String,
    order_no: String,
    round: i32,
    state: &'static str,
    recipient_sealed: String,
    serve_by: Option<NaiveDate>,
    created_at: Instant,
}

#[derive(Serialize)]
struct ChangeRow {
    person_id: Uuid,
    kind: &'static str,
    subject: String,
}

#[derive(Serialize)]
struct JobRow {
    id: Uuid,
    lane: String,
    kind: &'static str,
    key: String,
    payload: Value,
    delay_ms: i64,
    trace: Option<String>,
}

fn detail(case: &Case) -> Result<Value, StoreError> {
    json("cases.detail", &super::cases::Detail { state: case.state.clone(), supplement: case.supplement.clone() })
}

fn json<T: Serialize>(place: &str, value: &T) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Broken(format!("{place}: {error}")))
}

/// Rows as they are written: what stands at `table.member` goes into the column `member_sealed`, unless it says nothing.
fn sealed(keys: &KeyRing, place: &str, mut rows: Value) -> Result<Value, StoreError> {
    let member = place.rsplit('.').next().unwrap_or(place);
    for row in rows.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        match row.remove(member) {
            Some(Value::Object(said)) if said.is_empty() => {}
            Some(said) => drop(row.insert(format!("{member}_sealed"), bytea(&keys.seal_json(place, &said)?).into())),
            None => {}
        }
    }
    Ok(rows)
}

/// PostgreSQL's text form of bytes.
fn bytea(bytes: &[u8]) -> String {
    format!("\\x{}", hex::encode(bytes))
}
