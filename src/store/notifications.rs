//! Notifications: the inbox, and the channel that delivered each notification. [`super::record`] adds them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, NotificationId, ParcelId, PersonId};
use crate::domain::kernel::text::Bilingual;
use crate::domain::notice::notification::{ChannelCode, Event, Notification};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub notification: Notification,
    pub read_at: Option<Instant>,
    /// The channel that delivered the notification to the phone.
    pub delivered_by: Option<ChannelCode>,
}

macro_rules! columns {
    () => {
        "id, person_id, case_id, case_number, event, parcel_id, item_zh, item_en, created_at, read_at, delivered_by"
    };
}
pub(super) use columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("select ", columns!(), " from notifications ", $rest)
    };
}

#[derive(FromRow)]
pub(super) struct Row {
    pub(super) id: NotificationId,
    person_id: PersonId,
    case_id: CaseId,
    case_number: CaseNumber,
    event: String,
    parcel_id: Option<ParcelId>,
    item_zh: String,
    item_en: String,
    created_at: Instant,
    read_at: Option<Instant>,
    delivered_by: Option<ChannelCode>,
}

impl TryFrom<Row> for Received {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = || StoreError::Broken(format!("notifications.event of {}", row.id));
        let notification = Notification {
            id: row.id,
            person: row.person_id,
            case: row.case_id,
            event: Event::from_stored(&row.event).ok_or_else(broken)?,
            case_number: row.case_number,
            parcel: row.parcel_id,
            item: Bilingual::new(row.item_zh, row.item_en),
            created_at: row.created_at,
        };
        Ok(Self { notification, read_at: row.read_at, delivered_by: row.delivered_by })
    }
}

/// Returns a person's latest notifications: all of the last three days, and at least a hundred. A push is retried for
/// 30 hours by default (`SONGDA_RETRY_AGE`), and its receipts are kept for three days, so an older notification cannot
/// affect a newer one.
pub async fn latest_of(conn: &mut Conn, person: PersonId) -> Result<Vec<NotificationId>, StoreError> {
    const LATEST: i64 = 100;
    // Ids are UUIDs of version 7, which begin with their time in milliseconds.
    let sql = "select id from notifications where person_id = $1 and id >= least(
                 (lpad(to_hex((extract(epoch from now() - interval '3 days') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid,
                 coalesce((select id from notifications where person_id = $1 order by id desc offset $2 limit 1),
                          '00000000-0000-0000-0000-000000000000'))
               order by id desc";
    Ok(sqlx::query_scalar(sql).bind(person).bind(LATEST - 1).fetch_all(conn).await?)
}

/// Finds these notifications. A notification that cannot be read has its own error, and the caller can go on with the
/// other notifications.
pub async fn find(
    conn: &mut Conn,
    ids: &[NotificationId],
) -> Result<BTreeMap<NotificationId, Result<Notification, StoreError>>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(select!("where id = any($1)")).bind(ids).fetch_all(conn).await?;
    let read = |row: Row| (row.id, Received::try_from(row).map(|received| received.notification));
    Ok(rows.into_iter().map(read).collect())
}

/// Returns a person's inbox before a position in the list, the newest notification first.
pub async fn inbox(
    conn: &mut Conn,
    person: PersonId,
    unread_only: bool,
    before: Option<NotificationId>,
    limit: i64,
) -> Result<Vec<Received>, StoreError> {
    let sql = if unread_only {
        select!("where person_id = $1 and id < $2 and read_at is null order by id desc limit $3")
    } else {
        select!("where person_id = $1 and id < $2 order by id desc limit $3")
    };
    let before = before.map_or(Uuid::max(), NotificationId::uuid);
    let rows: Vec<Row> = sqlx::query_as(sql).bind(person).bind(before).bind(limit).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Returns all notifications of a case, the oldest first.
pub async fn of_case(conn: &mut Conn, case: CaseId) -> Result<Vec<Received>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(select!("where case_id = $1 order by id")).bind(case).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Counts a person's unread notifications up to `at_most`, because a badge shows no larger number.
pub async fn unread(conn: &mut Conn, person: PersonId, at_most: i64) -> Result<i64, StoreError> {
    let sql = "select count(*) from (
                   select from notifications where person_id = $1 and read_at is null limit $2) as unread";
    Ok(sqlx::query_scalar(sql).bind(person).bind(at_most).fetch_one(conn).await?)
}

/// Marks a person's notification as read; with `and_older`, also all older ones. Returns false if the person has no
/// such notification.
pub async fn mark_read(
    conn: &mut Conn,
    person: PersonId,
    id: NotificationId,
    and_older: bool,
    now: Instant,
) -> Result<bool, StoreError> {
    let sql = if and_older {
        "with marked as (update notifications set read_at = $3 where person_id = $1 and id <= $2 and read_at is null)
         select exists (select from notifications where person_id = $1 and id = $2)"
    } else {
        "with marked as (update notifications set read_at = $3 where id = $2 and person_id = $1 and read_at is null)
         select exists (select from notifications where person_id = $1 and id = $2)"
    };
    Ok(sqlx::query_scalar(sql).bind(person).bind(id).bind(now).fetch_one(conn).await?)
}

/// Returns the notifications among these that a channel has already delivered to the phone.
pub async fn already_delivered(
    conn: &mut Conn,
    ids: &[NotificationId],
) -> Result<BTreeSet<NotificationId>, StoreError> {
    let sql = "select id from notifications where id = any($1) and delivered_by is not null";
    Ok(sqlx::query_scalar(sql).bind(ids).fetch_all(conn).await?.into_iter().collect())
}

/// Removes the mark that a channel delivered a notification, because the channel reports that the notification did not
/// arrive after all.
pub async fn not_delivered(conn: &mut Conn, id: NotificationId, channel: &ChannelCode) -> Result<(), StoreError> {
    let sql = "update notifications set delivered_by = null, delivered_at = null where id = $1 and delivered_by = $2";
    sqlx::query(sql).bind(id).bind(channel).execute(conn).await?;
    Ok(())
}

/// Stores the channels that delivered these notifications: `channels[i]` delivered `ids[i]`. If a channel is stored for
/// a notification already, that channel stays.
pub async fn delivered(conn: &mut Conn, ids: &[NotificationId], channels: &[ChannelCode]) -> Result<(), StoreError> {
    let sql = "update notifications n set delivered_by = t.channel, delivered_at = now()
               from unnest($1::uuid[], $2::text[]) as t (id, channel) where n.id = t.id and n.delivered_by is null";
    sqlx::query(sql).bind(ids).bind(channels).execute(conn).await?;
    Ok(())
}

/// True if a notification about this event of this parcel is stored.
pub async fn has_parcel_event(
    conn: &mut Conn,
    case: CaseId,
    parcel: ParcelId,
    event: Event,
) -> Result<bool, StoreError> {
    let sql = "select exists (select from notifications where case_id = $1 and parcel_id = $2 and event = $3)";
    Ok(sqlx::query_scalar(sql).bind(case).bind(parcel).bind(event.as_str()).fetch_one(conn).await?)
}
