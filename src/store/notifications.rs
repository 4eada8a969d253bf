//! Notifications: the inbox, and which channel brought each to the phone. They are written by [`super::record`].

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::case::number::CaseNumber;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, NotificationId, ParcelId, PersonId};
use crate::domain::kernel::text::Bilingual;
use crate::domain::notice::notification::{ChannelCode, Event, Notification};

/// A notification as the inbox shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The notification.
    pub notification: Notification,
    /// When it was read.
    pub read_at: Option<Instant>,
    /// Which channel brought it to the phone.
    pub delivered_by: Option<ChannelCode>,
}

/// What is read of a notification. Columns are named, so that one that a newer program adds changes no statement of this one.
macro_rules! columns {
    () => {
        "id, person_id, case_id, case_number, event, parcel_id, item_zh, item_en, created_at, read_at, delivered_by"
    };
}
pub(super) use columns;

/// A notification as it is stored.
#[derive(FromRow)]
pub(super) struct Row {
    id: Uuid,
    person_id: Uuid,
    case_id: Uuid,
    case_number: String,
    event: String,
    parcel_id: Option<Uuid>,
    item_zh: String,
    item_en: String,
    created_at: Instant,
    read_at: Option<Instant>,
    delivered_by: Option<String>,
}

impl Row {
    pub(super) const fn id(&self) -> NotificationId {
        NotificationId::from_uuid(self.id)
    }
}

impl TryFrom<Row> for Received {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = row.id();
        let event =
            Event::from_stored(&row.event).ok_or_else(|| StoreError::Broken(format!("notifications.event of {id}")))?;
        let notification = Notification {
            id,
            person: PersonId::from_uuid(row.person_id),
            case: CaseId::from_uuid(row.case_id),
            case_number: CaseNumber::from_stored(row.case_number),
            event,
            parcel: row.parcel_id.map(ParcelId::from_uuid),
            item: Bilingual::new(row.item_zh, row.item_en),
            created_at: row.created_at,
        };
        Ok(Self { notification, read_at: row.read_at, delivered_by: row.delivered_by.map(ChannelCode::new) })
    }
}

