//! Uploads: the owner, the kind and the storage path of each uploaded file. An upload is kept for good once it is part
//! of a case.

use std::collections::BTreeSet;

use sqlx_macros::FromRow;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::application::upload::{FileKind, Upload};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::kernel::private::Private;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUpload {
    pub upload: Upload,
    /// Path of the content in the object store.
    pub object_path: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, person_id, content_type, size, sha256, object_path, created_at, keep_until from uploads ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: UploadId,
    person_id: PersonId,
    content_type: String,
    size: i64,
    sha256: Vec<u8>,
    object_path: String,
    created_at: Instant,
    keep_until: Option<Instant>,
}

impl TryFrom<Row> for StoredUpload {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = |column: &str| StoreError::Broken(format!("uploads.{column} of {}", row.id));
        let upload = Upload {
            id: row.id,
            person: row.person_id,
            kind: FileKind::from_media_type(&row.content_type).ok_or_else(|| broken("content_type"))?,
            size: u64::try_from(row.size).map_err(|_| broken("size"))?,
            sha256: row.sha256.try_into().map_err(|_| broken("sha256"))?,
            created_at: row.created_at,
            keep_until: row.keep_until,
        };
        Ok(Self { upload, object_path: row.object_path })
    }
}

/// Adds an upload. Its content is in the object store already.
pub async fn insert(
    conn: &mut Conn,
    keys: &KeyRing,
    stored: &StoredUpload,
    name: &Private<String>,
) -> Result<(), StoreError> {
    let StoredUpload { upload, object_path } = stored;
    let sql = "insert into uploads (id, person_id, content_type, size, sha256, name_sealed, object_path, created_at,
                                    keep_until)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    sqlx::query(sql)
        .bind(upload.id)
        .bind(upload.person)
        .bind(upload.kind.media_type())
        .bind(i64::try_from(upload.size).unwrap_or(i64::MAX))
        .bind(upload.sha256.as_slice())
        .bind(keys.seal(&Cell::of("uploads.name", upload.id.uuid()), name.expose().as_bytes())?)
        .bind(object_path)
        .bind(upload.created_at)
        .bind(upload.keep_until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds an upload of any person.
pub async fn find(conn: &mut Conn, id: UploadId) -> Result<Option<StoredUpload>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("where id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(TryInto::try_into).transpose()
}

/// Finds an upload like [`find`], and locks it until the end of the transaction.
pub async fn find_for_change(conn: &mut Conn, id: UploadId) -> Result<Option<StoredUpload>, StoreError> {
    let row: Option<Row> = sqlx::query_as(select!("where id = $1 for update")).bind(id).fetch_optional(conn).await?;
    row.map(TryInto::try_into).transpose()
}

/// Counts a person's files that are part of no case.
pub async fn count_unused(conn: &mut Conn, person: PersonId) -> Result<i64, StoreError> {
    let sql = "select count(*) from uploads where person_id = $1 and keep_until is not null";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_one(conn).await?)
}

/// Returns files that expired because they became part of no case in time, and locks them until the end of the
/// transaction. Rows that another transaction has locked are left out.
pub async fn expired(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<StoredUpload>, StoreError> {
    let sql = select!("where keep_until < $1 order by keep_until limit $2 for update skip locked");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(now).bind(limit).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Sets until when each file is kept. `None` keeps a file for good. The caller has locked the files.
pub async fn keep(conn: &mut Conn, files: &[(UploadId, Option<Instant>)]) -> Result<(), StoreError> {
    let (ids, until): (Vec<UploadId>, Vec<Option<Instant>>) = files.iter().copied().unzip();
    let sql = "update uploads u set keep_until = t.keep_until
               from unnest($1::uuid[], $2::timestamptz[]) as t (id, keep_until) where u.id = t.id";
    sqlx::query(sql).bind(ids).bind(until).execute(conn).await?;
    Ok(())
}

/// Deletes the rows of locked files. The caller removes the contents from the object store.
pub async fn remove(conn: &mut Conn, files: &[UploadId]) -> Result<(), StoreError> {
    sqlx::query("delete from uploads where id = any($1)").bind(files).execute(conn).await?;
    Ok(())
}

/// Returns the uploads among these that belong to a person.
pub async fn made_by(
    conn: &mut Conn,
    person: PersonId,
    among: &BTreeSet<UploadId>,
) -> Result<BTreeSet<UploadId>, StoreError> {
    if among.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<&UploadId> = among.iter().collect();
    let sql = "select id from uploads where person_id = $1 and id = any($2)";
    Ok(sqlx::query_scalar(sql).bind(person).bind(ids).fetch_all(conn).await?.into_iter().collect())
}
