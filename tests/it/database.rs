//! Databases of tests: each is made beside the one that `SONGDA_DATABASE_URL` names, and dropped at the test's end. A
//! test that fails leaves its own behind, to be looked at.

use reqwest::Url;
use songda::domain::clock::fresh_uuid;
use songda::store::{KeyRing, MIGRATOR, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// One database.
pub struct Database {
    name: String,
    /// Where it is.
    pub url: String,
}

impl Database {
    /// An empty one.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    /// A copy of another one.
    pub async fn copy_of(template: &str) -> Self {
        Self::create(&format!("template {template}")).await
    }

    async fn create(how: &str) -> Self {
        let name = format!("songda_test_{}", fresh_uuid().simple());
        administer(format!("create database {name} {how}")).await;
        Self { url: url_of(&name), name }
    }

    /// Gives it a name of its own for good: from now on nobody drops it.
    pub async fn keep_as(self, name: &str) {
        administer(format!("alter database {} rename to {name}", self.name)).await;
    }

    /// Drops it, whoever is still connected.
    pub async fn drop(&self) {
        administer(format!("drop database {} with (force)", self.name)).await;
    }
}

/// A connection to the database that `SONGDA_DATABASE_URL` names, to administer others from.
pub async fn administrator() -> PgConnection {
    PgConnection::connect(&administrators_url()).await.unwrap()
}

async fn administer(sql: String) {
    sqlx::query(AssertSqlSafe(sql)).execute(&mut administrator().await).await.unwrap();
}

fn administrators_url() -> String {
    std::env::var("SONGDA_DATABASE_URL").expect("SONGDA_DATABASE_URL is set: run the tests with script/test")
}

fn url_of(name: &str) -> String {
    let mut url: Url = administrators_url().parse().unwrap();
    url.set_path(name);
    url.into()
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
        let database = Database::empty().await;
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