/// The latest notifications of a person, as far back as anything that happened to one can matter to another: all of the days
/// for which pushes are tried and receipts kept, and a hundred. Ids begin with their time (UUIDv7).
///
/// # Errors
/// When the database is unavailable.
pub async fn latest_of(conn: &mut Conn, person: PersonId) -> Result<Vec<NotificationId>, StoreError> {
    const LATEST: i64 = 100;
    let latest: Vec<Uuid> =
        sqlx::query_scalar(
            "select id from notifications where person_id = $1 and id >= least(
                 (lpad(to_hex((extract(epoch from now() - interval '3 days') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid,
                 coalesce((select id from notifications where person_id = $1 order by id desc offset $2 limit 1),
                          '00000000-0000-0000-0000-000000000000'))
             order by id desc",
        )
        .bind(person.uuid())
        .bind(LATEST - 1)
        .fetch_all(conn)
        .await?;
    Ok(latest.into_iter().map(NotificationId::from_uuid).collect())
}

/// These notifications. One that cannot be read is the trouble of whoever needs it, not of the others.
///
/// # Errors
/// When the database is unavailable.
pub async fn find(
    conn: &mut Conn,
    ids: &[NotificationId],
) -> Result<BTreeMap<NotificationId, Result<Notification, StoreError>>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!("select ", columns!(), " from notifications where id = any($1)"))
        .bind(ids)
        .fetch_all(conn)
        .await?;
    let read = |row: Row| (row.id(), Received::try_from(row).map(|received| received.notification));
    Ok(rows.into_iter().map(read).collect())
}

/// A person's inbox, the newest first, before a place in the list.
///
/// # Errors
/// When the database is unavailable or holds something unreadable.
pub async fn inbox(
    conn: &mut Conn,
    person: PersonId,
    unread_only: bool,
    before: Option<NotificationId>,
    limit: i64,
) -> Result<Vec<Received>, StoreError> {
    const ALL: &str = concat!(
        "select ",
        columns!(),
        " from notifications where person_id = $1 and id < $2 order by id desc limit $3"
    );
    const UNREAD: &str = concat!(
        "select ",
        columns!(),
        " from notifications where person_id = $1 and id < $2 and read_at is null order by id desc limit $3"
    );
    let rows: Vec<Row> = sqlx::query_as(if unread_only { UNREAD } else { ALL })
        .bind(person.uuid())
        .bind(before.map_or(Uuid::max(), NotificationId::uuid))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// All that was told of a case, oldest first.
///
/// # Errors
/// As [`inbox`].
pub async fn of_case(conn: &mut Conn, case: CaseId) -> Result<Vec<Received>, StoreError> {
    let rows: Vec<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from notifications where case_id = $1 order by id"))
            .bind(case.uuid())
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// How many of a person's notifications are unread, counted up to `at_most`: a badge shows no more.
///
/// # Errors
/// When the database is unavailable.
pub async fn unread(conn: &mut Conn, person: PersonId, at_most: i64) -> Result<i64, StoreError> {
    let unread = sqlx::query_scalar(
        "select count(*) from (select from notifications where person_id = $1 and read_at is null limit $2) as unread",
    )
    .bind(person.uuid())
    .bind(at_most)
    .fetch_one(conn)
    .await?;
    Ok(unread)
}

/// Marks one notification (or all up to one) of a person as read; says whether it is there.
///
/// # Errors
/// When the database is unavailable.
pub async fn mark_read(
    conn: &mut Conn,
    person: PersonId,
    id: NotificationId,
    and_older: bool,
    now: Instant,
) -> Result<bool, StoreError> {
    const ONE: &str = "with marked as (
            update notifications set read_at = $3 where id = $2 and person_id = $1 and read_at is null
         )
         select exists (select from notifications where person_id = $1 and id = $2)";
    const ALL: &str = "with marked as (
            update notifications set read_at = $3 where person_id = $1 and id <= $2 and read_at is null
         )
         select exists (select from notifications where person_id = $1 and id = $2)";
    let there = sqlx::query_scalar(if and_older { ALL } else { ONE })
        .bind(person.uuid())
        .bind(id.uuid())
        .bind(now)
        .fetch_one(conn)
        .await?;
    Ok(there)
}

/// Those of these notifications that a channel brought to the phone.
///
/// # Errors
/// When the database is unavailable.
pub async fn brought(conn: &mut Conn, ids: &[NotificationId]) -> Result<BTreeSet<NotificationId>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let brought: Vec<Uuid> =
        sqlx::query_scalar("select id from notifications where id = any($1) and delivered_by is not null")
            .bind(ids)
            .fetch_all(conn)
            .await?;
    Ok(brought.into_iter().map(NotificationId::from_uuid).collect())
}

/// A channel took it back: it did not bring this notification after all.
///
/// # Errors
/// When the database is unavailable.
pub async fn not_delivered(conn: &mut Conn, id: NotificationId, channel: &ChannelCode) -> Result<(), StoreError> {
    sqlx::query(
        "update notifications set delivered_by = null, delivered_at = null where id = $1 and delivered_by = $2",
    )
    .bind(id.uuid())
    .bind(channel.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down which channels brought notifications to their phones. The first one stays.
///
/// # Errors
/// When the database is unavailable.
pub async fn delivered(conn: &mut Conn, ids: &[NotificationId], channels: &[ChannelCode]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let channels: Vec<&str> = channels.iter().map(ChannelCode::as_str).collect();
    sqlx::query(
        "update notifications n set delivered_by = t.channel, delivered_at = now()
         from unnest($1::uuid[], $2::text[]) as t (id, channel) where n.id = t.id and n.delivered_by is null",
    )
    .bind(ids)
    .bind(channels)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether somebody was told of an event of a parcel before.
///
/// # Errors
/// When the database is unavailable.
pub async fn told_before(
    conn: &mut Conn,
    (case, parcel): (CaseId, ParcelId),
    event: Event,
) -> Result<bool, StoreError> {
    let told = sqlx::query_scalar(
        "select exists (select from notifications where case_id = $1 and parcel_id = $2 and event = $3)",
    )
    .bind(case.uuid())
    .bind(parcel.uuid())
    .bind(event.as_str())
    .fetch_one(conn)
    .await?;
    Ok(told)
}
