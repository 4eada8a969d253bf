//! Brings a schema up to date while processes work on it.
//!
//! A change of a table waits until nobody uses the table, and whoever comes meanwhile waits behind the change: one slow
//! statement would stop everybody. So a change gives up its place soon, lets the others pass, and tries again.

use std::time::Duration;

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migration, Migrator};

use super::StoreError;
use super::condition::{Schema, schema};

/// Why a schema was not brought up to date. What was applied before stays.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not the schema of this program or of a newer one.
    #[error(
        "the schema is of another program: migrations {broken:?} differ or broke off, {newer:?} are not known here, \
         {missing:?} are missing there"
    )]
    Strange {
        /// Applied in another form, or half.
        broken: Vec<i64>,
        /// Not known to this program.
        newer: Vec<i64>,
        /// Not applied.
        missing: Vec<i64>,
    },
    /// The tables were in use all the time.
    #[error("migration {0} finds no moment between the statements that use its tables: try again when less is done")]
    Busy(i64),
    /// A migration.
    #[error("migration {version} cannot be applied")]
    Failed {
        /// Which.
        version: i64,
        /// Why.
        #[source]
        source: MigrateError,
    },
}

/// What became of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migrated {
    /// It is as this program wants it.
    UpToDate,
    /// A newer program brought it further, which a program of the release before bears.
    Newer(Vec<i64>),
}

/// How long a change waits for its tables, and everybody else for the change.
const WAIT: &str = "set lock_timeout = '1s'";
/// An index that is built concurrently waits for others, and nobody waits for it.
const WAIT_FOR_EVER: &str = "set lock_timeout = 0";
/// What a server says when that time is over.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// How often a change is tried.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Applies what is missing, one after the other, and tells of each before it begins.
///
/// # Errors
/// When one cannot be applied, or the schema is a strange one.
pub async fn migrate(
    conn: &mut PgConnection,
    migrator: &Migrator,
    mut tell: impl FnMut(&Migration),
) -> Result<Migrated, MigrationError> {
    let Schema { missing, newer, broken } = schema(conn, migrator).await?;
    if !broken.is_empty() || !(newer.is_empty() || missing.is_empty()) {
        return Err(MigrationError::Strange { broken, newer, missing });
    }
    for migration in migrator.iter().filter(|migration| missing.contains(&migration.version)) {
        tell(migration);
        apply(conn, migrator, migration).await?;
    }
    Ok(if newer.is_empty() { Migrated::UpToDate } else { Migrated::Newer(newer) })
}

async fn apply(conn: &mut PgConnection, migrator: &Migrator, migration: &Migration) -> Result<(), MigrationError> {
    let (version, wait) = (migration.version, if migration.no_tx { WAIT_FOR_EVER } else { WAIT });
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
