//! What a PostgreSQL says about itself: for the operator who asks whether all is well. No keys are needed.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, FromRow, PgConnection};

use super::{KeyRing, SESSION, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;

/// A server's settings and state.
#[derive(Debug, Clone, FromRow)]
pub struct Condition {
    /// `170002` for 17.2.
    pub version: i32,
    /// Whether it only replays another server's changes, or takes no writes for another reason.
    pub read_only: bool,
    /// When `commit` returns: `on`, `off`, `local`, `remote_write` or `remote_apply`.
    pub synchronous_commit: String,
    /// Whether a commit reaches the disk at all.
    pub fsync: bool,
    /// Whether a page half written by a crash is found and mended.
    pub full_page_writes: bool,
    /// Whether it clears up after itself.
    pub autovacuum: bool,
    /// How many connections it takes from users like ours.
    pub connections: i32,
    /// How many of them others than this one hold.
    pub in_use: i32,
    /// Its clock.
    pub now: Instant,
}

/// Connects once, outside any pool.
///
/// # Errors
/// When `url` is no address, or the server cannot be reached.
pub async fn connect(url: &str) -> Result<PgConnection, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    Ok(options.application_name("songda-command").options(SESSION).connect().await?)
}

/// Asks a server about itself.
///
/// # Errors
/// When it does not answer.
pub async fn ask(conn: &mut PgConnection) -> Result<Condition, StoreError> {
    let condition = sqlx::query_as(
        "select current_setting('server_version_num')::int as version,
                current_setting('transaction_read_only')::bool as read_only,
                current_setting('synchronous_commit') as synchronous_commit,
                current_setting('fsync')::bool as fsync,
                current_setting('full_page_writes')::bool as full_page_writes,
                current_setting('autovacuum')::bool as autovacuum,
                current_setting('max_connections')::int
                    - current_setting('superuser_reserved_connections')::int as connections,
                (select count(*)::int from pg_stat_activity
                 where backend_type = 'client backend' and pid <> pg_backend_pid()) as in_use,
                clock_timestamp() as now",
    );
    Ok(condition.fetch_one(conn).await?)
}

/// How a schema and this program's migrations differ. The numbers are those of migrations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Not applied yet.
    pub missing: Vec<i64>,
    /// Applied by a newer program.
    pub newer: Vec<i64>,
    /// Applied, and not what this program has under that number; or begun and not finished.
    pub broken: Vec<i64>,
}

/// Compares a schema with a program's migrations.
///
/// # Errors
/// When the server does not answer.
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

/// Opens the oldest and the newest phone number in the database, and finds them by their hash; says how many there were
/// to try. What was opened is forgotten at once.
///
/// # Errors
/// When the server does not answer, or the keys are not those under which it was sealed.
pub async fn try_keys(conn: &mut PgConnection, keys: &KeyRing) -> Result<usize, StoreError> {
    const PLACE: &str = "people.phone";
    let phones: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "(select phone_sealed, phone_hash from people where phone_hash is not null order by id limit 1)
         union
         (select phone_sealed, phone_hash from people where phone_hash is not null order by id desc limit 1)",
    )
    .fetch_all(conn)
    .await?;
    for (sealed, hash) in &phones {
        let opened = Private::new(keys.open(PLACE, sealed)?);
        let text = std::str::from_utf8(opened.expose()).unwrap_or_default();
        if keys.hash(PLACE, text) != *hash {
            return Err(StoreError::Broken(format!("{PLACE} opens, but is found under another hash")));
        }
    }
    Ok(phones.len())
}
