//! Databases of tests: each is made for one test, and dropped at its end. A test that fails leaves its own behind, to be
//! looked at.

use songda::domain::kernel::clock::fresh_uuid;
use songda::store::{KeyRing, MIGRATOR, Store};
use sqlx::AssertSqlSafe;

use crate::support::servers::Servers;

/// One database.
pub struct Database {
    name: String,
    /// Where it is.
    pub url: String,
    /// The servers of its test.
    pub servers: Servers,
}

impl Database {
    /// An empty one.
    pub async fn empty(servers: &Servers) -> Self {
        Self::create(servers, "").await
    }

    /// A copy of another one.
    pub async fn copy_of(servers: &Servers, template: &str) -> Self {
        Self::create(servers, &format!("template {template}")).await
    }

    async fn create(servers: &Servers, how: &str) -> Self {
        let name = format!("songda_test_{}", fresh_uuid().simple());
        let new = Self { url: servers.database(&name), servers: servers.clone(), name };
        new.administer(format!("create database {} {how}", new.name)).await;
        new
    }

    /// Gives it a name of its own for good: from now on nobody drops it.
    pub async fn keep_as(self, name: &str) {
        self.administer(format!("alter database {} rename to {name}", self.name)).await;
    }

    /// Drops it, whoever is still connected.
    pub async fn drop(&self) {
        self.administer(format!("drop database {} with (force)", self.name)).await;
    }

    async fn administer(&self, sql: String) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut self.servers.administrator().await).await.unwrap();
    }
}

/// An empty record: a database with the schema, and its store.
pub struct Record {
    database: Database,
    /// Its store.
    pub store: Store,
}

impl Record {
    /// Makes it.
    pub async fn create() -> Self {
        let database = Database::empty(&Servers::shared()).await;
        let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
        let store = Store::new(&database.url, 20, "test", keys).unwrap();
        MIGRATOR.run(store.pool()).await.unwrap();
        Self { database, store }
    }

    /// Drops it.
    pub async fn drop(self) {
        self.store.pool().close().await;
        self.database.drop().await;
    }
}
