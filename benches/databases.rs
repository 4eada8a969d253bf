//! Creates and drops databases on the PostgreSQL server of the benchmark run.

use std::env;

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::Measured;

/// Makes an empty database and returns its URL. If an earlier run left a database of this name behind, that database is
/// dropped first.
pub async fn create(name: &str) -> Measured<String> {
    remove(name).await?;
    administer(format!("create database {name}")).await?;
    let own = env::var("SONGDA_DATABASE_URL")?;
    let (server, _) = own.rsplit_once('/').ok_or("SONGDA_DATABASE_URL names no database")?;
    Ok(format!("{server}/{name}"))
}

/// Drops a database if it exists, and closes all connections to it.
pub async fn remove(name: &str) -> Measured<()> {
    administer(format!("drop database if exists {name} with (force)")).await
}

async fn administer(sql: String) -> Measured<()> {
    let mut connection = PgConnection::connect(&env::var("SONGDA_DATABASE_URL")?).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
