//! The parts of the statement that saves a record. `$rows` stands for the rows of a part, `$1` for now, and `$2` for
//! the instant before which stored answers count as forgotten.
//!
//! The conditions of updates are written so that PostgreSQL has only one plan: to look each row up by its id. With a
//! plain equality of two tables, a plan made on an empty table could read an index from end to end, or use another
//! index, and the connection would use that plan ever after.

/// Result of a part for a row that was at the version that was read, and is changed now.
pub const UPDATED: &str = "updated";
/// Result of a part for a new job that is due at once.
pub const OFFERED: &str = "offered";
/// Result of a part for an answer that is stored now.
pub const ANSWERED: &str = "answered";

/// A part of the statement, and its results.
pub struct Part {
    /// A `with` clause without the keyword and the separator.
    pub sql: &'static str,
    /// Selects `about`, `id` and `lane` of its results. `None` if its rows cannot be refused.
    pub results: Option<&'static str>,
}

/// Takes the advisory locks of the people whose clients follow the changes, and adds the changes to their logs.
/// `$after` stands for the part that must run before.
pub const HELD: &str = "
held as materialized (
    select count(pg_advisory_xact_lock(hashtextextended(person_id::text, 0))) as people
    from (select distinct person_id from jsonb_populate_recordset(null::changes, $rows)$after
          order by person_id) concerned
), changed as (
    insert into changes (person_id, kind, subject, at)
    select person_id, kind, subject, $1 from jsonb_populate_recordset(null::changes, $rows), held
)";
/// The part before the locks, if people are added: new people exist before any lock is taken.
pub const ENTERED_BEFORE: &str = ", (select count(*) from entered) before";

/// New people. For a person who is awaited under a resident ID, it changes the phone.
pub const ENTERED: Part = Part {
    sql: "
entered as (
    insert into people as p (id, phone_hash, resident_id_hash, phone_sealed, created_at)
    select id, phone_hash, resident_id_hash, phone_sealed, created_at
    from jsonb_populate_recordset(null::people, $rows) order by phone_hash, resident_id_hash
    on conflict (resident_id_hash) do update set phone_sealed = excluded.phone_sealed
    where p.signed_in_at is null and p.phone_hash is null
    returning p.id
)",
    results: None,
};

pub const OPENED: Part = Part {
    sql: "
opened as (
    insert into cases (id, number, person_id, item_code, item_version, agency, source, source_ref, report_hash,
                       report_key_hash, state, detail_sealed, delivery, application, recipient_sealed, version,
                       due_on, submitted_at, updated_at)
    select id, number, person_id, item_code, item_version, agency, source, source_ref, report_hash,
           report_key_hash, state, detail_sealed, delivery, application, recipient_sealed, version,
           due_on, submitted_at, updated_at
    from jsonb_populate_recordset(null::cases, $rows), held
)",
    results: None,
};

/// New states of cases that were read at a version.
pub const SAVED: Part = Part {
    sql: "
saved as (
    update cases c
    set state = t.state, detail_sealed = t.detail_sealed, due_on = t.due_on, accepted_on = t.accepted_on,
        promised_on = t.promised_on, legal_on = t.legal_on, updated_at = t.updated_at, version = c.version + 1
    from jsonb_populate_recordset(null::cases, $rows) t
    where c.id = any (array[t.id]) and c.version = t.version
    returning c.id
)",
    results: Some("select 'updated', id, null from saved"),
};

pub const SUBMITTED: Part = Part {
    sql: "
submitted as (
    update drafts d set submitted_as = t.submitted_as, version = d.version + 1, updated_at = $1
    from jsonb_populate_recordset(null::drafts, $rows) t
    where d.id = any (array[t.id]) and d.version = t.version
      and d.person_id is not distinct from t.person_id and num_nulls(d.submitted_as) = 1
    returning d.id
)",
    results: Some("select 'updated', id, null from submitted"),
};

/// Files that a case names now.
pub const HANDED_IN: Part = Part {
    sql: "
handed_in as (
    update uploads u set keep_until = null
    from jsonb_populate_recordset(null::uploads, $rows) t, held
    where u.id = any (array[t.id]) and u.person_id is not distinct from t.person_id
    returning u.id
)",
    results: Some("select 'updated', id, null from handed_in"),
};

pub const REMEMBERED: Part = Part {
    sql: "
remembered as (
    insert into case_history (id, case_id, at, actor, behalf, act, cause_sealed)
    select id, case_id, at, actor, behalf, act, cause_sealed
    from jsonb_populate_recordset(null::case_history, $rows)
)",
    results: None,
};

pub const NOTIFIED: Part = Part {
    sql: "
notified as (
    insert into notifications (id, person_id, case_id, case_number, event, parcel_id, item_zh, item_en, created_at)
    select id, person_id, case_id, case_number, event, parcel_id, item_zh, item_en, created_at
    from jsonb_populate_recordset(null::notifications, $rows)
)",
    results: None,
};

pub const SENT: Part = Part {
    sql: "
sent as (
    insert into parcels (id, person_id, case_id, agency, carrier, order_no, round, state, recipient_sealed, serve_by,
                         created_at, updated_at)
    select id, person_id, case_id, agency, carrier, order_no, round, state, recipient_sealed, serve_by,
           created_at, created_at
    from jsonb_populate_recordset(null::parcels, $rows)
)",
    results: None,
};

/// Jobs. A job that is due at once counts as offered: its process rings the bell after the commit, and the sweeper
/// notices if the process could not.
pub const PROMISED: Part = Part {
    sql: "
promised as (
    insert into jobs (id, lane, kind, key, payload, due_at, offered_at, trace, created_at)
    select id, lane, kind, key, payload, now() + delay_ms * interval '1 millisecond',
           case when delay_ms = 0 then now() end, trace, now()
    from jsonb_to_recordset($rows)
         as t (id uuid, lane text, kind text, key text, payload jsonb, delay_ms bigint, trace text)
    on conflict on constraint jobs_key do nothing
    returning id, lane, offered_at
)",
    results: Some("select 'offered', id, lane from promised where offered_at is not null"),
};

/// Answers to requests with an `Idempotency-Key`. An answer whose time is over is replaced.
pub const REPLIED: Part = Part {
    sql: "
replied as (
    insert into idempotent_answers as a (scope, key, fingerprint, form, body_sealed, created_at)
    select scope, key, fingerprint, form, body_sealed, created_at
    from jsonb_populate_recordset(null::idempotent_answers, $rows), held
    on conflict (scope, key) do update
    set fingerprint = excluded.fingerprint, form = excluded.form, body_sealed = excluded.body_sealed,
        created_at = excluded.created_at
    where a.created_at < $2
    returning 1
)",
    results: Some("select 'answered', null, null from replied"),
};
