//! `songda migrate`.

use songda::config::DatabaseSettings;
use songda::env::Env;
use songda::store::MIGRATOR;
use songda::store::migrate::{Migrated, migrate};
use sqlx::{Connection, PgConnection};

use super::failure::{Failure, faults};

/// Applies the missing migrations. The command does not read the keys folder.
pub async fn run() -> Result<(), Failure> {
    let mut env = Env::of_process();
    let database = DatabaseSettings::read(&mut env).ok_or_else(|| faults(env.faults()))?;
    let mut connection = PgConnection::connect(database.url.expose()).await?;
    let tell = |migration: &sqlx::migrate::Migration| {
        println!("migration {}: {}", migration.version, migration.description);
    };
    match migrate(&mut connection, &MIGRATOR, tell).await? {
        Migrated::UpToDate => println!("the schema is up to date"),
        Migrated::Newer(versions) => {
            println!("a newer program applied migrations {versions:?}; this program has nothing to do");
        }
    }
    Ok(())
}
