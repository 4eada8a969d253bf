//! `songda migrate`.

use songda::config::DatabaseSettings;
use songda::store::MIGRATOR;
use sqlx::{Connection, PgConnection};

use super::Failure;

/// Applies what is new. It needs the address alone, no keys.
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
pub async fn run() -> Result<(), Failure> {
    let mut env = songda::env::Env::of_process();
    let database = DatabaseSettings::read(&mut env).ok_or_else(|| super::faults(env.faults()))?;
    let mut connection = PgConnection::connect(database.url.expose()).await?;
    MIGRATOR.run(&mut connection).await?;
    println!("the schema is up to date");
    Ok(())
}
