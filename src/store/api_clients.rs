//! API clients, their public keys, and the assertions that they have used.

use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ClientId;
use crate::domain::people::staff::{ApiClient, Scope, Source};

/// The constraint that a source belongs to a single client.
pub const ONE_CLIENT_PER_SOURCE: &str = "api_clients_source_key";

/// Columns are named, so that a column of a newer release does not change the statements of this one.
macro_rules! columns {
    () => {
        "id, name, source, agencies, scopes, created_at, revoked_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    source: String,
    agencies: Vec<String>,
    scopes: Vec<String>,
    created_at: Instant,
    revoked_at: Option<Instant>,
}

impl Row {
    fn read(self) -> Result<ApiClient, StoreError> {
        let id = ClientId::from_uuid(self.id);
        let broken = |column: &str| StoreError::Broken(format!("api_clients.{column} of {id}"));
        Ok(ApiClient {
            id,
            name: self.name,
            source: self.source.parse().map_err(|_| broken("source"))?,
            agencies: self.agencies.into_iter().map(AgencyCode::new).collect(),
            scopes: self
                .scopes
                .iter()
                .map(|scope| scope.parse().map_err(|_| broken("scopes")))
                .collect::<Result<_, _>>()?,
            created_at: self.created_at,
            revoked_at: self.revoked_at,
        })
    }
}

/// Adds a client with its JWK set.
///
/// # Errors
/// [`ONE_CLIENT_PER_SOURCE`] if another client has the source.
pub async fn insert(conn: &mut Conn, client: &ApiClient, keys: &Value) -> Result<(), StoreError> {
    let agencies: Vec<&str> = client.agencies.iter().map(AgencyCode::as_str).collect();
    let scopes: Vec<&str> = client.scopes.iter().map(Scope::as_str).collect();
    sqlx::query(
        "insert into api_clients (id, name, source, agencies, scopes, public_keys, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(client.id.uuid())
    .bind(&client.name)
    .bind(client.source.as_str())
    .bind(agencies)
    .bind(scopes)
    .bind(Json(keys))
    .bind(client.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A client and its JWK set, unless the client was revoked.
pub async fn find_open(conn: &mut Conn, id: ClientId) -> Result<Option<(ApiClient, Value)>, StoreError> {
    #[derive(FromRow)]
    struct WithKeys {
        #[sqlx(flatten)]
        row: Row,
        public_keys: Json<Value>,
    }
    let found: Option<WithKeys> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", public_keys from api_clients where id = $1 and revoked_at is null"
    ))
    .bind(id.uuid())
    .fetch_optional(conn)
    .await?;
    found.map(|found| Ok((found.row.read()?, found.public_keys.0))).transpose()
}

/// All clients in the order of their sources, revoked ones included.
pub async fn all(conn: &mut Conn) -> Result<Vec<ApiClient>, StoreError> {
    let rows: Vec<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from api_clients order by source")).fetch_all(conn).await?;
    rows.into_iter().map(Row::read).collect()
}

/// Revokes a client for good. Returns false if no client has this source.
pub async fn revoke(conn: &mut Conn, source: &Source, now: Instant) -> Result<bool, StoreError> {
    let done = sqlx::query("update api_clients set revoked_at = coalesce(revoked_at, $2) where source = $1")
        .bind(source.as_str())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses an assertion up. Returns false if it was used before. It is remembered until it expires.
pub async fn use_assertion(
    conn: &mut Conn,
    client: ClientId,
    jti: &str,
    expires_at: Instant,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "insert into used_assertions (client_id, jti, expires_at) values ($1, $2, $3)
         on conflict on constraint used_assertions_pkey do nothing",
    )
    .bind(client.uuid())
    .bind(jti)
    .bind(expires_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets up to `limit` assertions that expired before an instant. Returns how many.
pub async fn forget_assertions(conn: &mut Conn, expired_before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from used_assertions where expires_at < $1 and ctid = any (array(
        select ctid from used_assertions where expires_at < $1 order by expires_at limit $2))";
    Ok(sqlx::query(SQL).bind(expired_before).bind(limit).execute(conn).await?.rows_affected())
}
