//! Consents that are reserved for jobs. A one-time consent allows one message; a lasting consent allows every message.
//! A job reserves a consent before it sends its message. When the outcome is known, the consent is used up or given
//! back, or the person's balance (the number of one-time consents that are neither used up nor reserved) is set to
//! zero. So two messages never use the same consent, even after a crash.

use std::collections::BTreeSet;

use super::{Conn, StoreError};
use crate::domain::kernel::ids::{JobId, PersonId};
use crate::domain::notice::notification::ChannelCode;

/// A job whose message needs a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'t> {
    pub job: JobId,
    /// The person who gave the consent.
    pub person: PersonId,
    pub template: &'t str,
}

/// Reserves consents of a channel for jobs. Returns the jobs that now have a consent, including those that reserved it
/// in an earlier attempt. If there are fewer consents than jobs, the older jobs get them.
pub async fn hold(
    conn: &mut Conn,
    channel: &ChannelCode,
    wanted: &[Wanted<'_>],
) -> Result<BTreeSet<JobId>, StoreError> {
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = "with before as (
            select job_id from consent_holds where job_id = any($1)
        ), wanted as (
            select job_id, person_id, template, row_number() over (partition by person_id, template order by job_id) as nth
            from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (job_id, person_id, template)
            where job_id not in (select job_id from before)
        ), there as (
            select person_id, template, lasting, balance from consents
            where channel = $4 and (person_id, template) in (select person_id, template from wanted)
            order by person_id, template for update
        ), granted as (
            select w.job_id, w.person_id, w.template, t.lasting
            from wanted w join there t using (person_id, template) where t.lasting or w.nth <= t.balance
        ), once as (
            select person_id, template, count(*) as used from granted where not lasting group by person_id, template
        ), taken as (
            update consents c set balance = c.balance - o.used, updated_at = now()
            from once o where c.channel = $4 and c.person_id = o.person_id and c.template = o.template
        ), held as (
            insert into consent_holds (job_id, person_id, channel, template)
            select job_id, person_id, $4, template from granted where not lasting
        )
        select job_id from before union all select job_id from granted";
    let held: Vec<JobId> = sqlx::query_scalar(sql)
        .bind(wanted.iter().map(|one| one.job).collect::<Vec<_>>())
        .bind(wanted.iter().map(|one| one.person).collect::<Vec<_>>())
        .bind(wanted.iter().map(|one| one.template).collect::<Vec<_>>())
        .bind(channel)
        .fetch_all(conn)
        .await?;
    Ok(held.into_iter().collect())
}

/// True if the person could receive one more message of this template in addition to the message of this job. That is
/// the case if the consent lasts, or if a second consent is free or is reserved for another of the `pushes`. `pushes`
/// are business keys of push jobs to this person.
pub async fn is_there_another(
    conn: &mut Conn,
    channel: &ChannelCode,
    of: Wanted<'_>,
    pushes: &[String],
) -> Result<bool, StoreError> {
    let sql = "select exists (select from consents where person_id = $1 and channel = $2 and template = $3
                                and (lasting or balance > 0))
                   or exists (select from jobs j join consent_holds h on h.job_id = j.id
                              where j.key = any($5) and j.id <> $4 and h.template = $3)";
    let query = sqlx::query_scalar(sql).bind(of.person).bind(channel).bind(of.template).bind(of.job).bind(pushes);
    Ok(query.fetch_one(conn).await?)
}

/// Uses up the consents of these jobs, because their messages arrived or may have arrived.
pub async fn use_up(conn: &mut Conn, jobs: &[JobId]) -> Result<(), StoreError> {
    if !jobs.is_empty() {
        sqlx::query("delete from consent_holds where job_id = any($1)").bind(jobs).execute(conn).await?;
    }
    Ok(())
}

/// Gives a job's consent back, because its message certainly did not arrive.
pub async fn give_back(conn: &mut Conn, job: JobId) -> Result<(), StoreError> {
    let sql = "with ended as (delete from consent_holds where job_id = $1 returning person_id, channel, template)
               update consents c set balance = c.balance + 1, updated_at = now()
               from ended e where c.person_id = e.person_id and c.channel = e.channel and c.template = e.template";
    sqlx::query(sql).bind(job).execute(conn).await?;
    Ok(())
}

/// Sets a person's balance for a template to zero and ends a lasting consent, because the gateway reports that the
/// person has given no consent. The job's own reservation is removed.
pub async fn refute(conn: &mut Conn, channel: &ChannelCode, wanted: Wanted<'_>) -> Result<(), StoreError> {
    let sql = "with ended as (delete from consent_holds where job_id = $1)
               update consents
               set balance = 0, lasting = false, unmatched = 0, refused_at = now(), updated_at = now()
               where person_id = $2 and channel = $3 and template = $4";
    let query = sqlx::query(sql).bind(wanted.job).bind(wanted.person).bind(channel).bind(wanted.template);
    query.execute(conn).await?;
    Ok(())
}
