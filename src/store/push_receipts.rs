//! Receipts of messages, from gateways that do not repeat our key in them, and what they prove about a push whose
//! outcome is unknown ([`crate::domain::work::doubt`]).

use chrono::TimeDelta;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::JobId;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::work::doubt::{Fate, Receipts};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<'a> {
    pub channel: &'a ChannelCode,
    /// The gateway's id of the message.
    pub reference: &'a str,
    /// Keyed hash of the address to which the message went.
    pub recipient: &'a str,
    /// The template's id at the gateway.
    pub template: &'a str,
    pub fate: Fate,
    /// Time by the gateway's clock.
    pub happened_at: Instant,
}

/// Stores a receipt. Returns false if it is stored already.
pub async fn keep(conn: &mut Conn, receipt: &Receipt<'_>) -> Result<bool, StoreError> {
    let kept = sqlx::query(
        "insert into push_receipts (channel, reference, recipient, template, fate, happened_at, heard_at)
         values ($1, $2, $3, $4, $5, $6, now()) on conflict on constraint push_receipts_pkey do nothing",
    )
    .bind(receipt.channel.as_str())
    .bind(receipt.reference)
    .bind(receipt.recipient)
    .bind(receipt.template)
    .bind(receipt.fate.as_str())
    .bind(receipt.happened_at)
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// A push whose outcome is unknown, and the other pushes to which its receipts could belong.
#[derive(Debug, Clone, Copy)]
pub struct InDoubt<'a> {
    pub job: JobId,
    pub channel: &'a ChannelCode,
    /// Keyed hash of the address.
    pub recipient: &'a str,
    /// The template's id at the gateway.
    pub template: &'a str,
    /// Time of the first attempt that may have reached the gateway.
    pub since: Instant,
    /// Business keys of the pushes to the same person over this channel.
    pub pushes: &'a [String],
}

/// How far the gateway's clock may differ from ours.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// How late a gateway may take a message after its sender stopped waiting. For so long after its end a push may still
/// deliver a copy, whose receipt must not be counted for another push.
const TAKEN_LATE: TimeDelta = TimeDelta::minutes(10);

/// Counts the receipts that may belong to a push whose outcome is unknown. It is one statement, so that everything it
/// compares is of the same moment.
///
/// A person with hundreds of messages a day has as many receipts as pushes, and some pushes have many attempts. So the
/// statement reads only the last attempt of each push, which alone can have a reference, and `not in` looks receipts up
/// in a hashed set of references.
pub async fn about(conn: &mut Conn, push: InDoubt<'_>) -> Result<Receipts, StoreError> {
    #[derive(FromRow)]
    struct Row {
        arrived: i64,
        refused: i64,
        lost: i64,
        others: i64,
    }
    let Row { arrived, refused, lost, others } = sqlx::query_as(
        "with pushes as (
            select id, fence, state, unclear, lease_until, finished_at from jobs where key = any($1)
        ), others as (
            select sum(unclear + (lease_until is not null)::int) as count from pushes
            where id <> $2 and (finished_at is null or finished_at >= $7)
        ), told as (
            select a.reference from pushes p join attempts a on a.job_id = p.id and a.fence = p.fence
            where p.state = 'done' and a.reference is not null
        ), receipts as (
            select fate from push_receipts
            where channel = $3 and recipient = $4 and template = $5 and happened_at >= $6
              and reference not in (select reference from told)
        )
        select count(*) filter (where fate = 'arrived') as arrived, count(*) filter (where fate = 'refused') as refused,
               count(*) filter (where fate = 'lost') as lost,
               coalesce((select count from others), 0)::bigint as others
        from receipts",
    )
    .bind(push.pushes)
    .bind(push.job.uuid())
    .bind(push.channel.as_str())
    .bind(push.recipient)
    .bind(push.template)
    .bind(push.since - SKEW)
    .bind(push.since - TAKEN_LATE)
    .fetch_one(conn)
    .await?;
    Ok(Receipts { arrived, refused, lost, others })
}

/// The push among these that delivered the message of a receipt.
pub async fn push_of(conn: &mut Conn, pushes: &[String], reference: &str) -> Result<Option<JobId>, StoreError> {
    let job: Option<Uuid> = sqlx::query_scalar(
        "select j.id from jobs j join attempts a on a.job_id = j.id and a.fence = j.fence
         where j.key = any($1) and a.reference = $2 limit 1",
    )
    .bind(pushes)
    .bind(reference)
    .fetch_optional(conn)
    .await?;
    Ok(job.map(JobId::from_uuid))
}

/// Removes up to `limit` receipts that came before an instant, when no push can be in doubt about them any more.
/// Returns how many.
pub async fn forget(conn: &mut Conn, heard_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let forgotten = sqlx::query(
        "delete from push_receipts where heard_at < $1 and ctid = any (array(
            select ctid from push_receipts where heard_at < $1 order by heard_at limit $2))",
    )
    .bind(heard_before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected())
}
