//! Drafts (草稿): applications that are being filled in. Their content is sealed (encrypted) as a whole.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::application::DraftContent;
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, DraftId, PersonId};

const CONTENT: &str = "drafts.content";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Chosen by the client that began the draft.
    pub id: DraftId,
    pub person: PersonId,
    pub item: ItemCode,
    /// The version of the item that was in force when the draft was last saved.
    pub item_version: i32,
    pub content: DraftContent,
    /// The version number: 1 for a new draft, and one more after each change. Clients see it as the strong `ETag` of
    /// the draft.
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// The case that the draft became, if it was submitted.
    pub submitted_as: Option<CaseId>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, person_id, item_code, item_version, sealed, version, created_at, updated_at, submitted_as
             from drafts ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: DraftId,
    person_id: PersonId,
    item_code: ItemCode,
    item_version: i32,
    sealed: Vec<u8>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    submitted_as: Option<CaseId>,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<Draft, StoreError> {
        Ok(Draft {
            id: self.id,
            person: self.person_id,
            item: self.item_code,
            item_version: self.item_version,
            content: keys.open_json(&Cell::of(CONTENT, self.id.uuid()), &self.sealed)?,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            submitted_as: self.submitted_as,
        })
    }
}

/// Counts a person's drafts that were not submitted.
pub async fn count_open(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    let sql = "select count(*) from drafts where person_id = $1 and submitted_as is null";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_one(conn).await?)
}

/// Adds a draft. Returns false if the id is in use.
pub async fn insert(conn: &mut Conn, keys: &KeyRing, draft: &Draft) -> Result<bool, StoreError> {
    let sql = "insert into drafts (id, person_id, item_code, item_version, sealed, version, created_at, updated_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing";
    let done = sqlx::query(sql)
        .bind(draft.id)
        .bind(draft.person)
        .bind(&draft.item)
        .bind(draft.item_version)
        .bind(keys.seal_json(&Cell::of(CONTENT, draft.id.uuid()), &draft.content)?)
        .bind(draft.version)
        .bind(draft.created_at)
        .bind(draft.updated_at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a changed draft with its new version. The caller has locked the draft.
pub async fn update(conn: &mut Conn, keys: &KeyRing, draft: &Draft) -> Result<(), StoreError> {
    let sql = "update drafts set item_code = $2, item_version = $3, sealed = $4, version = $5, updated_at = $6
               where id = $1";
    sqlx::query(sql)
        .bind(draft.id)
        .bind(&draft.item)
        .bind(draft.item_version)
        .bind(keys.seal_json(&Cell::of(CONTENT, draft.id.uuid()), &draft.content)?)
        .bind(draft.version)
        .bind(draft.updated_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a person's draft. A draft of another person is not found.
pub async fn find(conn: &mut Conn, keys: &KeyRing, person: PersonId, id: DraftId) -> Result<Option<Draft>, StoreError> {
    let sql = select!("where id = $1 and person_id = $2");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).bind(person).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Finds a draft like [`find`], and locks it until the end of the transaction.
pub async fn find_for_change(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    id: DraftId,
) -> Result<Option<Draft>, StoreError> {
    let sql = select!("where id = $1 and person_id = $2 for update");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).bind(person).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Returns a person's drafts that were not submitted, after a position in the list. The draft that was changed last
/// comes first.
pub async fn open_of(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    after: Option<(Instant, DraftId)>,
    limit: i64,
) -> Result<Vec<Draft>, StoreError> {
    let sql = select!(
        "where person_id = $1 and submitted_as is null and (updated_at, id) < (coalesce($2, timestamptz 'infinity'), $3)
         order by updated_at desc, id desc limit $4"
    );
    let (at, id) = after.map_or((None, Uuid::max()), |(at, id)| (Some(at), id.uuid()));
    let rows: Vec<Row> = sqlx::query_as(sql).bind(person).bind(at).bind(id).bind(limit).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Returns all drafts of these people that were not submitted.
pub async fn all_open_of(conn: &mut Conn, keys: &KeyRing, people: &[PersonId]) -> Result<Vec<Draft>, StoreError> {
    let sql = select!("where person_id = any($1) and submitted_as is null");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(people).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.open(keys)).collect()
}

/// Removes a person's draft that was not submitted. Returns false if the person has no such draft.
pub async fn remove(conn: &mut Conn, person: PersonId, id: DraftId) -> Result<bool, StoreError> {
    let sql = "delete from drafts where id = $1 and person_id = $2 and submitted_as is null";
    Ok(sqlx::query(sql).bind(id).bind(person).execute(conn).await?.rows_affected() == 1)
}

/// Removes up to `limit` drafts that were last changed before an instant. Returns how many. The content of a submitted
/// draft stays in its case.
pub async fn forget(conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from drafts where id = any (array(
                   select id from drafts where updated_at < $1 order by updated_at limit $2 for update skip locked))";
    Ok(sqlx::query(sql).bind(before).bind(limit).execute(conn).await?.rows_affected())
}
