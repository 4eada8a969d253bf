//! Uploads: who uploaded what, and where its content lies.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::clock::Instant;
use crate::domain::ids::{PersonId, UploadId};
use crate::domain::private::Private;
use crate::domain::upload::{FileKind, Upload};

/// An upload and where its content lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUpload {
    /// The upload.
    pub upload: Upload,
    /// The path of its content in the object store.
    pub object_path: String,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    person_id: Uuid,
    content_type: String,
    size: i64,
    sha256: Vec<u8>,
    object_path: String,
    created_at: Instant,
}

impl TryFrom<Row> for StoredUpload {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = UploadId::from_uuid(row.id);
        let broken = |column: &str| StoreError::Broken(format!("uploads.{column} of {id}"));
        let upload = Upload {
            id,
            person: PersonId::from_uuid(row.person_id),
            kind: FileKind::from_media_type(&row.content_type).ok_or_else(|| broken("content_type"))?,
            size: u64::try_from(row.size).map_err(|_| broken("size"))?,
            sha256: row.sha256.try_into().map_err(|_| broken("sha256"))?,
            created_at: row.created_at,
        };
        Ok(Self { upload, object_path: row.object_path })
    }
}

/// Adds an upload, whose content is in the object store already.
///
/// # Errors
/// When the database is unavailable.
pub async fn insert(
    conn: &mut Conn,
    keys: &KeyRing,
    stored: &StoredUpload,
    name: &Private<String>,
) -> Result<(), StoreError> {
    let StoredUpload { upload, object_path } = stored;
    sqlx::query(
        "insert into uploads (id, person_id, content_type, size, sha256, name_sealed, object_path, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(upload.id.uuid())
    .bind(upload.person.uuid())
    .bind(upload.kind.media_type())
    .bind(i64::try_from(upload.size).unwrap_or(i64::MAX))
    .bind(upload.sha256.as_slice())
    .bind(keys.seal("uploads.name", name.expose().as_bytes())?)
    .bind(object_path)
    .bind(upload.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// One upload, whoever made it.
///
/// # Errors
/// When the database is unavailable or holds something unreadable.
pub async fn find(conn: &mut Conn, id: UploadId) -> Result<Option<StoredUpload>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "select id, person_id, content_type, size, sha256, object_path, created_at from uploads where id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(conn)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Those of some uploads that a person made.
///
/// # Errors
/// When the database is unavailable.
pub async fn made_by(
    conn: &mut Conn,
    person: PersonId,
    among: &BTreeSet<UploadId>,
) -> Result<BTreeSet<UploadId>, StoreError> {
    if among.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<Uuid> = among.iter().map(|id| id.uuid()).collect();
    let made: Vec<Uuid> = sqlx::query_scalar("select id from uploads where person_id = $1 and id = any($2)")
        .bind(person.uuid())
        .bind(ids)
        .fetch_all(conn)
        .await?;
    Ok(made.into_iter().map(UploadId::from_uuid).collect())
}
