//! Receipts, which report whether a message arrived, from gateways that do not repeat our key of the message. They help
//! to decide about a push whose outcome is unknown ([`crate::domain::work::doubt`]).

use chrono::TimeDelta;
use sqlx_macros::FromRow;

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
    /// The time of the event by the gateway's clock.
    pub happened_at: Instant,
}

/// Stores a receipt. Returns false if it is stored already.
pub async fn keep(conn: &mut Conn, receipt: &Receipt<'_>) -> Result<bool, StoreError> {
    let sql = "insert into push_receipts (channel, reference, recipient, template, fate, happened_at, heard_at)
               values ($1, $2, $3, $4, $5, $6, now()) on conflict on constraint push_receipts_pkey do nothing";
    let kept = sqlx::query(sql)
        .bind(receipt.channel)
        .bind(receipt.reference)
        .bind(receipt.recipient)
        .bind(receipt.template)
        .bind(receipt.fate.as_str())
        .bind(receipt.happened_at)
        .execute(conn)
        .await?;
    Ok(kept.rows_affected() == 1)
}

/// A push whose outcome is unknown, and the data by which the receipts that may belong to it are found.
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
    /// Business keys of the push jobs to the same person over this channel.
    pub pushes: &'a [String],
}

/// The maximum difference between the gateway's clock and ours. A receipt may be dated this long before the attempt
/// that it is about.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// A gateway may still accept a message until this long after the worker stopped waiting for the gateway's answer. So a
/// push that has ended may still deliver a copy during this time. The receipt of that copy must not be counted for the
/// push in doubt.
const TAKEN_LATE: TimeDelta = TimeDelta::minutes(10);

/// Counts the receipts that may belong to a push whose outcome is unknown. One statement reads receipts and pushes at
/// the same moment.
///
/// The statement stays fast for a person with hundreds of messages a day. It reads only the last attempt of each push,
/// because no other attempt can have a reference. PostgreSQL executes its `not in` with a hash table.
pub async fn about(conn: &mut Conn, push: InDoubt<'_>) -> Result<Receipts, StoreError> {
    #[derive(FromRow)]
    struct Row {
        arrived: i64,
        refused: i64,
        lost: i64,
        others: i64,
    }
    let sql = "with pushes as (
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
        from receipts";
    let Row { arrived, refused, lost, others } = sqlx::query_as(sql)
        .bind(push.pushes)
        .bind(push.job)
        .bind(push.channel)
        .bind(push.recipient)
        .bind(push.template)
        .bind(push.since - SKEW)
        .bind(push.since - TAKEN_LATE)
        .fetch_one(conn)
        .await?;
    Ok(Receipts { arrived, refused, lost, others })
}

/// Finds the push job that delivered the message of a receipt. Only jobs with one of the business keys `pushes` are
/// searched.
pub async fn push_of(conn: &mut Conn, pushes: &[String], reference: &str) -> Result<Option<JobId>, StoreError> {
    let sql = "select j.id from jobs j join attempts a on a.job_id = j.id and a.fence = j.fence
               where j.key = any($1) and a.reference = $2 limit 1";
    Ok(sqlx::query_scalar(sql).bind(pushes).bind(reference).fetch_optional(conn).await?)
}

/// Removes up to `limit` receipts that were received before an instant. Returns how many. The caller must choose the
/// instant so that every push with an older receipt already has a known outcome.
pub async fn forget(conn: &mut Conn, heard_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from push_receipts where heard_at < $1 and ctid = any (array(
                   select ctid from push_receipts where heard_at < $1 order by heard_at limit $2))";
    Ok(sqlx::query(sql).bind(heard_before).bind(limit).execute(conn).await?.rows_affected())
}
