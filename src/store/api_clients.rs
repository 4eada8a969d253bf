//! API clients (back-office systems), their public keys, and the assertions that they have used. A client proves its
//! identity with an assertion, a JWT that it signed (RFC 7523). Each assertion can be used once.

use serde_json::Value;
use sqlx::types::Json;
use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::ClientId;
use crate::domain::people::staff::{ApiClient, Scope, Source};

/// The name of the constraint by which each source (the name of a back-office system) belongs to at most one client.
pub const ONE_CLIENT_PER_SOURCE: &str = "api_clients_source_key";

macro_rules! columns {
    () => {
        "id, name, source, agencies, scopes, created_at, revoked_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: ClientId,
    name: String,
    source: String,
    agencies: Vec<AgencyCode>,
    scopes: Vec<String>,
    created_at: Instant,
    revoked_at: Option<Instant>,
}

impl Row {
    fn read(self) -> Result<ApiClient, StoreError> {
        let Self { id, name, source, agencies, scopes, created_at, revoked_at } = self;
        let broken = |column: &str| StoreError::Broken(format!("api_clients.{column} of {id}"));
        let source = source.parse().map_err(|_| broken("source"))?;
        let scopes =
            scopes.iter().map(|scope| scope.parse().map_err(|_| broken("scopes"))).collect::<Result<_, _>>()?;
        Ok(ApiClient { id, name, source, agencies, scopes, created_at, revoked_at })
    }
}

/// Adds a client with its public keys (a JWK set).
///
/// # Errors
/// [`ONE_CLIENT_PER_SOURCE`] if another client has the source.
pub async fn insert(conn: &mut Conn, client: &ApiClient, keys: &Value) -> Result<(), StoreError> {
    let scopes: Vec<&str> = client.scopes.iter().map(Scope::as_str).collect();
    let sql = "insert into api_clients (id, name, source, agencies, scopes, public_keys, created_at)
               values ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(client.id)
        .bind(&client.name)
        .bind(client.source.as_str())
        .bind(&client.agencies)
        .bind(scopes)
        .bind(Json(keys))
        .bind(client.created_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a client and its public keys (a JWK set). A client that was revoked is not found.
pub async fn find_open(conn: &mut Conn, id: ClientId) -> Result<Option<(ApiClient, Value)>, StoreError> {
    #[derive(FromRow)]
    struct WithKeys {
        #[sqlx(flatten)]
        row: Row,
        public_keys: Json<Value>,
    }
    let sql = concat!("select public_keys, ", columns!(), " from api_clients where id = $1 and revoked_at is null");
    let found: Option<WithKeys> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    found.map(|found| Ok((found.row.read()?, found.public_keys.0))).transpose()
}

/// Returns all clients in the order of their sources. Revoked clients are included.
pub async fn all(conn: &mut Conn) -> Result<Vec<ApiClient>, StoreError> {
    let sql = concat!("select ", columns!(), " from api_clients order by source");
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(conn).await?;
    rows.into_iter().map(Row::read).collect()
}

/// Revokes a client for good. Returns false if no client has this source.
pub async fn revoke(conn: &mut Conn, source: &Source, now: Instant) -> Result<bool, StoreError> {
    let sql = "update api_clients set revoked_at = coalesce(revoked_at, $2) where source = $1";
    Ok(sqlx::query(sql).bind(source.as_str()).bind(now).execute(conn).await?.rows_affected() == 1)
}

/// Stores that an assertion was used. It is stored at least until the assertion expires. Returns false if the assertion
/// was used before.
pub async fn use_assertion(
    conn: &mut Conn,
    client: ClientId,
    jti: &str,
    expires_at: Instant,
) -> Result<bool, StoreError> {
    let sql = "insert into used_assertions (client_id, jti, expires_at) values ($1, $2, $3)
               on conflict on constraint used_assertions_pkey do nothing";
    Ok(sqlx::query(sql).bind(client).bind(jti).bind(expires_at).execute(conn).await?.rows_affected() == 1)
}

/// Removes up to `limit` assertions that expired before an instant. Returns how many.
pub async fn forget_assertions(conn: &mut Conn, expired_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from used_assertions where expires_at < $1 and ctid = any (array(
                   select ctid from used_assertions where expires_at < $1 order by expires_at limit $2))";
    Ok(sqlx::query(sql).bind(expired_before).bind(limit).execute(conn).await?.rows_affected())
}
