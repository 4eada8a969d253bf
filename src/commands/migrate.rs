//! `songda migrate`.

use songda::store::MIGRATOR;
use sqlx::{Connection, PgConnection};

use super::Failure;

/// Applies what is new. It needs the address alone, no keys.
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
pub async fn run() -> Result<(), Failure> {
    let mut env = songda::env::Env::of_process();
    let url = env.secret("SONGDA_DATABASE_URL", "PostgreSQL: postgres://user:password@host:port/database");
    let url = url.ok_or_else(|| super::faults(env.faults()))?;
    let mut connection = PgConnection::connect(url.expose()).await?;
    MIGRATOR.run(&mut connection).await?;
    println!("the schema is up to date");
    Ok(())
}
