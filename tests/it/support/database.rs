//! Databases of tests. Each is created for one test and dropped at its end. A failed test leaves its database behind
//! for inspection.

use songda::domain::kernel::clock::fresh_uuid;
use songda::store::{KeyRing, MIGRATOR, Store};
use sqlx::AssertSqlSafe;

use super::servers::Servers;

pub struct Database {
    name: String,
    pub url: String,
    pub servers: Servers,
}

impl Database {
    pub async fn empty(servers: &Servers) -> Self {
        Self::create(servers, "").await
    }

    pub async fn copy_of(servers: &Servers, template: &str) -> Self {
        Self::create(servers, &format!("template {template}")).await
    }

    async fn create(servers: &Servers, how: &str) -> Self {
        let name = format!("songda_test_{}", fresh_uuid().simple());
        let new = Self { url: servers.database(&name), servers: servers.clone(), name };
        new.administer(format!("create database {} {how}", new.name)).await;
        new
    }

    /// Renames the database, so that it is not dropped with its test.
    pub async fn keep_as(self, name: &str) {
        self.administer(format!("alter database {} rename to {name}", self.name)).await;
    }

    /// Drops the database, even if clients are still connected.
    pub async fn drop(&self) {
        self.administer(format!("drop database {} with (force)", self.name)).await;
    }

    async fn administer(&self, sql: String) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.servers.administrator().await).await.unwrap();
    }
}

/// A database with the schema and no rows, for tests that call the store or a use case without an API.
pub struct Record {
    database: Database,
    pub store: Store,
}

impl Record {
    pub async fn create() -> Self {
        let database = Database::empty(&Servers::shared()).await;
        let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
        let store = Store::new(&database.url, 20, "test", keys).unwrap();
        MIGRATOR.run(store.pool()).await.unwrap();
        Self { database, store }
    }

    pub async fn drop(self) {
        self.store.pool().close().await;
        self.database.drop().await;
    }
}
