//! Brings a database schema up to date while processes use the database.
//!
//! A migration waits until no statement uses the table that it changes, and every later statement on that table waits
//! behind the migration. So one slow statement could stop all later statements. To prevent this, a migration waits only
//! briefly, lets the waiting statements pass, and tries again.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migration, Migrator};

use super::StoreError;
use super::condition::{Schema, schema};

/// The reason why a schema was not brought up to date. Migrations that were applied before the failure stay applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema belongs neither to this release nor to a newer one.
    #[error(
        "the schema is that of another program: migrations {broken:?} differ or were not finished, {newer:?} are unknown to \
         this program, {missing:?} are not applied"
    )]
    Foreign {
        /// Migrations that were applied with other content, or only in part.
        broken: Vec<i64>,
        newer: Vec<i64>,
        missing: Vec<i64>,
    },
    /// The migration with this version was never applied, because other statements used its tables during all attempts.
    #[error("migration {0} always finds its tables in use: try again when the database is less busy")]
    Busy(i64),
    #[error("migration {version} cannot be applied")]
    Failed {
        version: i64,
        #[source]
        source: MigrateError,
    },
}

/// The state of a schema after [`migrate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migrated {
    /// All migrations of this program are applied.
    UpToDate,
    /// A newer release applied these further migrations. This release works on such a schema too, because releases only
    /// add to a schema.
    Newer(Vec<i64>),
}

/// How long a migration waits for its tables. Other statements on these tables wait behind it.
const WAIT: &str = "set lock_timeout = '1s'";
/// For a migration that builds an index concurrently: it waits for other statements, but no statement waits behind it.
const WAIT_FOR_EVER: &str = "set lock_timeout = 0";
/// The SQLSTATE that PostgreSQL reports after `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Applies the missing migrations one after the other. Calls `tell` with each migration before it is applied.
///
/// # Errors
/// If a migration cannot be applied, or the schema is that of another program.
pub async fn migrate(
    conn: &mut PgConnection,
    migrator: &Migrator,
    mut tell: impl FnMut(&Migration),
) -> Result<Migrated, MigrationError> {
    let Schema { missing, newer, broken } = schema(conn, migrator).await?;
    if !broken.is_empty() || !(newer.is_empty() || missing.is_empty()) {
        return Err(MigrationError::Foreign { broken, newer, missing });
    }
    for migration in migrator.iter().filter(|migration| missing.contains(&migration.version)) {
        tell(migration);
        apply(conn, migrator, migration).await?;
    }
    Ok(if newer.is_empty() { Migrated::UpToDate } else { Migrated::Newer(newer) })
}

async fn apply(conn: &mut PgConnection, migrator: &Migrator, migration: &Migration) -> Result<(), MigrationError> {
    let version = migration.version;
    let wait = if migration.no_tx { WAIT_FOR_EVER } else { WAIT };
    sqlx::query(wait).execute(&mut *conn).await.map_err(StoreError::from)?;
    for _ in 0..TRIES {
        match migrator.run_to(version, &mut *conn).await {
            Ok(()) => return Ok(()),
            Err(error) if waited_too_long(&error) => tokio::time::sleep(PAUSE).await,
            Err(source) => return Err(MigrationError::Failed { version, source }),
        }
    }
    Err(MigrationError::Busy(version))
}

fn waited_too_long(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}
