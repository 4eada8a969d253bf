//! The state of a PostgreSQL server and of its schema, for `songda doctor`.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use sqlx_macros::FromRow;

use super::{KeyRing, SESSION, StoreError, people};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;

#[derive(Debug, Clone, FromRow)]
pub struct Condition {
    /// `server_version_num`: `170002` for 17.2.
    pub version: i32,
    /// True if the server refuses writes, for example because it is a standby.
    pub read_only: bool,
    /// The setting that decides when a commit returns: `on`, `off`, `local`, `remote_write` or `remote_apply`.
    pub synchronous_commit: String,
    /// True if PostgreSQL flushes commits to disk.
    pub fsync: bool,
    /// True if the server can repair a page that a crash left half written.
    pub full_page_writes: bool,
    pub autovacuum: bool,
    /// The number of connections that the server allows to ordinary users.
    pub connections: i32,
    /// The number of connections in use, without this connection.
    pub in_use: i32,
    /// The server's clock.
    pub now: Instant,
}

/// Opens a single connection outside the pool.
///
/// # Errors
/// If `url` is not a PostgreSQL address, or the server cannot be reached.
pub async fn connect(url: &str) -> Result<PgConnection, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    Ok(options.application_name("songda-command").options(SESSION).connect().await?)
}

pub async fn ask(conn: &mut PgConnection) -> Result<Condition, StoreError> {
    let sql = "select current_setting('server_version_num')::int as version,
                      current_setting('transaction_read_only')::bool as read_only,
                      current_setting('synchronous_commit') as synchronous_commit,
                      current_setting('fsync')::bool as fsync,
                      current_setting('full_page_writes')::bool as full_page_writes,
                      current_setting('autovacuum')::bool as autovacuum,
                      current_setting('max_connections')::int
                          - current_setting('superuser_reserved_connections')::int as connections,
                      (select count(*)::int from pg_stat_activity
                       where backend_type = 'client backend' and pid <> pg_backend_pid()) as in_use,
                      clock_timestamp() as now";
    Ok(sqlx::query_as(sql).fetch_one(conn).await?)
}

/// The differences between a schema and this program: the versions of the migrations that differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    pub missing: Vec<i64>,
    /// Migrations that a newer program applied. This program does not know them.
    pub newer: Vec<i64>,
    /// Migrations that were applied with another content than this program has under that version, or were begun and
    /// not finished.
    pub broken: Vec<i64>,
}

pub async fn schema(conn: &mut PgConnection, migrator: &Migrator) -> Result<Schema, StoreError> {
    const TABLE: &str = "_sqlx_migrations";
    let is_there: bool =
        sqlx::query_scalar("select to_regclass($1) is not null").bind(TABLE).fetch_one(&mut *conn).await?;
    if !is_there {
        let missing = migrator.iter().map(|migration| migration.version).collect();
        return Ok(Schema { missing, ..Schema::default() });
    }
    let dirty = conn.dirty_version(TABLE).await.map_err(unexpected)?;
    let applied = conn.list_applied_migrations(TABLE).await.map_err(unexpected)?;
    let mut schema = Schema { broken: dirty.into_iter().collect(), ..Schema::default() };
    for ours in migrator.iter() {
        match applied.iter().find(|theirs| theirs.version == ours.version) {
            None => schema.missing.push(ours.version),
            Some(theirs) if theirs.checksum != ours.checksum => schema.broken.push(ours.version),
            Some(_) => {}
        }
    }
    let known = |version: i64| migrator.iter().any(|ours| ours.version == version);
    schema.newer = applied.iter().map(|theirs| theirs.version).filter(|version| !known(*version)).collect();
    Ok(schema)
}

fn unexpected(error: MigrateError) -> StoreError {
    StoreError::Broken(error.to_string())
}

/// Checks that the keys, which encrypt and hash personal data, belong to this database. For the oldest and the newest
/// phone number, decrypts the stored value, hashes the result, and compares this hash with the stored hash. Returns how
/// many phone numbers it checked: none in a fresh database, at most two.
///
/// # Errors
/// If the keys do not belong to this database.
pub async fn try_keys(conn: &mut PgConnection, keys: &KeyRing) -> Result<usize, StoreError> {
    let sql = "(select id, phone_sealed, phone_hash from people where phone_hash is not null order by id limit 1)
               union
               (select id, phone_sealed, phone_hash from people where phone_hash is not null order by id desc limit 1)";
    let phones: Vec<(PersonId, Vec<u8>, Vec<u8>)> = sqlx::query_as(sql).fetch_all(conn).await?;
    for (id, sealed, hash) in &phones {
        let opened = Private::new(keys.open(&people::phone_of(*id), sealed)?);
        let text = std::str::from_utf8(opened.expose()).unwrap_or_default();
        if keys.hash(people::PHONE, text) != *hash {
            return Err(StoreError::Broken(format!("{} opens, but is found under another hash", people::PHONE)));
        }
    }
    Ok(phones.len())
}
