//! Hands a record to PostgreSQL.

use serde_json::Value;
use sqlx::Row;
use sqlx::types::Json;
use uuid::Uuid;

use super::Record;
use super::rows::{bytea, json};
use crate::domain::clock::Instant;
use crate::domain::ids::JobId;
use crate::domain::job::{Lane, Offer};
use crate::store::seal::KeyRing;
use crate::store::{Conn, StoreError, idempotency};

/// Why a record was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else changed a case or a draft since it was read, or threw away a file.
    #[error("changed by somebody else in between")]
    Stale,
    /// A case was to be opened on an item that is not in force: the catalogue in memory is not the published one any more.
    #[error("an item that is not in force")]
    NotInForce,
    /// Another request with the same idempotency key was answered since it was looked for.
    #[error("answered by another request with the same key in between")]
    Answered,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SaveError {
    /// The database's error. A record that opens no case, changes neither case nor draft, hands in no file and holds no answer
    /// is never refused otherwise.
    #[must_use]
    pub fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Stale | Self::NotInForce | Self::Answered => {
                StoreError::Broken("a record without cases was refused".to_owned())
            }
        }
    }
}

/// Saves a record, and returns the jobs that are due at once and were not promised before.
///
/// The advisory locks of [`Record::people`] are taken with it (see [`super::changes`]): after those who are new have their
/// names, which whoever proves such a name waits for while it holds nobody ([`super::people::reserve_phone`]), and before
/// anything else is written, so that two records of the same people wait for each other in one order.
///
/// # Errors
/// [`SaveError::Stale`] when a case or a draft is not at the version that it was read at or a file is gone,
/// [`SaveError::NotInForce`] when a case is opened on an item that is not in force, [`SaveError::Answered`] when another
/// answer is kept under the key: then nothing may be committed.
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
        .bind(Json(&record.answers))
        .bind(now - idempotency::KEPT)
        .bind(Json(&record.files))
        .fetch_one(conn)
        .await
        .map_err(|error| refusal(error.into()))?;
    let answered: i64 = row.try_get("answered").map_err(StoreError::from)?;
    if usize::try_from(answered) != Ok(record.answers.len()) {
        return Err(SaveError::Answered);
    }
    let changed: i64 = row.try_get("changed").map_err(StoreError::from)?;
    if usize::try_from(changed) != Ok(record.cases.len() + record.drafts.len() + record.files.len()) {
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
/// What is changed is asked for in a way that leaves PostgreSQL one plan: to look each row up by its id. On an empty table it
/// would do as well to read an index from end to end, which an equality of two tables allows, or another index, and the plan
/// that a connection made then would read everything ever after.
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
    where c.id = any (array[t.id]) and c.version = t.version
    returning c.id
), submitted as (
    update drafts d set submitted_as = t.submitted_as, version = d.version + 1, updated_at = $10
    from jsonb_populate_recordset(null::drafts, $4) t
    where d.id = any (array[t.id]) and d.version = t.version
      and d.person_id is not distinct from t.person_id and num_nulls(d.submitted_as) = 1
    returning d.id
), handed_in as (
    update uploads u set keep_until = null
    from jsonb_populate_recordset(null::uploads, $13) t, held
    where u.id = any (array[t.id]) and u.person_id is not distinct from t.person_id
    returning u.id
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
), answered as (
    insert into idempotent_answers as a (scope, key, fingerprint, status, headers, body_sealed, created_at)
    select scope, key, fingerprint, status, headers, body_sealed, created_at
    from jsonb_populate_recordset(null::idempotent_answers, $11)
    on conflict (scope, key) do update
    set fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers, body = null,
        body_sealed = excluded.body_sealed, created_at = excluded.created_at
    where a.created_at < $12
    returning 1
)
select (select count(*) from saved) + (select count(*) from submitted) + (select count(*) from handed_in) as changed,
       (select count(*) from answered) as answered,
       coalesce(array_agg(id), '{}') as job_ids,
       coalesce(array_agg(lane), '{}') as job_lanes
from promised where offered_at is not null";

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
