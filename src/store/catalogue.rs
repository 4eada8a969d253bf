//! The published catalogue in the database: versions of items, the parts that they share, and the revision.

use serde_json::Value;

use super::{Conn, StoreError};
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;

/// The revision and its time; `None` before the first publication.
pub type StoredRevision = Option<(i64, Instant)>;

/// A version of an item, as stored.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredVersion {
    /// The item's code.
    pub code: String,
    /// Which version.
    pub version: i32,
    /// The item as JSON.
    pub content: Value,
    /// Whether it is in force.
    pub in_force: bool,
}

/// What is known of an item without reading it.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredHash {
    /// The item's code.
    pub code: String,
    /// The newest version.
    pub version: i32,
    /// SHA-256 of its content.
    pub content_hash: Vec<u8>,
    /// Whether it is in force.
    pub in_force: bool,
}

/// A version to be written, or a part, of which `version` is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContent {
    /// The item's code, or the part's name.
    pub name: String,
    /// Which version.
    pub version: i32,
    /// As JSON.
    pub content: Value,
    /// SHA-256 of it.
    pub hash: Vec<u8>,
}

/// The revision, without waiting for anybody.
///
/// # Errors
/// When the database does not answer.
pub async fn revision(conn: &mut Conn) -> Result<StoredRevision, StoreError> {
    Ok(sqlx::query_as("select revision, published_at from catalogue").fetch_optional(conn).await?)
}

/// Waits until nobody else publishes, and keeps others waiting until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(conn: &mut Conn) -> Result<(), StoreError> {
    // The table and not its row: before the first publication there is none. Readers are not kept waiting.
    sqlx::query("lock table catalogue in exclusive mode").execute(conn).await?;
    Ok(())
}

/// Makes all that the transaction reads from now on be of one moment. Must be its first statement.
///
/// # Errors
/// When the database does not answer.
pub async fn freeze(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("set transaction isolation level repeatable read, read only").execute(conn).await?;
    Ok(())
}

/// The newest version of every item that was ever published.
///
/// # Errors
/// When the database does not answer.
pub async fn newest_hashes(conn: &mut Conn) -> Result<Vec<StoredHash>, StoreError> {
    let sql = "select distinct on (code) code, version, content_hash, withdrawn_at is null as in_force \
               from item_versions order by code, version desc";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

/// The hash of every part.
///
/// # Errors
/// When the database does not answer.
pub async fn part_hashes(conn: &mut Conn) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    Ok(sqlx::query_as("select name, content_hash from catalogue_parts").fetch_all(conn).await?)
}

/// Takes the versions in force of these items out of force.
///
/// # Errors
/// When the database does not answer.
pub async fn withdraw(conn: &mut Conn, codes: &[String], at: Instant) -> Result<(), StoreError> {
    let sql = "update item_versions set withdrawn_at = $2 where code = any($1) and withdrawn_at is null";
    sqlx::query(sql).bind(codes).bind(at).execute(conn).await?;
    Ok(())
}

/// Writes versions, which are in force from then on.
///
/// # Errors
/// When the database does not answer, or a version is there already.
pub async fn insert_versions(conn: &mut Conn, versions: &[NewContent], at: Instant) -> Result<(), StoreError> {
    let sql = "insert into item_versions (code, version, content, content_hash, published_at) \
               select code, version, content, hash, $5 \
               from unnest($1::text[], $2::int[], $3::jsonb[], $4::bytea[]) as new (code, version, content, hash)";
    let numbers: Vec<i32> = versions.iter().map(|version| version.version).collect();
    let (names, contents, hashes) = columns(versions);
    sqlx::query(sql).bind(names).bind(numbers).bind(contents).bind(hashes).bind(at).execute(conn).await?;
    Ok(())
}

/// Writes parts over what they were.
///
/// # Errors
/// When the database does not answer.
pub async fn put_parts(conn: &mut Conn, parts: &[NewContent], at: Instant) -> Result<(), StoreError> {
    let sql = "insert into catalogue_parts (name, content, content_hash, published_at) \
               select name, content, hash, $4 \
               from unnest($1::text[], $2::jsonb[], $3::bytea[]) as new (name, content, hash) \
               on conflict (name) do update set content = excluded.content, \
               content_hash = excluded.content_hash, published_at = excluded.published_at";
    let (names, contents, hashes) = columns(parts);
    sqlx::query(sql).bind(names).bind(contents).bind(hashes).bind(at).execute(conn).await?;
    Ok(())
}

fn columns(contents: &[NewContent]) -> (Vec<&str>, Vec<&Value>, Vec<&[u8]>) {
    let names = contents.iter().map(|it| it.name.as_str()).collect();
    let values = contents.iter().map(|it| &it.content).collect();
    (names, values, contents.iter().map(|it| it.hash.as_slice()).collect())
}

/// Counts the revision up.
///
/// # Errors
/// When the database does not answer.
pub async fn raise_revision(conn: &mut Conn, at: Instant) -> Result<i64, StoreError> {
    let sql = "insert into catalogue (revision, published_at) values (1, $1) on conflict (only_row) \
               do update set revision = catalogue.revision + 1, published_at = excluded.published_at \
               returning revision";
    Ok(sqlx::query_scalar(sql).bind(at).fetch_one(conn).await?)
}

/// Every version of every item.
///
/// # Errors
/// When the database does not answer.
pub async fn versions(conn: &mut Conn) -> Result<Vec<StoredVersion>, StoreError> {
    let sql = "select code, version, content, withdrawn_at is null as in_force from item_versions";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

/// The content of one version of an item.
///
/// # Errors
/// When the database does not answer.
pub async fn version(conn: &mut Conn, code: &ItemCode, version: i32) -> Result<Option<Value>, StoreError> {
    let sql = "select content from item_versions where code = $1 and version = $2";
    Ok(sqlx::query_scalar(sql).bind(code.as_str()).bind(version).fetch_optional(conn).await?)
}

/// Every part.
///
/// # Errors
/// When the database does not answer.
pub async fn parts(conn: &mut Conn) -> Result<Vec<(String, Value)>, StoreError> {
    Ok(sqlx::query_as("select name, content from catalogue_parts").fetch_all(conn).await?)
}
