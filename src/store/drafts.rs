//! Drafts: what a person has filled in so far, sealed whole.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::application::DraftContent;
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, DraftId, PersonId};

const CONTENT: &str = "drafts.content";

/// A draft (草稿).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its id, made by the client that began it.
    pub id: DraftId,
    /// Whose it is.
    pub person: PersonId,
    /// For which item.
    pub item: ItemCode,
    /// The version of the item that it was last saved for.
    pub item_version: i32,
    /// What is filled in.
    pub content: DraftContent,
    /// Counts its changes from 1; its strong `ETag`.
    pub version: i64,
    /// When it was begun.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// The case that it became.
    pub submitted_as: Option<CaseId>,
}

/// What is read of a draft. Columns are named, so that one that a newer program adds changes no statement of this one.
macro_rules! columns {
    () => {
        "id, person_id, item_code, item_version, sealed, version, created_at, updated_at, submitted_as"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    person_id: Uuid,
    item_code: String,
    item_version: i32,
    sealed: Vec<u8>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    submitted_as: Option<Uuid>,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<Draft, StoreError> {
        Ok(Draft {
            id: DraftId::from_uuid(self.id),
            person: PersonId::from_uuid(self.person_id),
            item: ItemCode::new(self.item_code),
            item_version: self.item_version,
            content: keys.open_json(CONTENT, &self.sealed)?,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            submitted_as: self.submitted_as.map(CaseId::from_uuid),
        })
    }
}

/// Adds a draft; says whether its id was free.
///
/// # Errors
/// When the database is unavailable.
pub async fn insert(conn: &mut Conn, keys: &KeyRing, draft: &Draft) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "insert into drafts (id, person_id, item_code, item_version, sealed, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
    )
    .bind(draft.id.uuid())
    .bind(draft.person.uuid())
    .bind(draft.item.as_str())
    .bind(draft.item_version)
    .bind(keys.seal_json(CONTENT, &draft.content)?)
    .bind(draft.version)
    .bind(draft.created_at)
    .bind(draft.updated_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a changed draft, with its new version. The draft is locked.
///
/// # Errors
/// When the database is unavailable.
pub async fn update(conn: &mut Conn, keys: &KeyRing, draft: &Draft) -> Result<(), StoreError> {
    sqlx::query(
        "update drafts set item_code = $2, item_version = $3, sealed = $4, version = $5, updated_at = $6 where id = $1",
    )
    .bind(draft.id.uuid())
    .bind(draft.item.as_str())
    .bind(draft.item_version)
    .bind(keys.seal_json(CONTENT, &draft.content)?)
    .bind(draft.version)
    .bind(draft.updated_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// One of a person's drafts.
///
/// # Errors
/// When the database is unavailable or holds something unreadable.
pub async fn find(conn: &mut Conn, keys: &KeyRing, person: PersonId, id: DraftId) -> Result<Option<Draft>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from drafts where id = $1 and person_id = $2"))
            .bind(id.uuid())
            .bind(person.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// One of a person's drafts, locked until the end of the transaction.
///
/// # Errors
/// As [`find`].
pub async fn find_for_change(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    id: DraftId,
) -> Result<Option<Draft>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from drafts where id = $1 and person_id = $2 for update"))
            .bind(id.uuid())
            .bind(person.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// A person's drafts that were not submitted, the last changed first, after a place in the list.
///
/// # Errors
/// As [`find`].
pub async fn open_of(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    after: Option<(Instant, DraftId)>,
    limit: i64,
) -> Result<Vec<Draft>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from drafts
         where person_id = $1 and submitted_as is null and (updated_at, id) < (coalesce($2, timestamptz 'infinity'), $3)
         order by updated_at desc, id desc limit $4"
    ))
    .bind(person.uuid())
    .bind(after.map(|(at, _)| at))
    .bind(after.map_or(Uuid::max(), |(_, id)| id.uuid()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// All drafts of some people that were not submitted.
///
/// # Errors
/// As [`find`].
pub async fn all_open_of(conn: &mut Conn, keys: &KeyRing, people: &[PersonId]) -> Result<Vec<Draft>, StoreError> {
    let people: Vec<Uuid> = people.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from drafts where person_id = any($1) and submitted_as is null"
    ))
    .bind(people)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Removes one of a person's drafts that was not submitted; says whether there was one.
///
/// # Errors
/// When the database is unavailable.
pub async fn remove(conn: &mut Conn, person: PersonId, id: DraftId) -> Result<bool, StoreError> {
    let done = sqlx::query("delete from drafts where id = $1 and person_id = $2 and submitted_as is null")
        .bind(id.uuid())
        .bind(person.uuid())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Drops drafts that were last changed before `before`, at most `limit` of them, and says how many. One that was submitted
/// lives on in its case.
///
/// # Errors
/// When the database is unavailable.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from drafts where id = any (array(
        select id from drafts where updated_at < $1 order by updated_at limit $2 for update skip locked))";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
