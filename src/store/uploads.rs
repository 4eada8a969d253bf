//! Uploads: the owner, the kind, the storage path and the check of each uploaded file. An upload is kept for good once
//! it is part of a case.

use std::collections::{BTreeMap, BTreeSet};

use sqlx_macros::FromRow;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::application::upload::{FileCheck, FileFault, FileKind, ShownFile, Upload};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::kernel::private::Private;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUpload {
    pub upload: Upload,
    /// The path of the original in the object store.
    pub object_path: String,
}

impl StoredUpload {
    /// Returns the paths of all its contents in the object store.
    pub fn paths(&self) -> Vec<&str> {
        let shown = match &self.upload.check {
            FileCheck::Passed(shown) if shown.path != self.object_path => Some(shown.path.as_str()),
            _ => None,
        };
        std::iter::once(self.object_path.as_str()).chain(shown).collect()
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, person_id, content_type, size, sha256, object_path, created_at, keep_until, checked_at,
                    refused_for, shown_path, shown_type, shown_size, shown_sha256 from uploads ",
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
    checked_at: Option<Instant>,
    refused_for: Option<String>,
    shown_path: Option<String>,
    shown_type: Option<String>,
    shown_size: Option<i64>,
    shown_sha256: Option<Vec<u8>>,
}

impl Row {
    /// Returns the state of the check; `None` if a newer release wrote it.
    fn check(&self) -> Option<FileCheck> {
        if self.checked_at.is_none() {
            return Some(FileCheck::Pending);
        }
        if let Some(fault) = &self.refused_for {
            return FileFault::from_stored(fault).map(FileCheck::Refused);
        }
        Some(FileCheck::Passed(ShownFile {
            kind: FileKind::from_media_type(self.shown_type.as_deref()?)?,
            size: u64::try_from(self.shown_size?).ok()?,
            sha256: self.shown_sha256.as_deref()?.try_into().ok()?,
            path: self.shown_path.clone()?,
        }))
    }
}

impl TryFrom<Row> for StoredUpload {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = |column: &str| StoreError::Broken(format!("uploads.{column} of {}", row.id));
        let check = row.check().ok_or_else(|| broken("checked_at"))?;
        let upload = Upload {
            id: row.id,
            person: row.person_id,
            kind: FileKind::from_media_type(&row.content_type).ok_or_else(|| broken("content_type"))?,
            size: u64::try_from(row.size).map_err(|_| broken("size"))?,
            sha256: row.sha256.try_into().map_err(|_| broken("sha256"))?,
            created_at: row.created_at,
            keep_until: row.keep_until,
            check,
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

/// Returns the uploads among these that belong to a person, each with the fault for which its check refused it.
pub async fn made_by(
    conn: &mut Conn,
    person: PersonId,
    among: &BTreeSet<UploadId>,
) -> Result<BTreeMap<UploadId, Option<FileFault>>, StoreError> {
    if among.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<&UploadId> = among.iter().collect();
    let sql = "select id, refused_for from uploads where person_id = $1 and id = any($2)";
    let rows: Vec<(UploadId, Option<String>)> = sqlx::query_as(sql).bind(person).bind(ids).fetch_all(conn).await?;
    let known = |(id, fault): (UploadId, Option<String>)| match fault {
        None => Ok((id, None)),
        Some(fault) => FileFault::from_stored(&fault)
            .map(|fault| (id, Some(fault)))
            .ok_or_else(|| StoreError::Broken(format!("uploads.refused_for of {id}"))),
    };
    rows.into_iter().map(known).collect()
}

/// Returns these uploads in the order of their creation. Uploads that do not exist are left out.
pub async fn all(conn: &mut Conn, ids: &BTreeSet<UploadId>) -> Result<Vec<StoredUpload>, StoreError> {
    let ids: Vec<&UploadId> = ids.iter().collect();
    let rows: Vec<Row> = sqlx::query_as(select!("where id = any($1) order by id")).bind(ids).fetch_all(conn).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Writes that a file has passed its check, and what people are shown. Returns false if the file does not exist any
/// more, or was checked before.
pub async fn pass(conn: &mut Conn, id: UploadId, shown: &ShownFile, now: Instant) -> Result<bool, StoreError> {
    let sql = "update uploads
               set checked_at = $2, shown_path = $3, shown_type = $4, shown_size = $5, shown_sha256 = $6
               where id = $1 and checked_at is null";
    let written = sqlx::query(sql)
        .bind(id)
        .bind(now)
        .bind(&shown.path)
        .bind(shown.kind.media_type())
        .bind(i64::try_from(shown.size).unwrap_or(i64::MAX))
        .bind(shown.sha256.as_slice())
        .execute(conn)
        .await?;
    Ok(written.rows_affected() == 1)
}

/// Writes that the check refused a file. Returns the file's owner; `None` if the file does not exist any more, or was
/// checked before.
pub async fn refuse(
    conn: &mut Conn,
    id: UploadId,
    fault: FileFault,
    now: Instant,
) -> Result<Option<PersonId>, StoreError> {
    let sql = "update uploads set checked_at = $2, refused_for = $3 where id = $1 and checked_at is null
               returning person_id";
    Ok(sqlx::query_scalar(sql).bind(id).bind(now).bind(fault.as_str()).fetch_optional(conn).await?)
}
