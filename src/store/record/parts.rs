//! The parts of the statement that saves a record. Each part is an entry of the statement's `with` clause. `$rows` is
//! the parameter with the part's rows, `$1` is the present time, and `$2` is the instant before which stored answers
//! count as forgotten.
//!
//! Updates write `c.id = any (array[t.id])` and not `c.id = t.id`, so that the only possible plan looks each row up by
//! its id. With a plain equality, a plan that was made on an empty table could read a whole index, or another index,
//! and the connection would keep that plan.

/// The value of `about` in the result for a row that was changed: a case or draft that still had the version that was
/// read, or a file that still existed and was not refused.
pub const UPDATED: &str = "updated";
/// The value of `about` in the result for a new job that is due at once.
pub const OFFERED: &str = "offered";
/// The value of `about` in the result for an answer that was stored.
pub const ANSWERED: &str = "answered";

pub struct Part {
    pub sql: &'static str,
    /// Selects `about`, `id` and `lane` of the rows that the part wrote, to find the rows that it refused. `None` if
    /// the part cannot refuse a row.
    pub results: Option<&'static str>,
}

/// Adds changes to people's logs, after it has taken the advisory locks of these people. `$after` is replaced by a part
/// that must run before.
pub const HELD: &str = "
held as materialized (
    select count(pg_advisory_xact_lock(hashtextextended(person_id::text, 0))) as people
    from (select distinct person_id from jsonb_populate_recordset(null::changes, $rows)$after
          order by person_id) concerned
), changed as (
    insert into changes (person_id, kind, subject, at)
    select person_id, kind, subject, $1 from jsonb_populate_recordset(null::changes, $rows), held
)";
/// Makes [`HELD`] run after [`ENTERED`], so that new people exist before any lock is taken.
pub const ENTERED_BEFORE: &str = ", (select count(*) from entered) before";

/// Adds people. If an earlier report named the resident ID already, and no person has proved that ID yet, only the
/// phone of the stored person is changed. That person has the id that the caller read. If another transaction has just
/// added the person under another id, nothing is changed: the phone was sealed for the caller's id, and the caller's
/// cases, which name that id, violate a constraint.
pub const ENTERED: Part = Part {
    sql: "
entered as (
    insert into people as p (id, phone_hash, resident_id_hash, phone_sealed, created_at)
    select id, phone_hash, resident_id_hash, phone_sealed, created_at
    from jsonb_populate_recordset(null::people, $rows) order by phone_hash, resident_id_hash
    on conflict (resident_id_hash) do update set phone_sealed = excluded.phone_sealed
    where p.signed_in_at is null and p.phone_hash is null and p.id = excluded.id
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

/// Writes new states of cases. A case that is no longer at the version that was read is left out.
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

/// Marks files as part of a case, so that they are kept for good. A file that its check refused is left out.
pub const HANDED_IN: Part = Part {
    sql: "
handed_in as (
    update uploads u set keep_until = null
    from jsonb_populate_recordset(null::uploads, $rows) t, held
    where u.id = any (array[t.id]) and u.person_id is not distinct from t.person_id and num_nulls(u.refused_for) = 1
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

/// Adds jobs. A job that is due at once counts as offered, because the process puts it on its Redis stream after the
/// commit. If the process fails to do so, the sweeper puts it there.
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

/// Stores answers to requests with an `Idempotency-Key`. It replaces an answer from before `$2`, but no newer one.
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
