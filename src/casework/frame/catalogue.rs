//! Keeps the published catalogue in memory. A process reads the whole catalogue when it starts, and again when a newer
//! one is published.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, Revision, Snapshot};
use crate::domain::item::{Item, ItemCode, ItemVersion};
use crate::store::catalogue::{self as rows, StoredVersion};
use crate::store::{Conn, Store, StoreError};

/// How often a process looks for a newer catalogue.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why the published catalogue cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("no catalogue is published: run `songda catalog load`")]
    Nothing,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the published catalogue.
pub async fn read(store: &Store) -> Result<Snapshot, ReadError> {
    // All statements see one snapshot of the database, so revision, items and parts belong to one publication.
    let mut tx = store.begin().await?;
    rows::freeze(&mut tx).await?;
    let (number, published_at) = rows::revision(&mut tx).await?.ok_or(ReadError::Nothing)?;
    let versions = rows::versions(&mut tx).await?;
    let parts: Map<String, Value> = rows::parts(&mut tx).await?.into_iter().collect();
    tx.rollback().await.map_err(StoreError::from)?;

    let (in_force, past): (Vec<_>, Vec<_>) = versions.into_iter().partition(|version| version.in_force);
    let parts = decode("parts", Value::Object(parts))?;
    let revision = Revision { number, published_at };
    Ok(Snapshot::new(revision, items(in_force)?, items(past)?, parts))
}

/// Reads one version of an item from the database.
pub(in crate::casework) async fn read_version(
    conn: &mut Conn,
    code: &ItemCode,
    version: i32,
) -> Result<Item, StoreError> {
    let content = rows::version(conn, code, version).await?;
    decode(code.as_str(), content.ok_or_else(|| StoreError::Broken(format!("version {version} of {code}")))?)
}

fn items(stored: Vec<StoredVersion>) -> Result<Vec<ItemVersion>, StoreError> {
    let read = |row: StoredVersion| Ok(ItemVersion { item: decode(&row.code, row.content)?, version: row.version });
    stored.into_iter().map(read).collect()
}

pub(in crate::casework) fn decode<T: serde::de::DeserializeOwned>(what: &str, content: Value) -> Result<T, StoreError> {
    serde_json::from_value(content).map_err(|error| StoreError::Broken(format!("catalogue, {what}: {error}")))
}

/// Replaces the catalogue in memory if a newer one is published. Returns true if it was replaced. If this fails, the
/// old catalogue stays in memory.
pub async fn refresh(store: &Store, catalog: &Catalog) -> Result<bool, ReadError> {
    let mut connection = store.connection().await?;
    let published = rows::revision(&mut connection).await?;
    drop(connection);
    if published.is_none_or(|(number, _)| number == catalog.current().revision().number) {
        return Ok(false);
    }
    catalog.replace(read(store).await?);
    Ok(true)
}

/// Looks for a newer catalogue every few seconds, until `stop`.
pub async fn keep_fresh(store: &Store, catalog: &Catalog, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        if let Err(error) = refresh(store, catalog).await {
            tracing::warn!(%error, "a newer catalogue cannot be read; the one in memory stays");
        }
    }
}
