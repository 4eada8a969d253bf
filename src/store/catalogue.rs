//! The published catalogue: versions of items, the parts that items share (agencies, regions, calendar, templates, …),
//! and the revision, a number that grows by one with each publication.

use serde_json::Value;

use super::{Conn, StoreError};
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;

#[derive(Debug, sqlx_macros::FromRow)]
pub struct StoredVersion {
    pub code: String,
    pub version: i32,
    pub content: Value,
    pub in_force: bool,
}

/// The newest version of an item without its content.
#[derive(Debug, sqlx_macros::FromRow)]
pub struct StoredHash {
    pub code: String,
    pub version: i32,
    pub content_hash: Vec<u8>,
    pub in_force: bool,
}

/// A version of an item, or a shared part of the catalogue, that is to be written. `version` is ignored for a shared
/// part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContent {
    /// The item's code, or the part's name.
    pub name: String,
    pub version: i32,
    pub content: Value,
    /// SHA-256 of the content.
    pub hash: Vec<u8>,
}

/// Returns the published revision and its time of publication; `None` before the first publication. Does not wait for a
/// publication that is in progress.
pub async fn revision(conn: &mut Conn) -> Result<Option<(i64, Instant)>, StoreError> {
    Ok(sqlx::query_as("select revision, published_at from catalogue").fetch_optional(conn).await?)
}

/// Locks the catalogue until this transaction ends, so that only one transaction at a time publishes.
pub async fn lock(conn: &mut Conn) -> Result<(), StoreError> {
    // The table is locked and not its row, because there is no row before the first publication. Readers do not wait.
    sqlx::query("lock table catalogue in exclusive mode").execute(conn).await?;
    Ok(())
}

/// Makes the transaction read one consistent snapshot. Must be its first statement.
pub async fn freeze(conn: &mut Conn) -> Result<(), StoreError> {
    sqlx::query("set transaction isolation level repeatable read, read only").execute(conn).await?;
    Ok(())
}

/// Returns the newest version of every item. Withdrawn versions are included.
pub async fn newest_hashes(conn: &mut Conn) -> Result<Vec<StoredHash>, StoreError> {
    let sql = "select distinct on (code) code, version, content_hash, withdrawn_at is null as in_force \
               from item_versions order by code, version desc";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

/// Returns name and content hash of every shared part.
pub async fn part_hashes(conn: &mut Conn) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    Ok(sqlx::query_as("select name, content_hash from catalogue_parts").fetch_all(conn).await?)
}

/// Withdraws the versions of these items that are in force.
pub async fn withdraw(conn: &mut Conn, codes: &[String], at: Instant) -> Result<(), StoreError> {
    let sql = "update item_versions set withdrawn_at = $2 where code = any($1) and withdrawn_at is null";
    sqlx::query(sql).bind(codes).bind(at).execute(conn).await?;
    Ok(())
}

/// Adds versions of items. They are in force at once.
///
/// # Errors
/// If one of the versions exists already.
pub async fn insert_versions(conn: &mut Conn, versions: &[NewContent], at: Instant) -> Result<(), StoreError> {
    let sql = "insert into item_versions (code, version, content, content_hash, published_at) \
               select code, version, content, hash, $5 \
               from unnest($1::text[], $2::int[], $3::jsonb[], $4::bytea[]) as new (code, version, content, hash)";
    let numbers: Vec<i32> = versions.iter().map(|version| version.version).collect();
    let (names, contents, hashes) = columns(versions);
    sqlx::query(sql).bind(names).bind(numbers).bind(contents).bind(hashes).bind(at).execute(conn).await?;
    Ok(())
}

/// Adds or replaces shared parts.
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

/// Raises the revision by one and returns it.
pub async fn raise_revision(conn: &mut Conn, at: Instant) -> Result<i64, StoreError> {
    let sql = "insert into catalogue (revision, published_at) values (1, $1) on conflict (only_row) \
               do update set revision = catalogue.revision + 1, published_at = excluded.published_at \
               returning revision";
    Ok(sqlx::query_scalar(sql).bind(at).fetch_one(conn).await?)
}

pub async fn versions(conn: &mut Conn) -> Result<Vec<StoredVersion>, StoreError> {
    let sql = "select code, version, content, withdrawn_at is null as in_force from item_versions";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}

pub async fn version(conn: &mut Conn, code: &ItemCode, version: i32) -> Result<Option<Value>, StoreError> {
    let sql = "select content from item_versions where code = $1 and version = $2";
    Ok(sqlx::query_scalar(sql).bind(code).bind(version).fetch_optional(conn).await?)
}

/// Returns name and content of every shared part.
pub async fn parts(conn: &mut Conn) -> Result<Vec<(String, Value)>, StoreError> {
    Ok(sqlx::query_as("select name, content from catalogue_parts").fetch_all(conn).await?)
}
